/*
 * Opens many TLS connections and lets them wait: as watches at a broker, or
 * idle at any HTTPS server after one answer.
 *
 *   bench_park -a CA -p PORT -n COUNT [-k DIR -T TRUST -o HOST]
 *
 * -k  keys of the hosts that watch (bench_fill -w made them): with it each
 *     connection is a watch, WATCHES_EACH of one host
 * -T  the tenant's trust, as a bundle
 * -o  the number of the first host
 *
 * Says "open" when all are, and holds them until its standard input ends. A
 * watch that is answered, as each host's first is, begins anew.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "doors.h"
#include "paper.h"
#include "wire.h"

struct park {
	const char *ca, *keys, *trust_file;
	unsigned int port;
	size_t count, first;
	struct lb_trust *trust;
	gnutls_certificate_credentials_t tls;
	struct wire **wire;
};

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "bench_park: %s\n", what);
	exit(1);
}

static void
watch(struct park *p, size_t n)
{
	char path[512], name[LB_HOST_MAX + 1];
	struct lb_signer *host = NULL;
	struct lb_buf text = { 0 };
	size_t len;

	watcher_name(p->first + n / WATCHES_EACH, name);
	(void)snprintf(path, sizeof(path), "%s/%s", p->keys, name);
	if (lb_signer_load(path, geteuid(), &host) != LB_OK)
		fail("load a host's key");
	paper_question(p->trust, host, name, "u0000", &text, &len);
	wire_post(p->wire[n], "/v1/watch", text.data, text.len);
	lb_buf_clear(&text);
	lb_signer_free(host);
}

static void
rest(struct park *p, size_t n)
{
	size_t len;

	wire_post(p->wire[n], "/", "x", 1);
	(void)wire_take(p->wire[n], &len);
}

static void
park(struct park *p)
{
	for (size_t n = 0; n < p->count; n++) {
		p->wire[n] = wire_open(p->tls, p->port);
		if (p->keys != NULL)
			watch(p, n);
		else
			rest(p, n);
	}
	(void)puts("open");
	(void)fflush(stdout);
}

/* Each that is answered asks again, until nobody needs us any more. */
static void
hold(struct park *p)
{
	struct pollfd *fds = calloc(p->count + 1, sizeof(*fds));
	size_t len;

	if (fds == NULL)
		fail("no memory");
	for (size_t n = 0; n < p->count; n++)
		fds[n] = (struct pollfd){ p->wire[n]->fd, POLLIN, 0 };
	fds[p->count] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
	while (poll(fds, p->count + 1, -1) > 0 && fds[p->count].revents == 0) {
		for (size_t n = 0; n < p->count; n++) {
			if (fds[n].revents == 0 || !wire_heard(p->wire[n]))
				continue;
			(void)wire_take(p->wire[n], &len);
			watch(p, n);
		}
	}
	free(fds);
}

static void
options(struct park *p, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "a:p:n:k:T:o:")) != -1) {
		if (c == 'a')
			p->ca = optarg;
		else if (c == 'p')
			p->port = (unsigned int)strtoul(optarg, NULL, 10);
		else if (c == 'n')
			p->count = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			p->keys = optarg;
		else if (c == 'o')
			p->first = strtoul(optarg, NULL, 10);
		else if (c == 'T')
			p->trust_file = optarg;
		else
			exit(2);
	}
	if (p->ca == NULL || p->port == 0 || p->count == 0 ||
	    (p->keys == NULL) != (p->trust_file == NULL))
		fail("an option is missing");
}

int
main(int argc, char **argv)
{
	struct park p = { 0 };

	options(&p, argc, argv);
	if (sodium_init() < 0)
		fail("libsodium");
	if (p.trust_file != NULL)
		p.trust = paper_trust(p.trust_file);
	p.wire = calloc(p.count, sizeof(*p.wire));
	if (p.wire == NULL ||
	    gnutls_certificate_allocate_credentials(&p.tls) != 0 ||
	    gnutls_certificate_set_x509_trust_file(
		p.tls, p.ca, GNUTLS_X509_FMT_PEM) != 1)
		fail("read the CA");
	park(&p);
	hold(&p);
	for (size_t n = 0; n < p.count; n++)
		wire_close(p.wire[n]);
	free(p.wire);
	lb_trust_free(p.trust);
	gnutls_certificate_free_credentials(p.tls);
	return 0;
}
