/* Revoking, returning, stopping grants. */
#include "closing.h"

#include <string.h>

#include "decide.h"
#include "lockbox/clock.h"
#include "output.h"
#include "pin.h"
#include "review.h"
#include "sign.h"

int
closing_revoke(struct api *api, const char *key_flag, const char *reason,
    const json_t *grant, const struct lb_grant *paper, json_t **ret)
{
	const char *text = api_str(grant, "text");
	struct review review = { .grant = *paper };
	struct lb_trust *trust = NULL;
	struct lb_buf armor = { 0 };
	struct lb_sshsig sig;
	char key[PATH_MAX];
	bool pinned;
	int rv;

	if ((rv = decide_reason(api->cli, reason)) != ENDING_DONE ||
	    (rv = decide_key(api, key_flag, key)) != ENDING_DONE ||
	    (rv = pin_fetch(api, paper->tenant, &trust, &pinned)) !=
		ENDING_DONE)
		goto out;
	decide_show_text(api->cli, text, strlen(text), LB_NS_REVOKE);
	if (!out_confirm(api->cli, "Revoke it, and end its sessions?")) {
		rv = out_fail(api->cli, ENDING_FAILED, "nothing was signed");
		goto out;
	}
	rv = sign_text(
	    api->cli, key, LB_NS_REVOKE, text, strlen(text), &armor, &sig);
	if (rv != ENDING_DONE)
		goto out;
	if (review_signer(&review, trust, &sig, LB_NS_REVOKE, lb_clock_now()) !=
	    LB_OK) {
		rv = out_fail(api->cli, ENDING_DENIED,
		    "the signature would not count: %s; nothing was sent",
		    review.what);
		goto out;
	}
	rv = api_post(api,
	    json_pack("{s:s, s:s*}", "signature", armor.data, "reason", reason),
	    ret, "/v1/grants/%s/revoke", api_str(grant, "id"));
out:
	lb_trust_free(trust);
	lb_buf_clear(&armor);
	return rv;
}

/* Return and stop: closing needs only the broker. body is stolen. */
static int
close_by(struct api *api, const json_t *grant, const char *verb, json_t *body,
    json_t **ret)
{
	return api_post(
	    api, body, ret, "/v1/grants/%s/%s", api_str(grant, "id"), verb);
}

int
closing_return(struct api *api, const json_t *grant, json_t **ret)
{
	return close_by(api, grant, "return", json_object(), ret);
}

int
closing_stop(
    struct api *api, const char *reason, const json_t *grant, json_t **ret)
{
	int rv;

	if (reason == NULL)
		return out_fail(api->cli, ENDING_USAGE, "--reason is needed");
	if ((rv = decide_reason(api->cli, reason)) != ENDING_DONE)
		return rv;
	return close_by(
	    api, grant, "stop", json_pack("{s:s}", "reason", reason), ret);
}
