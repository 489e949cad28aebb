/* What every fuzz target defines; libFuzzer or replay.c calls it. */
#ifndef LOCKBOX_FUZZ_H
#define LOCKBOX_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* bytes may not be written, and end at len exactly. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
