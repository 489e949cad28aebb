/* The broker's log: standard error, for journald with its level. */
#ifndef BROKER_LOG_H
#define BROKER_LOG_H

#include <syslog.h>

#include "lockbox/err.h"

/* Level 7 lines are dropped unless asked for. Call once, at start. */
void log_init(int debug);

void log_line(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Someone must act; we went on; an access decision; for developers. */
#define LOG_ERROR(...) log_line(LOG_ERR, __VA_ARGS__)
#define LOG_WARN(...)  log_line(LOG_WARNING, __VA_ARGS__)
#define LOG_NOTE(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define LOG_DBG(...)   log_line(LOG_DEBUG, __VA_ARGS__)
#define LOG_ERR_R(r, fmt, ...)                                                 \
	log_line(LOG_ERR, fmt ": %s", __VA_ARGS__, lb_err_text(r))

#endif
