/* lockbox doctor: our own programs, files and what they rest on. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api.h"
#include "doctor.h"
#include "files.h"
#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/judge.h"
#include "output.h"

/* How the module asks, so that the agent is asked the same way. */
#include "ask.h"

#define PROBE_SERVICE "lockbox-doctor"
#define SKEW_WARN     5                   /* seconds */
#define TRUST_WARN    (30 * 24 * 60 * 60) /* seconds before good-until */

void
doctor_path(const struct doctor *d, const char *path, char ret[static PATH_MAX])
{
	if (snprintf(ret, PATH_MAX, "%s%s", d->root, path) >= PATH_MAX)
		ret[0] = '\0'; /* opens nothing */
}

static void
config_fault(struct doctor *d, const char *path, enum lb_err r,
    const struct lb_conf_error *e)
{
	findings_add(d->findings, "config", FINDING_FAIL,
	    r == LB_ERR_MISSING ? "enrol this host: lockbox host enrol"
				: "mend it: the door stays shut until then",
	    "%s:%zu: %s", path, e->line,
	    e->what[0] != '\0' ? e->what : lb_err_text(r));
}

static uid_t
user_uid(struct doctor *d, const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (pw != NULL)
		return pw->pw_uid;
	findings_add(d->findings, "config", FINDING_FAIL,
	    "run systemd-sysusers", "there is no account '%s'", name);
	return 0;
}

void
doctor_config(struct doctor *d)
{
	struct lb_conf_error error = { 0 };
	char path[PATH_MAX];
	enum lb_err r;

	config_agent_default(&d->agent);
	config_courier_default(&d->courier);
	doctor_path(d, CONFIG_AGENT, path);
	if ((r = config_agent_load(path, &d->agent, &error)) == LB_OK)
		d->agent_known = true;
	else
		config_fault(d, CONFIG_AGENT, r, &error);
	doctor_path(d, CONFIG_COURIER, path);
	error = (struct lb_conf_error){ 0 };
	if ((r = config_courier_load(path, &d->courier, &error)) == LB_OK)
		d->courier_known = true;
	else
		config_fault(d, CONFIG_COURIER, r, &error);
	d->agent_uid = user_uid(d, d->agent.user);
	d->courier_uid = user_uid(d, d->courier.user);
	if (d->agent_known && d->courier_known)
		findings_add(d->findings, "config", FINDING_OK, NULL,
		    "host %s, broker %s at %s", d->agent.host, d->agent.broker,
		    d->courier.url);
}

/* The one trust document of a file. */
static enum lb_err
trust_read(const char *path, uid_t owner, struct lb_buf *ret_text,
    struct lb_bundle **ret)
{
	struct lb_bundle *b = NULL;
	enum lb_err r;

	r = lb_file_read_trusted(path, owner, LB_BUNDLE_MAX, ret_text);
	if (r == LB_OK)
		r = lb_bundle_split(ret_text->data, ret_text->len, &b);
	if (r == LB_OK &&
	    (b->count != 1 || b->part[0].type != &lb_trust_type)) {
		lb_bundle_free(b);
		r = LB_ERR_FORMAT;
	}
	if (r == LB_OK)
		*ret = b;
	return r;
}

static enum lb_err
pin_load(struct doctor *d)
{
	struct lb_bundle *b = NULL;
	struct lb_buf text = { 0 };
	char path[PATH_MAX];
	enum lb_err r;

	doctor_path(d, d->agent.trust, path);
	if ((r = trust_read(path, 0, &text, &b)) == LB_OK)
		r = lb_trust_parse(
		    b->part[0].doc.text, b->part[0].doc.len, &d->trust);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	return r;
}

/* One step to what the agent keeps of later documents. */
static bool
kept_step(struct doctor *d)
{
	char path[PATH_MAX], below[CONFIG_PATH + 32];
	struct lb_trust *next = NULL;
	struct lb_bundle *b = NULL;
	struct lb_buf text = { 0 };
	enum lb_err r;

	(void)snprintf(below, sizeof(below), "%s/trust/%010lld", d->agent.state,
	    (long long)d->trust->serial + 1);
	doctor_path(d, below, path);
	if ((r = trust_read(path, d->agent_uid, &text, &b)) == LB_OK)
		r = lb_trust_follow(d->trust, &b->part[0], d->now, &next);
	if (r == LB_OK) {
		lb_trust_free(d->trust);
		d->trust = next;
	} else if (r != LB_ERR_MISSING) {
		findings_add(d->findings, "trust", FINDING_WARN,
		    "look why: the agent leaves it and all behind it out",
		    "kept document '%s' does not follow: %s", below,
		    lb_err_text(r));
	}
	lb_bundle_free(b);
	lb_buf_clear(&text);
	return r == LB_OK;
}

static void
trust_judge(struct doctor *d, int64_t pinned)
{
	const struct lb_trust *t = d->trust;
	char until[OUT_TIME_MAX], when[OUT_TIME_MAX];
	bool over = d->now >= t->good_until;
	bool soon = t->good_until - d->now < TRUST_WARN;

	out_time(t->good_until, until);
	out_when(t->good_until, d->now, when);
	findings_add(d->findings, "trust",
	    over       ? FINDING_FAIL
		: soon ? FINDING_WARN
		       : FINDING_OK,
	    "the customer's owners sign a successor: lockbox trust edit",
	    "tenant %s, serial %lld in force (pinned %lld), good until %s (%s)",
	    t->tenant, (long long)t->serial, (long long)pinned, until, when);
	if (d->now < t->delegate_until) {
		out_time(t->delegate_until, until);
		findings_add(d->findings, "trust", FINDING_WARN,
		    "nothing, if the customer means it",
		    "the customer has delegated approvals until %s", until);
	}
}

void
doctor_trust(struct doctor *d)
{
	int64_t pinned;
	enum lb_err r;

	if ((r = pin_load(d)) != LB_OK) {
		findings_add(d->findings, "trust", FINDING_FAIL,
		    "put the customer's signed document there, root's alone",
		    "'%s': %s", d->agent.trust, files_why(r));
		return;
	}
	pinned = d->trust->serial;
	while (kept_step(d))
		;
	trust_judge(d, pinned);
}

/*
 * Ask what the module asks, for a service that nobody is let in by: the answer
 * says whether the agent could judge at all. No last word follows, so that no
 * login comes of it.
 */
static void
agent_probe(struct doctor *d, const char *socket)
{
	struct lb_door_ask *ask = calloc(1, sizeof(*ask));
	struct lb_door_reply reply = { 0 };
	struct deadline deadline;
	struct options opt;
	enum lb_err r = LB_ERR_MEMORY;
	int fd = -1;

	options_default(&opt);
	if (ask != NULL) {
		ask->version = LB_DOOR_VERSION;
		ask->phase = LB_PHASE_ACCOUNT;
		memcpy(ask->service, PROBE_SERVICE, sizeof(PROBE_SERVICE));
		memcpy(ask->login, "root", sizeof("root"));
		if ((r = lb_text_copy(
			 opt.socket, sizeof(opt.socket), socket)) == LB_OK &&
		    (r = lb_text_copy(opt.agent_user, sizeof(opt.agent_user),
			 d->agent.user)) == LB_OK &&
		    (r = deadline_start(LB_DOOR_TIMEOUT_MS, &deadline)) ==
			LB_OK)
			r = ask_agent(&opt, ask, &deadline, &fd, &reply);
	}
	if (fd >= 0)
		(void)close(fd); /* and no last word */
	free(ask);
	if (r != LB_OK)
		findings_add(d->findings, "agent", FINDING_FAIL,
		    "systemctl status lockbox-agent",
		    "lockbox-agent does not answer at '%s': %s", socket,
		    files_why(r));
	else if (strcmp(reply.code, "not_sshd") == 0 ||
	    strcmp(reply.code, "not_in_session") == 0)
		findings_add(d->findings, "agent", FINDING_OK, NULL,
		    "lockbox-agent answers");
	else
		findings_add(d->findings, "agent", FINDING_FAIL,
		    "its log says why: journalctl -u lockbox-agent",
		    "lockbox-agent lets nobody in: %s", reply.code);
}

void
doctor_agent(struct doctor *d)
{
	char path[PATH_MAX];

	doctor_path(d, d->agent.socket, path);
	agent_probe(d, path);
}

void
doctor_courier(struct doctor *d)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[PATH_MAX];

	doctor_path(d, d->courier.socket, path);
	if (fd >= 0 &&
	    lb_text_copy(a.sun_path, sizeof(a.sun_path), path) == LB_OK &&
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		findings_add(d->findings, "courier", FINDING_OK, NULL,
		    "lockbox-courier listens");
	else
		findings_add(d->findings, "courier", FINDING_FAIL,
		    "systemctl status lockbox-courier",
		    "lockbox-courier does not listen at '%s': %s", path,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* nothing was sent */
}

/* Is the key that the broker shows one that the customer pinned? */
static void
broker_judge(struct doctor *d, const json_t *broker)
{
	const char *name = api_str(broker, "broker");
	struct lb_sshkey key;
	bool pinned = false;

	if (d->trust == NULL ||
	    lb_sshkey_parse(api_str(broker, "key"), &key) != LB_OK) {
		findings_add(d->findings, "broker", FINDING_FAIL, "see 'trust'",
		    "whether it is the right broker cannot be said");
		return;
	}
	for (size_t i = 0; i < d->trust->broker.count; i++) {
		const struct lb_pinned *p = &d->trust->broker.item[i];

		pinned |= strcmp(p->principal, name) == 0 &&
		    strcmp(p->principal, d->agent.broker) == 0 &&
		    lb_pinned_in_dates(p, d->now) &&
		    lb_sshkey_equal(&p->key, &key);
	}
	findings_add(d->findings, "broker", pinned ? FINDING_OK : FINDING_FAIL,
	    "is it the right address? did the broker's key change? then the "
	    "customer pins the new one",
	    pinned ? "broker %s answers, with a pinned key"
		   : "what answers calls itself %s, and its key is not pinned "
		     "for this host's broker",
	    name);
}

static void
clock_judge(struct doctor *d, const json_t *broker)
{
	int64_t skew = api_at(broker, "time") - lb_clock_now();
	enum finding_result result = FINDING_OK;

	if (skew < 0)
		skew = -skew;
	if (skew > LB_CLOCK_SKEW_MAX)
		result = FINDING_FAIL;
	else if (skew > SKEW_WARN)
		result = FINDING_WARN;
	findings_add(d->findings, "clock", result,
	    "run an NTP client here and at the broker",
	    "this host's clock and the broker's differ by %lld s (%d s are "
	    "too much)",
	    (long long)skew, LB_CLOCK_SKEW_MAX);
}

void
doctor_broker(struct doctor *d)
{
	struct settings s = { 0 };
	struct cli quiet = *d->cli;
	struct api api = { 0 };
	json_t *broker = NULL;
	char *said = NULL;
	size_t said_len = 0;
	int rv;

	if (!d->courier_known)
		return; /* said under "config" */
	_Static_assert(sizeof(s.url) >= CONFIG_URL, "a URL fits");
	memcpy(s.url, d->courier.url, sizeof(d->courier.url));
	memcpy(s.proxy, d->courier.proxy, sizeof(d->courier.proxy));
	doctor_path(d, d->courier.ca, s.ca);
	/* What the call would tell a person becomes the finding. */
	quiet.quiet = true;
	quiet.err = open_memstream(&said, &said_len);
	if (quiet.err == NULL)
		return;
	rv = api_open_plain(&quiet, &s, &api);
	if (rv == ENDING_DONE)
		rv = api_get(&api, &broker, "/v1/broker");
	(void)fclose(quiet.err); /* said is ours now */
	if (rv == ENDING_DONE) {
		broker_judge(d, broker);
		clock_judge(d, broker);
	} else {
		said[strcspn(said, "\n")] = '\0';
		findings_add(d->findings, "broker", FINDING_FAIL,
		    "network, DNS, firewall, CA file, proxy", "%s",
		    strncmp(said, "lockbox: ", 9) == 0 ? said + 9 : said);
	}
	free(said);
	json_decref(broker);
	api_close(&api);
}

/* Whose a file must be, and which permission bits it must not have. */
struct file_rule {
	const char *path, *more; /* joined by "/" when more is not NULL */
	uid_t owner;
	mode_t never;
	bool directory;
};

/* 1 when something is wrong and was told. */
static size_t
file_judge(struct doctor *d, const struct file_rule *rule)
{
	char path[PATH_MAX], below[CONFIG_PATH + 32];
	const char *wrong = NULL;
	struct stat st;

	(void)snprintf(below, sizeof(below), "%s%s%s", rule->path,
	    rule->more != NULL ? "/" : "",
	    rule->more != NULL ? rule->more : "");
	doctor_path(d, below, path);
	if (lstat(path, &st) != 0)
		wrong = errno == ENOENT ? "is missing" : "cannot be looked at";
	else if (S_ISLNK(st.st_mode))
		wrong = "is a symbolic link";
	else if (rule->directory != (S_ISDIR(st.st_mode) != 0))
		wrong = "is of the wrong kind";
	else if (st.st_uid != rule->owner && st.st_uid != 0)
		wrong = "has the wrong owner";
	else if ((st.st_mode & rule->never) != 0)
		wrong = "gives others too much";
	if (wrong == NULL)
		return 0;
	findings_add(d->findings, "files", FINDING_FAIL,
	    "see lockbox-agent(8), FILES, for owners and modes", "'%s' %s",
	    below, wrong);
	return 1;
}

void
doctor_files(struct doctor *d)
{
	const struct file_rule rules[] = {
		{ "/etc/lockbox", NULL, 0, 022, true },
		{ "/etc/lockbox/pam.conf", NULL, 0, 022, false },
		{ CONFIG_AGENT, NULL, 0, 022, false },
		{ CONFIG_COURIER, NULL, 0, 022, false },
		{ d->agent.trust, NULL, 0, 022, false },
		{ d->courier_known ? d->courier.ca : "/etc/lockbox/ca.pem",
		    NULL, 0, 022, false },
		{ d->agent.state, NULL, d->agent_uid, 077, true },
		{ d->agent.key, NULL, d->agent_uid, 077, false },
		{ d->agent.state, "state", d->agent_uid, 077, false },
		{ "/run/lockbox", NULL, 0, 022, true },
	};
	size_t wrong = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		wrong += file_judge(d, &rules[i]);
	if (wrong == 0)
		findings_add(d->findings, "files", FINDING_OK, NULL,
		    "owners and modes are right");
}
