/* HTTPS over libmicrohttpd: connections become calls, replies bytes. */
#ifndef BROKER_SERVER_H
#define BROKER_SERVER_H

#include "app.h"

struct server;

/* Listen and serve in threads of its own. Logs what failed. */
enum lb_err server_start(struct app *app, struct server **ret) LB_MUST_CHECK;

/* The port it listens on, for "listen" with port 0. */
unsigned int server_port(const struct server *s);

/* Close connections whose peer lets us wait too long; call it now and then. */
void server_sweep(struct server *s);

/* Take no more connections, finish the requests in flight, stop. */
void server_stop(struct server *s); /* accepts NULL */

#endif
