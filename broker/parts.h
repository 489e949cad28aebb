/* Documents with signatures that did not come as a bundle. */
#ifndef BROKER_PARTS_H
#define BROKER_PARTS_H

#include <stddef.h>

#include "lockbox/bundle.h"
#include "lockbox/sshsig.h"

#define PARTS_SIGS_MAX 80

/* One part with its signatures; borrows the texts. */
struct sheet {
	struct lb_part part;
	struct lb_slice sig[PARTS_SIGS_MAX];
};

void sheet_init(struct sheet *s, const struct lb_doc_type *type,
    const char *text, size_t len);
/* LB_ERR_RANGE when it holds PARTS_SIGS_MAX already. */
enum lb_err sheet_sign(struct sheet *s, const char *armor) LB_MUST_CHECK;

/*
 * Read an armored signature and verify it over text by the key inside. Who
 * that is, is the caller's next question.
 */
enum lb_err sheet_verify(const char *armor, enum lb_ns ns, const char *text,
    size_t len, struct lb_sshsig *ret) LB_MUST_CHECK;

#endif
