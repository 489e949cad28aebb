/* Composing and signing questions. */
#include "question.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void
fresh_nonce(char ret[static LB_NONCE_LEN + 1])
{
	uint8_t bits[LB_NONCE_LEN / 2];

	randombytes_buf(bits, sizeof(bits));
	lb_hex_encode(bits, sizeof(bits), ret);
}

void
question_ref(const char *nonce, char ret[static LB_CODE_LEN + 1])
{
	char id[LB_SHA256_LEN + 1];

	(void)snprintf(id, sizeof(id), "sha256:%s%032d", nonce, 0);
	lb_request_code(id, ret);
}

void
question_ref_random(char ret[static LB_CODE_LEN + 1])
{
	char nonce[LB_NONCE_LEN + 1];

	fresh_nonce(nonce);
	question_ref(nonce, ret);
}

static enum lb_err
fill(const struct question_facts *f, struct lb_question *q)
{
	enum lb_err r;

	if ((r = lb_text_copy(q->host, sizeof(q->host), f->host)) != LB_OK ||
	    (r = lb_text_copy(q->tenant, sizeof(q->tenant), f->tenant)) !=
		LB_OK ||
	    (r = lb_text_copy(q->broker, sizeof(q->broker), f->broker)) !=
		LB_OK ||
	    (r = lb_text_copy(q->trust, sizeof(q->trust), f->trust)) != LB_OK ||
	    (r = lb_text_copy(q->login, sizeof(q->login), f->login)) != LB_OK ||
	    (r = lb_text_copy(q->service, sizeof(q->service), f->service)) !=
		LB_OK)
		return r;
	if (lb_rhost_valid(f->rhost) &&
	    (r = lb_text_copy(q->rhost, sizeof(q->rhost), f->rhost)) != LB_OK)
		return r;
	if (f->keys != NULL)
		q->engineer_key = *f->keys;
	q->asked = f->now;
	fresh_nonce(q->nonce);
	return LB_OK;
}

enum lb_err
question_make(const struct question_facts *f, const struct lb_signer *signer,
    struct question *ret)
{
	struct question q = { .bundle.max = LB_BUNDLE_MAX };
	struct lb_buf armor = { .max = LB_ARMOR_MAX };
	struct lb_question paper = { 0 };
	enum lb_err r;

	if ((r = fill(f, &paper)) != LB_OK ||
	    (r = lb_doc_write(&lb_question_type, &paper, &q.bundle)) != LB_OK)
		goto out;
	q.text_len = q.bundle.len;
	if ((r = lb_signer_sign(signer, LB_NS_QUESTION, q.bundle.data,
		 q.text_len, &armor)) != LB_OK ||
	    (r = lb_buf_add(&q.bundle, armor.data, armor.len)) != LB_OK)
		goto out;
	memcpy(q.trust, paper.trust, sizeof(q.trust));
	question_ref(paper.nonce, q.ref);
	*ret = q;
	q = (struct question){ 0 }; /* handed over */
	r = LB_OK;
out:
	lb_buf_clear(&armor);
	question_clear(&q);
	return r;
}

void
question_clear(struct question *q)
{
	lb_buf_clear(&q->bundle);
	*q = (struct question){ 0 };
}
