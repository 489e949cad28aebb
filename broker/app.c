/* Loading what the broker needs to run. */
#include "app.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"

#include "log.h"

#define CA_MAX    65536
#define RATE_TEST 60 /* test deliveries of a webhook, an hour */

/* 64 hex digits and a newline. */
static enum lb_err
secret_load(const char *path, uint8_t **ret)
{
	struct lb_buf text = { 0 };
	uint8_t *secret = NULL;
	enum lb_err r;

	if ((r = lb_file_read_secret(path, geteuid(), 128, &text)) != LB_OK)
		goto out;
	r = LB_ERR_FORMAT;
	if (text.len != 2 * APP_SECRET_LEN + 1 ||
	    text.data[text.len - 1] != '\n')
		goto out;
	text.data[text.len - 1] = '\0';
	secret = sodium_malloc(APP_SECRET_LEN);
	if (secret == NULL) {
		r = LB_ERR_MEMORY;
		goto out;
	}
	if ((r = lb_hex_decode(text.data, secret, APP_SECRET_LEN)) != LB_OK)
		goto out;
	*ret = secret;
	secret = NULL; /* handed over */
out:
	sodium_free(secret);
	lb_buf_clear(&text);
	return r;
}

static enum lb_err
files_load(struct app *app)
{
	const struct config *c = &app->conf;
	enum lb_err r;

	if ((r = lb_signer_load(c->key, geteuid(), &app->signer)) != LB_OK) {
		LOG_ERR_R(r, "load key '%s'", c->key);
		return r;
	}
	lb_sshkey_format(lb_signer_key(app->signer), app->key_line);
	if ((r = secret_load(c->secret, &app->secret)) != LB_OK) {
		LOG_ERR_R(r, "load secret '%s'", c->secret);
		return r;
	}
	if (c->ca[0] != '\0' &&
	    (r = lb_file_read_trusted(c->ca, geteuid(), CA_MAX, &app->ca)) !=
		LB_OK) {
		LOG_ERR_R(r, "read CA '%s'", c->ca);
		return r;
	}
	return LB_OK;
}

/* Some connections are left for those who do not wait. */
static size_t
waiters_most(const struct config *c)
{
	return (size_t)(c->connections - c->connections / 8);
}

static enum lb_err
memory_load(struct app *app)
{
	const int64_t rates[LIMIT_KINDS] = {
		[LIMIT_SIGNIN] = app->conf.rate_signin,
		[LIMIT_REQUEST] = app->conf.rate_request,
		[LIMIT_ENROL] = app->conf.rate_enrol,
		[LIMIT_DECISION] = app->conf.rate_decision,
		[LIMIT_READ] = app->conf.rate_read,
		[LIMIT_REPORT] = app->conf.rate_report,
		[LIMIT_TEST] = RATE_TEST,
	};
	struct held *held;
	enum lb_err r;

	if ((r = limits_new(rates, &app->limits)) != LB_OK ||
	    (r = seen_new(&app->seen)) != LB_OK ||
	    (r = hosts_new(&app->hosts)) != LB_OK ||
	    (r = doors_new(&app->doors)) != LB_OK ||
	    (r = wake_new(waiters_most(&app->conf), &app->wake)) != LB_OK)
		return r;
	r = trusts_load(app->store, &app->trusts);
	/* Its people would see the provider's own records. */
	held = r == LB_OK ? trusts_take(app->trusts, app->conf.name) : NULL;
	if (held != NULL) {
		LOG_ERROR(
		    "a tenant is called '%s', as the broker", app->conf.name);
		r = LB_ERR_CONFLICT;
	}
	trusts_give(app->trusts, held);
	if (r != LB_OK)
		LOG_ERR_R(r, "read trust from '%s'", app->conf.database);
	return r;
}

enum lb_err
app_open(const struct config *conf, struct app **ret)
{
	struct app *app = calloc(1, sizeof(*app));
	enum lb_err r;

	if (app == NULL)
		return LB_ERR_MEMORY;
	app->conf = *conf;
	app->clock = lb_clock_now;
	if ((r = files_load(app)) != LB_OK)
		goto out;
	/* A walk over rows may look things up: two readers for each thread. */
	r = store_open(&store_sqlite, conf->database,
	    2 * ((size_t)conf->threads < 31 ? (size_t)conf->threads + 1 : 32),
	    &app->store);
	if (r != LB_OK) {
		LOG_ERR_R(r, "open database '%s'", conf->database);
		goto out;
	}
	if ((r = memory_load(app)) != LB_OK)
		goto out;
	*ret = app;
	app = NULL; /* handed over */
out:
	app_close(app);
	return r;
}

void
app_close(struct app *app)
{
	if (app == NULL)
		return;
	if (app->store != NULL && app->seen != NULL &&
	    seen_flush(app->seen, app->store) != LB_OK)
		LOG_WARN("note when hosts were seen: failed, ignoring");
	seen_free(app->seen);
	hosts_free(app->hosts);
	doors_free(app->doors);
	wake_free(app->wake);
	limits_free(app->limits);
	trusts_free(app->trusts);
	store_close(app->store);
	lb_signer_free(app->signer);
	sodium_free(app->secret);
	lb_buf_clear(&app->ca);
	free(app);
}

void
app_hash(const struct app *app, const char *purpose, const char *what,
    uint8_t *ret, size_t len)
{
	crypto_generichash_state s;
	static const uint8_t end = 0;

	(void)crypto_generichash_init(&s, app->secret, APP_SECRET_LEN, len);
	(void)crypto_generichash_update(
	    &s, (const uint8_t *)purpose, strlen(purpose));
	(void)crypto_generichash_update(&s, &end, 1);
	(void)crypto_generichash_update(
	    &s, (const uint8_t *)what, strlen(what));
	(void)crypto_generichash_final(&s, ret, len);
}
