/* The provider's roster. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/visible.h"

#include "body.h"
#include "handlers.h"
#include "lists.h"
#include "render.h"

static bool
people_take(void *arg, const struct person_row *row)
{
	struct page *p = arg;

	if (page_full(p))
		return false;
	page_add(p, render_person(row), 0, row->principal);
	return true;
}

enum lb_err
people_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct page p;
	enum lb_err r;

	page_init(&p, call);
	r = store_person_each(
	    app->store, call->query.before_id, people_take, &p);
	return page_end(&p, r, reply);
}

enum lb_err
person_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct person_row p;
	enum lb_err r;

	if ((r = store_person_get(app->store, call->arg, &p)) != LB_OK)
		return r;
	call_etag(reply, p.version);
	return reply_json(reply, 200, render_person(&p));
}

static enum lb_err
roles_read(const json_t *array, unsigned int *ret)
{
	static const char *const names[] = { "engineer", "manager", "operator",
		"auditor" };
	unsigned int roles = 0;
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return LB_ERR_FORMAT;
	json_array_foreach(array, i, item)
	{
		unsigned int bit = 0;

		for (size_t n = 0; n < 4; n++)
			if (json_is_string(item) &&
			    strcmp(json_string_value(item), names[n]) == 0)
				bit = 1U << n;
		if (bit == 0 || (roles & bit) != 0)
			return LB_ERR_FORMAT;
		roles |= bit;
	}
	*ret = roles;
	return LB_OK;
}

static enum lb_err
keys_read(const json_t *array, struct person_row *p)
{
	json_t *item;
	size_t i;

	if (!json_is_array(array) ||
	    json_array_size(array) > ROW_PERSON_KEYS_MAX)
		return LB_ERR_FORMAT;
	p->key_count = 0;
	json_array_foreach(array, i, item)
	{
		const char *s = json_string_value(item);

		if (s == NULL || lb_sshkey_parse(s, &p->key[i]) != LB_OK ||
		    lb_sshkey_is_passkey(&p->key[i]))
			return LB_ERR_FORMAT;
		for (size_t k = 0; k < i; k++)
			if (lb_sshkey_equal(&p->key[k], &p->key[i]))
				return LB_ERR_FORMAT;
		p->key_count++;
	}
	return LB_OK;
}

/* Lay what the body says over the row. */
static enum lb_err
person_read(struct reply *reply, json_t *root, const char **ret_principal,
    struct person_row *p)
{
	json_t *roles = NULL, *keys = NULL, *mail = NULL;
	int active = p->active;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s?s, s?o, s?o, s?o, s?b}",
		"principal", ret_principal, "roles", &roles, "keys", &keys,
		"mail", &mail, "active", &active) != 0)
		return reply_refuse(
		    reply, "bad_json", "principal, roles, keys, mail, active");
	if (roles != NULL && roles_read(roles, &p->roles) != LB_OK)
		return reply_refuse(reply, "bad_value", "roles");
	if (keys != NULL && keys_read(keys, p) != LB_OK)
		return reply_refuse(reply, "bad_value", "keys");
	if (json_is_null(mail))
		p->mail[0] = '\0';
	else if (mail != NULL &&
	    (!json_is_string(mail) ||
		!row_mail_valid(json_string_value(mail)) ||
		lb_text_copy(p->mail, sizeof(p->mail),
		    json_string_value(mail)) != LB_OK))
		return reply_refuse(reply, "bad_value", "mail");
	p->active = active != 0;
	return LB_OK;
}

/* Does another person have one of these keys? */
static enum lb_err
keys_free(struct app *app, struct reply *reply, const struct person_row *p)
{
	struct person_row other;
	enum lb_err r;

	for (size_t i = 0; i < p->key_count; i++) {
		r = store_person_by_key(app->store, p->key[i].fp, &other);
		if (r == LB_OK && strcmp(other.principal, p->principal) != 0)
			return reply_refuse(
			    reply, "key_taken", "%s", p->key[i].fp);
		if (r != LB_OK && r != LB_ERR_MISSING)
			return r;
	}
	return LB_OK;
}

static enum lb_err
person_store(struct app *app, const struct call *call, struct reply *reply,
    struct person_row *p, const struct idem_row *idem)
{
	struct change c = { .person = p };
	enum lb_err r;

	if (idem != NULL && idem->key[0] != '\0')
		c.idem = idem;
	call_event(app, call, &c,
	    p->version == 0 ? "person.created" : "person.changed",
	    call->caller.principal, "");
	ROW_TEXT(change_event(&c)->detail, p->principal);
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	p->version++;
	call_etag(reply, p->version);
	return reply_json(reply, p->version == 1 ? 201 : 200, render_person(p));
}

static enum lb_err
person_made(struct app *app, struct reply *reply, const char *principal)
{
	struct person_row p;
	enum lb_err r;

	if ((r = store_person_get(app->store, principal, &p)) != LB_OK)
		return r;
	call_etag(reply, p.version);
	return reply_json(reply, 201, render_person(&p));
}

enum lb_err
person_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct person_row p = { .active = true }, was;
	struct idem_row idem;
	const char *principal = NULL;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_idem(app, call, "people", reply, &idem)) != LB_OK)
		return r;
	if (idem.arg[0] != '\0')
		return person_made(app, reply, idem.arg);
	if ((r = call_json(call, reply, &root)) != LB_OK ||
	    (r = person_read(reply, root, &principal, &p)) != LB_OK)
		goto out;
	if (principal == NULL || !lb_principal_valid(principal) ||
	    lb_text_copy(p.principal, sizeof(p.principal), principal) !=
		LB_OK) {
		r = reply_refuse(reply, "bad_value", "principal");
		goto out;
	}
	if ((r = keys_free(app, reply, &p)) != LB_OK)
		goto out;
	ROW_TEXT(idem.arg, p.principal);
	r = person_store(app, call, reply, &p, &idem);
	if (r == LB_ERR_CONFLICT &&
	    store_person_get(app->store, p.principal, &was) == LB_OK)
		r = reply_refuse(reply, "name_taken", "%s", p.principal);
out:
	json_decref(root);
	return r;
}

struct operators {
	const char *without;
	size_t count;
};

static bool
operators_take(void *arg, const struct person_row *row)
{
	struct operators *o = arg;

	o->count += row->active && (row->roles & ROLE_OPERATOR) != 0 &&
	    row->key_count > 0 && strcmp(row->principal, o->without) != 0;
	return true;
}

/* Somebody must be left who can add people again. */
static enum lb_err
operator_left(struct app *app, struct reply *reply, const struct person_row *p)
{
	struct operators o = { .without = p->principal };
	enum lb_err r;

	if (p->active && (p->roles & ROLE_OPERATOR) != 0 && p->key_count > 0)
		return LB_OK;
	r = store_person_each(app->store, "", operators_take, &o);
	if (r == LB_OK && o.count == 0)
		r = reply_refuse(reply, "last_operator", "%s", "");
	return r;
}

enum lb_err
person_change(struct app *app, const struct call *call, struct reply *reply)
{
	struct person_row p;
	const char *principal = NULL;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = store_person_get(app->store, call->arg, &p)) != LB_OK ||
	    (r = call_match(call, reply, p.version)) != LB_OK ||
	    (r = call_json(call, reply, &root)) != LB_OK ||
	    (r = person_read(reply, root, &principal, &p)) != LB_OK)
		goto out;
	if (principal != NULL && strcmp(principal, p.principal) != 0) {
		r = reply_refuse(reply, "bad_value", "principal");
		goto out;
	}
	if ((r = keys_free(app, reply, &p)) != LB_OK ||
	    (r = operator_left(app, reply, &p)) != LB_OK)
		goto out;
	r = person_store(app, call, reply, &p, NULL);
out:
	json_decref(root);
	return r;
}
