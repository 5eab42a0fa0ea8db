/* Masking by the word: memcpy to and from a register is an unaligned load and store, no call. */
#include <string.h>

#include "base/random.h"
#include "websocket/mask.h"

static void mask_word(uint8_t *to, const uint8_t *from, uint64_t key) {
  uint64_t word;
  memcpy(&word, from, sizeof word);
  word ^= key;
  memcpy(to, &word, sizeof word);
}

/* Four words, all read before the first is written, so that the compiler may use vectors though the two may be one. */
static void mask_words(uint8_t *to, const uint8_t *from, uint64_t key) {
  uint64_t words[4];
  memcpy(words, from, sizeof words);
  words[0] ^= key;
  words[1] ^= key;
  words[2] ^= key;
  words[3] ^= key;
  memcpy(to, words, sizeof words);
}

void beam__mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t mask[4]) {
  uint8_t twice[8];
  uint64_t key;
  size_t at = 0;
  memcpy(twice, mask, 4);
  memcpy(twice + 4, mask, 4);
  memcpy(&key, twice, sizeof key);
  for (; len - at >= 32; at += 32)
    mask_words(to + at, from + at, key);
  for (; len - at >= 8; at += 8)
    mask_word(to + at, from + at, key);
  for (; at < len; at++)
    to[at] = from[at] ^ mask[at % 4];
}

void beam__mask_key(uint8_t mask[4]) { beam__random(mask, 4); }
