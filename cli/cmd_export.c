/*
 * lockbox grant export: an approved grant as a file, to be handed to hosts for
 * the time when the broker is away.
 */
#include <string.h>

#include "commands.h"
#include "files.h"
#include "grant.h"
#include "lockbox/clock.h"
#include "lockbox/judge.h"
#include "output.h"
#include "pin.h"

struct export_opt {
	const char *output;
};

static const struct flag export_flags[] = {
	{ "output", 'o', FLAG_TEXT, offsetof(struct export_opt, output), "FILE",
	    "write there instead of standard output" },
	{ 0 },
};

/* Handed back or stopped: no signature says so, and hosts would not know. */
static int
state_check(const struct api *api, const json_t *grant)
{
	const char *state = api_str(grant, "state");

	if (strcmp(state, "active") == 0 || strcmp(state, "scheduled") == 0)
		return ENDING_DONE;
	return out_fail(api->cli, ENDING_DENIED,
	    "the grant is %s; nothing was written", state);
}

/* What its hosts will say of it, asked now and by the trust in force. */
static int
keepable_check(const struct api *api, const struct lb_grant *g,
    const struct grant_papers *p, const struct lb_trust *trust)
{
	const struct lb_grant_case c = {
		.trust = trust,
		.bundle = p->bundle,
		.part = p->part,
		.tenant = g->tenant,
		.broker = g->broker,
		.host = g->host.item[0],
		.now = lb_clock_now(),
	};
	char code[LB_WORD_MAX + 1];

	if (lb_grant_keepable(&c, code))
		return ENDING_DONE;
	if (strcmp(code, "offline_denied") != 0)
		return out_fail(api->cli, ENDING_DENIED,
		    "no host would keep it: %s; nothing was written", code);
	out_note(api->cli,
	    "no host keeps it yet: %s's trust document says offline: deny",
	    g->tenant);
	return ENDING_DONE;
}

static int
write_out(const struct api *api, const char *path, const struct lb_buf *text)
{
	enum lb_err r = files_write(api->cli, path, text->data, text->len);

	if (r != LB_OK)
		return out_fail(api->cli, ENDING_FAILED, "write '%s': %s",
		    path != NULL ? path : "standard output", files_why(r));
	out_hint(api->cli, "root on each of its hosts: lockbox host accept %s",
	    path != NULL ? path : "FILE");
	return ENDING_DONE;
}

static int
export_run(struct cli *cli, const void *opt, char **operand)
{
	const struct export_opt *o = opt;
	struct grant_papers papers = { 0 };
	struct lb_trust *trust = NULL;
	struct api api = { 0 };
	json_t *grant = NULL;
	struct lb_grant g;
	bool pinned;
	int rv;

	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = grant_fetch(&api, operand[0], &grant, &g)) == ENDING_DONE &&
	    (rv = state_check(&api, grant)) == ENDING_DONE &&
	    (rv = grant_papers_fetch(&api, api_str(grant, "id"), &papers)) ==
		ENDING_DONE &&
	    (rv = pin_fetch(&api, g.tenant, &trust, &pinned)) == ENDING_DONE &&
	    (rv = keepable_check(&api, &g, &papers, trust)) == ENDING_DONE)
		rv = write_out(&api, o->output, &papers.text);
	lb_trust_free(trust);
	grant_papers_clear(&papers);
	json_decref(grant);
	api_close(&api);
	return rv;
}

const struct command export_commands[] = {
	{ "grant", "export", "ID", 1, 1,
	    "write a grant to a file for its hosts, for when the broker is "
	    "away",
	    export_flags, sizeof(struct export_opt), export_run,
	    "lockbox grant export 3fe1 -o grant.bundle\n" },
	{ 0 },
};
