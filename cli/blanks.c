/* Asks a person for what a request still needs. */
#include "blanks.h"

#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/papers.h"
#include "lockbox/visible.h"
#include "output.h"
#include "prompt.h"

static bool
text_fits(const char *s)
{
	return lb_text_visible(s, strlen(s));
}

static bool
duration_fits(const char *s)
{
	int64_t span;

	return lb_span_parse(s, &span) == LB_OK && span >= LB_DURATION_MIN &&
	    span <= LB_GRANT_SPAN_MAX;
}

static int
ticket_ask(const struct cli *cli, struct compose_flags *f, struct blanks *ret)
{
	int rv;

	if (f->ticket != NULL)
		return ENDING_DONE;
	rv = prompt_ask(cli, "ticket (Enter: none)", "", text_fits,
	    "visible text, at most 64 bytes", ret->ticket, sizeof(ret->ticket));
	if (rv == ENDING_DONE && ret->ticket[0] != '\0')
		f->ticket = ret->ticket;
	return rv;
}

static int
duration_ask(const struct cli *cli, struct compose_flags *f, struct blanks *ret)
{
	int rv;

	if (f->duration != 0)
		return ENDING_DONE;
	rv = prompt_ask(cli, "for how long (Enter: 2h)", "2h", duration_fits,
	    "a span from 1m to 24h, such as 90m", ret->duration,
	    sizeof(ret->duration));
	if (rv == ENDING_DONE &&
	    lb_span_parse(ret->duration, &f->duration) != LB_OK)
		rv = ENDING_FAILED; /* cannot be: it did fit */
	return rv;
}

int
blanks_fill(const struct cli *cli, const char *about, struct compose_flags *f,
    struct blanks *ret)
{
	int rv;

	if (f->reason != NULL)
		return ENDING_DONE;
	if (!prompt_possible(cli))
		return out_fail(cli, ENDING_USAGE,
		    "%s: --reason is missing: why, as the customer will read "
		    "it",
		    about);
	out_note(cli, "%s", about);
	rv = prompt_ask(cli, "why, as the customer will read it", NULL,
	    text_fits, "visible text, at most 512 bytes", ret->reason,
	    sizeof(ret->reason));
	if (rv != ENDING_DONE)
		return rv;
	f->reason = ret->reason;
	if ((rv = ticket_ask(cli, f, ret)) != ENDING_DONE)
		return rv;
	return duration_ask(cli, f, ret);
}
