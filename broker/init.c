/* Making a new broker: directory, key, secret, TLS, database, operator. */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/sshsig.h"

#include "app.h"
#include "store.h"
#include "tls_make.h"

#define KEY_FILE_MAX 4096

static enum lb_err
say(enum lb_err r, const char *what, const char *about)
{
	(void)fprintf(stderr, "lockbox-broker: %s '%s': %s\n", what, about,
	    r == LB_ERR_IO ? strerror(errno) : lb_err_text(r));
	return r;
}

/* DIR/name */
static enum lb_err
path_of(
    const struct init_options *o, const char *name, char ret[CONFIG_PATH_MAX])
{
	int n = snprintf(ret, CONFIG_PATH_MAX, "%s/%s", o->dir, name);

	return n > 0 && n < CONFIG_PATH_MAX ? LB_OK : LB_ERR_RANGE;
}

/* The host of https://HOST[:PORT][/], without brackets. */
static enum lb_err
url_host(const char *url, char *ret, size_t size)
{
	const char *p = url + 8, *end;

	if (strncmp(url, "https://", 8) != 0)
		return LB_ERR_FORMAT;
	if (*p == '[') {
		p++;
		end = strchr(p, ']');
		if (end == NULL)
			return LB_ERR_FORMAT;
	} else {
		end = p + strcspn(p, ":/");
	}
	if (end == p || (size_t)(end - p) >= size)
		return LB_ERR_FORMAT;
	memcpy(ret, p, (size_t)(end - p));
	ret[end - p] = '\0';
	return LB_OK;
}

static enum lb_err
options_check(const struct init_options *o)
{
	char host[256];

	if (o->dir[0] != '/')
		return say(LB_ERR_FORMAT, "not an absolute directory", o->dir);
	if (!lb_name_valid(o->name))
		return say(LB_ERR_FORMAT, "not a broker's name", o->name);
	if (url_host(o->url, host, sizeof(host)) != LB_OK)
		return say(LB_ERR_FORMAT, "not an https:// address", o->url);
	if (!lb_principal_valid(o->operator_name))
		return say(LB_ERR_FORMAT, "not a principal", o->operator_name);
	return LB_OK;
}

/* "TYPE BASE64 [COMMENT]" from a file such as id_ed25519.pub. */
static enum lb_err
public_key_read(const char *path, struct lb_sshkey *ret)
{
	char text[KEY_FILE_MAX], *blank;
	size_t n;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return LB_ERR_IO;
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f); /* only read */
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	blank = strchr(text, ' ');
	if (blank != NULL && (blank = strchr(blank + 1, ' ')) != NULL)
		*blank = '\0';
	return lb_sshkey_parse(text, ret);
}

static enum lb_err
dir_make(const struct init_options *o)
{
	static const char *const names[] = { "broker.conf", "broker.key",
		"broker.db", "secret" };
	char path[CONFIG_PATH_MAX];
	struct stat st;
	enum lb_err r;

	if (mkdir(o->dir, 0700) != 0 && errno != EEXIST)
		return say(LB_ERR_IO, "make directory", o->dir);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((r = path_of(o, names[i], path)) != LB_OK)
			return say(r, "use directory", o->dir);
		if (lstat(path, &st) == 0)
			return say(LB_ERR_CONFLICT, "not overwriting", path);
	}
	return LB_OK;
}

static enum lb_err
key_make(const struct init_options *o, struct lb_signer **ret)
{
	char path[CONFIG_PATH_MAX], public[CONFIG_PATH_MAX];
	char line[LB_KEY_TEXT_MAX + 2];
	struct lb_signer *s = NULL;
	enum lb_err r;

	if ((r = path_of(o, "broker.key", path)) != LB_OK ||
	    (r = path_of(o, "broker.key.pub", public)) != LB_OK ||
	    (r = lb_signer_new(&s)) != LB_OK ||
	    (r = lb_signer_save(s, path, o->name)) != LB_OK)
		goto out;
	lb_sshkey_format(lb_signer_key(s), line);
	line[strlen(line) + 1] = '\0';
	line[strlen(line)] = '\n';
	if ((r = lb_file_write_atomic(public, 0644, line, strlen(line))) !=
	    LB_OK)
		goto out;
	*ret = s;
	s = NULL; /* handed over */
out:
	lb_signer_free(s);
	return r != LB_OK ? say(r, "make key", path) : r;
}

static enum lb_err
secret_make(const struct init_options *o)
{
	char path[CONFIG_PATH_MAX], hex[2 * APP_SECRET_LEN + 2];
	uint8_t bytes[APP_SECRET_LEN];
	enum lb_err r;

	if ((r = path_of(o, "secret", path)) != LB_OK)
		return r;
	randombytes_buf(bytes, sizeof(bytes));
	lb_hex_encode(bytes, sizeof(bytes), hex);
	hex[2 * APP_SECRET_LEN] = '\n';
	r = lb_file_write_atomic(path, 0600, hex, 2 * APP_SECRET_LEN + 1);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(hex, sizeof(hex));
	return r != LB_OK ? say(r, "write", path) : r;
}

static enum lb_err
tls_files_make(const struct init_options *o)
{
	struct lb_buf pem[3] = { 0 }; /* CA, certificate, key */
	static const char *const names[] = { "ca.pem", "tls.pem", "tls.key" };
	char path[CONFIG_PATH_MAX] = "", host[256];
	enum lb_err r;

	if (o->tls_cert != NULL)
		return LB_OK;
	if ((r = url_host(o->url, host, sizeof(host))) != LB_OK ||
	    (r = tls_make(o->name, host, &pem[0], &pem[1], &pem[2])) != LB_OK)
		goto out;
	for (size_t i = 0; i < 3 && r == LB_OK; i++)
		if ((r = path_of(o, names[i], path)) == LB_OK)
			r = lb_file_write_atomic(path, i == 2 ? 0600 : 0644,
			    pem[i].data, pem[i].len);
out:
	for (size_t i = 0; i < 3; i++)
		lb_buf_clear(&pem[i]);
	return r != LB_OK ? say(r, "make TLS certificate", path) : r;
}

static enum lb_err
conf_make(const struct init_options *o)
{
	char path[CONFIG_PATH_MAX];
	struct lb_buf b = { 0 };
	enum lb_err r;

	if ((r = path_of(o, "broker.conf", path)) != LB_OK ||
	    (r = lb_buf_addf(&b,
		 "# lockbox-broker.conf(5)\n"
		 "name = %s\nurl = %s\nlisten = %s\n",
		 o->name, o->url,
		 o->listen != NULL ? o->listen : "127.0.0.1:8443")) != LB_OK)
		goto out;
	if (o->tls_cert != NULL)
		r = lb_buf_addf(&b, "tls_cert = %s\ntls_key = %s\n",
		    o->tls_cert, o->tls_key);
	else
		r = lb_buf_addf(&b,
		    "tls_cert = %s/tls.pem\ntls_key = %s/tls.key\n"
		    "ca = %s/ca.pem\n",
		    o->dir, o->dir, o->dir);
	if (r != LB_OK ||
	    (r = lb_buf_addf(&b,
		 "key = %s/broker.key\nsecret = %s/secret\n"
		 "database = %s/broker.db\n",
		 o->dir, o->dir, o->dir)) != LB_OK)
		goto out;
	r = lb_file_write_atomic(path, 0600, b.data, b.len);
out:
	lb_buf_clear(&b);
	return r != LB_OK ? say(r, "write", path) : r;
}

static enum lb_err
database_make(const struct init_options *o, const struct lb_sshkey *key)
{
	struct person_row p = {
		.roles = ROLE_OPERATOR, .active = true, .key_count = 1
	};
	struct change c = { .person = &p, .event_count = 1 };
	char path[CONFIG_PATH_MAX];
	struct store *st = NULL;
	struct lb_event *e = &c.event[0];
	enum lb_err r;

	p.key[0] = *key;
	if ((r = path_of(o, "broker.db", path)) != LB_OK ||
	    (r = lb_text_copy(p.principal, sizeof(p.principal),
		 o->operator_name)) != LB_OK ||
	    (r = lb_text_copy(e->tenant, sizeof(e->tenant), o->name)) !=
		LB_OK ||
	    (r = lb_text_copy(e->event, sizeof(e->event), "person.created")) !=
		LB_OK ||
	    (r = lb_text_copy(e->actor, sizeof(e->actor), o->name)) != LB_OK ||
	    (r = lb_text_copy(e->detail, sizeof(e->detail), p.principal)) !=
		LB_OK ||
	    (r = store_open(&store_sqlite, path, 1, &st)) != LB_OK)
		goto out;
	e->at = lb_clock_now();
	r = store_commit(st, &c);
out:
	store_close(st);
	return r != LB_OK ? say(r, "make database", path) : r;
}

enum lb_err
init_run(const struct init_options *o)
{
	char line[LB_KEY_TEXT_MAX + 1];
	struct lb_signer *s = NULL;
	struct lb_sshkey key;
	enum lb_err r;

	if ((r = options_check(o)) != LB_OK)
		return r;
	if ((r = public_key_read(o->operator_key, &key)) != LB_OK)
		return say(r, "read public key", o->operator_key);
	if ((r = dir_make(o)) != LB_OK || (r = key_make(o, &s)) != LB_OK ||
	    (r = secret_make(o)) != LB_OK || (r = tls_files_make(o)) != LB_OK ||
	    (r = database_make(o, &key)) != LB_OK ||
	    (r = conf_make(o)) != LB_OK)
		goto out;
	lb_sshkey_format(lb_signer_key(s), line);
	(void)printf("broker '%s' is in %s\n"
		     "its public key, for trust documents:\n%s\n"
		     "start it: lockbox-broker serve -c %s/broker.conf\n",
	    o->name, o->dir, line, o->dir);
out:
	lb_signer_free(s);
	return r;
}
