/*
 * How a visit is answered. Each of these replies to the module, or marks the
 * visit to be replied to when its record is on disk.
 */
#ifndef LOCKBOX_AGENT_REPLY_H
#define LOCKBOX_AGENT_REPLY_H

#include "lockbox/bundle.h"
#include "lockbox/judge.h"

#include "course.h"

/* A denial without a cause yet: who, where, the reference. */
void reply_start(struct visit *v);
/* Send what v->reply holds; then the module's last word is waited for. */
void reply_send(struct visit *v);

/* No, because of code; message is the broker's, verified, or "". */
void reply_refuse(struct visit *v, const char *code, const char *message);

/* Make v->reply an allow by that ruling, without sending it. */
void reply_allow(struct visit *v, const struct lb_ruling *ruling);
/* Send it when the state as it is now is on disk. */
void reply_when_written(struct visit *v);

/* Let in at account: provisionally, if the key is not known yet. */
void reply_account(struct visit *v, const struct lb_ruling *ruling);
/* Let a session begin: register it, write it down, then say so. */
void reply_session(struct visit *v, const struct lb_ruling *ruling,
    const struct lb_bundle *bundle);

/* The session that this visit registered does not go on after all. */
void reply_forget_session(struct visit *v, const char *why);

#endif
