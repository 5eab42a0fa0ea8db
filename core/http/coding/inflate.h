/* The content codings gzip and deflate (RFC 9110 section 8.4.1), undone by zlib a piece at a time; decode.h has
 * lists of them.
 *
 * Not by curl's own decoder: that one takes a truncated stream for whole (7.88) and decodes a whole chunk at once even
 * when the reader has paused, so neither an honest end nor a bound could be had from it.
 */
#pragma once

#include <stddef.h>
#include <zlib.h>

#pragma GCC visibility push(hidden)

enum beam__coding { BEAM__IDENTITY, BEAM__GZIP, BEAM__DEFLATE, BEAM__UNKNOWN_CODING };

typedef struct beam__inflate { /* zero-initialise */
  enum beam__coding coding;
  int begun;  /* bytes have come */
  int ended;  /* and the last of them ended the stream */
  int padded; /* zero bytes have come after it: nothing else may */
  z_stream stream;
} beam__inflate;

/* Decodes from *data (advanced, with *len) up to *made bytes into `out`, and says in *made how many they were: 0 when
 * more input is needed. 0, BEAM_EHTTP for bad data, BEAM_ENO_MEMORY. */
int beam__inflate_piece(beam__inflate *state, const unsigned char **data, size_t *len, unsigned char *out,
                        size_t *made);
/* Whether the stream broke off in the middle. */
int beam__inflate_truncated(const beam__inflate *state);
void beam__inflate_free(beam__inflate *state); /* zeroed is fine */

#pragma GCC visibility pop
