/* P-256 CA and server certificate, made with GnuTLS, which serves them too. */
#include "tls_make.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <sodium.h>

#define YEARS(n) ((time_t)(n)*365 * 24 * 60 * 60)
#define CURVE    GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)

struct pair {
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
};

static void
pair_clear(struct pair *p)
{
	if (p->key != NULL)
		gnutls_x509_privkey_deinit(p->key);
	if (p->crt != NULL)
		gnutls_x509_crt_deinit(p->crt);
	*p = (struct pair){ 0 };
}

/* A key, and a certificate with all but its names and signature. */
static int
pair_make(struct pair *p, const char *common_name, time_t until)
{
	uint8_t serial[16];
	int rc;

	randombytes_buf(serial, sizeof(serial));
	serial[0] &= 0x7f;
	serial[0] |= 0x40;
	if ((rc = gnutls_x509_privkey_init(&p->key)) < 0 ||
	    (rc = gnutls_x509_crt_init(&p->crt)) < 0 ||
	    (rc = gnutls_x509_privkey_generate(
		 p->key, GNUTLS_PK_ECDSA, CURVE, 0)) < 0 ||
	    (rc = gnutls_x509_crt_set_version(p->crt, 3)) < 0 ||
	    (rc = gnutls_x509_crt_set_key(p->crt, p->key)) < 0 ||
	    (rc = gnutls_x509_crt_set_serial(p->crt, serial, sizeof(serial))) <
		0 ||
	    (rc = gnutls_x509_crt_set_dn_by_oid(p->crt,
		 GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
		 (unsigned int)strlen(common_name))) < 0 ||
	    (rc = gnutls_x509_crt_set_activation_time(
		 p->crt, time(NULL) - 3600)) < 0)
		return rc;
	return gnutls_x509_crt_set_expiration_time(p->crt, until);
}

static int
key_ids(const struct pair *p, const struct pair *issuer)
{
	uint8_t id[64];
	size_t len = sizeof(id);
	int rc;

	if ((rc = gnutls_x509_crt_get_key_id(p->crt, 0, id, &len)) < 0 ||
	    (rc = gnutls_x509_crt_set_subject_key_id(p->crt, id, len)) < 0)
		return rc;
	len = sizeof(id);
	if ((rc = gnutls_x509_crt_get_key_id(issuer->crt, 0, id, &len)) < 0)
		return rc;
	return gnutls_x509_crt_set_authority_key_id(p->crt, id, len);
}

static int
san_name(gnutls_x509_crt_t crt, const char *name)
{
	return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME,
	    name, (unsigned int)strlen(name), GNUTLS_FSAN_APPEND);
}

static int
san_any(gnutls_x509_crt_t crt, const char *host)
{
	uint8_t ip[16];

	if (inet_pton(AF_INET, host, ip) == 1)
		return gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_IPADDRESS, ip, 4, GNUTLS_FSAN_APPEND);
	if (inet_pton(AF_INET6, host, ip) == 1)
		return gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_IPADDRESS, ip, 16, GNUTLS_FSAN_APPEND);
	return san_name(crt, host);
}

static int
sans(gnutls_x509_crt_t crt, const char *host)
{
	static const char *const loopback[] = { "localhost", "127.0.0.1",
		"::1" };
	bool local = false;
	int rc = 0;

	for (size_t i = 0; i < 3; i++)
		local |= strcmp(host, loopback[i]) == 0;
	if (!local)
		return san_any(crt, host);
	for (size_t i = 0; i < 3 && rc >= 0; i++)
		rc = san_any(crt, loopback[i]);
	return rc;
}

static int
ca_make(struct pair *ca, const char *common_name)
{
	int rc;

	if ((rc = pair_make(ca, common_name, time(NULL) + YEARS(10))) < 0 ||
	    (rc = gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0)) < 0 ||
	    (rc = gnutls_x509_crt_set_key_usage(
		 ca->crt, GNUTLS_KEY_KEY_CERT_SIGN)) < 0 ||
	    (rc = key_ids(ca, ca)) < 0)
		return rc;
	return gnutls_x509_crt_sign2(
	    ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
}

static int
leaf_make(struct pair *leaf, const struct pair *ca, const char *host)
{
	int rc;

	if ((rc = pair_make(leaf, host, time(NULL) + YEARS(10))) < 0 ||
	    (rc = gnutls_x509_crt_set_basic_constraints(leaf->crt, 0, -1)) <
		0 ||
	    (rc = gnutls_x509_crt_set_key_usage(
		 leaf->crt, GNUTLS_KEY_DIGITAL_SIGNATURE)) < 0 ||
	    (rc = gnutls_x509_crt_set_key_purpose_oid(
		 leaf->crt, GNUTLS_KP_TLS_WWW_SERVER, 0)) < 0 ||
	    (rc = sans(leaf->crt, host)) < 0 || (rc = key_ids(leaf, ca)) < 0)
		return rc;
	return gnutls_x509_crt_sign2(
	    leaf->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0);
}

/* Append a datum of GnuTLS's and free it. */
static enum lb_err
take(int rc, gnutls_datum_t *d, struct lb_buf *ret)
{
	enum lb_err r;

	if (rc < 0)
		return LB_ERR_MEMORY;
	r = lb_buf_add(ret, d->data, d->size);
	sodium_memzero(d->data, d->size);
	gnutls_free(d->data);
	*d = (gnutls_datum_t){ 0 };
	return r;
}

enum lb_err
tls_make(const char *name, const char *host, struct lb_buf *ret_ca,
    struct lb_buf *ret_cert, struct lb_buf *ret_key)
{
	char common_name[128] = "lockbox broker CA ";
	struct pair ca = { 0 }, leaf = { 0 };
	gnutls_datum_t d = { 0 };
	enum lb_err r = LB_ERR_IO;

	if (strlen(common_name) + strlen(name) >= sizeof(common_name))
		return LB_ERR_RANGE;
	memcpy(common_name + strlen(common_name), name, strlen(name) + 1);
	if (ca_make(&ca, common_name) < 0 || leaf_make(&leaf, &ca, host) < 0)
		goto out;
	if ((r = take(gnutls_x509_crt_export2(ca.crt, GNUTLS_X509_FMT_PEM, &d),
		 &d, ret_ca)) != LB_OK ||
	    (r = take(
		 gnutls_x509_crt_export2(leaf.crt, GNUTLS_X509_FMT_PEM, &d), &d,
		 ret_cert)) != LB_OK)
		goto out;
	r = take(gnutls_x509_privkey_export2_pkcs8(leaf.key,
		     GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d),
	    &d, ret_key);
out:
	pair_clear(&ca);
	pair_clear(&leaf);
	return r;
}
