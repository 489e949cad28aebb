/* Judging a grant as its hosts would. */
#include "passing.h"

#include "lockbox/judge.h"

enum lb_err
passing_judge(const struct lb_trust *t, const struct lb_buf *bundle,
    const char *id, const struct lb_grant *grant, int64_t now,
    struct reply *reply)
{
	struct lb_bundle *b = NULL;
	struct lb_ruling ruling;
	struct lb_grant_case c = { .trust = t };
	enum lb_err r;

	if ((r = lb_bundle_split(bundle->data, bundle->len, &b)) != LB_OK)
		return r;
	c.bundle = b;
	c.part = lb_bundle_find(b, id);
	c.tenant = t->tenant;
	c.broker = grant->broker;
	c.login = grant->login.item[0];
	c.service = grant->service.item[0];
	c.keys = &grant->engineer_key;
	c.now = now > grant->not_before ? now : grant->not_before;
	for (size_t i = 0; r == LB_OK && i < grant->host.count; i++) {
		c.host = grant->host.item[i];
		lb_grant_judge(&c, &ruling);
		if (ruling.verdict != LB_VERDICT_ALLOW)
			r = reply_refuse(reply, "would_not_pass", "%s: %s",
			    c.host, ruling.code);
	}
	lb_bundle_free(b);
	return r;
}
