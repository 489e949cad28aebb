/* Confirms the code that a page shows. */
#include "browser.h"

#include <string.h>

#include "lockbox/clock.h"
#include "output.h"
#include "signin.h"

/* Where and when it was opened; people read this before they say yes. */
static int
page_show(const struct api *api, const json_t *page)
{
	struct out_table t = { .columns = 2 };
	char when[OUT_TIME_MAX];

	out_when(api_at(page, "at"), lb_clock_now(), when);
	out_line(api->cli->err, "a page wants to be signed in as %s",
	    api->settings.principal);
	out_field(&t, "  opened at", "%s", api_str(page, "address"));
	out_field(&t, "  by", "%s",
	    api_str(page, "agent")[0] != '\0' ? api_str(page, "agent")
					      : "(it does not say)");
	out_field(&t, "  opened", "%s", when);
	if (out_table_print(api->cli->err, &t) != LB_OK)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	if (strcmp(api_str(page, "address"), api_str(page, "here")) != 0)
		out_line(api->cli->err,
		    "That is not the address of this command, %s. Is the page "
		    "on another machine of yours?",
		    api_str(page, "here"));
	return ENDING_DONE;
}

static int
ask(const struct cli *cli)
{
	if (out_confirm(cli,
		"Sign it in? Only if you opened this page yourself, just now"))
		return ENDING_DONE;
	return out_fail(cli, ENDING_FAILED, "nothing was signed");
}

static int
confirm_post(struct api *api, const json_t *page, const char *code)
{
	struct lb_buf text = { 0 }, armor = { 0 };
	json_t *reply = NULL;
	int rv;

	if ((rv = signin_sign(api, page, &text, &armor)) == ENDING_DONE)
		rv = api_post(api,
		    json_pack("{s:s, s:s, s:s}", "code", code, "text",
			text.data, "signature", armor.data),
		    &reply, "/v1/signin/browser/confirm");
	if (rv == ENDING_DONE && api->cli->json)
		rv = out_json(api->cli, json_incref(reply));
	else if (rv == ENDING_DONE)
		out_line(api->cli->out, "the page is signed in as %s",
		    api_str(reply, "principal"));
	json_decref(reply);
	lb_buf_clear(&armor);
	lb_buf_clear(&text);
	return rv;
}

int
browser_confirm(struct api *api, const char *code)
{
	json_t *page = NULL;
	int rv;

	/* A session of ours has no business here. */
	api->token[0] = '\0';
	if ((rv = api_post(api, json_pack("{s:s}", "code", code), &page,
		 "/v1/signin/browser/look")) == ENDING_DONE &&
	    (rv = page_show(api, page)) == ENDING_DONE &&
	    (rv = ask(api->cli)) == ENDING_DONE)
		rv = confirm_post(api, page, code);
	json_decref(page);
	return rv;
}
