/* The migrations, compiled in from broker/schema/. */
#ifndef BROKER_SCHEMA_H
#define BROKER_SCHEMA_H

#include <stddef.h>

#define SCHEMAS ((size_t)5)

/* schema_sql[i] leads from user_version i to i + 1. */
extern const char *const schema_sql[SCHEMAS];

#endif
