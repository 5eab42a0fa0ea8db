#include "http/coding/inflate.h"

#include <limits.h>
#include <string.h>

#include "beam.h"

enum { WINDOW_RAW = -15, WINDOW_ZLIB = 15, WINDOW_GZIP = 15 + 16 }; /* inflateInit2's way to name the format */

/* "deflate" is zlib's format by the RFC and bare deflate in some servers; the first byte tells: zlib's has method 8 in
 * the low half and a window of at most 7 in the high one. */
static int window_bits(enum beam__coding coding, unsigned char first) {
  if (coding == BEAM__GZIP)
    return WINDOW_GZIP;
  return (first & 0x0f) == 8 && first >> 4 <= 7 ? WINDOW_ZLIB : WINDOW_RAW;
}

/* After the end only a further gzip member may come (RFC 1952 section 2.2), or the zeros that fill up a block. */
static int go_beyond_end(beam__inflate *state) {
  z_stream *stream = &state->stream;
  while (stream->avail_in && !*stream->next_in) {
    stream->next_in++, stream->avail_in--;
    state->padded = 1;
  }
  if (!stream->avail_in)
    return 0;
  if (state->padded || state->coding != BEAM__GZIP || inflateReset(stream) != Z_OK)
    return BEAM_EHTTP;
  state->ended = 0;
  return 0;
}

static int run(beam__inflate *state) {
  z_stream *stream = &state->stream;
  while (stream->avail_out) {
    int result;
    if (state->ended && go_beyond_end(state))
      return BEAM_EHTTP;
    if (state->ended)
      return 0;
    result = inflate(stream, Z_NO_FLUSH);
    if (result == Z_BUF_ERROR)
      return 0;
    if (result == Z_STREAM_END)
      state->ended = 1;
    else if (result != Z_OK)
      return result == Z_MEM_ERROR ? BEAM_ENO_MEMORY : BEAM_EHTTP;
  }
  return 0;
}

int beam__inflate_piece(beam__inflate *state, const unsigned char **data, size_t *len, unsigned char *out,
                        size_t *made) {
  z_stream *stream = &state->stream;
  size_t room = *made < UINT_MAX ? *made : UINT_MAX, given = *len < UINT_MAX ? *len : UINT_MAX;
  int result;
  *made = 0;
  if (!state->begun && !*len)
    return 0;
  if (!state->begun && inflateInit2(stream, window_bits(state->coding, **data)) != Z_OK)
    return BEAM_ENO_MEMORY;
  state->begun = 1;
  stream->next_in = (unsigned char *)*data; /* zlib only reads it, whatever the type says */
  stream->avail_in = (unsigned)given;
  stream->next_out = out;
  stream->avail_out = (unsigned)room;
  result = run(state);
  *data += given - stream->avail_in;
  *len -= given - stream->avail_in;
  *made = room - stream->avail_out;
  return result;
}

int beam__inflate_truncated(const beam__inflate *state) { return state->begun && !state->ended; }

void beam__inflate_free(beam__inflate *state) {
  if (state->begun)
    inflateEnd(&state->stream);
  memset(state, 0, sizeof *state);
}
