/* The portal's files, compiled in from broker/portal/ by embed.sh. */
#ifndef BROKER_PORTAL_H
#define BROKER_PORTAL_H

#include <stddef.h>

/*
 * The customer's own page: brought here to be taken away, not to be shown. A
 * build without it has no such file.
 */
#define PORTAL_OWN_PAGE "approve.html"

struct portal_file {
	const char *name; /* "index.html" */
	const char *type; /* content type */
	const char *etag; /* strong, with its quotes */
	const unsigned char *data;
	size_t len;
};

/* Ends with a row of zeros. */
extern const struct portal_file portal_files[];

#endif
