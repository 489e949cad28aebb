/* A tenant as JSON. */
#include "tenant_view.h"

#include "lockbox/clock.h"

#include "render.h"

static json_t *
trust_json(const struct lb_trust *t)
{
	static const char *const words[] = { [LB_REQUIRE_ANY] = "any",
		[LB_REQUIRE_TOUCH] = "touch",
		[LB_REQUIRE_VERIFIED] = "verified" };
	json_t *o = json_object();

	render_set(&o, "sha256", json_string(t->id));
	render_set(&o, "serial", json_integer(t->serial));
	render_set(&o, "good_until", render_time(t->good_until));
	render_set(&o, "threshold", json_integer((json_int_t)t->threshold));
	render_set(&o, "require", json_string(words[t->require]));
	render_set(&o, "longest", json_integer(t->longest));
	render_set(&o, "lease", json_integer(t->lease));
	return o;
}

json_t *
tenant_view(const struct tenant_row *t, const struct held *held, int64_t now)
{
	json_t *o = json_object(), *s = json_object();
	int64_t until = 0;

	render_set(&s, "endorse_ttl", json_integer(t->endorse_ttl));
	render_set(&s, "approve_ttl", json_integer(t->approve_ttl));
	render_set(&s, "grant_ttl", json_integer(t->grant_ttl));
	render_set(&s, "endorsement", json_boolean(t->endorsement));
	if (held != NULL && held->trust->delegate.count > 0 &&
	    now < held->trust->delegate_until)
		until = held->trust->delegate_until;
	render_set(&o, "name", json_string(t->name));
	render_set(
	    &o, "trust", held != NULL ? trust_json(held->trust) : json_null());
	render_set(&o, "approvers",
	    held != NULL ? render_approvers(held->trust, now, "")
			 : json_array());
	render_set(&o, "off_until", render_time(until));
	render_set(&o, "settings", s);
	return o;
}

enum lb_err
tenant_answer(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const char *name)
{
	struct tenant_row t;
	struct held *held;
	enum lb_err r;

	if ((r = store_tenant_get(app->store, name, &t)) != LB_OK)
		return r;
	held = trusts_take(app->trusts, name);
	call_etag(reply, t.version);
	r = reply_json(reply, status, tenant_view(&t, held, call->now));
	trusts_give(app->trusts, held);
	return r;
}
