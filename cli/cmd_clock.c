/* lockbox host clock-reset: root forgets the time floor that a host keeps. */
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "agent_up.h"
#include "commands.h"
#include "files.h"
#include "lockbox/conf.h"
#include "output.h"

/* The agent's own tables: one meaning, one source. */
#include "config.h"
#include "state.h"

struct reset_opt {
	const char *conf;
};

static const struct flag reset_flags[] = {
	{ "agent-conf", 0, FLAG_TEXT, offsetof(struct reset_opt, conf), "FILE",
	    "default /etc/lockbox/agent.conf" },
	{ 0 },
};

static int
floor_clear(const struct cli *cli, const struct config_agent *conf)
{
	char path[CONFIG_PATH + 8], at[OUT_TIME_MAX];
	const struct passwd *pw = getpwnam(conf->user);
	struct state state = { 0 };
	int rv = ENDING_DONE;
	enum lb_err r;

	(void)snprintf(path, sizeof(path), "%s/state", conf->state);
	if (pw == NULL)
		return out_fail(
		    cli, ENDING_CONFIG, "there is no account '%s'", conf->user);
	if ((r = state_load(path, pw->pw_uid, &state)) != LB_OK)
		return out_fail(
		    cli, ENDING_FAILED, "read '%s': %s", path, files_why(r));
	out_time(state.floor, at);
	state.floor = 0;
	if ((r = state_save(path, &state)) != LB_OK ||
	    (r = lchown(path, pw->pw_uid, pw->pw_gid) == 0
		    ? LB_OK
		    : LB_ERR_IO) != LB_OK)
		rv = out_fail(
		    cli, ENDING_FAILED, "write '%s': %s", path, files_why(r));
	else
		out_line(cli->out, "the kept floor was %s; it is cleared", at);
	state_clear(&state);
	return rv;
}

static int
reset_run(struct cli *cli, const void *opt, char **operand)
{
	const struct reset_opt *o = opt;
	const char *path = o->conf != NULL ? o->conf : CONFIG_AGENT;
	struct lb_conf_error error = { 0 };
	struct config_agent conf;

	(void)operand;
	if (geteuid() != 0)
		return out_fail(cli, ENDING_DENIED, "only root does this");
	if (config_agent_load(path, &conf, &error) != LB_OK)
		return out_fail(cli, ENDING_CONFIG, "%s:%zu: %s", path,
		    error.line, error.what);
	if (agent_up(conf.socket)) {
		(void)out_fail(cli, ENDING_FAILED,
		    "lockbox-agent is running: stop it first");
		out_hint(cli,
		    "systemctl stop lockbox-agent && lockbox host "
		    "clock-reset && systemctl start lockbox-agent");
		return ENDING_FAILED;
	}
	return floor_clear(cli, &conf);
}

const struct command clock_commands[] = {
	{ "host", "clock-reset", NULL, 0, 0,
	    "root on the host: forget the kept time floor, after the clocks "
	    "were checked",
	    reset_flags, sizeof(struct reset_opt), reset_run,
	    "lockbox host clock-reset\n" },
	{ 0 },
};
