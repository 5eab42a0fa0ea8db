/* UTF-8 as RFC 3629 section 4 has it. ASCII, which is most of JSON, is skipped by the word. */
#include <string.h>

#include "base/utf8.h"

enum { CUT = 0, BAD = -1 };

static uint64_t high_bits(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, sizeof word);
  return word & 0x8080808080808080u;
}

static size_t skip_ascii(const uint8_t *text, size_t at, size_t len) {
  while (len - at >= 32 &&
         !(high_bits(text + at) | high_bits(text + at + 8) | high_bits(text + at + 16) | high_bits(text + at + 24)))
    at += 32;
  while (len - at >= 8 && !high_bits(text + at))
    at += 8;
  while (at < len && text[at] < 0x80)
    at++;
  return at;
}

/* The bytes, 2 to 4, of the character that begins at `text` and is not ASCII; or CUT, or BAD. Only the second byte has
 * bounds that depend on the first: they keep out overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF.
 */
static int character(const uint8_t *text, size_t len) {
  uint8_t lead = text[0];
  uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  unsigned size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, at;
  if (lead < 0xC2 || lead > 0xF4)
    return BAD;
  if (len < 2)
    return CUT;
  if (text[1] < low || text[1] > high)
    return BAD;
  for (at = 2; at < size; at++) {
    if (at == len)
      return CUT;
    if ((text[at] & 0xC0) != 0x80)
      return BAD;
  }
  return (int)size;
}

size_t beam__utf8_prefix(const uint8_t *text, size_t len, enum beam__utf8_end *end) {
  size_t at = skip_ascii(text, 0, len);
  *end = BEAM__UTF8_WHOLE;
  while (at < len) {
    int size = character(text + at, len - at);
    if (size <= 0) {
      *end = size == CUT ? BEAM__UTF8_CUT : BEAM__UTF8_BAD;
      return at;
    }
    at += (size_t)size;
    if (at < len && text[at] < 0x80)
      at = skip_ascii(text, at, len);
  }
  return at;
}

int beam__utf8_valid(const void *text, size_t len) {
  enum beam__utf8_end end;
  beam__utf8_prefix(text, len, &end);
  return end == BEAM__UTF8_WHOLE;
}
