/*
 * Watches over live sessions: has them asked for, warns before the end, and
 * ends them when their time or their lease is over. Source: design section 8.
 */
#ifndef LOCKBOX_AGENT_WARDEN_H
#define LOCKBOX_AGENT_WARDEN_H

#include <stdint.h>

#include "agent.h"

#define WARDEN_TICK_MS 1000 /* both clocks are looked at so often */

struct asking;

/* What is remembered of a live session besides its record. */
struct warden_note {
	uint32_t sid;
	int64_t deadline;      /* that the warnings are about */
	size_t warned;         /* of the settings, the first so many */
	int64_t ask_ms;        /* when to ask for it again */
	int64_t half_ms;       /* when half of its lease is over */
	int64_t granted_ms;    /* when its grants were last others; 0: never */
	bool failing;          /* nobody answers, and its terminals know */
	struct asking *asking; /* on its way; NULL: none */
};

/* Borrowed until the next warden_tend; NULL: none. */
struct warden_note *warden_note_find(const struct agent *a, uint32_t sid);

/* Do what is due; when to come again in boottime ms, -1: never. */
int64_t warden_tend(struct agent *a, int64_t now_boot_ms);

void warden_clear(struct agent *a);

#endif
