/* The portal's files. They are the same for everybody, and hold nothing. */
#include <stdio.h>
#include <string.h>

#include "handlers.h"
#include "headers.h"
#include "portal.h"

static enum lb_err
file_give(const struct call *call, struct reply *reply, const char *name)
{
	const struct portal_file *f = portal_files;

	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	if (f->name == NULL)
		return LB_ERR_MISSING;
	reply->page = true;
	reply->download = strcmp(name, PORTAL_OWN_PAGE) == 0 ? name : NULL;
	reply->type = f->type;
	(void)snprintf(reply->etag, sizeof(reply->etag), "%s", f->etag);
	if (etag_listed(call->if_none_match, f->etag)) {
		reply->status = 304;
		return LB_OK;
	}
	reply->status = 200;
	reply->still = f->data;
	reply->still_len = f->len;
	return LB_OK;
}

enum lb_err
portal_index(struct app *app, const struct call *call, struct reply *reply)
{
	(void)app;
	return file_give(call, reply, "index.html");
}

enum lb_err
portal_own_page(struct app *app, const struct call *call, struct reply *reply)
{
	(void)app;
	return file_give(call, reply, PORTAL_OWN_PAGE);
}

enum lb_err
portal_get(struct app *app, const struct call *call, struct reply *reply)
{
	(void)app;
	return file_give(call, reply, call->arg);
}
