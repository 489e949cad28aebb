/*
 * Asks brokers as fast as they answer, and measures beside it what the
 * signatures alone would allow.
 *
 *   bench_ask -k DIR -a CA -T TRUST -S KEY -c CONNECTIONS -s SECONDS -r ROUNDS
 *             PORT:PID:GRANTS...
 *
 * -k  keys of the hosts that ask (bench_fill made them)
 * -T  the tenant's trust, as a bundle; -S a key to sign the reference with
 * Each broker answers on loopback PORT, is process PID, and holds GRANTS.
 *
 * First every door is asked once; then each round measures the signatures, and
 * each broker in turn, about random doors. Lines:
 *   signatures PAIRS/S PAIRS/CPU-S SIGN-US VERIFY-US
 *   first GRANTS ANSWERS ANSWERS/S ANSWERS/CPU-S
 *   broker GRANTS ANSWERS ANSWERS/S ANSWERS/CPU-S
 *
 * Every answer must repeat its question byte for byte and allow; one in
 * JUDGE_EACH is judged as a host judges it. Anything else ends the program.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/judge.h"
#include "lockbox/sshsig.h"

#include "doors.h"
#include "paper.h"
#include "reference.h"
#include "wire.h"

#define JUDGE_EACH      200
#define CONNECTIONS_MAX 256
#define BROKERS_MAX     4
#define FRESH_MAX       20000 /* questions signed ahead: asked within 60 s */
#define RANDOM          SIZE_MAX

struct question {
	struct lb_buf text; /* with its signature */
	size_t len;         /* of the question alone */
};

struct broker {
	unsigned int port;
	long pid;
	size_t grants;
	size_t connections;
	struct wire *wire[CONNECTIONS_MAX];
};

struct bench {
	const char *keys, *ca, *trust_file, *sign_file;
	size_t connections, rounds, broker_count, asked;
	double seconds;
	struct broker broker[BROKERS_MAX];
	struct lb_signer *host[BENCH_HOSTS], *signer;
	struct lb_trust *trust;
	gnutls_certificate_credentials_t tls;
	struct question q[FRESH_MAX];
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "bench_ask: %s\n", what);
	exit(1);
}

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* User and system time of a process, seconds. */
static double
cpu_of(long pid)
{
	char path[64], line[1024];
	unsigned long user, system;
	const char *p = NULL;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "r");
	if (f != NULL && fgets(line, sizeof(line), f) != NULL)
		p = strrchr(line, ')');
	if (p == NULL ||
	    sscanf(p + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&system) != 2)
		fail("the broker is gone");
	(void)fclose(f);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* --- questions -------------------------------------------------------------- */

static void
question_sign(struct bench *b, size_t door, struct question *q)
{
	char host[LB_HOST_MAX + 1], login[LB_LOGIN_MAX + 1];

	door_name(door, host, login);
	paper_question(b->trust, b->host[door % BENCH_HOSTS], host, login,
	    &q->text, &q->len);
}

/* About random doors, or about each door from first on. */
static void
questions_sign(struct bench *b, size_t grants, size_t first, size_t count)
{
	size_t doors = doors_live(grants);

	for (size_t i = 0; i < count; i++)
		question_sign(b,
		    first == RANDOM ? randombytes_uniform((uint32_t)doors)
				    : (first + i) % doors,
		    &b->q[i]);
}

/* --- answers ---------------------------------------------------------------- */

static void
answer_judge(
    struct bench *b, const struct question *q, const char *text, size_t len)
{
	struct lb_bundle *bundle = NULL;
	struct lb_ruling ruling;
	struct lb_case c = {
		.trust = b->trust,
		.question = q->text.data,
		.question_len = q->len,
		.now = lb_clock_now(),
	};

	if (lb_bundle_split(text, len, &bundle) != LB_OK)
		fail("an answer is no bundle");
	c.bundle = bundle;
	lb_judge(&c, &ruling);
	if (ruling.verdict != LB_VERDICT_ALLOW)
		fail(ruling.code);
	lb_bundle_free(bundle);
}

/* The question's lines behind another magic line, then the verdict. */
static void
answer_check(
    struct bench *b, const struct question *q, const char *text, size_t len)
{
	static const char magic[] = "lockbox-answer-v1\n",
			  allow[] = "verdict: allow\n";
	const char *lines = strchr(q->text.data, '\n') + 1;
	size_t lines_len = q->len - (size_t)(lines - q->text.data);
	size_t at = sizeof(magic) - 1;

	if (len < at + lines_len + sizeof(allow) ||
	    memcmp(text, magic, at) != 0 ||
	    memcmp(text + at, lines, lines_len) != 0 ||
	    memcmp(text + at + lines_len, allow, sizeof(allow) - 1) != 0) {
		fprintf(stderr, "%.*s\n", (int)len, text);
		fail("an answer is not the one that was asked for");
	}
	if (b->asked++ % JUDGE_EACH == 0)
		answer_judge(b, q, text, len);
}

/*
 * Every connection always has a question out; answers are taken in the order
 * of the connections, so that one thread keeps the broker busy.
 */
static size_t
ask_for(struct bench *b, struct broker *br, double seconds, size_t count)
{
	size_t sent = 0, taken = 0, len, width = br->connections;
	double end = now() + seconds;
	const char *text;

	for (; sent < width && sent < count; sent++)
		wire_post(br->wire[sent], "/v1/ask", b->q[sent].text.data,
		    b->q[sent].text.len);
	for (; taken < sent; taken++) {
		struct wire *w = br->wire[taken % width];

		text = wire_take(w, &len);
		answer_check(b, &b->q[taken], text, len);
		if (sent < count && (taken % 64 != 0 || now() < end)) {
			wire_post(w, "/v1/ask", b->q[sent].text.data,
			    b->q[sent].text.len);
			sent++;
		} else if (sent < count) {
			count = sent;
		}
	}
	return taken;
}

/* What so many answers took, in all. */
struct toll {
	size_t answers;
	double wall, cpu;
};

static void
ask_some(struct bench *b, struct broker *br, double seconds, size_t count,
    struct toll *t)
{
	double from = now(), cpu_from = cpu_of(br->pid);

	t->answers += ask_for(b, br, seconds, count);
	t->wall += now() - from;
	t->cpu += cpu_of(br->pid) - cpu_from;
}

static void
toll_print(const char *word, const struct broker *br, const struct toll *t)
{
	/* The kernel counts in hundredths. */
	double cpu = t->cpu > 0.01 ? t->cpu : 0.01;

	printf("%s %zu %zu %.1f %.1f\n", word, br->grants, t->answers,
	    (double)t->answers / t->wall, (double)t->answers / cpu);
}

static void
broker_measure(struct bench *b, struct broker *br)
{
	struct toll t = { 0 };

	while (t.wall < b->seconds) {
		questions_sign(b, br->grants, RANDOM, FRESH_MAX);
		ask_some(b, br, b->seconds - t.wall, FRESH_MAX, &t);
	}
	toll_print("broker", br, &t);
}

static void
broker_first(struct bench *b, struct broker *br)
{
	size_t doors = doors_live(br->grants), n;
	struct toll t = { 0 };

	for (size_t first = 0; first < doors; first += n) {
		n = doors - first < FRESH_MAX ? doors - first : FRESH_MAX;
		questions_sign(b, br->grants, first, n);
		ask_some(b, br, 60, n, &t);
	}
	toll_print("first", br, &t);
}

/* --- setting up ------------------------------------------------------------- */

static void
keys_load(struct bench *b)
{
	char path[512];

	for (size_t i = 0; i < BENCH_HOSTS; i++) {
		door_key(b->keys, i, path, sizeof(path));
		if (lb_signer_load(path, geteuid(), &b->host[i]) != LB_OK)
			fail("load a host's key");
	}
	if (lb_signer_load(b->sign_file, geteuid(), &b->signer) != LB_OK)
		fail("load the key to sign with");
}

static void
brokers_open(struct bench *b)
{
	if (gnutls_certificate_allocate_credentials(&b->tls) != 0 ||
	    gnutls_certificate_set_x509_trust_file(
		b->tls, b->ca, GNUTLS_X509_FMT_PEM) != 1)
		fail("read the CA");
	for (size_t i = 0; i < b->broker_count; i++) {
		struct broker *br = &b->broker[i];

		br->connections = b->connections;
		for (size_t n = 0; n < b->connections; n++)
			br->wire[n] = wire_open(b->tls, br->port);
	}
}

static void
signatures_measure(struct bench *b)
{
	struct reference_data d = { .signer = b->signer };
	struct lb_sshsig sig;
	struct reference ref;
	const char *text;
	size_t len;

	questions_sign(b, b->broker[0].grants, RANDOM, 1);
	wire_post(b->broker[0].wire[0], "/v1/ask", b->q[0].text.data,
	    b->q[0].text.len);
	text = wire_take(b->broker[0].wire[0], &len);
	answer_check(b, &b->q[0], text, len);
	if (lb_sshsig_parse(b->q[0].text.data + b->q[0].len,
		b->q[0].text.len - b->q[0].len, &sig) != LB_OK)
		fail("read a signature");
	d.sig = &sig;
	d.question = b->q[0].text.data;
	d.question_len = b->q[0].len;
	d.answer = text;
	d.answer_len = (size_t)(strstr(text, "-----BEGIN") - text);
	reference_measure(
	    &d, b->seconds / 2, (size_t)sysconf(_SC_NPROCESSORS_ONLN), &ref);
	printf("signatures %.1f %.1f %.2f %.2f\n", ref.pairs_per_second,
	    ref.pairs_per_cpu_second, ref.sign_us, ref.verify_us);
}

static void
options(struct bench *b, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "k:a:T:S:c:s:r:")) != -1) {
		if (c == 'k')
			b->keys = optarg;
		else if (c == 'a')
			b->ca = optarg;
		else if (c == 'T')
			b->trust_file = optarg;
		else if (c == 'S')
			b->sign_file = optarg;
		else if (c == 'c')
			b->connections = strtoul(optarg, NULL, 10);
		else if (c == 's')
			b->seconds = strtod(optarg, NULL);
		else if (c == 'r')
			b->rounds = strtoul(optarg, NULL, 10);
		else
			exit(2);
	}
	for (; optind < argc && b->broker_count < BROKERS_MAX; optind++) {
		struct broker *br = &b->broker[b->broker_count++];

		if (sscanf(argv[optind], "%u:%ld:%zu", &br->port, &br->pid,
			&br->grants) != 3)
			fail("PORT:PID:GRANTS expected");
	}
	if (b->keys == NULL || b->ca == NULL || b->trust_file == NULL ||
	    b->sign_file == NULL || b->broker_count == 0 ||
	    b->connections == 0 || b->connections > CONNECTIONS_MAX)
		fail("an option is missing");
}

int
main(int argc, char **argv)
{
	static struct bench b = {
		.connections = 16, .seconds = 2, .rounds = 5
	};

	options(&b, argc, argv);
	if (sodium_init() < 0)
		fail("libsodium");
	b.trust = paper_trust(b.trust_file);
	keys_load(&b);
	brokers_open(&b);
	for (size_t n = 0; n < b.broker_count; n++)
		broker_first(&b, &b.broker[n]);
	for (size_t i = 0; i < b.rounds; i++) {
		signatures_measure(&b);
		for (size_t n = 0; n < b.broker_count; n++)
			broker_measure(&b, &b.broker[n]);
		(void)fflush(stdout);
	}
	for (size_t i = 0; i < b.broker_count; i++)
		for (size_t n = 0; n < b.connections; n++)
			wire_close(b.broker[i].wire[n]);
	for (size_t i = 0; i < FRESH_MAX; i++)
		lb_buf_clear(&b.q[i].text);
	for (size_t i = 0; i < BENCH_HOSTS; i++)
		lb_signer_free(b.host[i]);
	lb_signer_free(b.signer);
	lb_trust_free(b.trust);
	gnutls_certificate_free_credentials(b.tls);
	return 0;
}
