/* lockbox host enrol: root makes a customer's host known to its broker. */
#include <errno.h>
#include <pwd.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent_up.h"
#include "api.h"
#include "commands.h"
#include "enrol.h"
#include "files.h"
#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/https.h"
#include "lockbox/sshsig.h"
#include "lockbox/trust.h"
#include "output.h"

/* The agent's own tables: one meaning, one source. */
#include "config.h"
#include "state.h"

#define MACHINE_ID     "/etc/machine-id"
#define MACHINE_ID_MAX 64  /* bytes of the file */
#define ENROL_CODE_MAX 160 /* chars */
#define CONFDIR        "/etc/lockbox"

struct enrol_opt {
	const char *url, *ca, *host, *trust, *confdir, *user, *proxy;
	bool again;
};

#define O(member) offsetof(struct enrol_opt, member)
static const struct flag enrol_flags[] = {
	{ "url", 0, FLAG_TEXT, O(url), "URL",
	    "the broker: https://HOST[:PORT]" },
	{ "ca", 0, FLAG_TEXT, O(ca), "FILE",
	    "PEM of the authority that signed the broker's certificate" },
	{ "host", 0, FLAG_TEXT, O(host), "NAME",
	    "this host's name, as it was invited" },
	{ "trust", 0, FLAG_TEXT, O(trust), "FILE",
	    "the customer's trust document (default /etc/lockbox/trust)" },
	{ "confdir", 0, FLAG_TEXT, O(confdir), "DIR",
	    "where configuration is written (default /etc/lockbox)" },
	{ "user", 0, FLAG_TEXT, O(user), "LOGIN",
	    "the agent's account (default lockbox)" },
	{ "proxy", 0, FLAG_TEXT, O(proxy), "URL",
	    "the courier's way out: http://HOST:PORT" },
	{ "again", 0, FLAG_SWITCH, O(again), NULL,
	    "replace an enrolment that is there" },
	{ 0 },
};
#undef O

/* Everything an enrolment gathers before it writes. */
struct enrolment {
	const struct cli *cli;
	const struct enrol_opt *opt;
	struct config_agent agent;
	struct enrol_code code;
	struct enrol_case about;
	struct lb_signer *signer;
	uid_t uid;
	gid_t gid;
	char url[SETTINGS_URL_MAX + 1];
	char confdir[200];
};

static void
enrolment_clear(struct enrolment *e)
{
	lb_signer_free(e->signer);
	sodium_memzero(e, sizeof(*e));
}

static int
flags_check(struct enrolment *e)
{
	const struct enrol_opt *o = e->opt;

	if (o->url == NULL || o->ca == NULL || o->host == NULL)
		return out_fail(
		    e->cli, ENDING_USAGE, "--url, --ca and --host are needed");
	if (settings_url(o->url, e->url) != LB_OK)
		return out_fail(e->cli, ENDING_USAGE,
		    "--url is https://HOST[:PORT], not '%s'", o->url);
	if (!lb_host_valid(o->host) ||
	    lb_text_copy(e->about.host, sizeof(e->about.host), o->host) !=
		LB_OK)
		return out_fail(e->cli, ENDING_USAGE,
		    "--host: '%s' is no host's name", o->host);
	if (lb_text_copy(e->confdir, sizeof(e->confdir),
		o->confdir != NULL ? o->confdir : CONFDIR) != LB_OK ||
	    e->confdir[0] != '/')
		return out_fail(
		    e->cli, ENDING_USAGE, "--confdir is an absolute path");
	return ENDING_DONE;
}

static int
paths_fill(struct enrolment *e)
{
	const struct enrol_opt *o = e->opt;
	enum lb_err r = LB_OK;

	config_agent_default(&e->agent);
	if (o->user != NULL)
		r = lb_text_copy(e->agent.user, sizeof(e->agent.user), o->user);
	if (r == LB_OK && o->trust != NULL)
		r = lb_text_copy(
		    e->agent.trust, sizeof(e->agent.trust), o->trust);
	if (r != LB_OK || e->agent.trust[0] != '/')
		return out_fail(e->cli, ENDING_USAGE,
		    "--trust is an absolute path, --user a login");
	return ENDING_DONE;
}

static int
user_find(struct enrolment *e)
{
	const struct passwd *pw = getpwnam(e->agent.user);

	if (pw == NULL) {
		(void)out_fail(e->cli, ENDING_CONFIG,
		    "there is no account '%s' for the agent", e->agent.user);
		out_hint(e->cli,
		    "systemd-sysusers, or: useradd --system "
		    "--user-group --no-create-home %s",
		    e->agent.user);
		return ENDING_CONFIG;
	}
	e->uid = pw->pw_uid;
	e->gid = pw->pw_gid;
	return ENDING_DONE;
}

/* A new code does not silently replace a key that opens doors. */
static int
fresh_check(const struct enrolment *e)
{
	if (access(e->agent.key, F_OK) != 0)
		return ENDING_DONE;
	if (!e->opt->again)
		return out_fail(e->cli, ENDING_FAILED,
		    "this host is enrolled already ('%s' is there): --again "
		    "replaces it",
		    e->agent.key);
	if (!agent_up(e->agent.socket))
		return ENDING_DONE;
	(void)out_fail(e->cli, ENDING_FAILED,
	    "lockbox-agent is running, with sessions that it would forget");
	out_hint(e->cli, "systemctl stop lockbox-agent lockbox-agent.socket");
	return ENDING_FAILED;
}

/* The line of the trust document that names the code's broker and key. */
static int
broker_match(struct enrolment *e, const struct lb_trust *t)
{
	char keyid[ENROL_KEYID_LEN + 1];

	for (size_t i = 0; i < t->broker.count; i++) {
		const struct lb_pinned *p = &t->broker.item[i];

		if (strcmp(p->principal, e->code.broker) != 0)
			continue;
		enrol_keyid(&p->key, keyid);
		if (strcmp(keyid, e->code.keyid) != 0)
			continue;
		lb_sshkey_format(&p->key, e->about.broker_key);
		return ENDING_DONE;
	}
	return out_fail(e->cli, ENDING_DENIED,
	    "the trust document '%s' names no broker '%s' with the key that "
	    "the code speaks of: it is not this customer's broker, or its key "
	    "changed",
	    e->agent.trust, e->code.broker);
}

static int
trust_check(struct enrolment *e)
{
	struct lb_bundle *bundle = NULL;
	struct lb_buf text = { 0 };
	struct lb_trust *t = NULL;
	int rv = ENDING_CONFIG;
	enum lb_err r;

	if ((r = lb_file_read_trusted(
		 e->agent.trust, 0, LB_BUNDLE_MAX, &text)) != LB_OK ||
	    (r = lb_bundle_split(text.data, text.len, &bundle)) != LB_OK ||
	    (r = bundle->count == 1 ? LB_OK : LB_ERR_FORMAT) != LB_OK ||
	    (r = lb_trust_parse(bundle->part[0].doc.text,
		 bundle->part[0].doc.len, &t)) != LB_OK) {
		out_fail(e->cli, rv, "the customer's trust document '%s': %s%s",
		    e->agent.trust, files_why(r),
		    r == LB_ERR_UNTRUSTED
			? " (it and its directories must be root's alone)"
			: "");
		goto out;
	}
	if (lb_clock_now() >= t->good_until) {
		rv = out_fail(e->cli, rv,
		    "the trust document is past its good-until: it would open "
		    "nothing");
		goto out;
	}
	memcpy(e->about.tenant, t->tenant, sizeof(e->about.tenant));
	rv = broker_match(e, t);
out:
	lb_trust_free(t);
	lb_bundle_free(bundle);
	lb_buf_clear(&text);
	return rv;
}

static int
machine_id_read(struct enrolment *e)
{
	struct lb_buf text = { 0 };
	int rv = ENDING_DONE;

	if (files_read(MACHINE_ID, MACHINE_ID_MAX, &text) == LB_OK)
		text.data[strcspn(text.data, "\n")] = '\0';
	if (text.data == NULL || !lb_nonce_valid(text.data)) {
		rv = out_fail(e->cli, ENDING_CONFIG,
		    "'" MACHINE_ID "' holds no machine id");
		out_hint(e->cli, "systemd-machine-id-setup");
	} else {
		memcpy(e->about.machine_id, text.data,
		    sizeof(e->about.machine_id));
	}
	lb_buf_clear(&text);
	return rv;
}

static int
key_make(struct enrolment *e)
{
	uint8_t nonce[LB_NONCE_LEN / 2];

	if (lb_signer_new(&e->signer) != LB_OK)
		return out_fail(
		    e->cli, ENDING_FAILED, "the host's key cannot be made");
	lb_sshkey_format(lb_signer_key(e->signer), e->about.host_key);
	randombytes_buf(nonce, sizeof(nonce));
	lb_hex_encode(nonce, sizeof(nonce), e->about.nonce);
	return ENDING_DONE;
}

/* The broker proved that it knows the secret, and it is the pinned one. */
static int
answer_check(struct enrolment *e, const json_t *reply)
{
	char mac[ENROL_MAC_LEN + 1] = "";
	const char *got = api_str(reply, "mac");

	if (enrol_mac_answer(&e->code, &e->about, mac) != LB_OK)
		return out_fail(e->cli, ENDING_FAILED, "out of memory");
	if (strcmp(api_str(reply, "broker"), e->code.broker) != 0 ||
	    strcmp(api_str(reply, "key"), e->about.broker_key) != 0 ||
	    strcmp(api_str(reply, "host"), e->about.host) != 0 ||
	    strcmp(api_str(reply, "tenant"), e->about.tenant) != 0 ||
	    strlen(got) != ENROL_MAC_LEN ||
	    sodium_memcmp(got, mac, ENROL_MAC_LEN) != 0)
		return out_fail(e->cli, ENDING_DENIED,
		    "what answered is not the broker of the trust document: "
		    "this host is not enrolled; remove the host there and invite it "
		    "anew");
	return ENDING_DONE;
}

static int
enrol_post(struct enrolment *e, struct cli *cli)
{
	char mac[ENROL_MAC_LEN + 1] = "";
	struct settings s = { 0 };
	struct api api = { 0 };
	json_t *reply = NULL;
	int rv;

	memcpy(s.url, e->url, sizeof(s.url));
	if (lb_text_copy(s.ca, sizeof(s.ca), e->opt->ca) != LB_OK ||
	    enrol_mac_ask(&e->code, &e->about, mac) != LB_OK)
		return out_fail(cli, ENDING_USAGE, "--ca is too long");
	if ((rv = api_open_plain(cli, &s, &api)) != ENDING_DONE)
		return rv;
	rv = api_post(&api,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "host",
		e->about.host, "tenant", e->about.tenant, "keyid",
		e->code.keyid, "key", e->about.host_key, "machine_id",
		e->about.machine_id, "nonce", e->about.nonce, "mac", mac),
	    &reply, "/v1/enrol");
	if (rv == ENDING_DONE)
		rv = answer_check(e, reply);
	json_decref(reply);
	api_close(&api);
	return rv;
}

static int
write_fail(const struct enrolment *e, const char *path, enum lb_err r)
{
	return out_fail(
	    e->cli, ENDING_FAILED, "write '%s': %s", path, files_why(r));
}

/* The agent's directory: its own, and nobody else's. */
static int
state_dir_make(const struct enrolment *e)
{
	const char *path = e->agent.state;

	if ((mkdir(path, 0700) != 0 && errno != EEXIST) ||
	    lchown(path, e->uid, e->gid) != 0 || chmod(path, 0700) != 0)
		return write_fail(e, path, LB_ERR_IO);
	return ENDING_DONE;
}

/*
 * Key and first, empty state: the agent's. While root writes and gives away,
 * the directory is root's: its owner could put a link to another file there,
 * and would be given that.
 */
static int
state_write_first(const struct enrolment *e)
{
	struct state empty = { 0 };
	char path[CONFIG_PATH + 8], comment[LB_HOST_MAX + 16];
	enum lb_err r;

	if (lchown(e->agent.state, 0, 0) != 0)
		return write_fail(e, e->agent.state, LB_ERR_IO);
	(void)snprintf(comment, sizeof(comment), "lockbox %s", e->about.host);
	if ((r = lb_signer_save(e->signer, e->agent.key, comment)) != LB_OK ||
	    (r = lchown(e->agent.key, e->uid, e->gid) == 0
		    ? LB_OK
		    : LB_ERR_IO) != LB_OK)
		return write_fail(e, e->agent.key, r);
	(void)snprintf(path, sizeof(path), "%s/state", e->agent.state);
	if ((r = state_save(path, &empty)) != LB_OK ||
	    (r = lchown(path, e->uid, e->gid) == 0 ? LB_OK : LB_ERR_IO) !=
		LB_OK)
		return write_fail(e, path, r);
	if (lchown(e->agent.state, e->uid, e->gid) != 0)
		return write_fail(e, e->agent.state, LB_ERR_IO);
	return ENDING_DONE;
}

static int
file_put(
    const struct enrolment *e, const char *name, const void *bytes, size_t len)
{
	char path[256];
	enum lb_err r;

	(void)snprintf(path, sizeof(path), "%s/%s", e->confdir, name);
	if ((r = lb_file_write_atomic(path, 0644, bytes, len)) != LB_OK)
		return write_fail(e, path, r);
	return ENDING_DONE;
}

/* agent.conf names only what differs from the defaults. */
static int
agent_conf_write(const struct enrolment *e)
{
	struct config_agent usual;
	struct lb_buf b = { 0 };
	int rv = ENDING_FAILED;
	enum lb_err r;

	config_agent_default(&usual);
	r = lb_buf_addf(
	    &b, "host = %s\nbroker = %s\n", e->about.host, e->code.broker);
	if (r == LB_OK && strcmp(usual.trust, e->agent.trust) != 0)
		r = lb_buf_addf(&b, "trust = %s\n", e->agent.trust);
	if (r == LB_OK && strcmp(usual.user, e->agent.user) != 0)
		r = lb_buf_addf(&b, "user = %s\n", e->agent.user);
	if (r == LB_OK)
		rv = file_put(e, "agent.conf", b.data, b.len);
	lb_buf_clear(&b);
	return rv;
}

static int
courier_conf_write(const struct enrolment *e)
{
	struct config_courier usual;
	struct lb_buf b = { 0 }, pem = { 0 };
	int rv = ENDING_FAILED;
	enum lb_err r;

	config_courier_default(&usual);
	r = lb_buf_addf(&b, "url = %s\nca = %s/ca.pem\n", e->url, e->confdir);
	if (r == LB_OK && e->opt->proxy != NULL)
		r = lb_buf_addf(&b, "proxy = %s\n", e->opt->proxy);
	if (r == LB_OK && strcmp(usual.agent_user, e->agent.user) != 0)
		r = lb_buf_addf(&b, "agent_user = %s\n", e->agent.user);
	if (r == LB_OK &&
	    (r = files_read(e->opt->ca, LB_HTTPS_CA_MAX, &pem)) != LB_OK)
		rv = out_fail(
		    e->cli, rv, "read '%s': %s", e->opt->ca, files_why(r));
	if (r == LB_OK &&
	    (rv = file_put(e, "ca.pem", pem.data, pem.len)) == ENDING_DONE)
		rv = file_put(e, "courier.conf", b.data, b.len);
	lb_buf_clear(&pem);
	lb_buf_clear(&b);
	return rv;
}

static int
enrolled_tell(const struct enrolment *e)
{
	const struct cli *cli = e->cli;

	if (cli->json)
		return out_json(cli,
		    json_pack("{s:s, s:s, s:s, s:s}", "host", e->about.host,
			"tenant", e->about.tenant, "broker", e->code.broker,
			"key", e->about.host_key));
	out_line(cli->out, "enrolled %s of tenant %s with broker %s",
	    e->about.host, e->about.tenant, e->code.broker);
	out_line(cli->out, "host key %s", lb_signer_key(e->signer)->fp);
	out_hint(cli,
	    "systemctl enable --now lockbox-courier lockbox-agent, "
	    "put the PAM lines in, then: lockbox doctor");
	return ENDING_DONE;
}

static int
enrol(struct enrolment *e, struct cli *cli, const char *code)
{
	int rv;

	if ((rv = flags_check(e)) != ENDING_DONE ||
	    (rv = paths_fill(e)) != ENDING_DONE)
		return rv;
	if (enrol_code_parse(code, &e->code) != LB_OK)
		return out_fail(cli, ENDING_USAGE,
		    "this is no enrolment code (BROKER-KEYID-SECRET)");
	if (geteuid() != 0)
		return out_fail(cli, ENDING_DENIED, "only root enrols a host");
	if ((rv = fresh_check(e)) != ENDING_DONE ||
	    (rv = user_find(e)) != ENDING_DONE ||
	    (rv = trust_check(e)) != ENDING_DONE ||
	    (rv = machine_id_read(e)) != ENDING_DONE ||
	    (rv = key_make(e)) != ENDING_DONE ||
	    (rv = state_dir_make(e)) != ENDING_DONE ||
	    (rv = enrol_post(e, cli)) != ENDING_DONE ||
	    /* Nothing that is there already is touched before it agreed. */
	    (rv = courier_conf_write(e)) != ENDING_DONE ||
	    (rv = agent_conf_write(e)) != ENDING_DONE ||
	    (rv = state_write_first(e)) != ENDING_DONE)
		return rv;
	return enrolled_tell(e);
}

/* "-": one line of standard input, so that the code stands in no argv. */
static int
code_read(const struct cli *cli, const char *operand,
    char ret[static ENROL_CODE_MAX + 1])
{
	if (strcmp(operand, "-") != 0)
		return lb_text_copy(ret, ENROL_CODE_MAX + 1, operand) == LB_OK
		    ? ENDING_DONE
		    : out_fail(cli, ENDING_USAGE, "the code is too long");
	if (fgets(ret, ENROL_CODE_MAX + 1, stdin) == NULL)
		return out_fail(cli, ENDING_USAGE, "no code on standard input");
	ret[strcspn(ret, "\r\n")] = '\0';
	return ENDING_DONE;
}

static int
enrol_run(struct cli *cli, const void *opt, char **operand)
{
	struct enrolment e = { .cli = cli, .opt = opt };
	char code[ENROL_CODE_MAX + 1];
	int rv;

	if ((rv = code_read(cli, operand[0], code)) == ENDING_DONE)
		rv = enrol(&e, cli, code);
	enrolment_clear(&e);
	sodium_memzero(code, sizeof(code));
	/* It is used up, or will be over within the hour. */
	sodium_memzero(operand[0], strlen(operand[0]));
	return rv;
}

const struct command enrol_commands[] = {
	{ "host", "enrol", "CODE", 1, 1,
	    "root on the host: make its key and enrol it with an invitation",
	    enrol_flags, sizeof(struct enrol_opt), enrol_run,
	    "lockbox host enrol support-7Q2K...-... --url "
	    "https://broker.example --ca ca.pem --host db1\n" },
	{ 0 },
};
