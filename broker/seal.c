/* Signing what webhooks get. */
#include "seal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define KEY_LEN 32 /* bytes of a v1 secret, and of an Ed25519 seed */
#define B64     sodium_base64_VARIANT_ORIGINAL
#define SIG_MAX 100 /* chars of one signature with its word */

static void
key_of(const struct app *app, const struct webhook_row *h, int64_t generation,
    uint8_t ret[static KEY_LEN])
{
	char name[LB_ID_LEN + 32];

	(void)snprintf(name, sizeof(name), "%s %" PRId64, h->id, generation);
	app_hash(app, scheme_name(h->scheme), name, ret, KEY_LEN);
}

static void
pair_of(const uint8_t seed[static KEY_LEN],
    uint8_t pk[static crypto_sign_PUBLICKEYBYTES],
    uint8_t sk[static crypto_sign_SECRETKEYBYTES])
{
	(void)crypto_sign_seed_keypair(pk, sk, seed); /* cannot fail */
}

void
seal_key(const struct app *app, const struct webhook_row *h,
    char ret[static SEAL_SECRET_MAX + 1])
{
	uint8_t key[KEY_LEN], pk[crypto_sign_PUBLICKEYBYTES];
	uint8_t sk[crypto_sign_SECRETKEYBYTES];
	const char *word = h->scheme == SCHEME_V1 ? "whsec_" : "whpk_";
	size_t n = strlen(word);

	key_of(app, h, h->generation, key);
	if (h->scheme == SCHEME_V1A) {
		pair_of(key, pk, sk);
		memcpy(key, pk, sizeof(pk));
	}
	memcpy(ret, word, n + 1);
	(void)sodium_bin2base64(
	    ret + n, SEAL_SECRET_MAX + 1 - n, key, sizeof(key), B64);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(sk, sizeof(sk));
}

static void
sign_v1(const uint8_t key[static KEY_LEN], const struct lb_buf *said,
    char ret[static SIG_MAX + 1])
{
	crypto_auth_hmacsha256_state s;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	(void)crypto_auth_hmacsha256_init(&s, key, KEY_LEN);
	(void)crypto_auth_hmacsha256_update(
	    &s, (const uint8_t *)said->data, said->len);
	(void)crypto_auth_hmacsha256_final(&s, mac);
	sodium_memzero(&s, sizeof(s));
	memcpy(ret, "v1,", 4);
	(void)sodium_bin2base64(ret + 3, SIG_MAX - 3, mac, sizeof(mac), B64);
}

static void
sign_v1a(const uint8_t key[static KEY_LEN], const struct lb_buf *said,
    char ret[static SIG_MAX + 1])
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES];
	uint8_t sk[crypto_sign_SECRETKEYBYTES], sig[crypto_sign_BYTES];

	pair_of(key, pk, sk);
	(void)crypto_sign_detached(
	    sig, NULL, (const uint8_t *)said->data, said->len, sk);
	sodium_memzero(sk, sizeof(sk));
	memcpy(ret, "v1a,", 5);
	(void)sodium_bin2base64(ret + 4, SIG_MAX - 4, sig, sizeof(sig), B64);
}

enum lb_err
seal_make(const struct app *app, const struct webhook_row *h, const char *id,
    int64_t now, const char *body, size_t len, char ret[static SEAL_MAX + 1])
{
	char one[2][SIG_MAX + 1] = { "", "" };
	struct lb_buf said = { 0 };
	uint8_t key[KEY_LEN];
	enum lb_err r;

	if ((r = lb_buf_addf(&said, "%s.%" PRId64 ".", id, now)) != LB_OK ||
	    (r = lb_buf_add(&said, body, len)) != LB_OK)
		goto out;
	for (int i = 0; i < 2; i++) {
		if (i == 1 && (h->generation < 2 || now >= h->old_until))
			break;
		key_of(app, h, h->generation - i, key);
		if (h->scheme == SCHEME_V1)
			sign_v1(key, &said, one[i]);
		else
			sign_v1a(key, &said, one[i]);
	}
	(void)snprintf(ret, SEAL_MAX + 1, "%s%s%s", one[0],
	    one[1][0] != '\0' ? " " : "", one[1]);
out:
	sodium_memzero(key, sizeof(key));
	lb_buf_clear(&said);
	return r;
}
