/* Crockford's base32, upper case, for codes that people carry. */
#ifndef BROKER_CROCKFORD_H
#define BROKER_CROCKFORD_H

#include <stddef.h>
#include <stdint.h>

/*
 * chars characters of the bits, first bit first; bits behind the last byte
 * count as 0. ret holds chars + 1.
 */
void crockford_encode(
    const uint8_t *bytes, size_t len, size_t chars, char *ret);

#endif
