/*
 * Makes and changes trust documents from flags. Pure but for reading the key
 * files that the flags name.
 */
#ifndef LOCKBOX_CLI_TRUST_EDIT_H
#define LOCKBOX_CLI_TRUST_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "flags.h"
#include "lockbox/err.h"
#include "lockbox/papers.h"

#define TRUST_WHAT_MAX  512
#define TRUST_LONGEST   (4 * 60 * 60)        /* seconds, by default */
#define TRUST_LEASE     (30 * 60)            /* seconds, by default */
#define TRUST_GOOD_SPAN (365 * 24 * 60 * 60) /* seconds, by default */

/* Flags of "trust new" and "trust edit"; zero: not given. */
struct trust_flags {
	const char *tenant, *require, *offline, *output;
	int64_t threshold, longest, lease, good_until, delegate_until;
	struct flag_list page, broker, approver, hook, engineer, delegate;
	struct flag_list no_page, no_broker, no_approver, no_hook, no_engineer,
	    no_delegate;
	bool no_delegation;
};

/* The kinds of lines that pin a key, and pages. A table ends with zeros. */
struct trust_kind {
	const char *name;        /* the line's name */
	size_t offset;           /* of the list in struct lb_trust_paper */
	size_t max;              /* lines */
	unsigned int namespaces; /* without ns=; 0: a page */
	size_t add, drop; /* offsets of flag_list in struct trust_flags */
};
extern const struct trust_kind trust_kinds[];

/* Lines of that kind, and the i-th, i below the count. */
size_t trust_lines(const struct lb_trust_paper *p, const struct trust_kind *k);
const char *trust_line(
    const struct lb_trust_paper *p, const struct trust_kind *k, size_t i);

/*
 * One pinned line from "PRINCIPAL=KEYFILE[,ns=approve+deny][,valid-after=T]
 * [,valid-before=T]"; T is 2026-03-02T14:00:00Z. The namespaces are given
 * without "lockbox-" and "-v1".
 *
 * ret_what  TRUST_WHAT_MAX bytes: on error what is wrong, for people
 */
enum lb_err trust_pin(const char *spec, unsigned int namespaces,
    char ret[static LB_PINNED_MAX + 1], char *ret_what) LB_MUST_CHECK;

/*
 * A first document: serial 1, with defaults where a flag is not given.
 *
 * paper     all zero beforehand
 * ret_what  as above
 */
enum lb_err trust_paper_new(const struct trust_flags *f, int64_t now,
    struct lb_trust_paper *paper, char *ret_what) LB_MUST_CHECK;

/*
 * The successor: paper is the present document and becomes the next one, with
 * previous (its id) and a serial one higher.
 */
enum lb_err trust_paper_edit(const struct trust_flags *f, const char *previous,
    struct lb_trust_paper *paper, char *ret_what) LB_MUST_CHECK;

#endif
