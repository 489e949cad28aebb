/* What the user reads: three lines at most, through PAM's conversation. */
#include "tell.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct words {
	const char *code;
	const char *what;
	const char *next;
} words[] = {
	{ "agent_unreachable",
	    "Access refused: lockbox-agent does not run on this host, "
	    "so approvals cannot be checked.",
	    "Ask this host's administrator to start lockbox-agent." },
	{ "agent_timeout",
	    "Access refused: lockbox-agent on this host did not answer in "
	    "time.",
	    "Try again in a minute; if it stays so, ask this host's "
	    "administrator." },
	{ "agent_garbage", "Access refused: lockbox on this host is not sound.",
	    "Ask this host's administrator to look at syslog." },
	{ "agent_untrusted",
	    "Access refused: lockbox on this host is not sound.",
	    "Ask this host's administrator to look at syslog." },
	{ "config_error",
	    "Access refused: lockbox on this host is not set up correctly.",
	    "Ask this host's administrator to run: lockbox doctor" },
	{ "login_invalid",
	    "Access refused: lockbox does not take this login or service.",
	    "Ask this host's administrator to look at syslog." },
	{ "no_record",
	    "Access refused: syslog on this host does not take the record "
	    "of it.",
	    "Ask this host's administrator to look at the syslog daemon." },
	{ NULL, "Access refused by lockbox.",
	    "Ask this host's administrator to look at syslog." },
};

void
tell_words(const char *code, const char *ref,
    char ret[static LB_TELL_LINES][LB_TELL_MAX + 1])
{
	const struct words *w = words;

	while (w->code != NULL && strcmp(w->code, code) != 0)
		w++;
	memset(ret, 0, LB_TELL_LINES * sizeof(ret[0]));
	snprintf(ret[0], sizeof(ret[0]), "%s", w->what);
	snprintf(ret[1], sizeof(ret[1]), "%s", w->next);
	if (ref[0] != '\0')
		snprintf(ret[2], sizeof(ret[2]), "Reference: %s", ref);
}

static void
line_show(const struct pam_conv *conv, int style, const char *text)
{
	const struct pam_message msg = { style, text };
	const struct pam_message *list = &msg;
	struct pam_response *reply = NULL;

	/* Some applications take it badly; the verdict stands all the same. */
	(void)conv->conv(1, &list, &reply, conv->appdata_ptr);
	if (reply != NULL) {
		free(reply->resp);
		free(reply);
	}
}

void
tell_show(pam_handle_t *pamh, int style,
    char lines[static LB_TELL_LINES][LB_TELL_MAX + 1])
{
	const struct pam_conv *conv;
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
		return;
	conv = item;
	if (conv->conv == NULL)
		return;
	for (size_t i = 0; i < LB_TELL_LINES && lines[i][0] != '\0'; i++)
		line_show(conv, style, lines[i]);
}
