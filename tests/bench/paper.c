/* Trust read, questions written and signed. */
#include "paper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"

#define FILE_MAX 65536

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

struct lb_trust *
paper_trust(const char *file)
{
	struct lb_buf text = { 0 };
	struct lb_bundle *bundle = NULL;
	const struct lb_part *part;
	struct lb_trust *trust;

	if (lb_file_read_trusted(file, geteuid(), FILE_MAX, &text) != LB_OK ||
	    lb_bundle_split(text.data, text.len, &bundle) != LB_OK ||
	    (part = lb_bundle_first(bundle, &lb_trust_type)) == NULL ||
	    lb_trust_parse(part->doc.text, part->doc.len, &trust) != LB_OK)
		fail("read the trust");
	lb_bundle_free(bundle);
	lb_buf_clear(&text);
	return trust;
}

void
paper_question(const struct lb_trust *trust, const struct lb_signer *host,
    const char *host_name, const char *login, struct lb_buf *text,
    size_t *ret_len)
{
	static struct lb_question q; /* large; one thread */
	uint8_t nonce[LB_NONCE_LEN / 2];

	memset(&q, 0, sizeof(q));
	memcpy(q.tenant, trust->tenant, sizeof(q.tenant));
	memcpy(q.trust, trust->id, sizeof(q.trust));
	randombytes_buf(nonce, sizeof(nonce));
	lb_hex_encode(nonce, sizeof(nonce), q.nonce);
	memcpy(q.service, "sshd", sizeof("sshd"));
	memcpy(q.rhost, "192.0.2.7", sizeof("192.0.2.7"));
	q.asked = lb_clock_now();
	text->len = 0;
	if (lb_text_copy(q.broker, sizeof(q.broker),
		trust->broker.item[0].principal) != LB_OK ||
	    lb_text_copy(q.host, sizeof(q.host), host_name) != LB_OK ||
	    lb_text_copy(q.login, sizeof(q.login), login) != LB_OK ||
	    lb_doc_write(&lb_question_type, &q, text) != LB_OK)
		fail("write a question");
	*ret_len = text->len;
	if (lb_signer_sign(host, LB_NS_QUESTION, text->data, text->len, text) !=
	    LB_OK)
		fail("sign a question");
}
