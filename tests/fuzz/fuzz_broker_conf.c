/*
 * The broker's configuration through its own table: refused, or every
 * value keeps its bounds.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/conf.h"

#include "config.h"

static void
check_row(const struct lb_conf_option *o, const struct config *c)
{
	const char *at = (const char *)c + o->offset;
	int64_t n;

	switch (o->kind) {
	case LB_CONF_NUMBER:
	case LB_CONF_SPAN:
		memcpy(&n, at, sizeof(n));
		assert(n >= o->least && n <= o->most);
		break;
	case LB_CONF_TEXT:
		assert(memchr(at, '\0', o->size) != NULL);
		assert(!o->required || at[0] != '\0');
		break;
	case LB_CONF_PATH:
		assert(memchr(at, '\0', o->size) != NULL);
		assert(at[0] == '/' || (!o->required && at[0] == '\0'));
		break;
	case LB_CONF_BOOL:
	case LB_CONF_CALL:
		break;
	}
}

static void
broker(const char *text, size_t len)
{
	struct lb_conf_error error = { 0 };
	struct config c;

	config_init(&c);
	if (lb_conf_parse(config_options, text, len, &c, &error) != LB_OK) {
		assert(error.what[0] != '\0');
		assert(memchr(error.what, '\0', sizeof(error.what)) != NULL);
		return;
	}
	for (const struct lb_conf_option *o = config_options; o->name != NULL;
	     o++)
		check_row(o, &c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	broker((const char *)bytes, len);
	return 0;
}
