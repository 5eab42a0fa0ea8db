/* The codec alone, frame after frame from memory that is warm: payload bytes a second beside memcpy of the same bytes.
 * A client's binary messages are not touched at all (the figure is heads a second); a server unmasks in place.
 */
#include <string.h>

#include "measure.h"
#include "websocket/frame.h"

enum { WIRE_SIZE = 4 << 20 };

static uint8_t wire[WIRE_SIZE + BEAM__FRAME_HEAD_MAX], copy[WIRE_SIZE + BEAM__FRAME_HEAD_MAX];
static volatile size_t sink;

struct work {
  enum beam__role role;
  size_t len, size; /* of the wire and of it the payloads */
};

static const struct text_kind {
  const char *name;
  enum beam__opcode opcode;
  const char *filler; /* whole characters */
} kinds[] = {{"binary", BEAM__BINARY, "0123456789abcdef"},
             {"text, ASCII", BEAM__TEXT, "{\"event\":\"sixteen"},
             {"text, 1/8 umlauts", BEAM__TEXT,
              "gr\xC3\xBC\xC3\x9F"
              "e, welt! "},
             {"text, Chinese", BEAM__TEXT, "\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xE7\x95\x8C...."}};

/* Fills the wire with equal messages of `len` bytes, 16 at least and a multiple of that. */
static struct work prepare(enum beam__role role, const struct text_kind *kind, size_t len) {
  static const uint8_t mask[4] = {1, 2, 3, 4};
  struct work work = {role, 0, 0};
  while (work.len + BEAM__FRAME_HEAD_MAX + len <= sizeof wire) {
    size_t at;
    work.len += beam__frame_head(wire + work.len, kind->opcode, 1, len, role == BEAM__SERVER ? mask : NULL);
    for (at = 0; at < len; at += 16)
      memcpy(wire + work.len + at, kind->filler, 16);
    if (role == BEAM__SERVER)
      beam__mask(wire + work.len, wire + work.len, len, mask);
    work.len += len;
    work.size += len;
  }
  return work;
}

static void decode_all(uint8_t *bytes, size_t len, enum beam__role role) {
  beam__decoder decoder;
  beam__frame_event event;
  size_t used;
  beam__decoder_init(&decoder, role, WIRE_SIZE);
  do {
    beam__decode(&decoder, bytes, len, &used, &event);
    bytes += used;
    len -= used;
    sink += event.len;
  } while (event.type == BEAM__FRAME_DATA);
  if (event.type != BEAM__FRAME_MORE)
    abort();
}

static double rate_of_decoding(struct work work) {
  double best = 0;
  int round;
  for (round = 0; round < 15; round++) {
    double began;
    memcpy(copy, wire, work.len); /* a server has unmasked the last one */
    began = now();
    decode_all(copy, work.len, work.role);
    began = (double)work.size / (now() - began);
    best = began > best ? began : best;
  }
  return best / 1e9;
}

static double rate_of_memcpy(struct work work) {
  double best = 0;
  int round;
  for (round = 0; round < 15; round++) {
    double began = now();
    memcpy(copy, wire, work.len);
    sink += copy[(size_t)round];
    began = (double)work.size / (now() - began);
    best = began > best ? began : best;
  }
  return best / 1e9;
}

static void print_row(enum beam__role role, const struct text_kind *kind, size_t len) {
  struct work work = prepare(role, kind, len);
  double rate = rate_of_decoding(work);
  printf("%s  %7zu B  %-18s %9.2f GB/s  %9.1f ns a frame  memcpy %6.2f GB/s\n",
         role == BEAM__CLIENT ? "client" : "server", len, kind->name, rate, (double)len / rate, rate_of_memcpy(work));
}

int main(void) {
  static const size_t lens[] = {64, 4096, 1 << 20};
  size_t at, kind;
  int role;
  for (role = BEAM__CLIENT; role <= BEAM__SERVER; role++)
    for (at = 0; at < sizeof lens / sizeof lens[0]; at++)
      for (kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        print_row(role ? BEAM__SERVER : BEAM__CLIENT, &kinds[kind], lens[at]);
  return 0;
}
