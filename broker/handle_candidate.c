/* Keys that invited people brought, until they are signed into trust. */
#include <stdio.h>
#include <string.h>

#include "handlers.h"
#include "lists.h"
#include "render.h"
#include "tending.h"

static json_t *
candidate_json(const struct candidate_row *c)
{
	char code[LB_CODE_LEN + 1];
	json_t *o = json_object();

	lb_key_code(c->key_fp, code);
	render_set(&o, "id", json_string(c->id));
	render_set(&o, "principal", json_string(c->principal));
	render_set(&o, "key", json_string(c->key));
	render_set(&o, "fingerprint", json_string(c->key_fp));
	render_set(&o, "code", json_string(code));
	render_set(&o, "label", json_string(c->label));
	render_set(&o, "origin", render_text(c->origin));
	render_set(&o, "owner", json_boolean(c->owner));
	render_set(&o, "at", render_time(c->at));
	render_set(&o, "invited_by", json_string(c->invited_by));
	return o;
}

static bool
list_take(void *arg, const struct candidate_row *row)
{
	json_t **items = arg;

	render_add(items, candidate_json(row));
	return true;
}

enum lb_err
candidates_list(struct app *app, const struct call *call, struct reply *reply)
{
	json_t *items = json_array();
	struct held *held = NULL;
	enum lb_err r;

	r = tending_take(app, call, call->arg, &held);
	trusts_give(app->trusts, held);
	if (r == LB_OK)
		r = store_candidate_each(
		    app->store, call->arg, list_take, &items);
	if (r != LB_OK) {
		json_decref(items);
		return r;
	}
	return page_whole(reply, items);
}

enum lb_err
candidate_remove(struct app *app, const struct call *call, struct reply *reply)
{
	struct candidate_row row;
	struct change c = { .candidate = &row, .candidate_remove = true };
	struct held *held = NULL;
	enum lb_err r;

	if ((r = store_candidate_by_id(app->store, call->arg, &row)) != LB_OK ||
	    (r = tending_take(app, call, row.tenant, &held)) != LB_OK)
		return r;
	trusts_give(app->trusts, held);
	if ((r = call_nothing(call, reply)) != LB_OK)
		return r;
	call_event(app, call, &c, "candidate.removed", call->caller.principal,
	    row.tenant);
	(void)snprintf(change_event(&c)->detail,
	    sizeof(change_event(&c)->detail), "%s %s", row.principal,
	    row.key_fp);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		return LB_ERR_MISSING; /* somebody else removed it */
	return r == LB_OK ? reply_empty(reply) : r;
}
