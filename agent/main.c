/* lockbox-agent: options, the order of starting, the loop. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lockbox/clock.h"

#include "agent.h"
#include "door.h"
#include "ending.h"
#include "journal.h"
#include "offline.h"
#include "post.h"
#include "report.h"
#include "sandbox.h"
#include "service.h"
#include "visit.h"
#include "warden.h"
#include "watch.h"

#define SWEEP_EVERY_MS 20000
#define PAUSE_MS       50 /* before we listen again, out of descriptors */
#define DESCRIPTORS    8192
#define OWN_FDS        24  /* log, loop, sockets, files */
#define VISIT_FDS      4   /* connection, pidfd, courier, asker */
#define SAVED_LOOK_MS  500 /* at a save that has not said that it is over */

struct program {
	struct agent agent;
	struct loop_watch listener, signals;
	bool listening, ending;
	size_t visits_max;
	int64_t pause_ms; /* not listening before that */
	int64_t watchdog_due_ms;
};

static void
on_knock(void *arg, uint32_t events)
{
	struct program *p = arg;
	struct door_peer peer;
	enum lb_err r = LB_OK;

	(void)events;
	while (p->agent.visit_count < p->visits_max && r != LB_ERR_STATE) {
		r = door_accept(p->listener.fd, &peer);
		if (r == LB_OK)
			visit_begin(&p->agent, &peer);
		else if (r == LB_ERR_FORBIDDEN)
			journal(LOG_WARNING,
			    "sent away a caller that is not "
			    "root");
		else if (r == LB_ERR_LIMIT)
			break;
	}
	if (r == LB_ERR_LIMIT) /* no descriptor left: perhaps soon */
		p->pause_ms = lb_clock_boottime_ms() + PAUSE_MS;
}

static void
on_signal(void *arg, uint32_t events)
{
	struct program *p = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(p->signals.fd, &info, sizeof(info)) == sizeof(info))
		p->ending = true;
}

static void
on_saved(void *arg, uint32_t events)
{
	struct agent *a = arg;
	uint64_t round = 0;
	enum lb_err r;

	(void)events;
	r = agent_state_saved(a, &round);
	if (r != LB_ERR_LIMIT)
		visit_saved_all(a, round, r);
}

static enum lb_err
watch_saver(struct agent *a)
{
	a->saver_watch = (struct loop_watch){
		.fd = saver_fd(a->saver), .ready = on_saved, .arg = a
	};
	return loop_add(a->loop, &a->saver_watch, EPOLLIN);
}

static enum lb_err
watch_signals(struct program *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return LB_ERR_IO;
	p->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals.fd < 0)
		return LB_ERR_IO;
	p->signals.ready = on_signal;
	p->signals.arg = p;
	return loop_add(p->agent.loop, &p->signals, EPOLLIN);
}

/* A full house does not listen; whoever waits is taken when one leaves. */
static void
listen_if_room(struct program *p)
{
	bool room = p->agent.visit_count < p->visits_max &&
	    p->pause_ms <= lb_clock_boottime_ms();

	if (room == p->listening)
		return;
	if (loop_change(p->agent.loop, &p->listener, room ? EPOLLIN : 0) ==
	    LB_OK)
		p->listening = room;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	if (a < 0 || (b >= 0 && b < a))
		return b;
	return a;
}

/* Everything that is due by the clock; when to come again. */
static int64_t
tend(struct program *p)
{
	int64_t now = lb_clock_boottime_ms(), next;
	struct agent *a = &p->agent;

	on_saved(a, 0); /* in case its news got lost on the way */
	next = visit_expire_all(a, now);
	next = sooner(next, askers_end_overdue(a->askers, now));
	if (a->sweep_due_ms <= now) {
		agent_sweep(a);
		offline_tidy(a);
		a->sweep_due_ms = now + SWEEP_EVERY_MS;
		if (a->anchor != NULL)
			anchor_warn(a->anchor, lb_clock_now());
	}
	next = sooner(next, a->sweep_due_ms);
	next = sooner(next, warden_tend(a, now));
	next = sooner(next, watch_tend(a, now));
	next = sooner(next, ending_tend(a, lb_clock_boottime_ms()));
	if (p->pause_ms > now)
		next = sooner(next, p->pause_ms);
	next = sooner(next, post_tend(a, now));
	agent_state_begin(a, lb_clock_boottime_ms());
	if (saver_busy(a->saver)) /* it wakes us, unless that fails */
		next = sooner(next, now + SAVED_LOOK_MS);
	else
		next = sooner(next, agent_state_next(a));
	if (service_watchdog_ms() > 0 && p->watchdog_due_ms <= now) {
		service_tell("WATCHDOG=1");
		p->watchdog_due_ms = now + service_watchdog_ms();
	}
	if (service_watchdog_ms() > 0)
		next = sooner(next, p->watchdog_due_ms);
	return next;
}

static enum lb_err
run(struct program *p)
{
	int64_t next, wait;
	enum lb_err r = LB_OK;

	while (r == LB_OK && !p->ending) {
		listen_if_room(p);
		next = tend(p);
		wait = next - lb_clock_boottime_ms();
		if (wait < 0)
			wait = 0;
		r = loop_turn(p->agent.loop, wait > 60000 ? 60000 : (int)wait);
	}
	return r;
}

/* How many may visit at once with so many descriptors. */
static size_t
visits_for(unsigned long descriptors)
{
	size_t n = descriptors <= OWN_FDS + VISIT_FDS
	    ? 1
	    : (descriptors - OWN_FDS) / VISIT_FDS;

	return n < VISITS_MAX ? n : VISITS_MAX;
}

/* In this order: nothing of ours is read before nobody can look at us, and
 * nobody is heard before we have given up what we do not need. */
static enum lb_err
prepare(struct program *p)
{
	struct agent *a = &p->agent;
	enum lb_err r;
	int fd = -1;

	if ((r = sandbox_no_core()) != LB_OK ||
	    (r = service_listen(
		 a->conf.socket, SOCK_SEQPACKET, geteuid(), &fd)) != LB_OK) {
		journal_r(r, "listen at '%s'", a->conf.socket);
		return r;
	}
	p->listener =
	    (struct loop_watch){ .fd = fd, .ready = on_knock, .arg = p };
	p->visits_max = visits_for(sandbox_descriptors(DESCRIPTORS));
	service_open();
	(void)clearenv(); /* no library of ours shall take advice from there */
	if ((r = sandbox_become(a->conf.user, true)) != LB_OK) {
		journal_r(r, "become user '%s'", a->conf.user);
		return r;
	}
	if ((r = loop_new(&a->loop)) != LB_OK ||
	    (r = askers_new(a->loop, &a->askers)) != LB_OK ||
	    (r = watch_signals(p)) != LB_OK) {
		journal_r(r, "set up the loop");
		return r;
	}
	if ((r = agent_load(a)) != LB_OK || (r = watch_saver(a)) != LB_OK) {
		journal_r(r, "start to save the state");
		return r;
	}
	if ((r = sandbox_close_agent()) != LB_OK) {
		journal_r(r, "close the system call filter");
		return r;
	}
	p->listening = true;
	return loop_add(a->loop, &p->listener, EPOLLIN);
}

static enum lb_err
serve(struct program *p)
{
	enum lb_err r;

	if ((r = prepare(p)) != LB_OK)
		return r;
	journal(LOG_NOTICE, "ready on host '%s'%s%s", p->agent.conf.host,
	    p->agent.unable == NULL ? "" : ", letting nobody in: ",
	    p->agent.unable == NULL ? "" : p->agent.unable);
	service_tell("READY=1");
	r = run(p);
	if (r != LB_OK)
		journal_r(r, "wait for events");
	service_tell("STOPPING=1");
	visit_drop_all(&p->agent);
	report_agent(&p->agent, "agent.stopped", "");
	if (saver_busy(p->agent.saver)) /* nobody will learn how it ends */
		p->agent.state_must = true;
	saver_free(p->agent.saver); /* waits for what is under way */
	p->agent.saver = NULL;
	if (agent_state_last(&p->agent) != LB_OK)
		journal(LOG_WARNING, "leaving without the newest state");
	return r;
}

/* -t: could we let anybody in? Nothing is written, nobody is heard. */
static bool
check(struct program *p)
{
	enum lb_err r;

	if ((r = sandbox_become(p->agent.conf.user, true)) != LB_OK) {
		journal_r(r, "become user '%s'", p->agent.conf.user);
		return false;
	}
	agent_check(&p->agent);
	return p->agent.unable == NULL;
}

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: lockbox-agent [-tv] [-c FILE]\n"
	    "       lockbox-agent --version\n");
}

/* The configuration decides where to listen; without it we listen at the
 * default place and refuse. */
static bool
configure(struct program *p, const char *path, bool test)
{
	struct lb_conf_error error = { 0 };
	enum lb_err r;

	config_agent_default(&p->agent.conf);
	r = config_agent_load(path, &p->agent.conf, &error);
	if (r == LB_OK)
		return true;
	if (error.what[0] != '\0')
		journal(LOG_ERR, "read configuration: %s:%zu: %s", path,
		    error.line, error.what);
	else
		journal_r(r, "read configuration '%s'", path);
	p->agent.unable = "config_error";
	return !test;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static struct program program; /* large */
	bool test = false, verbose = false, ok;
	const char *path = CONFIG_AGENT;
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
			(void)puts("lockbox-agent " LOCKBOX_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind != argc || sodium_init() < 0) {
		usage(stderr);
		return 2;
	}
	journal_open("lockbox-agent", verbose || test);
	ok = configure(&program, path, test);
	if (ok)
		ok = test ? check(&program) : serve(&program) == LB_OK;
	agent_clear(&program.agent);
	journal_close();
	return ok ? 0 : 1;
}
