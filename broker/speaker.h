/* Which enrolled host signed a document: its key says so. */
#ifndef BROKER_SPEAKER_H
#define BROKER_SPEAKER_H

#include "lockbox/bundle.h"

#include "call.h"

struct speaker {
	char tenant[LB_NAME_MAX + 1];
	char host[LB_HOST_MAX + 1];
	char key_fp[LB_KEYFP_LEN + 1];
};

/*
 * The one signature under part, made in ns by an enrolled host's key. Refused
 * with "bad_signature" or "host_unknown".
 */
enum lb_err speaker_find(struct app *app, const struct lb_part *part,
    enum lb_ns ns, struct reply *reply, struct speaker *ret) LB_MUST_CHECK;

#endif
