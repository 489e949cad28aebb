/* lockbox doctor: is this host's door really shut, and can it open? */
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "doctor.h"
#include "lockbox/clock.h"
#include "output.h"

struct doctor_opt {
	const char *root, *sshd_dump;
};

static const struct flag doctor_flags[] = {
	{ "root", 0, FLAG_TEXT, offsetof(struct doctor_opt, root), "DIR",
	    "look at the files below DIR instead of /" },
	{ "sshd-dump", 0, FLAG_TEXT, offsetof(struct doctor_opt, sshd_dump),
	    "FILE", "read what 'sshd -T' printed instead of running it" },
	{ 0 },
};

static int
doctor_run(struct cli *cli, const void *opt, char **operand)
{
	const struct doctor_opt *o = opt;
	struct doctor d = { .cli = cli,
		.now = lb_clock_now(),
		.root = o->root != NULL ? o->root : "",
		.sshd_dump = o->sshd_dump,
		.findings = calloc(1, sizeof(*d.findings)) };
	int rv;

	(void)operand;
	if (d.findings == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	if (geteuid() != 0) {
		free(d.findings);
		return out_fail(
		    cli, ENDING_DENIED, "only root can look at all of it");
	}
	doctor_sshd(&d);
	doctor_account(&d);
	doctor_session(&d);
	doctor_exempt(&d);
	doctor_session_ids(&d);
	doctor_config(&d);
	doctor_files(&d);
	doctor_trust(&d);
	doctor_agent(&d);
	doctor_courier(&d);
	doctor_broker(&d);
	rv = findings_print(cli, d.findings);
	lb_trust_free(d.trust);
	free(d.findings);
	return rv;
}

const struct command doctor_commands[] = {
	{ "doctor", NULL, NULL, 0, 0,
	    "root on a host: check sshd, PAM, agent, courier, broker, clock, "
	    "trust and files",
	    doctor_flags, sizeof(struct doctor_opt), doctor_run,
	    "lockbox doctor\n"
	    "lockbox doctor --format json\n" },
	{ 0 },
};
