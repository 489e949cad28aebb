/* What lockbox doctor found: one finding after another, then all of them. */
#ifndef LOCKBOX_CLI_FINDINGS_H
#define LOCKBOX_CLI_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"

#define FINDINGS_MAX     128
#define FINDING_TEXT_MAX 512

enum finding_result { FINDING_OK = 1, FINDING_WARN, FINDING_FAIL };

struct finding {
	const char *check; /* a stable word */
	enum finding_result result;
	char what[FINDING_TEXT_MAX];
	const char *todo; /* what to do; NULL when nothing */
};

/* Large: keep it on the heap. */
struct findings {
	size_t count;
	bool full; /* something did not fit: counts as a failure */
	struct finding item[FINDINGS_MAX];
};

/* todo is borrowed: a literal. */
void findings_add(struct findings *f, const char *check,
    enum finding_result result, const char *todo, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Does any of them fail? */
bool findings_failed(const struct findings *f);

/* Print them all; ENDING_DONE only when nothing fails. */
int findings_print(const struct cli *cli, const struct findings *f);

#endif
