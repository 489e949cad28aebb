/* SSH's wire forms: strings, canonical base64, armor. */
#include "sshwire.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#define ARMOR_WIDTH     70 /* as OpenSSH writes it */
#define ARMOR_WIDTH_MAX 76
#define ARMOR_LABEL_MAX 40

#define B64_SIZE(len)  (((len) + 2) / 3 * 4 + 1)
#define ARMOR_B64_SIZE B64_SIZE(LB_ARMOR_BLOB_MAX)

enum lb_err
lb_wire_raw(struct lb_bytes *c, size_t len, struct lb_bytes *ret)
{
	if (len > c->len)
		return LB_ERR_FORMAT;
	ret->p = c->p;
	ret->len = len;
	c->p += len;
	c->len -= len;
	return LB_OK;
}

enum lb_err
lb_wire_u8(struct lb_bytes *c, uint8_t *ret)
{
	struct lb_bytes b = { 0 };
	enum lb_err r;

	if ((r = lb_wire_raw(c, 1, &b)) != LB_OK)
		return r;
	*ret = b.p[0];
	return LB_OK;
}

enum lb_err
lb_wire_u32(struct lb_bytes *c, uint32_t *ret)
{
	struct lb_bytes b = { 0 };
	enum lb_err r;

	if ((r = lb_wire_raw(c, 4, &b)) != LB_OK)
		return r;
	*ret = (uint32_t)b.p[0] << 24 | (uint32_t)b.p[1] << 16 |
	    (uint32_t)b.p[2] << 8 | b.p[3];
	return LB_OK;
}

enum lb_err
lb_wire_string(struct lb_bytes *c, struct lb_bytes *ret)
{
	struct lb_bytes rest = *c;
	uint32_t len = 0;
	enum lb_err r;

	if ((r = lb_wire_u32(&rest, &len)) != LB_OK ||
	    (r = lb_wire_raw(&rest, len, ret)) != LB_OK)
		return r;
	*c = rest;
	return LB_OK;
}

enum lb_err
lb_wire_fixed(struct lb_bytes *c, uint8_t *ret, size_t len)
{
	struct lb_bytes rest = *c, b = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(&rest, &b)) != LB_OK)
		return r;
	if (b.len != len)
		return LB_ERR_FORMAT;
	memcpy(ret, b.p, len);
	*c = rest;
	return LB_OK;
}

enum lb_err
lb_wire_word(struct lb_bytes *c, char *ret, size_t ret_size)
{
	struct lb_bytes rest = *c, b = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(&rest, &b)) != LB_OK)
		return r;
	if (b.len == 0)
		return LB_ERR_FORMAT;
	if (b.len >= ret_size)
		return LB_ERR_RANGE;
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] < 0x21 || b.p[i] > 0x7e)
			return LB_ERR_FORMAT;
	memcpy(ret, b.p, b.len);
	ret[b.len] = '\0';
	*c = rest;
	return LB_OK;
}

enum lb_err
lb_wire_mpint256(struct lb_bytes *c, uint8_t ret[static 32])
{
	struct lb_bytes rest = *c, b = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(&rest, &b)) != LB_OK)
		return r;
	if (b.len == 0 || (b.p[0] & 0x80) != 0)
		return LB_ERR_FORMAT; /* zero or negative */
	if (b.p[0] == 0) {
		/* Only there to keep the sign bit clear, else needless. */
		if (b.len == 1 || (b.p[1] & 0x80) == 0)
			return LB_ERR_FORMAT;
		b.p++;
		b.len--;
	}
	if (b.len > 32)
		return LB_ERR_FORMAT;
	memset(ret, 0, 32 - b.len);
	memcpy(ret + 32 - b.len, b.p, b.len);
	*c = rest;
	return LB_OK;
}

bool
lb_bytes_equal_str(struct lb_bytes b, const char *s)
{
	return b.len == strlen(s) && memcmp(b.p, s, b.len) == 0;
}

void
lb_put_raw(struct lb_writer *w, const void *bytes, size_t len)
{
	assert(len <= w->size - w->len);
	if (len > 0)
		memcpy(w->p + w->len, bytes, len);
	w->len += len;
}

void
lb_put_u8(struct lb_writer *w, uint8_t v)
{
	lb_put_raw(w, &v, 1);
}

void
lb_put_u32(struct lb_writer *w, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		(uint8_t)(v >> 8), (uint8_t)v };

	lb_put_raw(w, b, sizeof(b));
}

void
lb_put_string(struct lb_writer *w, const void *bytes, size_t len)
{
	assert(len <= UINT32_MAX);
	lb_put_u32(w, (uint32_t)len);
	lb_put_raw(w, bytes, len);
}

void
lb_put_cstring(struct lb_writer *w, const char *s)
{
	lb_put_string(w, s, strlen(s));
}

/* Would an encoder write these bytes as text? */
static bool
base64_spells(const uint8_t *bytes, size_t bytes_len, const char *text)
{
	char group[5];
	bool same = true;

	for (size_t i = 0; i < bytes_len && same; i += 3, text += 4) {
		sodium_bin2base64(group, sizeof(group), bytes + i,
		    bytes_len - i < 3 ? bytes_len - i : 3,
		    sodium_base64_VARIANT_ORIGINAL);
		same = memcmp(group, text, 4) == 0;
	}
	sodium_memzero(group, sizeof(group));
	return same;
}

/*
 * libsodium 1.0.18 takes some bytes above 0x7f for characters of the
 * alphabet, so its word is not enough: what it decoded is encoded again.
 */
enum lb_err
lb_base64_decode(const char *text, size_t len, uint8_t *ret, size_t ret_size,
    size_t *ret_len)
{
	size_t want, n = 0;

	if (len == 0 || len % 4 != 0)
		return LB_ERR_FORMAT;
	want = len / 4 * 3;
	want -= (size_t)(text[len - 1] == '=') + (text[len - 2] == '=');
	if (want > ret_size)
		return LB_ERR_RANGE;
	if (sodium_base642bin(ret, ret_size, text, len, NULL, &n, NULL,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    n != want || !base64_spells(ret, n, text)) {
		sodium_memzero(ret, ret_size);
		return LB_ERR_FORMAT;
	}
	*ret_len = n;
	return LB_OK;
}

/* Takes "-----WORD LABEL-----\n" off the front of text. */
static enum lb_err
marker_take(const char *word, const char *label, struct lb_bytes *text)
{
	char line[ARMOR_LABEL_MAX + 24];
	struct lb_writer w = { (uint8_t *)line, 0, sizeof(line) };
	struct lb_bytes got = { 0 };
	enum lb_err r;

	lb_put_raw(&w, "-----", 5);
	lb_put_raw(&w, word, strlen(word));
	lb_put_raw(&w, " ", 1);
	lb_put_raw(&w, label, strlen(label));
	lb_put_raw(&w, "-----\n", 6);
	if ((r = lb_wire_raw(text, w.len, &got)) != LB_OK)
		return r;
	return memcmp(got.p, line, w.len) == 0 ? LB_OK : LB_ERR_FORMAT;
}

/*
 * Join the base64 lines up to the END line. The first line gives the width;
 * whatever follows a shorter one must be the END line.
 */
static enum lb_err
lines_join(struct lb_bytes *text, char *b64, size_t b64_size, size_t *ret_len)
{
	size_t width = 0, total = 0, n;
	const uint8_t *lf;
	bool last = false;

	while (text->len > 0 && text->p[0] != '-') {
		if ((lf = memchr(text->p, '\n', text->len)) == NULL)
			return LB_ERR_FORMAT;
		n = (size_t)(lf - text->p);
		if (width == 0)
			width = n;
		if (n == 0 || n > width || n > ARMOR_WIDTH_MAX || last)
			return LB_ERR_FORMAT;
		last = n < width;
		if (n > b64_size - total)
			return LB_ERR_RANGE;
		memcpy(b64 + total, text->p, n);
		total += n;
		text->p += n + 1;
		text->len -= n + 1;
	}
	*ret_len = total;
	return LB_OK;
}

enum lb_err
lb_armor_open(const char *label, const char *text, size_t len, uint8_t *ret,
    size_t ret_size, size_t *ret_len)
{
	struct lb_bytes c = { (const uint8_t *)text, len };
	char b64[ARMOR_B64_SIZE];
	size_t b64_len = 0, n = 0;
	enum lb_err r;

	assert(strlen(label) <= ARMOR_LABEL_MAX);
	assert(ret_size <= LB_ARMOR_BLOB_MAX);
	if ((r = marker_take("BEGIN", label, &c)) != LB_OK ||
	    (r = lines_join(&c, b64, sizeof(b64), &b64_len)) != LB_OK ||
	    (r = marker_take("END", label, &c)) != LB_OK)
		goto out;
	r = LB_ERR_FORMAT;
	if (c.len != 0 ||
	    (r = lb_base64_decode(b64, b64_len, ret, ret_size, &n)) != LB_OK)
		goto out;
	*ret_len = n;
out:
	sodium_memzero(b64, sizeof(b64));
	return r;
}

/* All of it in one buffer first, so that nothing is appended on an error. */
enum lb_err
lb_armor_close(
    const char *label, const uint8_t *bytes, size_t len, struct lb_buf *ret)
{
	static const char rule[] = "-----";
	char b64[ARMOR_B64_SIZE];
	uint8_t text[ARMOR_B64_SIZE + ARMOR_B64_SIZE / ARMOR_WIDTH + 1 +
	    2 * (ARMOR_LABEL_MAX + 24)];
	struct lb_writer w = { text, 0, sizeof(text) };
	size_t left, n;
	enum lb_err r;

	assert(len <= LB_ARMOR_BLOB_MAX && strlen(label) <= ARMOR_LABEL_MAX);
	sodium_bin2base64(
	    b64, sizeof(b64), bytes, len, sodium_base64_VARIANT_ORIGINAL);
	lb_put_raw(&w, rule, 5);
	lb_put_raw(&w, "BEGIN ", 6);
	lb_put_raw(&w, label, strlen(label));
	lb_put_raw(&w, rule, 5);
	lb_put_u8(&w, '\n');
	left = strlen(b64);
	for (const char *p = b64; left > 0; p += n, left -= n) {
		n = left < ARMOR_WIDTH ? left : ARMOR_WIDTH;
		lb_put_raw(&w, p, n);
		lb_put_u8(&w, '\n');
	}
	lb_put_raw(&w, rule, 5);
	lb_put_raw(&w, "END ", 4);
	lb_put_raw(&w, label, strlen(label));
	lb_put_raw(&w, rule, 5);
	lb_put_u8(&w, '\n');
	r = lb_buf_add(ret, text, w.len);
	sodium_memzero(b64, sizeof(b64));
	sodium_memzero(text, sizeof(text));
	return r;
}
