/*
 * Watches over live sessions: warns before the end, and ends them when their
 * time or their lease is over. Source: design section 8.
 */
#ifndef LOCKBOX_AGENT_WARDEN_H
#define LOCKBOX_AGENT_WARDEN_H

#include <stdint.h>

#include "agent.h"

#define WARDEN_TICK_MS 1000 /* both clocks are looked at so often */

/* What is remembered of a session besides its record: which warnings it had. */
struct warden_note {
	uint32_t sid;
	int64_t deadline; /* that the warnings are about */
	size_t warned;    /* of the settings, the first so many */
};

/* Do what is due; when to come again in boottime ms, -1: never. */
int64_t warden_tend(struct agent *a, int64_t now_boot_ms);

void warden_clear(struct agent *a);

#endif
