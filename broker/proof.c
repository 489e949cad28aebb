/* Proofs of possession. */
#include "proof.h"

#include <string.h>

#include "caller.h"
#include "parts.h"

enum lb_err
proof_read(struct app *app, const struct call *call, struct reply *reply,
    const char *text, const char *armor, const char *nonce, struct proof *ret)
{
	struct proof p;

	if (sheet_verify(armor, LB_NS_SIGNIN, text, strlen(text), &p.sig) !=
	    LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	if (lb_signin_parse(text, strlen(text), &p.doc) != LB_OK)
		return reply_refuse(
		    reply, "bad_document", "not a lockbox-signin-v1");
	if (strcmp(p.doc.broker, app->conf.name) != 0 ||
	    p.doc.time > call->now + RULES_CLOCK_SKEW ||
	    p.doc.time < call->now - CALLER_NONCE_TTL)
		return reply_refuse(reply, "signin_refused",
		    "for another broker, or the clock is wrong");
	if (nonce != NULL ? strcmp(p.doc.nonce, nonce) != 0
			  : !caller_nonce_good(app, p.doc.nonce, call->now))
		return reply_refuse(reply, "nonce_over", "%s", "");
	*ret = p;
	return LB_OK;
}

enum lb_err
proof_of(struct app *app, const struct call *call, struct reply *reply,
    const char *text, const char *armor, const struct lb_sshkey *key,
    const char *principal, struct proof *ret)
{
	struct proof p;
	enum lb_err r;

	if ((r = proof_read(app, call, reply, text, armor, NULL, &p)) != LB_OK)
		return r;
	if (!lb_sshkey_equal(&p.sig.key, key))
		return reply_refuse(
		    reply, "bad_signature", "signed by another key");
	if (strcmp(p.doc.principal, principal) != 0)
		return reply_refuse(
		    reply, "signin_refused", "signed for another name");
	*ret = p;
	return LB_OK;
}
