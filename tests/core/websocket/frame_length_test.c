/* Lengths both ways: how they are encoded, and the bound on a message. */
#include "frame_wire.h"

/* The event that a head alone gives, its length in `length_bytes` further bytes. */
static beam__frame_event event_of_length(uint64_t len, unsigned length_bytes, uint64_t limit) {
  beam__decoder decoder;
  beam__frame_event event;
  size_t used;
  wire_begin(BEAM__CLIENT);
  wire_head(0x82, len, length_bytes);
  beam__decoder_init(&decoder, BEAM__CLIENT, limit);
  beam__decode(&decoder, guarded_copy(wire.bytes, wire.len), wire.len, &used, &event);
  return event;
}

/* ---- Messages that lie whole in what came ---- */

/* What the straight way takes of a frame; the event is to be what beam__decode gives. */
static size_t whole(uint8_t first, uint64_t len, unsigned length_bytes, const char *payload, size_t limit, size_t cut) {
  beam__decoder decoder;
  beam__frame_event event, want;
  const uint8_t *bytes;
  size_t used, taken;
  wire_begin(BEAM__CLIENT);
  wire_head(first, len, length_bytes);
  wire_payload(payload, (size_t)len);
  bytes = guarded_copy(wire.bytes, wire.len - cut);
  beam__decoder_init(&decoder, BEAM__CLIENT, limit);
  taken = beam__decode_whole(&decoder, bytes, wire.len - cut, &event);
  if (!taken)
    return 0;
  beam__decode(&decoder, (uint8_t *)(uintptr_t)bytes, wire.len - cut, &used, &want);
  CHECK_INT(taken, used);
  CHECK_INT(event.type, want.type);
  CHECK_INT(event.len, want.len);
  CHECK(event.data == want.data);
  CHECK_INT(event.binary, want.binary);
  CHECK(event.first && event.final && event.frame_end && want.first && want.final && want.frame_end);
  return taken;
}

static void messages_that_lie_whole(void) {
  static char text[70000];
  memset(text, 'x', sizeof text);
  CHECK_INT(whole(0x81, 2, 0, text, LIMIT, 0), 4);
  CHECK_INT(whole(0x82, 125, 0, text, LIMIT, 0), 127);
  CHECK_INT(whole(0x81, 126, 2, text, LIMIT, 0), 130);
  CHECK_INT(whole(0x82, 65535, 2, text, 65535, 0), 65539);
  CHECK_INT(whole(0x81, 5, 0, "caf\xc3\xa9", LIMIT, 0), 7);
  CHECK_INT(whole(0x81, 4, 0, "caf\xc3", LIMIT, 0), 0); /* everything else is beam__decode's */
  CHECK_INT(whole(0x82, 100, 0, text, 99, 0), 0);
  CHECK_INT(whole(0x82, 100, 0, text, LIMIT, 1), 0);
  CHECK_INT(whole(0x82, 100, 2, text, LIMIT, 0), 0);
  CHECK_INT(whole(0x82, 300, 8, text, LIMIT, 0), 0);
  CHECK_INT(whole(0x01, 100, 0, text, LIMIT, 0), 0);
  CHECK_INT(whole(0xC1, 100, 0, text, LIMIT, 0), 0);
  CHECK_INT(whole(0x89, 100, 0, text, LIMIT, 0), 0);
}

/* Inside a message, or in the middle of a frame, nothing is taken for the start of one. */
static void whole_only_between_messages(void) {
  uint8_t bytes[] = {0x01, 2, 'a', 'b', 0x81, 2, 'c', 'd'};
  beam__decoder decoder;
  beam__frame_event event;
  size_t used;
  beam__decoder_init(&decoder, BEAM__CLIENT, LIMIT);
  beam__decode(&decoder, bytes, 4, &used, &event);
  CHECK_INT(beam__decode_whole(&decoder, bytes + 4, 4, &event), 0);
  beam__decode(&decoder, bytes + 4, 4, &used, &event);
  CHECK_INT(event.code, 1002);
  CHECK_INT(beam__decode_whole(&decoder, bytes + 4, 4, &event), 0);
}

/* ---- Lengths ---- */

static void lengths_that_are_not_minimal(void) {
  uint64_t len;
  unsigned accepted = 0;
  for (len = 0; len < 126; len++)
    accepted += event_of_length(len, 2, LIMIT).code != 1002;
  for (len = 0; len <= 0xFFFF; len++)
    accepted += event_of_length(len, 8, UINT64_MAX).code != 1002;
  CHECK_INT(accepted, 0);
  CHECK_INT(event_of_length(126, 2, LIMIT).type, BEAM__FRAME_MORE);
  CHECK_INT(event_of_length(0xFFFF, 2, 0xFFFF).type, BEAM__FRAME_MORE);
  CHECK_INT(event_of_length(0x10000, 8, 0x10000).type, BEAM__FRAME_MORE);
}

static void lengths_with_the_top_bit(void) {
  CHECK_INT(event_of_length(UINT64_C(1) << 63, 8, UINT64_MAX).code, 1002);
  CHECK_CONTAINS(event_of_length(UINT64_MAX, 8, UINT64_MAX).error, "top bit");
  CHECK_INT(event_of_length(INT64_MAX, 8, UINT64_MAX).type, BEAM__FRAME_MORE);
  CHECK_INT(event_of_length(INT64_MAX, 8, LIMIT).code, 1009);
}

static void lengths_of_every_class(void) {
  static const size_t lens[] = {0, 1, 124, 125, 126, 127, 128, 300, 65534, 65535, 65536, 65537};
  static char payload[70000], want[70100];
  size_t at;
  int role;
  memset(payload, 'p', sizeof payload);
  for (at = 0; at < sizeof lens / sizeof lens[0]; at++)
    for (role = BEAM__CLIENT; role <= BEAM__SERVER; role++) {
      size_t cut;
      snprintf(want, sizeof want, "binary(%.*s).", (int)lens[at], payload);
      wire_begin(role);
      wire_frame(0x82, payload, lens[at]);
      for (cut = 0; cut < 20 && cut <= wire.len; cut++)
        CHECK(decodes_to(want, 65537, cut, 65536));
    }
}

/* ---- The bound ---- */

static void a_claim_over_the_bound_fails_with_the_head(void) {
  int role;
  for (role = BEAM__CLIENT; role <= BEAM__SERVER; role++) {
    wire_begin(role);
    wire_head(0x82, 101, 0);
    expect_within(100, "error(1009 a message is longer than the limit)");
    wire_begin(role);
    wire_head(0x81, LIMIT + 1, 2);
    expect("error(1009 a message is longer than the limit)");
    wire_begin(role);
    wire_head(0x82, UINT64_C(1) << 62, 8);
    expect("error(1009 a message is longer than the limit)");
    wire_begin(role);
    wire_frame(0x02, "0123456789", 10);
    wire_frame(0x00, "0123456789", 10);
    wire_head(0x80, 1, 0);
    expect_within(20, "binary(0123456789)- more(0123456789)- error(1009 a message is longer than the limit)");
  }
}

/* A claim that would wrap the sum of the fragments must not pass. */
static void a_sum_of_fragments_does_not_wrap(void) {
  wire_begin(BEAM__CLIENT);
  wire_frame(0x02, "0123456789", 10);
  wire_head(0x80, INT64_MAX, 8);
  expect_within(INT64_MAX, "binary(0123456789)- error(1009 a message is longer than the limit)");
}

static void up_to_the_bound_is_fine(void) {
  int role;
  for (role = BEAM__CLIENT; role <= BEAM__SERVER; role++) {
    wire_begin(role);
    wire_frame(0x02, "0123456789", 10);
    wire_frame(0x89, "a ping that does not count", 26);
    wire_frame(0x80, "0123456789", 10);
    wire_frame(0x82, "01234567890123456789", 20);
    expect_within(20, "binary(0123456789)- ping(a ping that does not count) more(0123456789). "
                      "binary(01234567890123456789).");
    wire_begin(role);
    wire_frame(0x81, "", 0);
    wire_frame(0x81, "a", 1);
    expect_within(0, "text(). error(1009 a message is longer than the limit)");
  }
}

/* ---- The encoder ---- */

static void heads_of_every_length_class(void) {
  static const struct {
    uint64_t len;
    struct frame plain;
  } heads[] = {
      {0, FRAME(0, "\x82\x00")},
      {1, FRAME(0, "\x82\x01")},
      {125, FRAME(0, "\x82\x7D")},
      {126, FRAME(0, "\x82\x7E\x00\x7E")},
      {256, FRAME(0, "\x82\x7E\x01\x00")}, /* section 5.7 */
      {0xFFFF, FRAME(0, "\x82\x7E\xFF\xFF")},
      {0x10000, FRAME(0, "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00")}, /* section 5.7 */
      {INT64_MAX, FRAME(0, "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF")},
  };
  static const uint8_t mask[4] = {1, 2, 3, 4};
  uint8_t head[BEAM__FRAME_HEAD_MAX];
  size_t at;
  for (at = 0; at < sizeof heads / sizeof heads[0]; at++) {
    size_t len = heads[at].plain.len;
    CHECK_INT(beam__frame_head(head, BEAM__BINARY, 1, heads[at].len, NULL), len);
    CHECK(memcmp(head, heads[at].plain.payload, len) == 0);
    CHECK_INT(beam__frame_head(head, BEAM__BINARY, 1, heads[at].len, mask), len + 4);
    CHECK_INT(head[1], (uint8_t)heads[at].plain.payload[1] | 0x80);
    CHECK(memcmp(head + 2, heads[at].plain.payload + 2, len - 2) == 0 && memcmp(head + len, mask, 4) == 0);
  }
}

static void heads_of_every_opcode(void) {
  static const enum beam__opcode opcodes[] = {BEAM__CONTINUATION, BEAM__TEXT, BEAM__BINARY,
                                              BEAM__CLOSE,        BEAM__PING, BEAM__PONG};
  uint8_t head[BEAM__FRAME_HEAD_MAX];
  size_t at;
  for (at = 0; at < sizeof opcodes / sizeof opcodes[0]; at++) {
    CHECK_INT(beam__frame_head(head, opcodes[at], 1, 5, NULL), 2);
    CHECK_INT(head[0], 0x80 | opcodes[at]);
    CHECK_INT(beam__frame_head(head, opcodes[at], 0, 5, NULL), 2);
    CHECK_INT(head[0], opcodes[at]);
  }
}

int main(void) {
  RUN(messages_that_lie_whole);
  RUN(whole_only_between_messages);
  RUN(lengths_that_are_not_minimal);
  RUN(lengths_with_the_top_bit);
  RUN(lengths_of_every_class);
  RUN(a_claim_over_the_bound_fails_with_the_head);
  RUN(a_sum_of_fragments_does_not_wrap);
  RUN(up_to_the_bound_is_fine);
  RUN(heads_of_every_length_class);
  RUN(heads_of_every_opcode);
  return test_end();
}
