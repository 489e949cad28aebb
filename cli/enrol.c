/* The one-time code of an enrolment and the MACs under its secret. */
#include "enrol.h"

#include <sodium.h>
#include <string.h>

#include "lockbox/buf.h"

#define SECRET_CHARS 26 /* 128 bits and 2 of padding */
#define HASH_LEN     32

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The value of a char, or -1. */
static int
digit_value(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

/* chars characters in their one spelling. */
static enum lb_err
digits_normal(const char *s, size_t chars, char *ret)
{
	for (size_t i = 0; i < chars; i++) {
		int v = digit_value(s[i]);

		if (v < 0)
			return LB_ERR_FORMAT;
		ret[i] = digits[v];
	}
	ret[chars] = '\0';
	return LB_OK;
}

/* First bit first; what does not fit into len bytes must be zero. */
static enum lb_err
digits_decode(const char *s, uint8_t *ret, size_t len)
{
	memset(ret, 0, len);
	for (size_t i = 0; s[i] != '\0'; i++) {
		int v = digit_value(s[i]);

		for (size_t bit = 0; bit < 5; bit++) {
			size_t at = i * 5 + bit;

			if ((v >> (4 - bit) & 1) == 0)
				continue;
			if (at / 8 >= len)
				return LB_ERR_FORMAT;
			ret[at / 8] |= (uint8_t)(0x80 >> at % 8);
		}
	}
	return LB_OK;
}

enum lb_err
enrol_code_parse(const char *text, struct enrol_code *ret)
{
	struct enrol_code c = { 0 };
	char secret[SECRET_CHARS + 1] = "";
	size_t len = strlen(text), tail, name;
	enum lb_err r = LB_ERR_FORMAT;

	/* From the right: a broker's name may hold hyphens itself. */
	tail = 1 + ENROL_KEYID_LEN + 1 + SECRET_CHARS;
	if (len <= tail || len - tail > LB_NAME_MAX)
		return LB_ERR_FORMAT;
	name = len - tail;
	if (text[name] != '-' || text[name + 1 + ENROL_KEYID_LEN] != '-')
		return LB_ERR_FORMAT;
	memcpy(c.broker, text, name);
	if (!lb_name_valid(c.broker) ||
	    (r = digits_normal(text + name + 1, ENROL_KEYID_LEN, c.keyid)) !=
		LB_OK ||
	    (r = digits_normal(text + name + 2 + ENROL_KEYID_LEN, SECRET_CHARS,
		 secret)) != LB_OK ||
	    (r = digits_decode(secret, c.secret, sizeof(c.secret))) != LB_OK) {
		if (r == LB_OK)
			r = LB_ERR_FORMAT;
		goto out;
	}
	*ret = c;
	r = LB_OK;
out:
	sodium_memzero(&c, sizeof(c));
	sodium_memzero(secret, sizeof(secret));
	return r;
}

void
enrol_keyid(const struct lb_sshkey *key, char ret[static ENROL_KEYID_LEN + 1])
{
	uint8_t hash[HASH_LEN + 1];
	size_t len = 0;

	/* The fingerprint is that very sha256, in base64. */
	if (sodium_base642bin(hash, sizeof(hash), key->fp + strlen("SHA256:"),
		strlen(key->fp) - strlen("SHA256:"), NULL, &len, NULL,
		sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
	    len != HASH_LEN) {
		ret[0] = '\0'; /* equals no code's */
		return;
	}
	for (size_t i = 0; i < ENROL_KEYID_LEN; i++) {
		unsigned int v = 0;

		for (size_t bit = i * 5; bit < i * 5 + 5; bit++)
			v = v << 1 | (hash[bit / 8] >> (7 - bit % 8) & 1);
		ret[i] = digits[v];
	}
	ret[ENROL_KEYID_LEN] = '\0';
}

static void
mac_make(const uint8_t secret[static ENROL_SECRET_LEN],
    const struct lb_buf *text, char ret[static ENROL_MAC_LEN + 1])
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state s;

	(void)crypto_auth_hmacsha256_init(&s, secret, ENROL_SECRET_LEN);
	(void)crypto_auth_hmacsha256_update(
	    &s, (const uint8_t *)text->data, text->len);
	(void)crypto_auth_hmacsha256_final(&s, mac);
	lb_hex_encode(mac, sizeof(mac), ret);
	sodium_memzero(&s, sizeof(s));
}

enum lb_err
enrol_mac_ask(const struct enrol_code *code, const struct enrol_case *c,
    char ret[static ENROL_MAC_LEN + 1])
{
	struct lb_buf text = { 0 };
	enum lb_err r;

	r = lb_buf_addf(&text, "lockbox-enrol-v1\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n",
	    c->host, c->tenant, code->broker, code->keyid, c->host_key,
	    c->machine_id, c->nonce);
	if (r == LB_OK)
		mac_make(code->secret, &text, ret);
	lb_buf_clear(&text);
	return r;
}

enum lb_err
enrol_mac_answer(const struct enrol_code *code, const struct enrol_case *c,
    char ret[static ENROL_MAC_LEN + 1])
{
	struct lb_buf text = { 0 };
	enum lb_err r;

	r = lb_buf_addf(&text, "lockbox-enrolled-v1\n%s\n%s\n%s\n%s\n%s\n%s\n",
	    c->host, c->tenant, code->broker, c->broker_key, c->host_key,
	    c->nonce);
	if (r == LB_OK)
		mac_make(code->secret, &text, ret);
	lb_buf_clear(&text);
	return r;
}
