/* Mail addresses of a tenant's people. */
#include "contacts.h"

#include <string.h>

#define CONTACTS_MAX 256 /* of one tenant */

enum lb_err
contact_find(struct app *app, const char *tenant, const char *principal,
    struct contact_row *ret)
{
	enum lb_err r;

	r = store_contact_get(app->store, tenant, principal, ret);
	if (r != LB_ERR_MISSING)
		return r;
	*ret =
	    (struct contact_row){ .links = true, .language = CONTACT_LANGUAGE };
	ROW_TEXT(ret->tenant, tenant);
	ROW_TEXT(ret->principal, principal);
	return LB_OK;
}

static bool
count_take(void *arg, const struct contact_row *row)
{
	size_t *count = arg;

	(void)row;
	++*count;
	return true;
}

enum lb_err
contact_mail(struct reply *reply, const json_t *mail, struct contact_row *c)
{
	const char *s = json_string_value(mail);

	if (json_is_null(mail))
		c->mail[0] = '\0';
	else if (s == NULL || !row_mail_valid(s) ||
	    lb_text_copy(c->mail, sizeof(c->mail), s) != LB_OK)
		return reply_refuse(reply, "bad_value", "mail");
	return LB_OK;
}

enum lb_err
contact_room(struct app *app, struct reply *reply, const struct contact_row *c)
{
	size_t count = 0;
	enum lb_err r;

	if (c->version != 0)
		return LB_OK;
	r = store_contact_each(app->store, c->tenant, count_take, &count);
	if (r == LB_OK && count >= CONTACTS_MAX)
		return reply_refuse(reply, "too_many", "contacts");
	return r;
}
