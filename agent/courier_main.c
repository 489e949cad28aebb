/* lockbox-courier: options, the order of starting, the loop. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lockbox/buf.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"

#include "config.h"
#include "courier.h"
#include "journal.h"
#include "landlock.h"
#include "sandbox.h"
#include "service.h"

#define CA_FILE_MAX 1048576 /* bytes */
#define TURN_MS     1000    /* longest wait: clients' time is looked at */

struct program {
	struct config_courier conf;
	struct lb_buf ca;
	struct fetch_broker broker;
	struct courier *courier;
	int signal_fd;
};

static enum lb_err
watch_signals(struct program *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return LB_ERR_IO;
	p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signal_fd < 0 ? LB_ERR_IO : LB_OK;
}

static enum lb_err
read_ca(struct program *p)
{
	enum lb_err r;

	p->ca.max = CA_FILE_MAX;
	r = lb_file_read_trusted(p->conf.ca, 0, CA_FILE_MAX, &p->ca);
	if (r == LB_OK &&
	    strstr(p->ca.data, "-----BEGIN CERTIFICATE-----") == NULL)
		r = LB_ERR_FORMAT;
	if (r != LB_OK) {
		journal_r(r, "read CA '%s'", p->conf.ca);
		return r;
	}
	p->broker = (struct fetch_broker){
		.url = p->conf.url,
		.ca_pem = p->ca.data,
		.ca_len = p->ca.len,
		.proxy = p->conf.proxy,
		.connections = (long)p->conf.connections,
	};
	return LB_OK;
}

static enum lb_err
listen_for(struct program *p, uid_t *ret_agent, int *ret_fd)
{
	const struct passwd *pw;
	enum lb_err r;

	errno = 0;
	pw = getpwnam(p->conf.agent_user);
	if (pw == NULL) {
		journal(LOG_ERR, "no user '%s'", p->conf.agent_user);
		return LB_ERR_MISSING;
	}
	*ret_agent = pw->pw_uid;
	r = service_listen(p->conf.socket, SOCK_STREAM, pw->pw_uid, ret_fd);
	if (r != LB_OK)
		journal_r(r, "listen at '%s'", p->conf.socket);
	return r;
}

/* Resolver files only; they are replaced as a whole, so by their folders. */
static enum lb_err
close_files(void)
{
	static const char *const folders[] = { "/etc", "/run/systemd/resolve",
		"/run/resolvconf", "/run/NetworkManager", NULL };
	enum lb_err r;

	r = landlock_read_only(folders);
	if (r == LB_ERR_UNSUPPORTED) {
		journal(LOG_WARNING,
		    "no Landlock in this kernel, going on "
		    "without");
		return LB_OK;
	}
	return r;
}

static enum lb_err
begin(struct program *p, uid_t agent, int fd)
{
	struct fetch *fetch = NULL;
	enum lb_err r;

	if ((r = fetch_init()) != LB_OK ||
	    (r = fetch_new(&p->broker, &fetch)) != LB_OK ||
	    (r = courier_new(fd, agent, fetch, &p->courier)) != LB_OK) {
		journal_r(r, "set up the connections");
		return r;
	}
	if ((r = close_files()) != LB_OK ||
	    (r = sandbox_close_courier()) != LB_OK)
		journal_r(r, "close the sandbox");
	return r;
}

/* The CA is read and the socket made while we still may; then we become
 * nobody much, load what libcurl loads, and close the door behind us. */
static enum lb_err
prepare(struct program *p)
{
	uid_t agent = 0;
	enum lb_err r;
	int fd = -1;

	if ((r = sandbox_no_core()) != LB_OK || (r = read_ca(p)) != LB_OK ||
	    (r = listen_for(p, &agent, &fd)) != LB_OK)
		return r;
	(void)sandbox_descriptors(COURIER_CLIENTS_MAX * 2);
	service_open();
	(void)clearenv(); /* no library of ours shall take advice from there */
	if ((r = sandbox_become(p->conf.user, false)) != LB_OK) {
		journal_r(r, "become user '%s'", p->conf.user);
		return r;
	}
	if ((r = watch_signals(p)) != LB_OK) {
		journal_r(r, "watch signals");
		return r;
	}
	return begin(p, agent, fd);
}

static enum lb_err
run(struct program *p)
{
	int64_t watchdog = service_watchdog_ms(), next = 0, now;
	bool ending = false;
	enum lb_err r = LB_OK;

	while (r == LB_OK && !ending) {
		r = courier_turn(p->courier, p->signal_fd, TURN_MS, &ending);
		now = lb_clock_boottime_ms();
		if (watchdog > 0 && now >= next) {
			service_tell("WATCHDOG=1");
			next = now + watchdog;
		}
	}
	if (r != LB_OK)
		journal_r(r, "wait for events");
	return r;
}

static enum lb_err
serve(struct program *p)
{
	enum lb_err r;

	if ((r = prepare(p)) != LB_OK)
		return r;
	journal(LOG_NOTICE, "ready for '%s'", p->conf.url);
	service_tell("READY=1");
	r = run(p);
	service_tell("STOPPING=1");
	return r;
}

static bool
configure(struct program *p, const char *path)
{
	struct lb_conf_error error = { 0 };
	enum lb_err r;

	r = config_courier_load(path, &p->conf, &error);
	if (r == LB_OK)
		return true;
	if (error.what[0] != '\0')
		journal(LOG_ERR, "read configuration: %s:%zu: %s", path,
		    error.line, error.what);
	else
		journal_r(r, "read configuration '%s'", path);
	return false;
}

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: lockbox-courier [-tv] [-c FILE]\n"
	    "       lockbox-courier --version\n");
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct program program = { .signal_fd = -1 };
	bool test = false, verbose = false, ok;
	const char *path = CONFIG_COURIER;
	int c;

	while ((c = getopt_long(argc, argv, "c:tvh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'V':
			(void)puts("lockbox-courier " LOCKBOX_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	journal_open("lockbox-courier", verbose || test);
	ok = configure(&program, path);
	if (ok)
		ok = (test ? read_ca(&program) : serve(&program)) == LB_OK;
	courier_free(program.courier);
	lb_buf_clear(&program.ca);
	journal_close();
	return ok ? 0 : 1;
}
