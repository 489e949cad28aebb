/* Where mail for somebody goes. The one place that knows. */
#ifndef BROKER_MAILTO_H
#define BROKER_MAILTO_H

#include "app.h"

struct mailto {
	char mail[ROW_MAIL_MAX + 1]; /* checked: row_mail_valid */
	bool links;                  /* may mail hold links */
};

/*
 * tenant  whose person; "" for the provider's own, who are in the roster
 *
 * LB_ERR_MISSING  no address is known, or he left
 */
enum lb_err mailto_find(struct app *app, const char *tenant,
    const char *principal, struct mailto *ret) LB_MUST_CHECK;

#endif
