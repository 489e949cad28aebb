/* lockbox grant check: does a live grant cover this login? For scripts. */
#include <string.h>

#include "commands.h"
#include "live.h"
#include "lockbox/clock.h"
#include "output.h"
#include "signin.h"

struct check_opt {
	const char *tenant, *host, *login, *ssh_key;
	struct flag_list service;
	int64_t left;
};

#define O(member) offsetof(struct check_opt, member)
static const struct flag check_flags[] = {
	{ "host", 0, FLAG_TEXT, O(host), "HOST", "the host (needed)" },
	{ "login", 0, FLAG_TEXT, O(login), "LOGIN",
	    "the account there (default: your own name here)" },
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME",
	    "the customer (default: whose host it is)" },
	{ "service", 0, FLAG_LIST, O(service), "SERVICE",
	    "sshd (default), sudo, su, ..." },
	{ "ssh-key", 0, FLAG_TEXT, O(ssh_key), "FILE|SHA256:...",
	    "the key to log in with (default: the one that signs)" },
	{ "left", 0, FLAG_SPAN, O(left), "SPAN",
	    "at least that long (default: at all)" },
	{ 0 },
};
#undef O

static int
services_fill(const struct cli *cli, const struct flag_list *from,
    struct lb_services *ret)
{
	static const struct flag_list sshd = { 1, { "sshd" } };

	if (from->count == 0)
		from = &sshd;
	if (from->count > LB_SERVICES_MAX)
		return out_fail(cli, ENDING_USAGE, "--service: at most %d",
		    LB_SERVICES_MAX);
	for (size_t i = 0; i < from->count; i++)
		if (!lb_service_valid(from->item[i]) ||
		    lb_text_copy(ret->item[i], sizeof(ret->item[i]),
			from->item[i]) != LB_OK)
			return out_fail(cli, ENDING_USAGE,
			    "--service: '%s' is no service's name",
			    from->item[i]);
	ret->count = from->count;
	return ENDING_DONE;
}

static int
found_tell(const struct cli *cli, const struct cover_need *need,
    const json_t *grant, const struct lb_grant *paper)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)grant));
	out_time(paper->not_after, at);
	out_when(paper->not_after, lb_clock_now(), when);
	out_note(cli, "%s@%s: grant %s until %s (%s)", need->login, need->host,
	    api_str(grant, "id"), at, when);
	return ENDING_DONE;
}

static int
none_tell(const struct cli *cli, const struct cover_need *need)
{
	out_note(
	    cli, "%s@%s: no live grant covers it", need->login, need->host);
	out_hint(cli,
	    "lockbox request create --tenant %s --host %s --login %s "
	    "--reason ...",
	    need->tenant, need->host, need->login);
	return ENDING_DENIED;
}

static int
check_run(struct cli *cli, const void *opt, char **operand)
{
	const struct check_opt *o = opt;
	struct live_wish w = { .tenant = o->tenant,
		.host = o->host,
		.login = o->login,
		.key = o->ssh_key };
	struct cover_need need;
	struct lb_grant paper;
	struct api api = { 0 };
	json_t *grant = NULL;
	int rv;

	(void)operand;
	if (o->host == NULL)
		return out_fail(cli, ENDING_USAGE, "--host is needed");
	if ((rv = services_fill(cli, &o->service, &w.service)) != ENDING_DONE ||
	    (rv = signin_open(cli, &api)) != ENDING_DONE)
		return rv;
	if ((rv = live_need(&api, &w, &need)) == ENDING_DONE &&
	    (rv = live_grant(&api, &need, &grant, &paper)) == ENDING_DONE)
		rv =
		    grant != NULL && paper.not_after - lb_clock_now() >= o->left
		    ? found_tell(cli, &need, grant, &paper)
		    : none_tell(cli, &need);
	json_decref(grant);
	api_close(&api);
	return rv;
}

const struct command check_commands[] = {
	{ "grant", "check", NULL, 0, 0,
	    "exit 0 if a live grant covers a login, 77 if none does",
	    check_flags, sizeof(struct check_opt), check_run,
	    "lockbox grant check --host db1 --login deploy --quiet && "
	    "scp dump deploy@db1:\n" },
	{ 0 },
};
