/* Any bytes, cut in two different ways, must give the same events in either role; what is encoded must be decoded
 * again.
 *
 * Input: 1 byte of settings, 1 byte of seed for the cuts, then the bytes.
 */
#include "../core/websocket/frame_stream.h"

static void require(int condition, const char *what, const struct stream *one, const struct stream *other) {
  if (condition)
    return;
  fprintf(stderr, "%s\n%s\n%s\n", what, one->text, other->text);
  abort();
}

/* Sizes of chunks from 1 to 32, the same for the same seed. */
static size_t next_chunk(uint32_t *seed, size_t left) {
  size_t chunk = 1 + ((*seed = *seed * 1664525 + 1013904223) >> 27);
  return chunk < left ? chunk : left;
}

static void feed_in_chunks(struct stream *stream, const uint8_t *bytes, size_t len, uint32_t seed) {
  while (len > 0) {
    size_t chunk = next_chunk(&seed, len);
    stream_feed(stream, bytes, chunk);
    bytes += chunk;
    len -= chunk;
  }
}

/* ---- Any bytes ---- */

static void decode_any(enum beam__role role, uint64_t limit, const uint8_t *bytes, size_t len, uint32_t seed) {
  struct stream whole, cut;
  stream_init(&whole, role, limit);
  stream_init(&cut, role, limit);
  stream_feed(&whole, bytes, len);
  feed_in_chunks(&cut, bytes, len, seed);
  require(!strstr(whole.text, BREACH), "a breach", &whole, &cut);
  require(strcmp(whole.text, cut.text) == 0, "the cuts change the events", &whole, &cut);
  require(whole.decoder.done == cut.decoder.done, "the cuts change the end", &whole, &cut);
  require(whole.decoder.done || beam__decoder_midway(&whole.decoder) == beam__decoder_midway(&cut.decoder),
          "the cuts change what is midway", &whole, &cut);
  stream_free(&whole);
  stream_free(&cut);
}

/* ---- Encoded and decoded ---- */

/* What the events of a frame must look like. */
static void put_wanted(struct stream *want, enum beam__opcode opcode, int first, int final, int binary,
                       const uint8_t *payload, size_t len) {
  beam__frame_event event = {.data = payload, .len = len, .binary = binary, .first = first, .frame_end = 1};
  event.type = opcode == BEAM__PING ? BEAM__FRAME_PING : opcode == BEAM__PONG ? BEAM__FRAME_PONG : BEAM__FRAME_DATA;
  event.final = final;
  stream_put_event(want, &event);
}

static size_t put_frame(uint8_t *wire, enum beam__opcode opcode, int final, const uint8_t *payload, size_t len,
                        const uint8_t *mask) {
  size_t size = beam__frame_head(wire, opcode, final, len, mask);
  if (mask)
    beam__mask(wire + size, payload, len, mask);
  else if (len > 0)
    memcpy(wire + size, payload, len);
  return size + len;
}

/* The bytes as a script: each frame is one byte (1: final, 2: a ping, 4: a pong, high bits: length) and its payload;
 * messages are binary. */
static void round_trip(enum beam__role role, const uint8_t *script, size_t len, uint32_t seed) {
  static uint8_t wire[GUARDED_SIZE];
  struct stream want, got;
  size_t at = 0, size = 0, inside = 0;
  uint8_t mask[4] = {(uint8_t)seed, 0x5A, (uint8_t)(seed * 7), 0xC3};
  stream_init(&want, role, UINT64_MAX);
  stream_init(&got, role, UINT64_MAX);
  while (at < len && size < GUARDED_SIZE / 4) {
    unsigned does = script[at++];
    size_t payload = does >> 3 < 28 ? does >> 3 : len - at; /* some long ones */
    enum beam__opcode opcode = inside ? BEAM__CONTINUATION : BEAM__BINARY;
    int control = (does & 6) != 0, final = control || (does & 1);
    if (payload > len - at)
      payload = len - at;
    if (control && payload > 125)
      payload = 125;
    if (control)
      opcode = does & 2 ? BEAM__PING : BEAM__PONG;
    size += put_frame(wire + size, opcode, final, script + at, payload, role == BEAM__SERVER ? mask : NULL);
    put_wanted(&want, opcode, !inside, final, 1, script + at, payload);
    at += payload;
    inside = control ? inside : !final;
  }
  feed_in_chunks(&got, wire, size, seed);
  require(strcmp(want.text, got.text) == 0, "what was encoded is not what was decoded", &want, &got);
  require(!beam__decoder_midway(&got.decoder) == !inside, "the end is not where it was put", &want, &got);
  stream_free(&want);
  stream_free(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint64_t limits[] = {0, 10, 130, 1000, 70000, UINT64_MAX, INT64_MAX, 1 << 20};
  enum beam__role role;
  uint64_t limit;
  if (size < 2 || size > GUARDED_SIZE / 4)
    return 0;
  role = data[0] & 1 ? BEAM__SERVER : BEAM__CLIENT;
  limit = limits[data[0] >> 1 & 7];
  if (data[0] & 0x80)
    round_trip(role, data + 2, size - 2, data[1]);
  else
    decode_any(role, limit, data + 2, size - 2, data[1]);
  return 0;
}
