#include "http/coding/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

enum { BETWEEN = 16 * 1024 };

/* ---- The list ---- */

/* What compresses and we have no decoder for: the registry of content codings, and what servers use beside it. */
static int is_beyond_us(beam__slice name) {
  static const char *const names[] = {"br",           "zstd",     "compress", "x-compress", "aes128gcm", "exi",
                                      "pack200-gzip", "dcb",      "dcz",      "xz",         "lzma",      "bzip2",
                                      "x-bzip2",      "x-lzma",   "x-xz",     "lz4",        "sdch",      "bz2",
                                      "snappy",       "x-snappy", "lzip",     "x-zstd"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (beam__slice_is(name, names[i]))
      return 1;
  return 0;
}

/* Some servers write here what is no coding at all ("none", "utf-8", "binary"): browsers take such a body as it is. */
static enum beam__coding coding_of(beam__slice name) {
  if (beam__slice_is(name, "gzip") || beam__slice_is(name, "x-gzip"))
    return BEAM__GZIP;
  if (beam__slice_is(name, "deflate"))
    return BEAM__DEFLATE;
  return is_beyond_us(name) ? BEAM__UNKNOWN_CODING : BEAM__IDENTITY;
}

/* One coding of the list: the newest is undone first, so it goes to the front. */
static int add(beam__decoder *decoder, enum beam__coding coding) {
  if (coding == BEAM__IDENTITY)
    return 0;
  if (coding == BEAM__UNKNOWN_CODING || decoder->count == BEAM__CODINGS_MAX)
    return BEAM_EHTTP;
  memmove(decoder->stages + 1, decoder->stages, decoder->count * sizeof *decoder->stages);
  memset(decoder->stages, 0, sizeof *decoder->stages);
  decoder->stages[0].coding = coding;
  decoder->count++;
  return 0;
}

static int add_line(beam__decoder *decoder, beam__slice line, beam__slice *refused) {
  beam__slice name;
  while (beam__list_next(&line, &name)) {
    enum beam__coding coding = coding_of(name);
    if (add(decoder, coding)) {
      *refused = coding == BEAM__UNKNOWN_CODING ? name : beam__slice_of("");
      decoder->count = 0;
      return BEAM_EHTTP;
    }
  }
  return 0;
}

int beam__decoder_choose(beam__decoder *decoder, const beam_header *headers, size_t count, beam__slice *refused) {
  size_t i;
  for (i = 0; i < count; i++)
    if (!strcmp(headers[i].name, "content-encoding") && add_line(decoder, beam__slice_of(headers[i].value), refused))
      return BEAM_EHTTP;
  return 0;
}

beam__slice beam__transfer_coding(const beam_header *headers, size_t count) {
  size_t i;
  for (i = 0; i < count; i++) {
    beam__slice line = beam__slice_of(headers[i].value), name;
    while (!strcmp(headers[i].name, "transfer-encoding") && beam__list_next(&line, &name))
      if (coding_of(name) != BEAM__IDENTITY)
        return name;
  }
  return beam__slice_of("");
}

/* ---- The body ---- */

static int pull(beam__decoder *decoder, size_t stage, const unsigned char **data, size_t *len, unsigned char *out,
                size_t *made);

/* Gets more for `stage` from the one before it; nothing is left for it. *more: there is some. */
static int refill(beam__decoder *decoder, size_t stage, const unsigned char **data, size_t *len, int *more) {
  size_t made = BETWEEN;
  int failed;
  if (!decoder->between[stage] && !(decoder->between[stage] = malloc(BETWEEN)))
    return BEAM_ENO_MEMORY;
  failed = pull(decoder, stage - 1, data, len, decoder->between[stage], &made);
  decoder->at[stage] = decoder->between[stage];
  decoder->left[stage] = made;
  *more = made > 0;
  return failed;
}

/* As beam__decode_piece, of what `stage` makes. */
static int pull(beam__decoder *decoder, size_t stage, const unsigned char **data, size_t *len, unsigned char *out,
                size_t *made) {
  const unsigned char **from = stage ? &decoder->at[stage] : data;
  size_t *left = stage ? &decoder->left[stage] : len, room = *made;
  int more = 1;
  while (more && decoder->work < BEAM__DECODE_AT_ONCE) {
    int failed;
    *made = room;
    failed = beam__inflate_piece(&decoder->stages[stage], from, left, out, made);
    decoder->work += *made;
    if (failed || *made || !stage)
      return failed;
    failed = refill(decoder, stage, data, len, &more);
    if (failed)
      return failed;
  }
  *made = 0;
  return 0;
}

int beam__decode_piece(beam__decoder *decoder, const unsigned char **data, size_t *len, unsigned char *out,
                       size_t *made) {
  return pull(decoder, decoder->count - 1, data, len, out, made);
}

int beam__decoder_truncated(const beam__decoder *decoder) {
  size_t i;
  for (i = 0; i < decoder->count; i++)
    if (beam__inflate_truncated(&decoder->stages[i]))
      return 1;
  return 0;
}

void beam__decoder_free(beam__decoder *decoder) {
  size_t i;
  if (!decoder->stages[0].coding) /* it has none, and has had none */
    return;
  for (i = 0; i < BEAM__CODINGS_MAX; i++) {
    beam__inflate_free(&decoder->stages[i]);
    free(decoder->between[i]);
  }
  memset(decoder, 0, sizeof *decoder);
}
