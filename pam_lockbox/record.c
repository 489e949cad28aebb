/* The one line in syslog. */
#include "record.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "lockbox/clock.h"

#define RECORD_NAP_MS 20 /* between tries */
#define IDENT_MAX     32 /* chars */

/* Most chars of each value. Together with the names they stay below
 * RECORD_MAX: see test_record_line_longest_stays_under_a_kibibyte. */
enum {
	CAP_SERVICE = 32,
	CAP_CODE = 48,
	CAP_TENANT = 64,
	CAP_HOST = 80,
	CAP_LOGIN = 48,
	CAP_ENGINEER = 64,
	CAP_RHOST = 64,
	CAP_WHY = 400, /* or what room is left */
	CAP_MOST = 400,
};

/*
 * Somebody may be lying, or a part is broken: the codes that doc/codes.md
 * marks with a star, and a clock or a configuration that cannot be right.
 */
static const char *const alert_codes[] = {
	"agent_garbage",
	"agent_untrusted",
	"answer_doubled",
	"answer_malformed",
	"answer_missing",
	"answer_question",
	"answer_signature",
	"answer_too_long",
	"approval_signature",
	"broker_garbage",
	"broker_tls",
	"broker_too_large",
	"clock_floor",
	"clock_skew",
	"config_error",
	"courier_garbage",
	"grant_absent",
	"grant_malformed",
	"grant_tenant",
	"grant_unreadable",
	"phase_unknown",
	"question_wrong",
	"request_exceeded",
	"request_malformed",
	"request_unsigned",
};

/* Somebody cannot be reached, or cannot work just now. */
static const char *const warning_codes[] = {
	"agent_timeout",
	"agent_unable",
	"agent_unreachable",
	"broker_failed",
	"broker_refused",
	"broker_timeout",
	"broker_unreachable",
	"courier_busy",
	"internal",
	"system_error",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
code_among(const char *code, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(code, list[i]) == 0)
			return true;
	return false;
}

static int
severity_of(const struct record *rec)
{
	if (strcmp(rec->decision, "allow") == 0)
		return LOG_INFO;
	if (code_among(rec->code, alert_codes, COUNT(alert_codes)))
		return LOG_ALERT;
	if (code_among(rec->code, warning_codes, COUNT(warning_codes)))
		return LOG_WARNING;
	return strcmp(rec->decision, "exempt") == 0 ? LOG_INFO : LOG_NOTICE;
}

struct line {
	char *text;
	size_t len;
};

static void
line_add(struct line *l, const char *s)
{
	size_t room = RECORD_MAX - 1 - l->len, n = strlen(s);

	if (n > room)
		n = room;
	memcpy(l->text + l->len, s, n);
	l->len += n;
	l->text[l->len] = '\0';
}

/* The caps leave room for every pair; what were too much would be left out. */
static void
line_add_pair(struct line *l, const char *name, const char *value, size_t cap)
{
	char safe[CAP_MOST + 1];
	size_t room = RECORD_MAX - 1 - l->len, frame = strlen(name) + 4;

	assert(cap <= CAP_MOST);
	if (room < frame + 8)
		return;
	if (cap > room - frame)
		cap = room - frame;
	lb_text_escape(value, strlen(value), safe, cap + 1);
	line_add(l, " ");
	line_add(l, name);
	line_add(l, "=\"");
	line_add(l, safe);
	line_add(l, "\"");
}

/* An instant that has its one spelling; anything else is left empty. */
static void
line_add_time(struct line *l, const char *name, int64_t at)
{
	char text[LB_TIME_LEN + 1] = "";

	if (at >= LB_TIME_MIN && at <= LB_TIME_MAX)
		lb_time_format(at, text);
	line_add_pair(l, name, text, LB_TIME_LEN);
}

static void
line_add_number(struct line *l, const char *name, int64_t number)
{
	char text[24] = "";

	if (number >= 0)
		snprintf(text, sizeof(text), "%jd", (intmax_t)number);
	line_add_pair(l, name, text, sizeof(text));
}

/* A program's name may hold anything: only what syslog tags hold is taken. */
static void
line_add_ident(struct line *l, const char *ident)
{
	static const char tag[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789_.-";
	char safe[IDENT_MAX + 1] = { 0 };
	size_t n = strspn(ident, tag);

	memcpy(safe, ident, n < IDENT_MAX ? n : IDENT_MAX);
	line_add(l, n > 0 ? safe : "pam_lockbox");
}

static void
line_add_head(struct line *l, const struct record *rec)
{
	char text[32], service[CAP_SERVICE + 1];

	snprintf(text, sizeof(text), "<%d>", LOG_AUTHPRIV | severity_of(rec));
	line_add(l, text);
	line_add_ident(l, rec->ident);
	snprintf(text, sizeof(text), "[%d]: ", rec->pid);
	line_add(l, text);
	lb_text_escape(rec->login->service, strlen(rec->login->service),
	    service, sizeof(service));
	line_add(l, "pam_lockbox(");
	line_add(l, service);
	line_add(l, ":");
	line_add(l, rec->type);
	line_add(l, "):");
}

size_t
record_line(const struct record *rec, char ret[static RECORD_MAX])
{
	const struct lb_door_reply *reply = rec->reply;
	const struct login *login = rec->login;
	struct line l = { ret, 0 };

	line_add_head(&l, rec);
	line_add_pair(&l, "event", rec->event, CAP_CODE);
	line_add_pair(&l, "decision", rec->decision, CAP_CODE);
	line_add_pair(&l, "code", rec->code, CAP_CODE);
	line_add_pair(&l, "ref", rec->ref, LB_CODE_LEN);
	line_add_pair(&l, "tenant", reply->tenant, CAP_TENANT);
	line_add_pair(&l, "host", reply->host, CAP_HOST);
	line_add_pair(&l, "login", login->user, CAP_LOGIN);
	line_add_pair(&l, "service", login->service, CAP_SERVICE);
	line_add_pair(&l, "engineer", reply->engineer, CAP_ENGINEER);
	line_add_pair(&l, "key", reply->key, LB_KEYFP_LEN);
	line_add_pair(&l, "rhost", login->rhost, CAP_RHOST);
	line_add_pair(&l, "req", reply->request, LB_SHA256_LEN);
	line_add_pair(&l, "grant", reply->grant, LB_SHA256_LEN);
	line_add_number(&l, "sid", reply->sid);
	line_add_time(&l, "not_after", reply->not_after);
	line_add_time(&l, "lease", reply->lease_end);
	line_add_pair(&l, "caller", rec->caller, LB_LOGIN_MAX);
	line_add_pair(&l, "why", rec->why, CAP_WHY);
	return l.len;
}

static bool
send_once(const char *path, const char *line, size_t len)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	bool sent = false;
	int fd;

	if (lb_text_copy(sa.sun_path, sizeof(sa.sun_path), path) != LB_OK)
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		sent = send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		    (ssize_t)len;
	(void)close(fd);
	return sent;
}

enum lb_err
record_send(
    const char *path, const char *line, size_t len, const struct deadline *d)
{
	struct deadline mine = deadline_within(d, RECORD_WAIT_MS);

	while (!send_once(path, line, len)) {
		if (deadline_left_ms(&mine) == 0)
			return LB_ERR_TIMEOUT;
		deadline_nap(&mine, RECORD_NAP_MS);
	}
	return LB_OK;
}

void
record_ref(char ret[static LB_CODE_LEN + 1])
{
	static const char digit[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t bytes[12];
	size_t at = 0;

	ret[0] = '\0';
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(bytes))
		return;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 8)
			ret[at++] = '-';
		ret[at++] = digit[bytes[i] & 31];
	}
	ret[at] = '\0';
}
