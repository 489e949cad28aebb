/*
 * Sends what the outbox holds: mail and webhooks, many at a time, in one
 * thread. What goes to one receiver goes one after the other; a slow or dead
 * one keeps nobody else waiting. Everything is at least once: what was under
 * way when the broker died is sent again with the same id.
 */
#ifndef BROKER_SENDER_H
#define BROKER_SENDER_H

#include "app.h"

struct sender;

/* Starts the thread. Reads smtp_password_file; logs what failed. */
enum lb_err sender_start(struct app *app, struct sender **ret) LB_MUST_CHECK;

/* There may be something to send. From any thread; accepts NULL. */
void sender_wake(struct sender *s);

/* What is under way is broken off. Accepts NULL. */
void sender_stop(struct sender *s);

#endif
