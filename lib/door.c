/* The packets between module and agent: every byte of them checked. */
#include "lockbox/door.h"

#include <assert.h>
#include <string.h>

#include "lockbox/clock.h"

/* No byte that the compiler put there: every one belongs to a field. */
static_assert(
    sizeof(struct lb_door_ask) == offsetof(struct lb_door_ask, zero) + 3 &&
	offsetof(struct lb_door_ask, service) == 8 &&
	offsetof(struct lb_door_ask, zero) ==
	    offsetof(struct lb_door_ask, auth_info) + LB_AUTH_INFO_MAX + 1,
    "padding in struct lb_door_ask");
static_assert(
    sizeof(struct lb_door_reply) == offsetof(struct lb_door_reply, zero) + 5 &&
	offsetof(struct lb_door_reply, sid) ==
	    offsetof(struct lb_door_reply, grant) + LB_SHA256_LEN + 1,
    "padding in struct lb_door_reply");
static_assert(
    sizeof(struct lb_door_final) == offsetof(struct lb_door_final, zero) + 3,
    "padding in struct lb_door_final");

static_assert(sizeof(struct lb_door_accepted) ==
	offsetof(struct lb_door_accepted, code) + 48 + 48,
    "padding in struct lb_door_accepted");

static_assert(
    sizeof(struct lb_door_order) == offsetof(struct lb_door_order, sid) + 8,
    "padding in struct lb_door_order");
static_assert(sizeof(struct lb_door_session) ==
	    offsetof(struct lb_door_session, zero) + 7 &&
	offsetof(struct lb_door_session, opened_at) ==
	    offsetof(struct lb_door_session, code) + 48,
    "padding in struct lb_door_session");

static bool
all_zero(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

/* A string in an array of size bytes: terminated, the rest zero. */
static bool
string_padded(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	return len < size && all_zero(s + len, size - len);
}

/* Such a string, empty or what valid() takes. */
static bool
field(const char *s, size_t size, bool (*valid)(const char *))
{
	return string_padded(s, size) && (s[0] == '\0' || valid(s));
}

static bool
field_full(const char *s, size_t size, bool (*valid)(const char *))
{
	return field(s, size, valid) && s[0] != '\0';
}

static bool
code_valid(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static bool
ref_valid(const char *s)
{
	static const char set[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	return strlen(s) == LB_CODE_LEN && strspn(s, set) == 4 && s[4] == '-' &&
	    strspn(s + 5, set) == 4 && s[9] == '-' && strspn(s + 10, set) == 4;
}

/* Bytes from lo to '~', and newlines where they are let through. */
static bool
printable(const char *s, char lo, bool newline)
{
	for (; *s != '\0'; s++) {
		if ((*s < lo || *s > '~') && !(newline && *s == '\n'))
			return false;
	}
	return true;
}

static bool
tty_valid(const char *s)
{
	return printable(s, '!', false);
}

static bool
tell_valid(const char *s)
{
	return printable(s, ' ', false);
}

static bool
auth_info_valid(const char *s)
{
	return printable(s, ' ', true);
}

static bool
head_valid(uint32_t version, uint32_t phase)
{
	return version == LB_DOOR_VERSION &&
	    (phase == LB_PHASE_ACCOUNT || phase == LB_PHASE_SESSION ||
		phase == LB_PHASE_CLOSE);
}

static bool
verdict_valid(uint32_t verdict)
{
	return verdict == LB_VERDICT_ALLOW || verdict == LB_VERDICT_DENY;
}

static bool
time_valid(int64_t at)
{
	return at == 0 || (at >= LB_TIME_MIN && at <= LB_TIME_MAX);
}

/* UINT32_MAX means "not set" to the kernel, which begins with 1. */
static bool
sid_valid(int64_t sid)
{
	return sid == -1 || (sid >= 1 && sid < UINT32_MAX);
}

static bool
ask_valid(const struct lb_door_ask *a)
{
	return head_valid(a->version, a->phase) &&
	    field_full(a->service, sizeof(a->service), lb_service_valid) &&
	    field_full(a->login, sizeof(a->login), lb_login_valid) &&
	    field(a->ruser, sizeof(a->ruser), lb_login_valid) &&
	    field(a->rhost, sizeof(a->rhost), lb_rhost_valid) &&
	    field(a->tty, sizeof(a->tty), tty_valid) && a->exempt_rule <= 1 &&
	    a->auth_info_known <= 1 &&
	    field(a->auth_info, sizeof(a->auth_info), auth_info_valid) &&
	    (a->auth_info_known == 1 || a->auth_info[0] == '\0') &&
	    all_zero(a->zero, sizeof(a->zero));
}

static bool
reply_names_valid(const struct lb_door_reply *p)
{
	return field_full(p->code, sizeof(p->code), code_valid) &&
	    field(p->ref, sizeof(p->ref), ref_valid) &&
	    field(p->tenant, sizeof(p->tenant), lb_name_valid) &&
	    field(p->host, sizeof(p->host), lb_host_valid) &&
	    field(p->engineer, sizeof(p->engineer), lb_principal_valid) &&
	    field(p->key, sizeof(p->key), lb_keyfp_valid) &&
	    field(p->request, sizeof(p->request), lb_sha256_valid) &&
	    field(p->grant, sizeof(p->grant), lb_sha256_valid);
}

static bool
reply_valid(const struct lb_door_reply *p)
{
	for (size_t i = 0; i < LB_TELL_LINES; i++) {
		if (!field(p->tell[i], sizeof(p->tell[i]), tell_valid))
			return false;
	}
	/* An exempt login is not let in by us: whoever looks at the verdict
	 * alone must refuse it. */
	if (p->exempt > 1 || p->provisional > 1 ||
	    (p->exempt == 1 && p->verdict != LB_VERDICT_DENY) ||
	    (p->provisional == 1 && p->verdict != LB_VERDICT_ALLOW))
		return false;
	return head_valid(p->version, p->phase) && verdict_valid(p->verdict) &&
	    reply_names_valid(p) && sid_valid(p->sid) &&
	    time_valid(p->not_after) && time_valid(p->lease_end) &&
	    all_zero(p->zero, sizeof(p->zero));
}

static bool
final_valid(const struct lb_door_final *f)
{
	return head_valid(f->version, f->phase) && verdict_valid(f->verdict) &&
	    f->logged <= 1 && field(f->code, sizeof(f->code), code_valid) &&
	    all_zero(f->zero, sizeof(f->zero));
}

enum lb_err
lb_door_ask_check(const void *bytes, size_t len, struct lb_door_ask *ret)
{
	struct lb_door_ask a;

	if (len != sizeof(a))
		return LB_ERR_FORMAT;
	memcpy(&a, bytes, sizeof(a));
	if (!ask_valid(&a))
		return LB_ERR_FORMAT;
	*ret = a;
	return LB_OK;
}

enum lb_err
lb_door_reply_check(const void *bytes, size_t len, struct lb_door_reply *ret)
{
	struct lb_door_reply p;

	if (len != sizeof(p))
		return LB_ERR_FORMAT;
	memcpy(&p, bytes, sizeof(p));
	if (!reply_valid(&p))
		return LB_ERR_FORMAT;
	*ret = p;
	return LB_OK;
}

enum lb_err
lb_door_final_check(const void *bytes, size_t len, struct lb_door_final *ret)
{
	struct lb_door_final f;

	if (len != sizeof(f))
		return LB_ERR_FORMAT;
	memcpy(&f, bytes, sizeof(f));
	if (!final_valid(&f))
		return LB_ERR_FORMAT;
	*ret = f;
	return LB_OK;
}

enum lb_err
lb_door_accept_check(
    const void *bytes, size_t len, const char **ret_text, size_t *ret_len)
{
	struct lb_door_accept head;

	if (len <= sizeof(head) || len > sizeof(head) + LB_DOOR_BUNDLE_MAX)
		return LB_ERR_FORMAT;
	memcpy(&head, bytes, sizeof(head));
	if (head.version != LB_DOOR_VERSION || head.phase != LB_DOOR_ACCEPT)
		return LB_ERR_FORMAT;
	*ret_text = (const char *)bytes + sizeof(head);
	*ret_len = len - sizeof(head);
	return LB_OK;
}

enum lb_err
lb_door_accepted_check(
    const void *bytes, size_t len, struct lb_door_accepted *ret)
{
	struct lb_door_accepted p;

	if (len != sizeof(p))
		return LB_ERR_FORMAT;
	memcpy(&p, bytes, sizeof(p));
	if (p.version != LB_DOOR_VERSION || p.phase != LB_DOOR_ACCEPT ||
	    !field_full(p.code, sizeof(p.code), code_valid) ||
	    !field(p.why, sizeof(p.why), code_valid) ||
	    (p.refused == 0) != (p.why[0] == '\0'))
		return LB_ERR_FORMAT;
	*ret = p;
	return LB_OK;
}

static bool
order_phase_valid(uint32_t phase)
{
	return phase == LB_DOOR_LIST || phase == LB_DOOR_END;
}

enum lb_err
lb_door_order_check(const void *bytes, size_t len, struct lb_door_order *ret)
{
	struct lb_door_order o;

	if (len != sizeof(o))
		return LB_ERR_FORMAT;
	memcpy(&o, bytes, sizeof(o));
	if (o.version != LB_DOOR_VERSION || !order_phase_valid(o.phase) ||
	    o.sid < (o.phase == LB_DOOR_LIST ? 0 : 1) || o.sid >= UINT32_MAX)
		return LB_ERR_FORMAT;
	*ret = o;
	return LB_OK;
}

static bool
session_valid(const struct lb_door_session *s)
{
	if (s->sid == 0)
		return all_zero(&s->opened_at,
		    sizeof(*s) - offsetof(struct lb_door_session, opened_at));
	return sid_valid(s->sid) && s->sid > 0 && s->offline <= 1 &&
	    time_valid(s->opened_at) && time_valid(s->ends_at) &&
	    time_valid(s->lease_end) &&
	    field_full(s->login, sizeof(s->login), tty_valid) &&
	    field_full(s->service, sizeof(s->service), lb_service_valid) &&
	    field(s->engineer, sizeof(s->engineer), lb_principal_valid) &&
	    field(s->rhost, sizeof(s->rhost), lb_rhost_valid) &&
	    field(s->ref, sizeof(s->ref), ref_valid) &&
	    field(s->grant, sizeof(s->grant), lb_sha256_valid) &&
	    field(s->ending, sizeof(s->ending), code_valid) &&
	    all_zero(s->zero, sizeof(s->zero));
}

enum lb_err
lb_door_session_check(
    const void *bytes, size_t len, struct lb_door_session *ret)
{
	struct lb_door_session s;

	if (len != sizeof(s))
		return LB_ERR_FORMAT;
	memcpy(&s, bytes, sizeof(s));
	if (s.version != LB_DOOR_VERSION || !order_phase_valid(s.phase) ||
	    !field_full(s.code, sizeof(s.code), code_valid) ||
	    !session_valid(&s))
		return LB_ERR_FORMAT;
	*ret = s;
	return LB_OK;
}
