/* lockbox request endorse, approve, deny: a decision and its signature. */
#include <string.h>

#include "commands.h"
#include "decide.h"
#include "lockbox/clock.h"
#include "output.h"
#include "request.h"
#include "sign.h"

struct decide_opt {
	const char *key, *reason;
	struct decide_narrow narrow;
};

#define O(member) offsetof(struct decide_opt, member)
#define KEY_FLAG                                                               \
	{                                                                      \
		"key", 0, FLAG_TEXT, O(key), "FILE",                           \
		    "private key, or .pub of one in ssh-agent"                 \
	}

static const struct flag endorse_flags[] = { KEY_FLAG, { 0 } };

static const struct flag approve_flags[] = {
	DECIDE_NARROW_FLAGS(O(narrow)),
	KEY_FLAG,
	{ 0 },
};

static const struct flag deny_flags[] = {
	{ "reason", 0, FLAG_TEXT, O(reason), "TEXT",
	    "why, as the engineer will read it" },
	KEY_FLAG,
	{ 0 },
};
#undef O

/* Only a request in that state can be decided so. */
static int
state_check(const struct decide *d, const char *wanted)
{
	const char *state = api_str(d->request, "state");
	const char *id = d->review.request.request;
	int rv;

	if (strcmp(state, wanted) == 0)
		return ENDING_DONE;
	rv = request_ending(state);
	rv = out_fail(d->api.cli, rv == ENDING_DONE ? ENDING_FAILED : rv,
	    "request %s is %s, not %s", id, state, wanted);
	if (strcmp(state, "pending_endorsement") == 0)
		out_hint(d->api.cli,
		    "a manager of the provider: lockbox "
		    "request endorse %s",
		    id);
	return rv;
}

/* Ask, then sign; the armor is in ret. */
static int
ask_and_sign(const struct decide *d, const char *question, const char *key,
    enum lb_ns ns, const char *text, size_t len, struct lb_buf *ret,
    struct lb_sshsig *ret_sig)
{
	const struct cli *cli = d->api.cli;
	char path[PATH_MAX];
	int rv;

	if ((rv = decide_key(&d->api, key, path)) != ENDING_DONE)
		return rv;
	decide_show_text(cli, text, len, ns);
	if (!out_confirm(cli, question))
		return out_fail(cli, ENDING_FAILED, "nothing was signed");
	return sign_text(cli, path, ns, text, len, ret, ret_sig);
}

/* Would the signature count: better known now than at the door. */
static int
signer_check(struct decide *d, const struct lb_sshsig *sig, enum lb_ns ns)
{
	if (review_signer(&d->review, d->trust, sig, ns, lb_clock_now()) ==
	    LB_OK)
		return ENDING_DONE;
	return out_fail(d->api.cli, ENDING_DENIED,
	    "the signature would not count: %s; nothing was sent",
	    d->review.what);
}

/* Post a decision and show what became of the request. */
static int
decision_post(struct decide *d, json_t *body, const char *verb)
{
	json_t *reply = NULL;
	int rv;

	rv = api_post(&d->api, body, &reply, "/v1/requests/%s/%s",
	    d->review.request.request, verb);
	if (rv == ENDING_DONE)
		rv = request_print(d->api.cli, reply);
	json_decref(d->request);
	d->request = reply;
	return rv;
}

static int
own_check(const struct decide *d)
{
	if (strcmp(d->review.request.engineer, d->api.principal) != 0)
		return ENDING_DONE;
	return out_fail(d->api.cli, ENDING_DENIED,
	    "nobody endorses or approves a request of their own");
}

static int
endorse(struct decide *d, const struct decide_opt *o)
{
	const char *text = api_str(d->request, "text");
	struct lb_buf armor = { 0 };
	int rv;

	if ((rv = state_check(d, "pending_endorsement")) != ENDING_DONE ||
	    (rv = own_check(d)) != ENDING_DONE)
		return rv;
	decide_show_request(d);
	rv = ask_and_sign(d, "Endorse it?", o->key, LB_NS_ENDORSE, text,
	    strlen(text), &armor, NULL);
	if (rv == ENDING_DONE)
		rv = decision_post(
		    d, json_pack("{s:s}", "signature", armor.data), "endorse");
	if (rv == ENDING_DONE)
		out_hint(d->api.cli, "the customer: lockbox request approve %s",
		    d->review.request.request);
	lb_buf_clear(&armor);
	return rv;
}

static void
approved_hint(const struct decide *d)
{
	const char *state = api_str(d->request, "state");

	if (strcmp(state, "pending_approval") == 0)
		out_hint(d->api.cli,
		    "it counts; another approver must sign the "
		    "same text: lockbox request approve %s",
		    d->review.request.request);
	else
		out_hint(d->api.cli, "to end it early: lockbox grant revoke %s",
		    d->review.grant_id);
}

static int
approve(struct decide *d, const struct decide_opt *o)
{
	struct lb_buf armor = { 0 };
	struct lb_sshsig sig;
	int rv;

	if ((rv = state_check(d, "pending_approval")) != ENDING_DONE ||
	    (rv = own_check(d)) != ENDING_DONE ||
	    (rv = decide_draft(d, &o->narrow)) != ENDING_DONE)
		return rv;
	decide_show_grant(d);
	if ((rv = ask_and_sign(d, "Approve it?", o->key, LB_NS_APPROVE,
		 d->grant.data, d->grant.len, &armor, &sig)) == ENDING_DONE &&
	    (rv = signer_check(d, &sig, LB_NS_APPROVE)) == ENDING_DONE)
		rv = decision_post(d,
		    json_pack("{s:s, s:s}", "text", d->grant.data, "signature",
			armor.data),
		    "approve");
	if (rv == ENDING_DONE)
		approved_hint(d);
	lb_buf_clear(&armor);
	return rv;
}

static int
deny(struct decide *d, const struct decide_opt *o)
{
	const char *text = api_str(d->request, "text");
	struct lb_buf armor = { 0 };
	struct lb_sshsig sig;
	int rv;

	if ((rv = decide_reason(d->api.cli, o->reason)) != ENDING_DONE)
		return rv;
	decide_show_request(d);
	if ((rv = ask_and_sign(d, "Deny it?", o->key, LB_NS_DENY, text,
		 strlen(text), &armor, &sig)) == ENDING_DONE &&
	    (rv = signer_check(d, &sig, LB_NS_DENY)) == ENDING_DONE)
		rv = decision_post(d,
		    json_pack("{s:s, s:s*}", "signature", armor.data, "reason",
			o->reason),
		    "deny");
	lb_buf_clear(&armor);
	return rv;
}

static int
run(struct cli *cli, const void *opt, const char *typed,
    int (*verb)(struct decide *, const struct decide_opt *))
{
	struct decide d;
	int rv;

	if ((rv = decide_open(cli, typed, &d)) == ENDING_DONE)
		rv = verb(&d, opt);
	decide_close(&d);
	return rv;
}

static int
endorse_run(struct cli *cli, const void *opt, char **operand)
{
	return run(cli, opt, operand[0], endorse);
}

static int
approve_run(struct cli *cli, const void *opt, char **operand)
{
	return run(cli, opt, operand[0], approve);
}

static int
deny_run(struct cli *cli, const void *opt, char **operand)
{
	return run(cli, opt, operand[0], deny);
}

const struct command decide_commands[] = {
	{ "request", "endorse", "ID", 1, 1,
	    "a manager of the provider: vouch for a request", endorse_flags,
	    sizeof(struct decide_opt), endorse_run,
	    "lockbox request endorse 01JQ\n" },
	{ "request", "approve", "ID", 1, 1,
	    "a customer: check, read, sign and send the approval",
	    approve_flags, sizeof(struct decide_opt), approve_run,
	    "lockbox request approve 01JQ\n"
	    "lockbox request approve 01JQ --duration 30m --host db1\n" },
	{ "request", "deny", "ID", 1, 1, "a customer: say no", deny_flags,
	    sizeof(struct decide_opt), deny_run,
	    "lockbox request deny 01JQ --reason \"not during the freeze\"\n" },
	{ 0 },
};
