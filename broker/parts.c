/* Parts made of a text and signatures that came separately. */
#include "parts.h"

#include <string.h>

#include "lockbox/papers.h"

void
sheet_init(struct sheet *s, const struct lb_doc_type *type, const char *text,
    size_t len)
{
	memset(s, 0, sizeof(*s));
	s->part.type = type;
	s->part.doc = (struct lb_slice){ text, len };
	s->part.sigs = s->sig;
	lb_doc_id(text, len, s->part.id);
}

enum lb_err
sheet_sign(struct sheet *s, const char *armor)
{
	if (s->part.sig_count == PARTS_SIGS_MAX)
		return LB_ERR_RANGE;
	s->sig[s->part.sig_count++] = (struct lb_slice){ armor, strlen(armor) };
	return LB_OK;
}

enum lb_err
sheet_verify(const char *armor, enum lb_ns ns, const char *text, size_t len,
    struct lb_sshsig *ret)
{
	struct lb_sshsig sig;
	enum lb_err r;

	if ((r = lb_sshsig_parse(armor, strlen(armor), &sig)) != LB_OK ||
	    (r = lb_sshsig_verify(&sig, ns, text, len)) != LB_OK)
		return r;
	*ret = sig;
	return LB_OK;
}
