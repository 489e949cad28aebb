/* Composes a request's text from flags. */
#include "compose.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/clock.h"
#include "lockbox/newid.h"
#include "lockbox/papers.h"
#include "lockbox/visible.h"
#include "output.h"
#include "sign.h"

/* One list of the request from flags, each value checked for its alphabet. */
struct names {
	const char *flag;
	const struct flag_list *from;
	bool (*valid)(const char *);
	size_t max;
	char *item; /* of the paper's list */
	size_t size;
	size_t *count;
};

static int
names_copy(const struct cli *cli, const struct names *n)
{
	for (size_t i = 0; i < n->from->count; i++) {
		const char *value = n->from->item[i];

		if (!n->valid(value))
			return out_fail(cli, ENDING_USAGE,
			    "--%s: '%s' is no name of that kind", n->flag,
			    value);
		if (*n->count == n->max)
			return out_fail(cli, ENDING_USAGE, "--%s: at most %zu",
			    n->flag, n->max);
		if (lb_text_copy(
			n->item + *n->count * n->size, n->size, value) != LB_OK)
			return out_fail(
			    cli, ENDING_USAGE, "--%s: too long", n->flag);
		(*n->count)++;
	}
	return ENDING_DONE;
}

#define NAMES(flag_name, list, is_valid, paper)                                \
	{                                                                      \
		flag_name, list, is_valid,                                     \
		    sizeof((paper)->item) / sizeof((paper)->item[0]),          \
		    (paper)->item[0], sizeof((paper)->item[0]),                \
		    &(paper)->count                                            \
	}

static int
lists_fill(
    const struct cli *cli, const struct compose_flags *o, struct lb_request *q)
{
	static const struct flag_list sshd = { 1, { "sshd" } };
	static const struct flag_list sudo = { 1, { "sudo" } };
	const struct names names[] = {
		NAMES("host", &o->host, lb_host_valid, &q->host),
		NAMES("login", &o->login, lb_login_valid, &q->login),
		NAMES("service", o->service.count > 0 ? &o->service : &sshd,
		    lb_service_valid, &q->service),
	};
	const struct names more =
	    NAMES("sudo", &sudo, lb_service_valid, &q->service);
	int rv = ENDING_DONE;

	for (size_t i = 0; i < 3 && rv == ENDING_DONE; i++)
		rv = names_copy(cli, &names[i]);
	if (rv == ENDING_DONE && o->sudo)
		rv = names_copy(cli, &more);
	return rv;
}

int
compose_login(const struct api *api, char ret[static LB_LOGIN_MAX + 1])
{
	const char *login = api->settings.login;
	const struct passwd *pw;

	if (login[0] == '\0' && getuid() != 0 &&
	    (pw = getpwuid(getuid())) != NULL)
		login = pw->pw_name;
	if (login[0] == '\0' || !lb_login_valid(login) ||
	    lb_text_copy(ret, LB_LOGIN_MAX + 1, login) != LB_OK)
		return out_fail(api->cli, ENDING_USAGE,
		    "which account on the host: name the login");
	return ENDING_DONE;
}

static int
login_default(const struct api *api, struct lb_request *q)
{
	int rv;

	if (q->login.count > 0)
		return ENDING_DONE;
	rv = compose_login(api, q->login.item[0]);
	if (rv == ENDING_DONE)
		q->login.count = 1;
	return rv;
}

static int
keys_fill(const struct api *api, const struct compose_flags *o, const char *key,
    struct lb_request *q)
{
	int rv;

	if (o->ssh_key.count == 0) {
		q->engineer_key.count = 1;
		return sign_fingerprint(api->cli, key, q->engineer_key.item[0]);
	}
	if (o->ssh_key.count > LB_KEYS_MAX)
		return out_fail(api->cli, ENDING_USAGE, "--ssh-key: at most %d",
		    LB_KEYS_MAX);
	for (size_t i = 0; i < o->ssh_key.count; i++) {
		rv = sign_fingerprint(
		    api->cli, o->ssh_key.item[i], q->engineer_key.item[i]);
		if (rv != ENDING_DONE)
			return rv;
		q->engineer_key.count++;
	}
	return ENDING_DONE;
}

static int
text_fill(const struct cli *cli, const char *flag, const char *value, char *ret,
    size_t size)
{
	if (value == NULL)
		return ENDING_DONE;
	if (lb_text_copy(ret, size, value) != LB_OK)
		return out_fail(cli, ENDING_USAGE, "--%s: at most %zu bytes",
		    flag, size - 1);
	if (!lb_text_visible(value, strlen(value)))
		return out_fail(cli, ENDING_USAGE,
		    "--%s: only visible text, one line, no doubled or edge "
		    "spaces",
		    flag);
	return ENDING_DONE;
}

static bool
reason_type_known(const char *type)
{
	for (size_t i = 0; lb_reason_types[i] != NULL; i++)
		if (strcmp(lb_reason_types[i], type) == 0)
			return true;
	return false;
}

static int
reason_fill(
    const struct cli *cli, const struct compose_flags *o, struct lb_request *q)
{
	const char *type = o->reason_type != NULL
	    ? o->reason_type
	    : "customer_initiated_support";
	int rv;

	if (o->reason == NULL)
		return out_fail(cli, ENDING_USAGE,
		    "why: --reason is needed, the customer reads it");
	if (!reason_type_known(type)) {
		out_fail(cli, ENDING_USAGE, "--reason-type: one of");
		for (size_t i = 0; lb_reason_types[i] != NULL; i++)
			out_line(cli->err, "  %s", lb_reason_types[i]);
		return ENDING_USAGE;
	}
	if ((rv = text_fill(cli, "reason-type", type, q->reason_type,
		 sizeof(q->reason_type))) != ENDING_DONE ||
	    (rv = text_fill(cli, "reason", o->reason, q->reason,
		 sizeof(q->reason))) != ENDING_DONE)
		return rv;
	return text_fill(
	    cli, "ticket", o->ticket, q->ticket, sizeof(q->ticket));
}

static int
who_fill(
    const struct api *api, const struct compose_flags *o, struct lb_request *q)
{
	const char *tenant =
	    o->tenant != NULL ? o->tenant : api->settings.tenant;

	if (tenant[0] == '\0')
		return out_fail(api->cli, ENDING_USAGE,
		    "which customer: --tenant is needed");
	if (!lb_name_valid(tenant))
		return out_fail(api->cli, ENDING_USAGE,
		    "--tenant: '%s' is no tenant's name", tenant);
	if (lb_text_copy(q->tenant, sizeof(q->tenant), tenant) != LB_OK ||
	    lb_text_copy(q->broker, sizeof(q->broker), api->settings.broker) !=
		LB_OK ||
	    lb_text_copy(q->engineer, sizeof(q->engineer), api->principal) !=
		LB_OK)
		return out_fail(api->cli, ENDING_FAILED, "a name is too long");
	if (o->host.count == 0)
		return out_fail(
		    api->cli, ENDING_USAGE, "which host: --host is needed");
	return ENDING_DONE;
}

static int
times_fill(
    const struct cli *cli, const struct compose_flags *o, struct lb_request *q)
{
	q->requested = lb_clock_now();
	q->start = o->start;
	q->duration = o->duration != 0 ? o->duration : COMPOSE_DURATION;
	if (q->duration < LB_DURATION_MIN || q->duration > LB_GRANT_SPAN_MAX)
		return out_fail(
		    cli, ENDING_USAGE, "--duration: from 1m to 24h");
	if (q->start != 0 && q->start < q->requested)
		return out_fail(
		    cli, ENDING_USAGE, "--start: that time has passed");
	return ENDING_DONE;
}

int
compose_request(struct api *api, const struct compose_flags *o, const char *key,
    struct lb_buf *ret)
{
	struct lb_request q = { 0 };
	enum lb_err r;
	int rv;

	lb_newid(lb_clock_now(), q.request);
	if ((rv = who_fill(api, o, &q)) != ENDING_DONE ||
	    (rv = times_fill(api->cli, o, &q)) != ENDING_DONE ||
	    (rv = lists_fill(api->cli, o, &q)) != ENDING_DONE ||
	    (rv = login_default(api, &q)) != ENDING_DONE ||
	    (rv = reason_fill(api->cli, o, &q)) != ENDING_DONE ||
	    (rv = keys_fill(api, o, key, &q)) != ENDING_DONE)
		return rv;
	if (o->extends != NULL &&
	    (rv = api_grant_id(api, o->extends, q.extends)) != ENDING_DONE)
		return rv;
	lb_doc_sort(&lb_request_type, &q);
	if ((r = lb_doc_write(&lb_request_type, &q, ret)) != LB_OK)
		return out_fail(api->cli, ENDING_USAGE,
		    "this is no valid request: %s%s", lb_err_text(r),
		    api->settings.broker[0] == '\0'
			? " (the broker's name is not known: sign in again)"
			: "");
	return ENDING_DONE;
}
