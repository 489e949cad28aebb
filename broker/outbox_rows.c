/* The words of the outbox. */
#include "outbox_rows.h"

#include <assert.h>
#include <string.h>

static const char *const state_names[DELIVERY_STATES] = {
	[DELIVERY_WAITING] = "waiting",
	[DELIVERY_SENT] = "sent",
	[DELIVERY_FAILED] = "failed",
	[DELIVERY_DROPPED] = "dropped",
};

const char *
channel_name(enum channel c)
{
	return c == CHANNEL_MAIL ? "mail" : "webhook";
}

const char *
delivery_state_name(enum delivery_state s)
{
	assert(s > 0 && s < DELIVERY_STATES);
	return state_names[s];
}

enum delivery_state
delivery_state_find(const char *name)
{
	for (int s = 1; s < DELIVERY_STATES; s++)
		if (strcmp(state_names[s], name) == 0)
			return (enum delivery_state)s;
	return 0;
}

const char *
scheme_name(enum scheme s)
{
	return s == SCHEME_V1 ? "v1" : "v1a";
}

enum scheme
scheme_find(const char *name)
{
	if (strcmp(name, "v1") == 0)
		return SCHEME_V1;
	return strcmp(name, "v1a") == 0 ? SCHEME_V1A : 0;
}
