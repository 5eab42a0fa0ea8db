/* A private key's file again, encrypted under a passphrase: it lies beside the plain one. */
#ifndef LOCKED_KEY_H
#define LOCKED_KEY_H

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

static inline int lock_key(const char *from, const char *to, const char *passphrase) {
  FILE *file = fopen(from, "r");
  EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
  int locked;
  if (file)
    fclose(file);
  file = key ? fopen(to, "w") : NULL;
  locked = file && PEM_write_PKCS8PrivateKey(file, key, EVP_aes_256_cbc(), passphrase, (int)strlen(passphrase), NULL,
                                             NULL) == 1;
  if (file)
    locked &= fclose(file) == 0;
  EVP_PKEY_free(key);
  return locked;
}

#endif
