/* UTF-8 against RFC 3629: every code point, every short sequence, a wrong byte at every place. */
#include "core/websocket/frame_stream.h"
#include "test.h"

/* The encoding of RFC 3629 section 3, also of what may not be encoded. */
static size_t encode(uint32_t point, uint8_t *to) {
  size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4, at;
  static const uint8_t leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (at = size - 1; at > 0; at--, point >>= 6)
    to[at] = (uint8_t)(0x80 | (point & 0x3F));
  to[0] = (uint8_t)(leads[size] | point);
  return size;
}

static void every_code_point(void) {
  uint32_t point, wrong = 0;
  for (point = 0; point < 0x1FFFFF; point++) {
    uint8_t bytes[4];
    size_t size = encode(point, bytes);
    int valid = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
    wrong += beam__utf8_valid(guarded_copy(bytes, size), size) != valid;
  }
  CHECK_INT(wrong, 0);
}

/* A valid sequence is the encoding of a code point: so counting the valid ones finds each that is none. */
static void no_other_sequence(void) {
  uint8_t *bytes = guarded(3);
  unsigned counts[3] = {0, 0, 0}, at;
  enum beam__utf8_end end;
  for (at = 0; at < 0x1000000; at++) {
    bytes[0] = (uint8_t)(at >> 16);
    bytes[1] = (uint8_t)(at >> 8);
    bytes[2] = (uint8_t)at;
    if (bytes[0] < 0xC0 && at & 0xFF) /* one byte, and two: once is enough */
      continue;
    counts[0] += !(at & 0xFFFF) && beam__utf8_valid(bytes, 1);
    counts[1] += !(at & 0xFF) && bytes[0] >= 0x80 && beam__utf8_valid(bytes, 2);
    counts[2] += bytes[0] >= 0xE0 && beam__utf8_prefix(bytes, 3, &end) == 3;
  }
  CHECK_INT(counts[0], 0x80);
  CHECK_INT(counts[1], 0x800 - 0x80);
  CHECK_INT(counts[2], 0x10000 - 0x800 - 0x800);
}

static void four_bytes_at_their_borders(void) {
  static const uint8_t thirds[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
  uint8_t *bytes = guarded(4);
  unsigned lead, second, third, fourth, wrong = 0;
  for (lead = 0xF0; lead <= 0xFF; lead++)
    for (second = 0; second <= 0xFF; second++)
      for (third = 0; third < 6; third++)
        for (fourth = 0; fourth < 6; fourth++) {
          uint32_t point = (lead & 7) << 18 | (second & 0x3F) << 12;
          int valid = lead < 0xF8 && (second & 0xC0) == 0x80 && (thirds[third] & 0xC0) == 0x80 &&
                      (thirds[fourth] & 0xC0) == 0x80 && point >= 0x10000 && point <= 0x10FFFF;
          bytes[0] = (uint8_t)lead;
          bytes[1] = (uint8_t)second;
          bytes[2] = thirds[third];
          bytes[3] = thirds[fourth];
          wrong += beam__utf8_valid(bytes, 4) != valid;
        }
  CHECK_INT(wrong, 0);
}

static void what_stands_behind_the_whole_characters(void) {
  static const struct {
    const char *text;
    size_t whole;
    enum beam__utf8_end end;
  } texts[] = {
      {"", 0, BEAM__UTF8_WHOLE},       {"abc", 3, BEAM__UTF8_WHOLE},    {"a\xC3\xA4", 3, BEAM__UTF8_WHOLE},
      {"a\xC3", 1, BEAM__UTF8_CUT},    {"\xE2\x82", 0, BEAM__UTF8_CUT}, {"\xE2\x82\xAC\xF0\x9F\x98", 3, BEAM__UTF8_CUT},
      {"\xE0", 0, BEAM__UTF8_CUT},     {"\xE0\x9F", 0, BEAM__UTF8_BAD}, {"\xED\xA0", 0, BEAM__UTF8_BAD},
      {"\xF4\x90", 0, BEAM__UTF8_BAD}, {"\xF0\x8F", 0, BEAM__UTF8_BAD}, {"abc\xC3z", 3, BEAM__UTF8_BAD},
      {"abc\xC1", 3, BEAM__UTF8_BAD},  {"abc\xF5", 3, BEAM__UTF8_BAD},  {"abc\xE2\x82z", 3, BEAM__UTF8_BAD},
  };
  size_t at;
  for (at = 0; at < sizeof texts / sizeof texts[0]; at++) {
    size_t len = strlen(texts[at].text);
    enum beam__utf8_end end;
    CHECK_INT(beam__utf8_prefix(guarded_copy(texts[at].text, len), len, &end), texts[at].whole);
    CHECK_INT(end, texts[at].end);
  }
}

/* The words that skip ASCII must neither pass over a byte nor read past the end. */
static void a_byte_that_is_not_ascii_at_every_place(void) {
  size_t len, place;
  enum beam__utf8_end end;
  for (len = 1; len <= 100; len++)
    for (place = 0; place < len; place++) {
      uint8_t *text = guarded(len);
      memset(text, 'a', len);
      text[place] = 0xFF;
      CHECK_INT(beam__utf8_prefix(text, len, &end), place);
      CHECK_INT(end, BEAM__UTF8_BAD);
      text[place] = 0xC3;
      CHECK_INT(beam__utf8_prefix(text, len, &end), place);
      CHECK_INT(end, place + 1 == len ? BEAM__UTF8_CUT : BEAM__UTF8_BAD);
      if (place + 1 < len) {
        text[place + 1] = 0x80;
        CHECK_INT(beam__utf8_prefix(text, len, &end), len);
      }
    }
}

int main(void) {
  RUN(every_code_point);
  RUN(no_other_sequence);
  RUN(four_bytes_at_their_borders);
  RUN(what_stands_behind_the_whole_characters);
  RUN(a_byte_that_is_not_ascii_at_every_place);
  return test_end();
}
