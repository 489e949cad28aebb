/* Questions to a person on the terminal, for what no flag said. */
#ifndef LOCKBOX_CLI_PROMPT_H
#define LOCKBOX_CLI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"

#define PROMPT_TRIES 3 /* answers that may be wrong */

/* Is there somebody to ask: standard input and standard error are terminals. */
bool prompt_possible(const struct cli *cli);

/*
 * One question.
 *
 * fallback  taken when the answer is empty; NULL: an answer is needed
 * fits      may the answer be that
 * wants     what an answer must be, for people, when it does not fit
 * ret       size bytes, the longest answer with its NUL
 *
 * ENDING_DONE; ENDING_USAGE when no answer fits; ENDING_FAILED at the end of
 * input.
 */
int prompt_ask(const struct cli *cli, const char *question,
    const char *fallback, bool (*fits)(const char *), const char *wants,
    char *ret, size_t size);

#endif
