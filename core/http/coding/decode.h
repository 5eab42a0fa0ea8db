/* The body of a response as its sender meant it: Content-Encoding is a list (RFC 9110 section 8.4), over one line or
 * several, each coding applied to what the one before it made; so the last is undone first, a piece at a time.
 */
#pragma once

#include "http/coding/inflate.h"
#include "net/http1/header.h"

#pragma GCC visibility push(hidden)

enum {
  BEAM__CODINGS_MAX = 4,
  BEAM__DECODE_AT_ONCE = 512 * 1024 /* bytes made, by all codings together, before others get their turn */
};

typedef struct beam__decoder { /* zero-initialise */
  beam__inflate stages[BEAM__CODINGS_MAX];
  size_t count;                              /* 0: the body is as it came */
  unsigned char *between[BEAM__CODINGS_MAX]; /* what the stage before has made, and this one has not taken */
  const unsigned char *at[BEAM__CODINGS_MAX];
  size_t left[BEAM__CODINGS_MAX];
  size_t work; /* bytes made since the caller set it to 0 */
} beam__decoder;

/* Chooses what undoes the codings of these headers. BEAM_EHTTP: *refused, of the headers, cannot be undone, or (it is
 * empty) they are more than BEAM__CODINGS_MAX; the body then stays as it is. */
int beam__decoder_choose(beam__decoder *decoder, const beam_header *headers, size_t count, beam__slice *refused);
/* The first of these transfer codings that changes the bytes of a body, but for their being cut in chunks; empty: there
 * is none. */
beam__slice beam__transfer_coding(const beam_header *headers, size_t count);
/* Decodes from *data (advanced, with *len) up to *made bytes into `out`, and says in *made how many they were: 0 when
 * more input is needed, or `work` has reached BEAM__DECODE_AT_ONCE. 0, BEAM_EHTTP for bad data, BEAM_ENO_MEMORY. */
int beam__decode_piece(beam__decoder *decoder, const unsigned char **data, size_t *len, unsigned char *out,
                       size_t *made);
int beam__decoder_truncated(const beam__decoder *decoder); /* the body broke off in the middle of a coding */
void beam__decoder_free(beam__decoder *decoder);           /* zeroed is fine, and zeroed afterwards */

#pragma GCC visibility pop
