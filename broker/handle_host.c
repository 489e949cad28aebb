/* Hosts: invited by an operator, enrolled by their own root. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "body.h"
#include "crockford.h"
#include "handlers.h"
#include "lists.h"
#include "render.h"

#define INVITE_TTL     (60 * 60) /* seconds */
#define WRONG_MACS_MAX 5
#define SECRET_LEN     16 /* bytes of an enrolment code's secret */
#define SECRET_CHARS   26
#define KEYID_CHARS    16
#define MAC_LEN        crypto_auth_hmacsha256_BYTES

static bool
hosts_take(void *arg, const struct host_row *row)
{
	struct page *p = arg;
	const struct query *q = &p->call->query;

	if (!rules_may_see_tenant(&p->call->caller, row->tenant) ||
	    (q->tenant[0] != '\0' && strcmp(q->tenant, row->tenant) != 0) ||
	    (q->host[0] != '\0' && strcmp(q->host, row->name) != 0))
		return true;
	/* A page ends between names, never between tenants of one name. */
	if (strcmp(p->id, row->name) != 0 && page_full(p))
		return false;
	page_add(p, render_host(row), 0, row->name);
	return p->items != NULL;
}

enum lb_err
hosts_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct page p;
	enum lb_err r;

	page_init(&p, call);
	r = store_host_each(
	    app->store, "", call->query.before_id, hosts_take, &p);
	return page_end(&p, r, reply);
}

/* The one host of that name that this caller may see. */
struct host_one {
	const struct call *call;
	const char *tenant; /* "" any */
	struct host_row row;
	size_t count;
};

static bool
one_take(void *arg, const struct host_row *row)
{
	struct host_one *o = arg;

	if (!rules_may_see_tenant(&o->call->caller, row->tenant) ||
	    (o->tenant[0] != '\0' && strcmp(o->tenant, row->tenant) != 0))
		return true;
	o->row = *row;
	o->count++;
	return true;
}

static enum lb_err
host_find(struct app *app, const struct call *call, struct reply *reply,
    struct host_row *ret)
{
	struct host_one o = { .call = call, .tenant = call->query.tenant };
	enum lb_err r;

	if ((r = store_host_each(app->store, call->arg, "", one_take, &o)) !=
	    LB_OK)
		return r;
	if (o.count == 0)
		return LB_ERR_MISSING;
	if (o.count > 1)
		return reply_refuse(reply, "ambiguous", "%s", call->arg);
	*ret = o.row;
	return LB_OK;
}

enum lb_err
host_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct host_row h;
	enum lb_err r;

	if ((r = host_find(app, call, reply, &h)) != LB_OK)
		return r;
	call_etag(reply, h.version);
	return reply_json(reply, 200, render_host(&h));
}

/* The first 80 bits of the sha256 of the broker's public key blob. */
static enum lb_err
keyid_make(const struct app *app, char ret[static KEYID_CHARS + 1])
{
	const char *b64 = strchr(app->key_line, ' ');
	uint8_t blob[LB_KEY_TEXT_MAX], hash[crypto_hash_sha256_BYTES];
	size_t len;

	if (b64 == NULL ||
	    sodium_base642bin(blob, sizeof(blob), b64 + 1, strlen(b64 + 1),
		NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return LB_ERR_FORMAT;
	(void)crypto_hash_sha256(hash, blob, len);
	crockford_encode(hash, sizeof(hash), KEYID_CHARS, ret);
	return LB_OK;
}

/* The invitation's secret: not stored, made again from its salt. */
static void
invite_secret(const struct app *app, const struct host_row *h,
    uint8_t ret[static SECRET_LEN])
{
	char what[LB_NAME_MAX + LB_HOST_MAX + ROW_SALT_LEN + 3];

	(void)snprintf(
	    what, sizeof(what), "%s\n%s\n%s", h->tenant, h->name, h->salt);
	app_hash(app, "enrol", what, ret, SECRET_LEN);
}

static enum lb_err
invite_answer(struct app *app, struct reply *reply, const struct host_row *h)
{
	char keyid[KEYID_CHARS + 1], secret[SECRET_CHARS + 1];
	char code[LB_NAME_MAX + KEYID_CHARS + SECRET_CHARS + 3];
	uint8_t bytes[SECRET_LEN];
	enum lb_err r;

	if ((r = keyid_make(app, keyid)) != LB_OK)
		return r;
	invite_secret(app, h, bytes);
	crockford_encode(bytes, sizeof(bytes), SECRET_CHARS, secret);
	(void)snprintf(
	    code, sizeof(code), "%s-%s-%s", app->conf.name, keyid, secret);
	r = reply_json(reply, 201,
	    json_pack("{s:o, s:s}", "host", render_host(h), "code", code));
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(code, sizeof(code));
	return r;
}

/* An enrolled host stays enrolled until its root uses the new code. */
static enum lb_err
invite_store(struct app *app, const struct call *call, struct reply *reply,
    struct host_row *h, struct idem_row *idem)
{
	struct change c = { .host = h };
	uint8_t salt[ROW_SALT_LEN / 2];
	enum lb_err r;

	randombytes_buf(salt, sizeof(salt));
	lb_hex_encode(salt, sizeof(salt), h->salt);
	h->invited_until = call->now + INVITE_TTL;
	h->wrong_macs = 0;
	if (idem->key[0] != '\0') {
		(void)snprintf(
		    idem->arg, sizeof(idem->arg), "%s/%s", h->tenant, h->name);
		c.idem = idem;
	}
	call_event(
	    app, call, &c, "host.invited", call->caller.principal, h->tenant);
	memcpy(change_event(&c)->host, h->name, sizeof(h->name));
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	return invite_answer(app, reply, h);
}

static enum lb_err
invite_again(struct app *app, struct reply *reply, const char *arg)
{
	char tenant[LB_NAME_MAX + 1] = "";
	const char *slash = strchr(arg, '/');
	struct host_row h;
	enum lb_err r;

	if (slash == NULL || (size_t)(slash - arg) >= sizeof(tenant))
		return LB_ERR_STORE;
	memcpy(tenant, arg, (size_t)(slash - arg));
	if ((r = store_host_get(app->store, tenant, slash + 1, &h)) != LB_OK)
		return r;
	if (h.salt[0] == '\0')
		return reply_refuse(
		    reply, "wrong_state", "the code was used already");
	return invite_answer(app, reply, &h);
}

enum lb_err
host_invite(struct app *app, const struct call *call, struct reply *reply)
{
	struct host_row h = { 0 };
	struct tenant_row t;
	struct idem_row idem;
	const char *tenant, *name;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_idem(app, call, "hosts", reply, &idem)) != LB_OK)
		return r;
	if (idem.arg[0] != '\0')
		return invite_again(app, reply, idem.arg);
	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s}", "tenant",
		&tenant, "name", &name) != 0) {
		r = reply_refuse(reply, "bad_json", "tenant, name");
		goto out;
	}
	if (!lb_name_valid(tenant) || !lb_host_valid(name)) {
		r = reply_refuse(reply, "bad_value", "tenant or name");
		goto out;
	}
	if ((r = store_tenant_get(app->store, tenant, &t)) != LB_OK)
		goto out;
	r = store_host_get(app->store, tenant, name, &h);
	if (r == LB_ERR_MISSING) {
		ROW_TEXT(h.tenant, tenant);
		ROW_TEXT(h.name, name);
		r = LB_OK;
	}
	if (r == LB_OK)
		r = invite_store(app, call, reply, &h, &idem);
out:
	json_decref(root);
	return r;
}

enum lb_err
host_remove(struct app *app, const struct call *call, struct reply *reply)
{
	struct host_row h;
	struct change c = { .host = &h, .host_remove = true };
	enum lb_err r;

	if ((r = call_nothing(call, reply)) != LB_OK ||
	    (r = host_find(app, call, reply, &h)) != LB_OK ||
	    (r = call_match(call, reply, h.version)) != LB_OK)
		return r;
	call_event(
	    app, call, &c, "host.removed", call->caller.principal, h.tenant);
	memcpy(change_event(&c)->host, h.name, sizeof(h.name));
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	return reply_empty(reply);
}

/* What a host sends to be enrolled. */
struct enrol {
	char host[LB_HOST_MAX + 1];
	char tenant[LB_NAME_MAX + 1];
	char keyid[KEYID_CHARS + 1];
	char key[LB_KEY_TEXT_MAX + 1];
	char key_fp[LB_KEYFP_LEN + 1];
	char machine_id[ROW_MACHINE_LEN + 1];
	char nonce[LB_NONCE_LEN + 1];
	uint8_t mac[MAC_LEN];
};

static enum lb_err
enrol_decode(const json_t *root, struct enrol *ret)
{
	const char *host, *tenant, *keyid, *key, *machine_id, *nonce, *mac;
	struct lb_sshkey k;
	struct enrol e = { 0 };

	/* jansson wants it non-const, though unpacking changes nothing. */
	if (json_unpack_ex((json_t *)(uintptr_t)root, NULL, JSON_STRICT,
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "host", &host, "tenant",
		&tenant, "keyid", &keyid, "key", &key, "machine_id",
		&machine_id, "nonce", &nonce, "mac", &mac) != 0)
		return LB_ERR_FORMAT;
	if (!lb_host_valid(host) || !lb_name_valid(tenant) ||
	    !lb_nonce_valid(nonce) || !lb_nonce_valid(machine_id) ||
	    lb_text_copy(e.host, sizeof(e.host), host) != LB_OK ||
	    lb_text_copy(e.tenant, sizeof(e.tenant), tenant) != LB_OK ||
	    lb_text_copy(e.keyid, sizeof(e.keyid), keyid) != LB_OK ||
	    lb_text_copy(e.key, sizeof(e.key), key) != LB_OK ||
	    lb_sshkey_parse(key, &k) != LB_OK || k.type != LB_KEY_ED25519 ||
	    lb_text_copy(e.machine_id, sizeof(e.machine_id), machine_id) !=
		LB_OK ||
	    lb_text_copy(e.nonce, sizeof(e.nonce), nonce) != LB_OK ||
	    lb_hex_decode(mac, e.mac, sizeof(e.mac)) != LB_OK)
		return LB_ERR_FORMAT;
	memcpy(e.key_fp, k.fp, sizeof(e.key_fp));
	*ret = e;
	return LB_OK;
}

static enum lb_err
mac_make(const uint8_t secret[static SECRET_LEN], const struct lb_buf *text,
    uint8_t ret[static MAC_LEN])
{
	crypto_auth_hmacsha256_state s;

	(void)crypto_auth_hmacsha256_init(&s, secret, SECRET_LEN);
	(void)crypto_auth_hmacsha256_update(
	    &s, (const uint8_t *)text->data, text->len);
	(void)crypto_auth_hmacsha256_final(&s, ret);
	sodium_memzero(&s, sizeof(s));
	return LB_OK;
}

static enum lb_err
enrol_mac_right(const struct app *app, const struct host_row *h,
    const struct enrol *e, bool *ret)
{
	uint8_t secret[SECRET_LEN], mac[MAC_LEN];
	char keyid[KEYID_CHARS + 1];
	struct lb_buf text = { 0 };
	enum lb_err r;

	if ((r = keyid_make(app, keyid)) != LB_OK ||
	    (r = lb_buf_addf(&text,
		 "lockbox-enrol-v1\n%s\n%s\n%s\n%s\n%s\n%s\n%s\n", e->host,
		 e->tenant, app->conf.name, keyid, e->key, e->machine_id,
		 e->nonce)) != LB_OK)
		goto out;
	invite_secret(app, h, secret);
	if ((r = mac_make(secret, &text, mac)) != LB_OK)
		goto out;
	*ret = sodium_memcmp(mac, e->mac, sizeof(mac)) == 0 &&
	    strcmp(keyid, e->keyid) == 0;
out:
	sodium_memzero(secret, sizeof(secret));
	lb_buf_clear(&text);
	return r;
}

static enum lb_err
enrol_answer(struct app *app, struct reply *reply,
    const uint8_t secret[static SECRET_LEN], const struct enrol *e)
{
	char hex[2 * MAC_LEN + 1];
	uint8_t mac[MAC_LEN];
	struct lb_buf text = { 0 };
	enum lb_err r;

	if ((r = lb_buf_addf(&text,
		 "lockbox-enrolled-v1\n%s\n%s\n%s\n%s\n%s\n%s\n", e->host,
		 e->tenant, app->conf.name, app->key_line, e->key, e->nonce)) !=
		LB_OK ||
	    (r = mac_make(secret, &text, mac)) != LB_OK)
		goto out;
	lb_hex_encode(mac, sizeof(mac), hex);
	r = reply_json(reply, 201,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "broker", app->conf.name,
		"key", app->key_line, "host", e->host, "tenant", e->tenant,
		"mac", hex));
out:
	lb_buf_clear(&text);
	return r;
}

/* A wrong MAC is counted; the fifth burns the code. */
static enum lb_err
enrol_refused(struct app *app, const struct call *call, struct reply *reply,
    struct host_row *h)
{
	struct change c = { .host = h };
	enum lb_err r;

	h->wrong_macs++;
	if (h->wrong_macs >= WRONG_MACS_MAX)
		h->salt[0] = '\0';
	call_event(
	    app, call, &c, "host.enrol_refused", app->conf.name, h->tenant);
	memcpy(change_event(&c)->host, h->name, sizeof(h->name));
	ROW_TEXT(change_event(&c)->detail, call->address);
	if ((r = call_commit(app, &c)) != LB_OK && r != LB_ERR_CONFLICT)
		return r;
	return reply_refuse(reply, "mac_refused", "%s", "");
}

static enum lb_err
enrol_store(struct app *app, const struct call *call, struct reply *reply,
    struct host_row *h, const struct enrol *e)
{
	struct change c = { .host = h };
	uint8_t secret[SECRET_LEN];
	bool moved;
	enum lb_err r;

	invite_secret(app, h, secret);
	moved = h->machine_id[0] != '\0' &&
	    strcmp(h->machine_id, e->machine_id) != 0;
	h->enrolled = true;
	h->salt[0] = '\0';
	h->enrolled_at = call->now;
	memcpy(h->key, e->key, sizeof(h->key));
	memcpy(h->key_fp, e->key_fp, sizeof(h->key_fp));
	memcpy(h->machine_id, e->machine_id, sizeof(h->machine_id));
	call_event(app, call, &c, "host.enrolled", app->conf.name, h->tenant);
	memcpy(change_event(&c)->host, h->name, sizeof(h->name));
	(void)snprintf(change_event(&c)->detail,
	    sizeof(change_event(&c)->detail), "key %s%s", e->key_fp,
	    moved ? " machine-id changed" : "");
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		r = reply_refuse(reply, "mac_refused", "%s", "");
	if (r == LB_OK)
		r = enrol_answer(app, reply, secret, e);
	sodium_memzero(secret, sizeof(secret));
	return r;
}

enum lb_err
host_enrol(struct app *app, const struct call *call, struct reply *reply)
{
	struct host_row h;
	struct enrol e;
	bool right = false;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_limit_address(app, call, reply, LIMIT_ENROL)) != LB_OK ||
	    (r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (enrol_decode(root, &e) != LB_OK) {
		r = reply_refuse(reply, "bad_json", "%s",
		    "host, tenant, keyid, key, machine_id, nonce, mac");
		goto out;
	}
	r = store_host_get(app->store, e.tenant, e.host, &h);
	/* No host, no open code, a wrong one: all look the same. */
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK &&
		(h.salt[0] == '\0' || call->now >= h.invited_until))) {
		r = reply_refuse(reply, "mac_refused", "%s", "");
		goto out;
	}
	if (r != LB_OK || (r = enrol_mac_right(app, &h, &e, &right)) != LB_OK)
		goto out;
	if (right)
		r = enrol_store(app, call, reply, &h, &e);
	else
		r = enrol_refused(app, call, reply, &h);
out:
	json_decref(root);
	return r;
}
