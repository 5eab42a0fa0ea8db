/* Lengths both ways: how they are encoded, and the bound on a message. */
#include "frame_wire.h"

/* ---- Lengths ---- */

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
