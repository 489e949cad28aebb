/*
 * Taking a trust document up: who signed it, what of it is kept, and the one
 * way in which a successor comes into force, whether its signatures came
 * together or one by one.
 */
#ifndef BROKER_SUCCESSOR_H
#define BROKER_SUCCESSOR_H

#include "call.h"

/* Does a broker line name this broker with its present key? */
bool successor_names_us(const struct app *app, const struct lb_trust *t);

/*
 * The first line of by that signed the part, in whatever namespace; NULL when
 * none did. Public keys are no secret, so a key alone says nothing.
 */
const struct lb_pinned *successor_signer(
    const struct lb_trust *by, const struct lb_part *part);

/*
 * What a trust document is once it is stored: the text, and of each owner in by
 * one signature that counts. Whatever else came with it would only take the
 * room that hosts need to take it up.
 *
 * ret  empty beforehand; cleared by the caller, also on error
 */
enum lb_err successor_row(const struct lb_trust *t, const struct lb_trust *by,
    const struct lb_part *part, int64_t now,
    struct trust_row *ret) LB_MUST_CHECK;

/* What lb_trust_follow and lb_trust_propose found wrong, as a refusal. */
enum lb_err successor_refuse(struct reply *reply,
    const struct lb_trust *current, enum lb_err r) LB_MUST_CHECK;

/*
 * If the part follows from the trust in force, it is in force afterwards, and
 * every proposal of the tenant is gone.
 *
 * proposal  to be gone in the same transaction, in that version; or NULL
 *
 * LB_ERR_CONFLICT  somebody was faster: with a successor, or the proposal
 */
enum lb_err successor_take(struct app *app, const struct call *call,
    struct reply *reply, const struct held *held, const char *actor,
    const struct lb_part *part,
    const struct proposal_row *proposal) LB_MUST_CHECK;

#endif
