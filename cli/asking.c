/* Composes, signs and sends requests. */
#include "asking.h"

#include <string.h>

#include "grant.h"
#include "lockbox/clock.h"
#include "lockbox/papers.h"
#include "output.h"
#include "request.h"
#include "sign.h"
#include "wait.h"

/* What the broker keeps must be what was signed. */
static int
created_check(const struct api *api, const struct lb_buf *text, struct asked *a)
{
	struct lb_request q;

	lb_doc_id(text->data, text->len, a->sha256);
	if (lb_request_parse(text->data, text->len, &q) != LB_OK ||
	    strcmp(api_str(a->reply, "id"), q.request) != 0 ||
	    strcmp(api_str(a->reply, "sha256"), a->sha256) != 0)
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with another request than was sent");
	memcpy(a->id, q.request, sizeof(q.request));
	lb_request_code(a->sha256, a->code);
	return ENDING_DONE;
}

static int
post(struct api *api, const struct lb_buf *text, const struct lb_buf *armor,
    struct asked *ret)
{
	struct asked a = { 0 };
	json_t *grant;
	int rv;

	rv = api_create(api,
	    json_pack(
		"{s:s, s:s}", "text", text->data, "signature", armor->data),
	    &a.reply, "/v1/requests");
	if (rv != ENDING_DONE)
		return rv;
	grant = json_object_get(a.reply, "covered_by");
	if (grant != NULL) {
		(void)json_incref(grant);
		json_decref(a.reply);
		a.reply = grant;
	} else {
		rv = created_check(api, text, &a);
	}
	if (rv == ENDING_DONE)
		*ret = a;
	else
		asking_clear(&a);
	return rv;
}

int
asking_send(struct api *api, const struct compose_flags *o, struct asked *ret)
{
	const char *key = o->key != NULL ? o->key : api->settings.key;
	struct lb_buf text = { 0 }, armor = { 0 };
	int rv;

	if ((rv = compose_request(api, o, key, &text)) == ENDING_DONE &&
	    (rv = sign_text(api->cli, key, LB_NS_REQUEST, text.data, text.len,
		 &armor, NULL)) == ENDING_DONE)
		rv = post(api, &text, &armor, ret);
	lb_buf_clear(&armor);
	lb_buf_clear(&text);
	return rv;
}

void
asking_clear(struct asked *a)
{
	json_decref(a->reply);
	*a = (struct asked){ 0 };
}

/* A grant that covers all that is asked is there already. */
static int
covered_print(const struct cli *cli, const json_t *grant)
{
	char until[OUT_TIME_MAX];

	if (cli->json)
		return out_json(cli, json_pack("{s:O}", "covered_by", grant));
	out_time(api_at(grant, "not_after"), until);
	out_line(cli->out, "grant     %s", api_str(grant, "id"));
	out_line(cli->out, "until     %s", until);
	out_note(cli,
	    "a grant you have covers this already; nobody was "
	    "asked");
	grant_hint(cli, grant);
	return ENDING_DONE;
}

static int
created_wait(
    struct api *api, const struct compose_flags *o, const struct asked *a)
{
	struct cli *cli = api->cli;
	/* With JSON, stdout is the object alone. */
	FILE *f = cli->json ? cli->err : cli->out;

	out_line(f, "request  %s", a->id);
	out_line(f, "code     %s", a->code);
	(void)fflush(f);
	if (o->no_wait) {
		out_hint(cli, "lockbox request wait %s", a->id);
		return cli->json ? request_print(cli, a->reply) : ENDING_DONE;
	}
	out_note(cli,
	    "waiting for the decision; Ctrl-C stops the waiting, not "
	    "the request");
	return wait_print(api, a->id, a->sha256,
	    o->timeout != 0 ? lb_clock_now() + o->timeout : 0);
}

int
asking_run(struct api *api, const struct compose_flags *o)
{
	struct asked a = { 0 };
	int rv;

	if ((rv = asking_send(api, o, &a)) != ENDING_DONE)
		return rv;
	rv = a.id[0] != '\0' ? created_wait(api, o, &a)
			     : covered_print(api->cli, a.reply);
	asking_clear(&a);
	return rv;
}
