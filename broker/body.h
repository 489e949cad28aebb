/* Bodies in JSON: capped before they are parsed, and strict. */
#ifndef BROKER_BODY_H
#define BROKER_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "lockbox/err.h"

#define BODY_JSON_MAX   65536 /* bytes */
#define BODY_BUNDLE_MAX 131072
#define BODY_DEPTH_MAX  8

/*
 * Parse a body: one object, at most BODY_DEPTH_MAX deep, no name twice, only
 * integers, nothing behind it. LB_ERR_FORMAT, LB_ERR_RANGE (size or depth).
 */
enum lb_err body_parse(
    const char *text, size_t len, json_t **ret) LB_MUST_CHECK;

/*
 * Copy a list of strings out of a JSON array: at most max of size bytes with
 * NUL, each accepted by valid. LB_ERR_FORMAT, LB_ERR_RANGE.
 */
enum lb_err body_list(const json_t *array, size_t max, size_t size, char *ret,
    size_t *ret_count, bool (*valid)(const char *)) LB_MUST_CHECK;

#endif
