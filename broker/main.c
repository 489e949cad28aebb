/* lockbox-broker: the command line, and running until told to stop. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <sodium.h>

#include "lockbox/file.h"

#include "app.h"
#include "init.h"
#include "log.h"
#include "route.h"
#include "sender.h"
#include "server.h"
#include "timers.h"
#include "version.h"

#define CONF_DEFAULT "/etc/lockbox/broker.conf"
#define EXIT_USAGE   2
#define EXIT_CONFIG  78
#define PURGE_ROUNDS 300 /* of TIMERS_EVERY_MS */

static const char usage_text[] =
    "usage: lockbox-broker [serve] [-c CONF] [-d]\n"
    "       lockbox-broker check [-c CONF]\n"
    "       lockbox-broker init --dir DIR --name NAME --url https://HOST[:PORT]\n"
    "           --operator PRINCIPAL --operator-key FILE.pub\n"
    "           [--listen ADDRESS:PORT] [--tls-cert FILE --tls-key FILE]\n"
    "       lockbox-broker routes\n"
    "       lockbox-broker --version | --help\n";

static int
usage(void)
{
	(void)fputs(usage_text, stderr);
	return EXIT_USAGE;
}

/* Keys will be in memory: no core, no debugger of the same user. */
static void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none); /* a hard limit is as good */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(077);
}

/* Tell systemd; without it nothing happens. */
static void
notify(const char *state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    (len = strlen(path)) >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, len);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		(struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		LOG_WARN(
		    "tell the service manager: %s, ignoring", strerror(errno));
	(void)close(fd);
}

static enum lb_err
conf_read(const char *path, struct config *ret)
{
	struct lb_conf_error e = { 0 };
	enum lb_err r;

	if ((r = config_load(path, ret, &e)) == LB_OK)
		return LB_OK;
	if (e.line > 0)
		LOG_ERROR("%s:%zu: %s", path, e.line, e.what);
	else
		LOG_ERROR("%s: %s", path,
		    e.what[0] != '\0' ? e.what : lb_err_text(r));
	return r;
}

/*
 * The database may be written by its owner alone, like every key. ret_fd is
 * closed after the database: closing it earlier would drop SQLite's locks.
 */
static enum lb_err
database_trusted(const struct config *c, int *ret_fd)
{
	enum lb_err r;

	r = lb_file_open_trusted(c->database, geteuid(), SIZE_MAX / 2, ret_fd);
	if (r != LB_OK)
		LOG_ERR_R(r, "open database '%s'", c->database);
	return r;
}

/*
 * What is kept in memory (trust, hosts, doors) follows our own changes alone:
 * beside a second broker a grant that it revoked would go on opening doors.
 */
static enum lb_err
database_alone(const struct config *c, int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return LB_OK;
	LOG_ERROR("database '%s' is served by another broker", c->database);
	return LB_ERR_STATE;
}

/* Until SIGTERM or SIGINT: let time do its work. */
static void
wait_for_end(struct app *app, struct server *s, int sigfd)
{
	struct pollfd p = { .fd = sigfd, .events = POLLIN };
	unsigned int round = 0;
	int n;

	for (;;) {
		n = poll(&p, 1, TIMERS_EVERY_MS);
		if (n > 0)
			return;
		if (n < 0 && errno != EINTR)
			return;
		server_sweep(s);
		timers_run(app);
		if (++round % PURGE_ROUNDS == 0)
			timers_purge(app);
		/* After a failed write only a restart, which reads again, may
		 * go on: the service manager sees to it. */
		if (store_ping(app->store) == LB_OK)
			notify("WATCHDOG=1");
		else
			LOG_ERROR("database '%s' does not answer",
			    app->conf.database);
	}
}

static int
signals_open(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int
serve(const char *path)
{
	struct config c;
	struct server *s = NULL;
	struct app *app = NULL;
	int rv = EXIT_FAILURE, sigfd, db = -1;

	sigfd = signals_open();
	if (sigfd < 0)
		return rv;
	if (conf_read(path, &c) != LB_OK ||
	    database_trusted(&c, &db) != LB_OK ||
	    database_alone(&c, db) != LB_OK || app_open(&c, &app) != LB_OK) {
		rv = EXIT_CONFIG;
		goto out;
	}
	timers_run(app);
	if (sender_start(app, &app->sender) != LB_OK ||
	    server_start(app, &s) != LB_OK)
		goto out;
	LOG_NOTE("broker '%s' serves on '%s', port %u", c.name, c.listen,
	    server_port(s));
	notify("READY=1");
	wait_for_end(app, s, sigfd);
	notify("STOPPING=1");
	LOG_NOTE("stopping");
	rv = EXIT_SUCCESS;
out:
	server_stop(s);
	if (app != NULL)
		sender_stop(app->sender);
	app_close(app);
	if (db >= 0)
		(void)close(db); /* and unlock it */
	(void)close(sigfd);
	return rv;
}

static int
check(const char *path)
{
	struct config c;
	struct app *app = NULL;
	int rv = EXIT_CONFIG, db = -1;
	enum lb_err r;

	if (conf_read(path, &c) != LB_OK || database_trusted(&c, &db) != LB_OK)
		return EXIT_CONFIG;
	if (app_open(&c, &app) != LB_OK)
		goto out;
	if ((r = store_check(app->store)) != LB_OK) {
		LOG_ERR_R(r, "check database '%s'", c.database);
		goto out;
	}
	(void)printf("%s: ok\n", path);
	rv = EXIT_SUCCESS;
out:
	app_close(app);
	(void)close(db); /* only looked at */
	return rv;
}

static int
routes_print(void)
{
	static const char *const bodies[] = { [BODY_NONE] = "-",
		[BODY_JSON] = "json",
		[BODY_BUNDLE] = "bundle" };
	char who[64];

	for (const struct route *r = routes; r->method != NULL; r++) {
		route_who(r, who, sizeof(who));
		(void)printf("%s %s %s %s %s\n", r->method, r->path, who,
		    bodies[r->body],
		    (r->who & ROUTE_PAGES) != 0 ? "pages" : "-");
	}
	return EXIT_SUCCESS;
}

static int
init_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "dir", required_argument, NULL, 'D' },
		{ "name", required_argument, NULL, 'n' },
		{ "url", required_argument, NULL, 'u' },
		{ "operator", required_argument, NULL, 'o' },
		{ "operator-key", required_argument, NULL, 'k' },
		{ "listen", required_argument, NULL, 'l' },
		{ "tls-cert", required_argument, NULL, 'C' },
		{ "tls-key", required_argument, NULL, 'K' },
		{ 0 },
	};
	struct init_options o = { 0 };
	const char **to[128] = { ['D'] = &o.dir,
		['n'] = &o.name,
		['u'] = &o.url,
		['o'] = &o.operator_name,
		['k'] = &o.operator_key,
		['l'] = &o.listen,
		['C'] = &o.tls_cert,
		['K'] = &o.tls_key };
	enum lb_err r;
	int ch;

	while ((ch = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (ch <= 0 || ch >= 128 || to[ch] == NULL)
			return usage();
		*to[ch] = optarg;
	}
	if (optind != argc || o.dir == NULL || o.name == NULL ||
	    o.url == NULL || o.operator_name == NULL ||
	    o.operator_key == NULL ||
	    (o.tls_cert == NULL) != (o.tls_key == NULL))
		return usage();
	r = init_run(&o);
	if (r == LB_ERR_FORMAT)
		return EXIT_USAGE;
	return r == LB_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	const char *conf = CONF_DEFAULT, *verb = "serve";
	int ch, debug = 0;

	harden();
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		(void)printf("lockbox-broker %s\n", BROKER_VERSION);
		return EXIT_SUCCESS;
	}
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		(void)fputs(usage_text, stdout);
		return EXIT_SUCCESS;
	}
	if (argc > 1 && argv[1][0] != '-') {
		verb = argv[1];
		argc--;
		argv++;
	}
	if (strcmp(verb, "init") == 0)
		return init_main(argc, argv);
	while ((ch = getopt(argc, argv, "c:d")) != -1) {
		if (ch == 'c')
			conf = optarg;
		else if (ch == 'd')
			debug = 1;
		else
			return usage();
	}
	log_init(debug);
	if (optind != argc)
		return usage();
	if (strcmp(verb, "serve") == 0)
		return serve(conf);
	if (strcmp(verb, "check") == 0)
		return check(conf);
	if (strcmp(verb, "routes") == 0)
		return routes_print();
	return usage();
}
