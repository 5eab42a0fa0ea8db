/* Frames for the tests, written without the encoder under test, and the decoder's answer to them however they are cut.
 */
#ifndef BEAM_FRAME_WIRE_H
#define BEAM_FRAME_WIRE_H

#include "frame_stream.h"
#include "test.h"

enum { LIMIT = 1000 };

struct frame {
  uint8_t first; /* first byte of the head */
  const char *payload;
  size_t len;
};
#define FRAME(first, payload)                                                                                          \
  { first, payload, sizeof payload - 1 }

struct wire {
  enum beam__role role; /* who reads it: a server is sent masked frames */
  size_t len;
  uint8_t bytes[GUARDED_SIZE];
};

static struct wire wire; /* of the case that runs */

static inline void wire_begin(enum beam__role role) {
  wire.role = role;
  wire.len = 0;
}

static inline void wire_byte(unsigned byte) { wire.bytes[wire.len++] = (uint8_t)byte; }

static inline void wire_length(uint64_t len, unsigned bytes) {
  while (bytes-- > 0)
    wire_byte((unsigned)(len >> 8 * bytes) & 0xFF);
}

/* A head with the length in 0, 2 or 8 further bytes, however it should be. */
static inline void wire_head(unsigned first, uint64_t len, unsigned length_bytes) {
  unsigned mask_bit = wire.role == BEAM__SERVER ? 0x80 : 0;
  wire_byte(first);
  wire_byte(mask_bit | (length_bytes == 8 ? 127 : length_bytes == 2 ? 126 : (unsigned)len));
  wire_length(len, length_bytes);
}

static inline void wire_payload(const void *payload, size_t len) {
  static uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
  const uint8_t *bytes = payload;
  size_t at;
  key[0]++;
  for (at = 0; wire.role == BEAM__SERVER && at < 4; at++)
    wire_byte(key[at]);
  for (at = 0; at < len; at++)
    wire_byte(wire.role == BEAM__SERVER ? bytes[at] ^ key[at % 4] : bytes[at]);
}

static inline void wire_frame(unsigned first, const void *payload, size_t len) {
  wire_head(first, len, len < 126 ? 0 : len <= 0xFFFF ? 2 : 8);
  wire_payload(payload, len);
}

/* ---- Every way of cutting ---- */

/* Decodes the wire in chunks: `cut` bytes, then `step` at a time. */
static inline int decodes_to(const char *want, uint64_t limit, size_t cut, size_t step) {
  struct stream stream;
  size_t at = cut;
  int same;
  stream_init(&stream, wire.role, limit);
  stream_feed(&stream, wire.bytes, cut);
  for (; at < wire.len; at += step)
    stream_feed(&stream, wire.bytes + at, step < wire.len - at ? step : wire.len - at);
  same = strcmp(stream.text, want) == 0;
  if (!same)
    printf("# %s, cut at %zu of %zu, then every %zu:\n#   %s\n# expected\n#   %s\n",
           wire.role == BEAM__CLIENT ? "client" : "server", cut, wire.len, step, stream.text, want);
  stream_free(&stream);
  return same;
}

static inline int expect_within(uint64_t limit, const char *want) {
  size_t cut;
  int same = CHECK(decodes_to(want, limit, wire.len, 1)) && CHECK(decodes_to(want, limit, 0, 1));
  for (cut = 1; same && cut < wire.len; cut++)
    same = CHECK(decodes_to(want, limit, cut, wire.len));
  return same;
}

static inline int expect(const char *want) { return expect_within(LIMIT, want); }

#endif
