/* The broker's part of a visit: a question, its answer, and what it means. */
#ifndef LOCKBOX_AGENT_INQUIRY_H
#define LOCKBOX_AGENT_INQUIRY_H

#include "course.h"

/* Ask; the visit is replied to when the answer is there, or cannot be. */
void inquiry_begin(struct visit *v);

/* The courier has something: a loop_watch's callback, arg is the visit. */
void inquiry_ready(void *arg, uint32_t events);

/* The broker could not be asked, for that code: a grant that root handed over
 * may let in, if it is away; else the visit is refused. */
void inquiry_unanswered(struct visit *v, const char *code);

/* Give up waiting for the courier. */
void inquiry_drop(struct visit *v);

#endif
