/* Masking, RFC 6455 section 5.3. */
#ifndef BEAM_MASK_H
#define BEAM_MASK_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* to[i] = from[i] ^ mask[i % 4]; `to` and `from` may be the same, at any alignment. */
void beam__mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4]);
/* Four fresh random bytes. */
void beam__mask_key(uint8_t mask[4]);

#pragma GCC visibility pop

#endif
