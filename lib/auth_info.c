/* What sshd says of the key: SSH_AUTH_INFO_0, as fingerprints. */
#include "lockbox/sshkey.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "sshkey_wire.h"
#include "sshwire.h"

#define INFO_MAX   65536 /* bytes of the whole variable */
#define CERT_MARK  "-cert-v"
#define METHOD     "publickey"
#define COUNT_TEXT "signature count = " /* sshd's note after an sk key */
#define COUNT_MAX  10                   /* digits */

/*
 * Certificates by their inner key: its type, and how many strings of it follow
 * the nonce. Source: OpenSSH PROTOCOL.certkeys, PROTOCOL.u2f.
 */
static const struct cert {
	const char *name, *inner;
	int strings;
} certs[] = {
	{ "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1 },
	{ "sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com",
	    2 },
	{ "ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256",
	    2 },
	{ "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384",
	    2 },
	{ "ecdsa-sha2-nistp521-cert-v01@openssh.com", "ecdsa-sha2-nistp521",
	    2 },
	{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "sk-ecdsa-sha2-nistp256@openssh.com", 3 },
	{ "ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2 },
	{ "ssh-dss-cert-v01@openssh.com", "ssh-dss", 4 },
};

static const struct cert *
cert_find(struct lb_bytes name)
{
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		if (lb_bytes_equal_str(name, certs[i].name))
			return &certs[i];
	return NULL;
}

/* What follows a certificate's key must be all there, and nothing else. */
static enum lb_err
cert_rest_check(struct lb_bytes c)
{
	struct lb_bytes b = { 0 };
	enum lb_err r;

	if ((r = lb_wire_raw(&c, 8, &b)) != LB_OK ||  /* serial */
	    (r = lb_wire_raw(&c, 4, &b)) != LB_OK ||  /* type */
	    (r = lb_wire_string(&c, &b)) != LB_OK ||  /* key id */
	    (r = lb_wire_string(&c, &b)) != LB_OK ||  /* valid principals */
	    (r = lb_wire_raw(&c, 16, &b)) != LB_OK || /* valid after, before */
	    (r = lb_wire_string(&c, &b)) != LB_OK ||  /* critical options */
	    (r = lb_wire_string(&c, &b)) != LB_OK ||  /* extensions */
	    (r = lb_wire_string(&c, &b)) != LB_OK ||  /* reserved */
	    (r = lb_wire_string(&c, &b)) != LB_OK ||  /* signature key */
	    (r = lb_wire_string(&c, &b)) != LB_OK)    /* signature */
		return r;
	return c.len == 0 ? LB_OK : LB_ERR_FORMAT;
}

/* c: a certificate after its type. ret: room for as many bytes as c has. */
static enum lb_err
cert_inner(const struct cert *cert, struct lb_bytes c, struct lb_writer *ret)
{
	struct lb_bytes b = { 0 };
	const uint8_t *from;
	enum lb_err r;

	if ((r = lb_wire_string(&c, &b)) != LB_OK) /* nonce */
		return r;
	from = c.p;
	for (int i = 0; i < cert->strings; i++)
		if ((r = lb_wire_string(&c, &b)) != LB_OK)
			return r;
	lb_put_cstring(ret, cert->inner);
	lb_put_raw(ret, from, (size_t)(c.p - from));
	return cert_rest_check(c);
}

/* The fingerprint of a key or certificate; word is the type before it. */
static enum lb_err
blob_fp(struct lb_bytes blob, struct lb_bytes word,
    char ret[static LB_KEYFP_LEN + 1])
{
	struct lb_bytes c = blob, name = { 0 };
	struct lb_writer inner = { 0 };
	const struct cert *cert;
	enum lb_err r;

	if ((r = lb_wire_string(&c, &name)) != LB_OK)
		return r;
	if (name.len != word.len || memcmp(name.p, word.p, word.len) != 0 ||
	    c.len == 0)
		return LB_ERR_FORMAT;
	if ((cert = cert_find(name)) == NULL) {
		if (memmem(name.p, name.len, CERT_MARK, strlen(CERT_MARK)) !=
		    NULL)
			return LB_ERR_FORMAT;
		lb_sshkey_fp(blob.p, blob.len, ret);
		return LB_OK;
	}
	/* The inner type is shorter than the certificate's. */
	inner.size = blob.len;
	if ((inner.p = malloc(inner.size)) == NULL)
		return LB_ERR_MEMORY;
	if ((r = cert_inner(cert, c, &inner)) == LB_OK)
		lb_sshkey_fp(inner.p, inner.len, ret);
	free(inner.p);
	return r;
}

/* The bytes before the next space, which is taken too, or all of them. */
static struct lb_bytes
word_take(struct lb_bytes *line)
{
	const uint8_t *space = memchr(line->p, ' ', line->len);
	struct lb_bytes word = { line->p, line->len };
	size_t taken = line->len;

	if (space != NULL) {
		word.len = (size_t)(space - line->p);
		taken = word.len + 1;
	}
	line->p += taken;
	line->len -= taken;
	return word;
}

static bool
count_valid(struct lb_bytes note)
{
	size_t n = strlen(COUNT_TEXT);

	if (note.len <= n || note.len > n + COUNT_MAX ||
	    memcmp(note.p, COUNT_TEXT, n) != 0)
		return false;
	for (; n < note.len; n++)
		if (note.p[n] < '0' || note.p[n] > '9')
			return false;
	return true;
}

/* "TYPE BASE64" and for sk keys sshd's " signature count = N". */
static enum lb_err
key_fp(struct lb_bytes line, char ret[static LB_KEYFP_LEN + 1])
{
	struct lb_bytes word = word_take(&line);
	struct lb_bytes b64 = word_take(&line);
	bool noted = b64.p + b64.len < line.p;
	uint8_t *blob = NULL;
	size_t len = 0;
	enum lb_err r;

	if (word.len == 0 || b64.len == 0 || (noted && !count_valid(line)))
		return LB_ERR_FORMAT;
	if ((blob = malloc(b64.len)) == NULL)
		return LB_ERR_MEMORY;
	if ((r = lb_base64_decode(
		 (const char *)b64.p, b64.len, blob, b64.len, &len)) == LB_OK)
		r = blob_fp((struct lb_bytes){ blob, len }, word, ret);
	free(blob);
	return r;
}

/* Keep the list sorted; a key that is there already stays one key. */
static enum lb_err
fps_insert(struct lb_keyfps *l, const char *fp)
{
	size_t i = 0;

	while (i < l->count && strcmp(l->item[i], fp) < 0)
		i++;
	if (i < l->count && strcmp(l->item[i], fp) == 0)
		return LB_OK;
	if (l->count == LB_KEYS_MAX)
		return LB_ERR_RANGE;
	memmove(
	    l->item[i + 1], l->item[i], (l->count - i) * sizeof(l->item[0]));
	memcpy(l->item[i], fp, LB_KEYFP_LEN + 1);
	l->count++;
	return LB_OK;
}

static enum lb_err
line_add(struct lb_bytes line, struct lb_keyfps *l)
{
	char fp[LB_KEYFP_LEN + 1];
	struct lb_bytes method;
	enum lb_err r;

	if (line.len == 0 || line.p[0] == ' ')
		return LB_ERR_FORMAT;
	method = word_take(&line);
	if (method.len < strlen(METHOD) ||
	    memcmp(method.p, METHOD, strlen(METHOD)) != 0)
		return LB_OK;
	if (method.len != strlen(METHOD))
		return LB_ERR_FORMAT; /* "publickey/..." is not known */
	if ((r = key_fp(line, fp)) != LB_OK)
		return r;
	return fps_insert(l, fp);
}

enum lb_err
lb_auth_info_parse(const char *text, struct lb_keyfps *ret)
{
	struct lb_bytes line = { 0 };
	struct lb_keyfps l = { 0 };
	size_t len = strlen(text);
	const char *end = text + len, *lf;
	enum lb_err r;

	if (len > INFO_MAX)
		return LB_ERR_RANGE;
	while (text < end) {
		if ((lf = memchr(text, '\n', (size_t)(end - text))) == NULL)
			lf = end;
		line.p = (const uint8_t *)text;
		line.len = (size_t)(lf - text);
		if ((r = line_add(line, &l)) != LB_OK)
			return r;
		text = lf == end ? end : lf + 1;
	}
	*ret = l;
	return LB_OK;
}
