/* Sec-WebSocket-Key and Sec-WebSocket-Accept, on OpenSSL's base64 and SHA-1. */
#include <openssl/evp.h>
#include <string.h>

#include "base/random.h"
#include "beam.h"
#include "websocket/handshake.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

enum { KEY_LEN = BEAM__KEY_SIZE - 1, KEY_DIGITS = 22, NONCE_SIZE = 16, SHA1_SIZE = 20 };

void beam__handshake_key(char key[BEAM__KEY_SIZE]) {
  uint8_t nonce[NONCE_SIZE];
  beam__random(nonce, sizeof nonce);
  EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
}

static int key_valid(const char *key) {
  return strspn(key, BASE64) == KEY_DIGITS && strcmp(key + KEY_DIGITS, "==") == 0;
}

int beam__handshake_accept(const char *key, char accept[BEAM__ACCEPT_SIZE]) {
  char text[KEY_LEN + sizeof GUID];
  unsigned char digest[SHA1_SIZE];
  accept[0] = '\0';
  if (!key_valid(key))
    return BEAM_EINVALID;
  memcpy(text, key, KEY_LEN);
  memcpy(text + KEY_LEN, GUID, sizeof GUID);
  if (EVP_Digest(text, sizeof text - 1, digest, NULL, EVP_sha1(), NULL) != 1)
    return BEAM_ENO_MEMORY;
  EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
  return 0;
}
