/*
 * Letters as one mail: subject, text and HTML, which say the same. Pure.
 * Whatever came from outside stands in the body alone, escaped; headers hold
 * words of ours and names that their grammar makes harmless.
 */
#ifndef BROKER_MAIL_H
#define BROKER_MAIL_H

#include "letter.h"

#define MAIL_SUBJECT_MAX 320 /* chars */
#define MAIL_LETTERS_MAX 50

struct mail {
	char subject[MAIL_SUBJECT_MAX + 1]; /* printable ASCII */
	struct lb_buf text, html;           /* UTF-8, lines end in LF */
};

/*
 * letter  1..MAIL_LETTERS_MAX of them
 * links   false: no link at all, and what looks like one in somebody's words
 *         is written so that no program makes one of it
 */
enum lb_err mail_write(const struct letter *letter, size_t count, bool links,
    struct mail *ret) LB_MUST_CHECK;
void mail_clear(struct mail *m);

#endif
