/* Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. No state is kept: who reads a text
 * in pieces carries the bytes of a cut character over to the next piece.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum beam__utf8_end {                   /* what stands behind the last whole character */
                      BEAM__UTF8_WHOLE, /* nothing */
                      BEAM__UTF8_CUT,   /* up to 3 bytes that further bytes can make a character */
                      BEAM__UTF8_BAD    /* bytes that nothing can make a character */
};

/* The length of the whole characters that `text` begins with. */
size_t beam__utf8_prefix(const uint8_t *text, size_t len, enum beam__utf8_end *end);
int beam__utf8_valid(const void *text, size_t len);

#pragma GCC visibility pop
