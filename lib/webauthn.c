/* WebAuthn clientDataJSON, held against its one form. */
#include "webauthn.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "sshwire.h"

#define CHALLENGE_MAX 256 /* bytes: to-be-signed bytes are fewer */
#define B64URL_SIZE   (CHALLENGE_MAX / 3 * 4 + 5)

#define TYPE_TEXT      "{\"type\":\"webauthn.get\",\"challenge\":\""
#define ORIGIN_TEXT    "\",\"origin\":\""
#define CROSS_TEXT     "crossOrigin\""
#define NOT_CROSS_TEXT ":false"

bool
lb_webauthn_origin_valid(const char *origin)
{
	for (const char *p = origin; *p != '\0'; p++)
		if (*p < 0x21 || *p > 0x7e || *p == '"' || *p == '\\')
			return false;
	return *origin != '\0';
}

static bool
text_take(struct lb_bytes *c, const char *text)
{
	struct lb_bytes b = { 0 };

	return lb_wire_raw(c, strlen(text), &b) == LB_OK &&
	    lb_bytes_equal_str(b, text);
}

/* What a browser may say after the origin. */
static bool
rest_ok(struct lb_bytes rest)
{
	const uint8_t *end = rest.p + rest.len, *p;

	if (rest.len == 1)
		return rest.p[0] == '}';
	if (rest.len < 2 || rest.p[0] != ',' || end[-1] != '}')
		return false;
	for (p = rest.p; p < end; p++)
		if (*p < 0x20 || *p == 0x7f || *p == '\\')
			return false;
	while ((p = memmem(rest.p, rest.len, CROSS_TEXT, strlen(CROSS_TEXT))) !=
	    NULL) {
		rest.p = p + strlen(CROSS_TEXT);
		rest.len = (size_t)(end - rest.p);
		if (!text_take(&rest, NOT_CROSS_TEXT))
			return false;
	}
	return true;
}

bool
lb_webauthn_client_data_ok(const char *data, size_t len,
    const uint8_t *challenge, size_t challenge_len, const char *origin)
{
	struct lb_bytes c = { (const uint8_t *)data, len };
	char b64[B64URL_SIZE];

	assert(challenge_len <= CHALLENGE_MAX);
	sodium_bin2base64(b64, sizeof(b64), challenge, challenge_len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return lb_webauthn_origin_valid(origin) && text_take(&c, TYPE_TEXT) &&
	    text_take(&c, b64) && text_take(&c, ORIGIN_TEXT) &&
	    text_take(&c, origin) && text_take(&c, "\"") && rest_ok(c);
}
