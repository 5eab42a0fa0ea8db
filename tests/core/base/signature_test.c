/* HMAC-SHA256 against the vectors of RFC 4231, and the comparison that does not tell where two texts differ. */
#include "beam.h"
#include "test.h"

static const char *hex(const uint8_t *bytes) {
  static char text[2 * BEAM_HMAC_SIZE + 1];
  size_t at;
  for (at = 0; at < BEAM_HMAC_SIZE; at++)
    snprintf(text + 2 * at, 3, "%02x", bytes[at]);
  return text;
}

static const char *signed_with(const void *key, size_t key_size, const void *data, size_t size) {
  uint8_t digest[BEAM_HMAC_SIZE] = {0};
  CHECK_INT(beam_hmac_sha256(key, key_size, data, size, digest), 0);
  return hex(digest);
}

static void vectors_of_rfc_4231(void) {
  uint8_t key[131], data[50];
  memset(key, 0x0b, 20);
  CHECK_STR(signed_with(key, 20, "Hi There", 8), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK_STR(signed_with("Jefe", 4, "what do ya want for nothing?", 28),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xaa, sizeof key);
  memset(data, 0xdd, sizeof data);
  CHECK_STR(signed_with(key, 20, data, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  CHECK_STR(signed_with(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void nothing_is_signed_too(void) {
  const char *of_nothing = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  CHECK_STR(signed_with("", 0, "", 0), of_nothing);
  CHECK_STR(signed_with(NULL, 0, "", 0), of_nothing);
}

static void the_same_and_not(void) {
  CHECK_INT(beam_same_bytes("abc", "abc", 3), 1);
  CHECK_INT(beam_same_bytes("abc", "abd", 3), 0);
  CHECK_INT(beam_same_bytes("xbc", "abc", 3), 0);
  CHECK_INT(beam_same_bytes("a\0b", "a\0c", 3), 0);
  CHECK_INT(beam_same_bytes("", "", 0), 1);
}

int main(void) {
  RUN(vectors_of_rfc_4231);
  RUN(nothing_is_signed_too);
  RUN(the_same_and_not);
  return test_end();
}
