/* Configuration: whatever stands in the file, only bounded values come out. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "lockbox/conf.h"

struct sample {
	char guard_a[8];
	char broker[16];
	char guard_b[8];
	char ca[32];
	char guard_c[8];
	int64_t port;
	int64_t lease;
	bool offline;
	size_t calls;
};

static enum lb_err
call_exempt(void *conf, const char *value)
{
	struct sample *s = conf;

	assert(value[0] != '\0' && strlen(value) <= LB_CONF_LINE_MAX);
	s->calls++;
	return strchr(value, '*') == NULL ? LB_OK : LB_ERR_FORBIDDEN;
}

static const struct lb_conf_option table[] = {
	{ "broker", LB_CONF_TEXT, true, offsetof(struct sample, broker), 16, 1,
	    0, NULL },
	{ "ca", LB_CONF_PATH, false, offsetof(struct sample, ca), 32, 0, 0,
	    NULL },
	{ "port", LB_CONF_NUMBER, false, offsetof(struct sample, port), 0, 1,
	    65535, NULL },
	{ "lease", LB_CONF_SPAN, false, offsetof(struct sample, lease), 0, 600,
	    86400, NULL },
	{ "offline", LB_CONF_BOOL, false, offsetof(struct sample, offline), 0,
	    0, 0, NULL },
	{ "exempt", LB_CONF_CALL, false, 0, 0, 0, 0, call_exempt },
	{ 0 },
};

/* What must hold when the file was let in. */
static void
check_sample(const struct sample *s)
{
	size_t broker = strnlen(s->broker, sizeof(s->broker));
	size_t ca = strnlen(s->ca, sizeof(s->ca));

	assert(broker >= 1 && broker < sizeof(s->broker));
	assert(ca < sizeof(s->ca) && (ca == 0 || s->ca[0] == '/'));
	assert(s->port >= 1 && s->port <= 65535);
	assert(s->lease >= 600 && s->lease <= 86400);
}

/* What must hold when it was not. */
static void
check_error(const struct lb_conf_error *e, size_t len)
{
	size_t what = strnlen(e->what, sizeof(e->what));

	assert(what > 0 && what < sizeof(e->what));
	for (size_t i = 0; i < what; i++)
		assert(e->what[i] >= 0x20 && e->what[i] <= 0x7e);
	assert(e->line <= len + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char guard[8] = "guarded";
	struct sample s = { .guard_a = "guarded",
		.guard_b = "guarded",
		.guard_c = "guarded",
		.port = 443,
		.lease = 1800 };
	struct lb_conf_error e = { 0 };
	enum lb_err r;

	r = lb_conf_parse(table, (const char *)bytes, len, &s, &e);
	assert(r == LB_OK || r == LB_ERR_FORMAT || r == LB_ERR_RANGE ||
	    r == LB_ERR_FORBIDDEN);
	assert(memcmp(s.guard_a, guard, sizeof(guard)) == 0 &&
	    memcmp(s.guard_b, guard, sizeof(guard)) == 0 &&
	    memcmp(s.guard_c, guard, sizeof(guard)) == 0);
	if (r == LB_OK) {
		assert(len <= LB_CONF_FILE_MAX);
		assert(memchr(bytes, '\0', len) == NULL &&
		    memchr(bytes, '\r', len) == NULL);
		check_sample(&s);
	} else {
		check_error(&e, len);
	}
	return 0;
}
