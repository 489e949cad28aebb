/*
 * Keys as text, pinned lines and sshd's words about keys: refused, or read so
 * that writing gives the same text.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/sshkey.h"

static void
check_key(const char *text)
{
	char again[LB_KEY_TEXT_MAX + 1];
	struct lb_sshkey key = { 0 };

	if (lb_sshkey_parse(text, &key) != LB_OK)
		return;
	lb_sshkey_format(&key, again);
	assert(strcmp(text, again) == 0);
	assert(lb_keyfp_valid(key.fp));
	assert(lb_sshkey_is_sk(&key) == (key.application[0] != '\0'));
}

static void
check_pinned(const char *text)
{
	char again[LB_PINNED_MAX + 1];
	struct lb_pinned p = { 0 };

	if (lb_pinned_parse(text, &p) != LB_OK)
		return;
	if (lb_pinned_format(&p, again) != LB_OK)
		abort();
	assert(strcmp(text, again) == 0);
	assert(lb_principal_valid(p.principal) && p.namespaces != 0);
	assert(p.valid_before == 0 ||
	    (lb_pinned_in_dates(&p, p.valid_before - 1) &&
		!lb_pinned_in_dates(&p, p.valid_before)));
	assert(p.valid_after == 0 ||
	    (lb_pinned_in_dates(&p, p.valid_after) &&
		!lb_pinned_in_dates(&p, p.valid_after - 1)));
}

static void
check_auth_info(const char *text)
{
	struct lb_keyfps l = { .count = LB_KEYS_MAX + 1 };
	enum lb_err r = lb_auth_info_parse(text, &l);

	assert(r == LB_OK || r == LB_ERR_FORMAT || r == LB_ERR_RANGE);
	assert((l.count <= LB_KEYS_MAX) == (r == LB_OK));
	if (r != LB_OK)
		return;
	for (size_t i = 0; i < l.count; i++) {
		assert(lb_keyfp_valid(l.item[i]));
		assert(i == 0 || strcmp(l.item[i - 1], l.item[i]) < 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		abort();
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	check_key(text);
	check_pinned(text);
	check_auth_info(text);
	free(text);
	return 0;
}
