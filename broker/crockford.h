/* Crockford's base32, upper case, for codes that people carry. */
#ifndef BROKER_CROCKFORD_H
#define BROKER_CROCKFORD_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

/*
 * chars characters of the bits, first bit first; bits behind the last byte
 * count as 0. ret holds chars + 1.
 */
void crockford_encode(
    const uint8_t *bytes, size_t len, size_t chars, char *ret);

/*
 * What somebody typed, as crockford_encode wrote it: exactly chars characters,
 * in either case, o for 0 and i or l for 1, hyphens and blanks between them as
 * they like. ret holds chars + 1. LB_ERR_FORMAT
 */
enum lb_err crockford_read(
    const char *typed, size_t chars, char *ret) LB_MUST_CHECK;

#endif
