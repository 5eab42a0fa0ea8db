/* Signatures by a key that both sides know: HMAC-SHA256 (RFC 2104, RFC 6234), by OpenSSL. */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "beam.h"

int beam_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t digest[BEAM_HMAC_SIZE]) {
  unsigned length = BEAM_HMAC_SIZE;
  if (key_size > INT_MAX)
    return BEAM_EINVALID;
  if (!HMAC(EVP_sha256(), key ? key : "", (int)key_size, data, size, digest, &length))
    return BEAM_ENO_MEMORY;
  return 0;
}

int beam_same_bytes(const void *a, const void *b, size_t size) { return CRYPTO_memcmp(a, b, size) == 0; }
