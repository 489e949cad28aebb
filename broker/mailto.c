/* Where mail for somebody goes. */
#include "mailto.h"

#include <string.h>

static enum lb_err
staff_find(struct app *app, const char *principal, struct mailto *ret)
{
	struct person_row p;
	enum lb_err r;

	if ((r = store_person_get(app->store, principal, &p)) != LB_OK)
		return r;
	if (!p.active || p.mail[0] == '\0')
		return LB_ERR_MISSING;
	ROW_TEXT(ret->mail, p.mail);
	ret->links = true;
	return LB_OK;
}

static enum lb_err
customer_find(struct app *app, const char *tenant, const char *principal,
    struct mailto *ret)
{
	struct contact_row row;
	enum lb_err r;

	if ((r = store_contact_get(app->store, tenant, principal, &row)) !=
	    LB_OK)
		return r;
	if (row.mail[0] == '\0')
		return LB_ERR_MISSING;
	ROW_TEXT(ret->mail, row.mail);
	ret->links = row.links;
	return LB_OK;
}

enum lb_err
mailto_find(struct app *app, const char *tenant, const char *principal,
    struct mailto *ret)
{
	struct mailto c = { 0 };
	enum lb_err r;

	if (tenant[0] == '\0')
		r = staff_find(app, principal, &c);
	else
		r = customer_find(app, tenant, principal, &c);
	if (r != LB_OK)
		return r;
	if (!row_mail_valid(c.mail))
		return LB_ERR_MISSING;
	*ret = c;
	return LB_OK;
}
