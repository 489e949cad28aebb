/* Session records: opening, resting on grants, sweeping. */
#include "sessions.h"

#include <string.h>

/* A document and its signatures as they stood in the answer. */
static enum lb_err
add_part(struct lb_buf *b, const struct lb_part *part)
{
	enum lb_err r;

	r = lb_buf_add(b, part->doc.text, part->doc.len);
	for (size_t i = 0; r == LB_OK && i < part->sig_count; i++)
		r = lb_buf_add(b, part->sigs[i].text, part->sigs[i].len);
	return r;
}

enum lb_err
sessions_grant_text(const struct lb_bundle *bundle, const struct lb_part *part,
    const struct lb_grant *grant, struct lb_buf *ret)
{
	const struct lb_part *request = lb_bundle_find(bundle, grant->request);
	enum lb_err r;

	r = add_part(ret, part);
	if (r == LB_OK && request != NULL && request->type == &lb_request_type)
		r = add_part(ret, request);
	return r;
}

static enum lb_err
keep_one(struct state *st, const struct lb_bundle *bundle,
    const struct lb_part *part, const struct lb_grant *grant)
{
	struct lb_buf b = { .max = LB_BUNDLE_MAX };
	enum lb_err r;

	if ((r = sessions_grant_text(bundle, part, grant, &b)) == LB_OK)
		r = state_kept_add(st, part->id, b.data, b.len);
	lb_buf_clear(&b);
	return r;
}

/* Keep a grant of this login; nothing happens for others and for no grant. */
static enum lb_err
keep_named(struct state *st, const struct lb_bundle *bundle, const char *login,
    const char *id, struct state_session *s)
{
	const struct lb_part *p = lb_bundle_find(bundle, id);
	struct lb_grant grant;
	enum lb_err r;

	if (p == NULL || p->type != &lb_grant_type ||
	    lb_grant_parse(p->doc.text, p->doc.len, &grant) != LB_OK ||
	    !lb_logins_has(&grant.login, login))
		return LB_OK;
	if (s->keeps.count == LB_ANSWER_GRANTS)
		return LB_ERR_LIMIT;
	if ((r = keep_one(st, bundle, p, &grant)) != LB_OK)
		return r;
	memcpy(s->keeps.item[s->keeps.count++], p->id, sizeof(p->id));
	return LB_OK;
}

enum lb_err
sessions_keep_handed(struct state *st, struct state_session *s)
{
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < st->kept_count &&
	     s->keeps.count < LB_ANSWER_GRANTS;
	     i++) {
		const struct state_kept *k = &st->kept[i];
		struct lb_bundle *b = NULL;

		if (!k->handed || lb_grant_ids_has(&s->keeps, k->id))
			continue;
		if ((r = lb_bundle_split(k->bundle, k->bundle_len, &b)) ==
		    LB_OK)
			r = keep_named(st, b, s->login, k->id, s);
		lb_bundle_free(b);
	}
	return r;
}

/* The grant that let in, then the others that the signed answer names. */
static enum lb_err
keep_all(
    struct state *st, const struct sessions_opening *o, struct state_session *s)
{
	const struct lb_part *p = lb_bundle_first(o->bundle, &lb_answer_type);
	struct lb_answer a;
	enum lb_err r;

	if ((r = keep_named(st, o->bundle, o->login, o->ruling->grant, s)) !=
	    LB_OK)
		return r;
	if (s->keeps.count != 1)
		return LB_ERR_STATE;
	if (s->offline)
		return sessions_keep_handed(st, s);
	if (p == NULL)
		return LB_OK;
	r = lb_answer_parse(p->doc.text, p->doc.len, &a);
	for (size_t i = 0; r == LB_OK && i < a.grant.count; i++)
		if (strcmp(a.grant.item[i], o->ruling->grant) != 0)
			r = keep_named(
			    st, o->bundle, o->login, a.grant.item[i], s);
	return r;
}

static enum lb_err
fill(const struct sessions_opening *o, struct state_session *s)
{
	enum lb_err r;

	s->sid = o->sid;
	s->pid = o->pid;
	s->offline = o->ruling->offline;
	s->keys = *o->keys;
	s->opened_at = o->now;
	s->deadline = o->ruling->not_after;
	s->deadline_boot_ms =
	    o->now_boot_ms + (o->ruling->not_after - o->now) * 1000;
	s->lease_end = o->ruling->lease_end;
	s->lease_end_boot_ms =
	    o->now_boot_ms + (o->ruling->lease_end - o->now) * 1000;
	if ((r = lb_text_copy(s->login, sizeof(s->login), o->login)) != LB_OK ||
	    (r = lb_text_copy(s->service, sizeof(s->service), o->service)) !=
		LB_OK ||
	    (r = lb_text_copy(s->rhost, sizeof(s->rhost), o->rhost)) != LB_OK ||
	    (r = lb_text_copy(s->ref, sizeof(s->ref), o->ref)) != LB_OK ||
	    (r = lb_text_copy(s->engineer, sizeof(s->engineer),
		 o->ruling->engineer)) != LB_OK ||
	    (r = lb_text_copy(s->rests.item[0], sizeof(s->rests.item[0]),
		 o->ruling->grant)) != LB_OK)
		return r;
	s->rests.count = 1;
	s->round = o->round;
	return LB_OK;
}

enum lb_err
sessions_open(struct state *st, const struct sessions_opening *o)
{
	struct state_session s = { 0 };
	enum lb_err r;

	if (o->ruling->verdict != LB_VERDICT_ALLOW || o->ruling->provisional ||
	    o->keys->count == 0 || o->sid == PROCS_SID_UNSET ||
	    o->ruling->not_after <= o->now)
		return LB_ERR_STATE;
	if (state_session_find(st, o->sid) != NULL)
		return LB_ERR_CONFLICT;
	if ((r = fill(o, &s)) != LB_OK || (r = keep_all(st, o, &s)) != LB_OK ||
	    (r = state_session_add(st, &s)) != LB_OK)
		goto out;
	r = LB_OK;
out:
	for (size_t i = 0; r != LB_OK && i < s.keeps.count; i++)
		state_kept_drop(st, s.keeps.item[i]);
	return r;
}

/* What it neither rests on nor could begin to rest on. */
static void
drop_unnamed(
    struct state *st, struct state_session *s, const struct lb_grant_ids *named)
{
	struct lb_grant_ids left = { 0 };

	for (size_t i = 0; i < s->keeps.count; i++) {
		const char *id = s->keeps.item[i];

		if (lb_grant_ids_has(&s->rests, id) ||
		    lb_grant_ids_has(named, id))
			memcpy(left.item[left.count++], id, LB_SHA256_LEN + 1);
		else
			state_kept_drop(st, id);
	}
	s->keeps = left;
}

enum lb_err
sessions_keep(struct state *st, struct state_session *s,
    const struct lb_bundle *bundle, const struct lb_grant_ids *named)
{
	enum lb_err r = LB_OK;

	drop_unnamed(st, s, named);
	for (size_t i = 0; r == LB_OK && i < named->count &&
	     s->keeps.count < LB_ANSWER_GRANTS;
	     i++)
		if (!lb_grant_ids_has(&s->keeps, named->item[i]))
			r = keep_named(st, bundle, s->login, named->item[i], s);
	return r;
}

enum lb_err
sessions_rest(struct state_session *s, const struct lb_ruling *ruling,
    int64_t now, int64_t now_boot_ms, bool *ret_new)
{
	int64_t boot_ms;

	if (ruling->verdict != LB_VERDICT_ALLOW)
		return LB_ERR_STATE;
	*ret_new = false;
	if (lb_grant_ids_has(&s->rests, ruling->grant))
		return LB_OK;
	if (s->rests.count == LB_ANSWER_GRANTS)
		return LB_ERR_LIMIT;
	memcpy(s->rests.item[s->rests.count++], ruling->grant,
	    sizeof(ruling->grant));
	boot_ms = now_boot_ms + (ruling->not_after - now) * 1000;
	if (ruling->not_after < s->deadline)
		s->deadline = ruling->not_after;
	if (boot_ms < s->deadline_boot_ms)
		s->deadline_boot_ms = boot_ms;
	*ret_new = true;
	return LB_OK;
}

void
sessions_sweep(struct state *st, const struct procs_all *all, size_t *ret_gone)
{
	size_t i = 0;

	*ret_gone = 0;
	while (i < st->session_count) {
		if (st->session[i].ending[0] != '\0' ||
		    procs_has_sid(all, st->session[i].sid)) {
			i++;
			continue;
		}
		state_session_drop(st, st->session[i].sid);
		++*ret_gone;
	}
}

void
sessions_other_boot(struct state *st, const char *boot_id, size_t *ret_gone)
{
	*ret_gone = 0;
	if (strcmp(st->boot_id, boot_id) != 0) {
		*ret_gone = st->session_count;
		while (st->session_count > 0)
			state_session_drop(st, st->session[0].sid);
	}
	memcpy(st->boot_id, boot_id, PROCS_BOOT_ID_LEN + 1);
}
