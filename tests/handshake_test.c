/* Sec-WebSocket-Key and Sec-WebSocket-Accept. */
#include "beam.h"
#include "test.h"
#include "websocket/handshake.h"

static void accept_of_the_rfc(void) { /* sections 1.3 and 4.2.2 */
  char accept[BEAM__ACCEPT_SIZE];
  CHECK_INT(beam__handshake_accept("dGhlIHNhbXBsZSBub25jZQ==", accept), 0);
  CHECK_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void a_key_that_is_none_has_no_accept(void) {
  static const char *keys[] = {"",
                               "==",
                               "dGhlIHNhbXBsZSBub25jZQ=",
                               "dGhlIHNhbXBsZSBub25jZQ",
                               "dGhlIHNhbXBsZSBub25jZQ===",
                               " dGhlIHNhbXBsZSBub25jZQ==",
                               "dGhlIHNhbXBsZSBub25jZQ==\r\n",
                               "dGhlIHNhbXBsZSBub25j-Q==",
                               "dGhlIHNhbXBsZSBub25jZQ=a",
                               "dGhlIHNhbXBsZSBub25jZQaa",
                               "dGhl=HNhbXBsZSBub25jZQ==",
                               "dGhlIHNhbXBsZSBub25jZWRnZQ=="};
  char accept[BEAM__ACCEPT_SIZE];
  size_t at;
  for (at = 0; at < sizeof keys / sizeof keys[0]; at++) {
    strcpy(accept, "untouched");
    CHECK_INT(beam__handshake_accept(keys[at], accept), BEAM_EINVALID);
    CHECK_STR(accept, "");
  }
}

static void keys_are_fresh_and_well_formed(void) {
  char keys[100][BEAM__KEY_SIZE], accept[BEAM__ACCEPT_SIZE];
  size_t at, other;
  for (at = 0; at < 100; at++) {
    beam__handshake_key(keys[at]);
    CHECK_INT(strlen(keys[at]), 24);
    CHECK_INT(beam__handshake_accept(keys[at], accept), 0);
    CHECK_INT(strlen(accept), 28);
    for (other = 0; other < at; other++)
      CHECK(strcmp(keys[at], keys[other]) != 0);
  }
}

int main(void) {
  RUN(accept_of_the_rfc);
  RUN(a_key_that_is_none_has_no_accept);
  RUN(keys_are_fresh_and_well_formed);
  return test_end();
}
