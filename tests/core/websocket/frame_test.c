/* The decoder against RFC 6455, as a client and as a server: every case whole, byte by byte and cut in two anywhere. */
#include "frame_wire.h"

/* ---- Streams that are right, and streams that are wrong ---- */

static const struct stream_case {
  struct frame frames[6];
  const char *want;
} cases[] = {
    {{FRAME(0x81, "Hello")}, "text(Hello)."},
    {{FRAME(0x82, "\x00\xFF\x80")}, "binary(\\00\\FF\\80)."},
    {{FRAME(0x81, "")}, "text()."},
    {{FRAME(0x82, "")}, "binary()."},
    {{FRAME(0x81, "a"), FRAME(0x82, "b"), FRAME(0x81, "c")}, "text(a). binary(b). text(c)."},
    /* fragments, section 5.4 */
    {{FRAME(0x01, "Hel"), FRAME(0x80, "lo")}, "text(Hel)- more(lo)."},
    {{FRAME(0x02, "\xC0"), FRAME(0x00, "\xC1"), FRAME(0x80, "\xF5")}, "binary(\\C0)- more(\\C1)- more(\\F5)."},
    {{FRAME(0x01, ""), FRAME(0x00, ""), FRAME(0x80, "")}, "text()- more()- more()."},
    {{FRAME(0x01, ""), FRAME(0x00, "a"), FRAME(0x80, "")}, "text()- more(a)- more()."},
    {{FRAME(0x01, "a"), FRAME(0x80, "b"), FRAME(0x02, "c"), FRAME(0x80, "d")}, "text(a)- more(b). binary(c)- more(d)."},
    {{FRAME(0x80, "lo")}, "error(1002 a continuation frame without a message to continue )"},
    {{FRAME(0x00, "lo")}, "error(1002 a continuation frame without a message to continue )"},
    {{FRAME(0x81, "a"), FRAME(0x80, "b")}, "text(a). error(1002 a continuation frame without a message to continue )"},
    {{FRAME(0x01, "a"), FRAME(0x81, "b")}, "text(a)- error(1002 a new message begins inside a fragmented one )"},
    {{FRAME(0x02, "a"), FRAME(0x01, "b")}, "binary(a)- error(1002 a new message begins inside a fragmented one )"},
    /* control frames, section 5.5: between fragments, inside a cut character, empty */
    {{FRAME(0x89, "x"), FRAME(0x8A, "y"), FRAME(0x89, ""), FRAME(0x8A, "")}, "ping(x) pong(y) ping() pong()"},
    {{FRAME(0x01, "a"), FRAME(0x89, "x"), FRAME(0x00, "b"), FRAME(0x8A, "y"), FRAME(0x80, "c")},
     "text(a)- ping(x) more(b)- pong(y) more(c)."},
    {{FRAME(0x01, "\xE2\x82"), FRAME(0x89, "\x82"), FRAME(0x80, "\xAC")}, "text()- ping(\\82) more(\\E2\\82\\AC)."},
    {{FRAME(0x01, "a"), FRAME(0x88, "\x03\xE8"), FRAME(0x80, "b")}, "text(a)- close(1000)"},
    {{FRAME(0x81, "a"), FRAME(0x0B, "")}, "text(a). error(1002 an unknown opcode )"},
    {{FRAME(0x89, "x"), FRAME(0x09, "y")}, "ping(x) error(1002 a control frame is fragmented )"},
    {{FRAME(0x0A, "")}, "error(1002 a control frame is fragmented )"},
    {{FRAME(0x08, "\x03\xE8")}, "error(1002 a control frame is fragmented )"},
    /* close frames, section 5.5.1; nothing after them is decoded */
    {{FRAME(0x88, "")}, "close(1005)"},
    {{FRAME(0x88, "\x03\xE8")}, "close(1000)"},
    {{FRAME(0x88, "\x03\xF4restart")}, "close(1012 restart)"},
    {{FRAME(0x88, "\x0F\xA0\xC3\xA4"), FRAME(0x81, "a")}, "close(4000 \\C3\\A4)"},
    {{FRAME(0x88, "\x03")}, "error(1002 a close frame has half a code )"},
    {{FRAME(0x88, "\x03\xED"), FRAME(0x89, "x")}, "error(1002 a close frame has a code that may not be sent )"},
    {{FRAME(0x88, "\x03\xE8ok\xC3")}, "error(1007 the reason in a close frame is not UTF-8 )"},
    {{FRAME(0x88, "\x03\xE8\xED\xA0\x80")}, "error(1007 the reason in a close frame is not UTF-8 )"},
    /* text, section 8.1: characters cut by fragments; the first wrong byte ends it, what is in front is handed on */
    {{FRAME(0x81, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z")}, "text(\\C3\\A4\\E2\\82\\AC\\F0\\9F\\98\\80z)."},
    {{FRAME(0x01, "a\xE2"), FRAME(0x00, "\x82"),
      FRAME(0x80, "\xAC"
                  "b")},
     "text(a)- more()- more(\\E2\\82\\ACb)."},
    {{FRAME(0x01, "\xF0"), FRAME(0x00, ""), FRAME(0x00, "\x9F\x98"), FRAME(0x80, "\x80")},
     "text()- more()- more()- more(\\F0\\9F\\98\\80)."},
    {{FRAME(0x81, "abc\xFF"
                  "def"),
      FRAME(0x89, "x")},
     "text(abc error(1007 a text message is not UTF-8 )"},
    {{FRAME(0x81, "\x80")}, "error(1007 a text message is not UTF-8 )"},
    {{FRAME(0x01, "a\xE2"), FRAME(0x80, "b")}, "text(a)- error(1007 a text message is not UTF-8 )"},
    {{FRAME(0x01, "a\xF4"), FRAME(0x00, "\x90")}, "text(a)- error(1007 a text message is not UTF-8 )"},
    {{FRAME(0x01, "a"), FRAME(0x00, "b\xED\xA0\x80")}, "text(a)- more(b error(1007 a text message is not UTF-8 )"},
    {{FRAME(0x81, "abc\xE2\x82")}, "text(abc error(1007 a text message ends inside a UTF-8 character )"},
    {{FRAME(0x81, "\xE2\x82")}, "error(1007 a text message ends inside a UTF-8 character )"},
    {{FRAME(0x01, "a\xE2\x82"), FRAME(0x80, "")}, "text(a)- error(1007 a text message ends inside a UTF-8 character )"},
    {{FRAME(0x01, "\xF0\x9F"), FRAME(0x80, "\x98")},
     "text()- error(1007 a text message ends inside a UTF-8 character )"},
};

static void streams(void) {
  size_t at, frame;
  int role;
  for (at = 0; at < sizeof cases / sizeof cases[0]; at++)
    for (role = BEAM__CLIENT; role <= BEAM__SERVER; role++) {
      wire_begin(role);
      for (frame = 0; frame < 6 && cases[at].frames[frame].payload; frame++)
        wire_frame(cases[at].frames[frame].first, cases[at].frames[frame].payload, cases[at].frames[frame].len);
      if (!expect(cases[at].want))
        printf("# case %zu\n", at);
    }
}

/* Section 5.7, byte for byte. */
static void examples_of_the_rfc(void) {
  static const struct example {
    enum beam__role role;
    struct frame bytes;
    const char *want;
  } examples[] = {
      {BEAM__CLIENT, FRAME(0, "\x81\x05\x48\x65\x6c\x6c\x6f"), "text(Hello)."},
      {BEAM__SERVER, FRAME(0, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "text(Hello)."},
      {BEAM__CLIENT, FRAME(0, "\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"), "text(Hel)- more(lo)."},
      {BEAM__CLIENT, FRAME(0, "\x89\x05\x48\x65\x6c\x6c\x6f"), "ping(Hello)"},
      {BEAM__SERVER, FRAME(0, "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "pong(Hello)"},
  };
  size_t at;
  for (at = 0; at < sizeof examples / sizeof examples[0]; at++) {
    wire_begin(examples[at].role);
    memcpy(wire.bytes, examples[at].bytes.payload, wire.len = examples[at].bytes.len);
    expect(examples[at].want);
  }
}

/* ---- Heads: each pair of first bytes, in either role, outside and inside a message ---- */

static const char *wanted_of_head(unsigned first, unsigned second, enum beam__role role, int inside) {
  unsigned opcode = first & 0x0F, length = second & 0x7F;
  if (first & 0x70)
    return "a reserved bit";
  if ((opcode >= 3 && opcode <= 7) || opcode >= 11)
    return "an unknown opcode";
  if (opcode >= 8 && !(first & 0x80))
    return "a control frame is fragmented";
  if (opcode == 0 && !inside)
    return "a continuation frame without";
  if ((opcode == 1 || opcode == 2) && inside)
    return "a new message begins";
  if (role == BEAM__CLIENT && second >= 0x80)
    return "a frame from the server is masked";
  if (role == BEAM__SERVER && second < 0x80)
    return "a frame from the client is not masked";
  if (opcode >= 8 && length > 125)
    return "a control frame is longer";
  return opcode == 8 && length == 1 ? "half a code" : NULL;
}

static int head_as_wanted(unsigned first, unsigned second, enum beam__role role, int inside) {
  const char *want = wanted_of_head(first, second, role, inside);
  uint8_t *head = guarded(2);
  beam__decoder decoder;
  beam__frame_event event;
  size_t used;
  beam__decoder_init(&decoder, role, LIMIT);
  decoder.message_opcode = inside ? BEAM__TEXT : 0;
  head[0] = (uint8_t)first;
  head[1] = (uint8_t)second;
  beam__decode(&decoder, head, 2, &used, &event);
  if (want)
    return event.type == BEAM__FRAME_ERROR && event.code == 1002 && strstr(event.error, want);
  return event.type != BEAM__FRAME_ERROR && used == 2;
}

static void every_pair_of_first_bytes(void) {
  unsigned pair, role, inside, wrong = 0;
  for (pair = 0; pair < 0x10000; pair++)
    for (role = 0; role < 2; role++)
      for (inside = 0; inside < 2; inside++)
        if (!head_as_wanted(pair >> 8, pair & 0xFF, role ? BEAM__SERVER : BEAM__CLIENT, (int)inside) && !wrong++)
          printf("# %04X, role %u, inside %u\n", pair, role, inside);
  CHECK_INT(wrong, 0);
}

/* ---- Control frames ---- */

static void control_frames_of_every_length(void) {
  char payload[125], want[300];
  size_t len;
  memset(payload, 'c', sizeof payload);
  for (len = 0; len <= sizeof payload; len++) {
    wire_begin(len % 2 ? BEAM__SERVER : BEAM__CLIENT);
    wire_frame(0x89, payload, len);
    wire_frame(0x8A, payload, len);
    snprintf(want, sizeof want, "ping(%.*s) pong(%.*s)", (int)len, payload, (int)len, payload);
    expect(want);
  }
}

static int close_code_by_the_book(int code) { /* RFC 6455 section 7.4.1 and 7.4.2, with IANA's registry of 2024 */
  switch (code) {
  case 1000:
  case 1001:
  case 1002:
  case 1003:
  case 1007:
  case 1008:
  case 1009:
  case 1010:
  case 1011:
  case 1012:
  case 1013:
  case 1014:
    return 1;
  default:
    return code >= 3000 && code < 5000;
  }
}

static void close_frames_with_every_code(void) {
  char want[64];
  unsigned code;
  for (code = 0; code <= 0xFFFF; code += code < 5000 ? 1 : 487) {
    uint8_t payload[] = {(uint8_t)(code >> 8), (uint8_t)code, 'b', 'y', 'e'};
    int valid = close_code_by_the_book((int)code);
    CHECK_INT(beam__close_code_valid((int)code), valid);
    wire_begin(code % 2 ? BEAM__SERVER : BEAM__CLIENT);
    wire_frame(0x88, payload, sizeof payload);
    snprintf(want, sizeof want, valid ? "close(%u bye)" : "error(1002 a close frame has a code that may not be sent )",
             code);
    CHECK(decodes_to(want, LIMIT, 0, sizeof payload + 6) && decodes_to(want, LIMIT, 3, 1));
  }
  CHECK(!beam__close_code_valid(-1));
}

/* ---- What the caller relies on ---- */

static void a_whole_message_is_handed_on_without_a_copy(void) {
  static const char *texts[] = {"\x81\x05Hello", "\x82\x05Hello", "\x81\x05\xE2\x82\xAC\xC3\xA4"};
  size_t at;
  for (at = 0; at < 3; at++) {
    uint8_t *bytes = guarded_copy(texts[at], 7);
    beam__decoder decoder;
    beam__frame_event event;
    size_t used;
    beam__decoder_init(&decoder, BEAM__CLIENT, LIMIT);
    beam__decode(&decoder, bytes, 7, &used, &event);
    CHECK(event.data == bytes + 2 && event.len == 5);
    CHECK(event.type == BEAM__FRAME_DATA && event.first && event.frame_end && event.final && used == 7);
    CHECK_INT(event.binary, at == 1);
    CHECK(memcmp(bytes, texts[at], 7) == 0);
  }
}

static void a_text_cut_in_a_character_is_whole_pieces(void) {
  struct stream stream;
  stream_init(&stream, BEAM__CLIENT, LIMIT);
  stream_feed(&stream,
              "\x81\x08"
              "ab\xE2",
              5);
  CHECK_STR(stream.text, "text(ab");
  CHECK_INT(stream.pieces, 1);
  stream_feed(&stream, "\x82", 1);
  CHECK_INT(stream.pieces, 1);
  stream_feed(&stream,
              "\xAC"
              "cde",
              4);
  CHECK_STR(stream.text, "text(ab\\E2\\82\\ACcde).");
  CHECK_INT(stream.pieces, 3);
  stream_free(&stream);
}

/* How many bytes of the wire, given one by one, it takes to see the fault. */
static size_t bytes_until_error(void) {
  beam__decoder decoder;
  beam__frame_event event;
  size_t at, used;
  beam__decoder_init(&decoder, wire.role, LIMIT);
  for (at = 0; at < wire.len; at++) {
    beam__decode(&decoder, guarded_copy(wire.bytes + at, 1), 1, &used, &event);
    if (event.type == BEAM__FRAME_ERROR)
      return at + 1;
  }
  return 0;
}

/* Of a text that goes on for long, and of a head: nothing is awaited that could not change the outcome. */
static void a_fault_is_seen_with_the_first_byte_that_shows_it(void) {
  static const struct {
    const char *text;
    size_t wrong; /* the byte, counted from 1 */
  } texts[] = {{"ab\xFFzz", 3},         {"\x80zzz", 1},          {"\xC0\x80zz", 1},     {"\xC3zzz", 2},
               {"\xE0\x9F\x80z", 2},    {"\xED\xA0\x80z", 2},    {"\xE2\x82zz", 3},     {"\xF0\x8F\x80\x80", 2},
               {"\xF4\x90\x80\x80", 2}, {"\xF5\x80\x80\x80", 1}, {"\xF0\x9F\x98zz", 4}, {"\xC3\xA4\xA4", 3}};
  static const struct {
    struct frame bytes;
    size_t wrong;
  } heads[] = {{FRAME(0, "\xC1\x00"), 1},
               {FRAME(0, "\x83\x00"), 1},
               {FRAME(0, "\x09\x00"), 1},
               {FRAME(0, "\x80\x00"), 1},
               {FRAME(0, "\x81\x80"), 2},
               {FRAME(0, "\x88\x01\x03"), 2},
               {FRAME(0, "\x89\x7E\x00\x7E"), 2},
               {FRAME(0, "\x82\x7E\x00\x7D\x00"), 4},
               {FRAME(0, "\x82\x7E\xFF\xFF\x00"), 4},
               {FRAME(0, "\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00z"), 10}};
  size_t at;
  for (at = 0; at < sizeof texts / sizeof texts[0]; at++) {
    wire_begin(BEAM__CLIENT);
    wire_head(0x01, 100, 0);
    wire_payload(texts[at].text, strlen(texts[at].text));
    CHECK_INT(bytes_until_error(), 2 + texts[at].wrong);
  }
  for (at = 0; at < sizeof heads / sizeof heads[0]; at++) {
    wire_begin(BEAM__CLIENT);
    wire_payload(heads[at].bytes.payload, heads[at].bytes.len);
    CHECK_INT(bytes_until_error(), heads[at].wrong);
  }
  wire_begin(BEAM__SERVER); /* before the mask */
  wire_head(0x82, LIMIT + 1, 2);
  CHECK_INT(bytes_until_error(), 4);
}

static void nothing_is_decoded_after_the_end(void) {
  struct stream stream;
  stream_init(&stream, BEAM__CLIENT, LIMIT);
  stream_feed(&stream,
              "\x88\x00\x81\x01"
              "a",
              5);
  stream_feed(&stream, "\x89\x00", 2);
  CHECK_STR(stream.text, "close(1005)");
  stream_free(&stream);
  stream_init(&stream, BEAM__CLIENT, LIMIT);
  stream_feed(&stream,
              "\x83\x00\x81\x01"
              "a",
              5);
  stream_feed(&stream, "\x89\x00", 2);
  CHECK_STR(stream.text, "error(1002 an unknown opcode )");
  stream_free(&stream);
}

static void midway_is_known_at_each_byte(void) {
  static const uint8_t bytes[] = "\x89\x01x\x01\x01"
                                 "a\x80\x00\x82\x00";
  static const char midway[] = "1101111010"; /* after each byte */
  beam__decoder decoder;
  beam__frame_event event;
  size_t at, used;
  beam__decoder_init(&decoder, BEAM__CLIENT, LIMIT);
  CHECK_INT(beam__decoder_midway(&decoder), 0);
  for (at = 0; at < sizeof midway - 1; at++) {
    beam__decode(&decoder, guarded_copy(bytes + at, 1), 1, &used, &event);
    CHECK_INT(beam__decoder_midway(&decoder), midway[at] - '0');
  }
}

static void no_bytes_are_no_event(void) {
  beam__decoder decoder;
  beam__frame_event event;
  size_t used;
  beam__decoder_init(&decoder, BEAM__CLIENT, LIMIT);
  beam__decode(&decoder, NULL, 0, &used, &event);
  CHECK(event.type == BEAM__FRAME_MORE && used == 0);
  beam__decode(&decoder, guarded_copy("\x81\x05", 2), 2, &used, &event);
  beam__decode(&decoder, NULL, 0, &used, &event);
  CHECK(event.type == BEAM__FRAME_MORE && used == 0);
}

int main(void) {
  RUN(streams);
  RUN(examples_of_the_rfc);
  RUN(every_pair_of_first_bytes);
  RUN(control_frames_of_every_length);
  RUN(close_frames_with_every_code);
  RUN(a_whole_message_is_handed_on_without_a_copy);
  RUN(a_text_cut_in_a_character_is_whole_pieces);
  RUN(a_fault_is_seen_with_the_first_byte_that_shows_it);
  RUN(nothing_is_decoded_after_the_end);
  RUN(midway_is_known_at_each_byte);
  RUN(no_bytes_are_no_event);
  return test_end();
}
