#include "net/tls/localhost.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/random.h"
#include "beam.h"

enum { DAY = 24 * 3600 };

static EVP_PKEY *make_key(void) {
  EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
  EVP_PKEY *key = NULL;
  if (maker && EVP_PKEY_keygen_init(maker) == 1 &&
      EVP_PKEY_CTX_set_ec_paramgen_curve_nid(maker, NID_X9_62_prime256v1) == 1)
    EVP_PKEY_keygen(maker, &key);
  EVP_PKEY_CTX_free(maker);
  return key;
}

/* Two certificates of one issuer must not have one number: a client that knows both takes them for one. */
static int set_serial(X509 *certificate) {
  unsigned char bytes[16];
  BIGNUM *number;
  int set;
  beam__random(bytes, sizeof bytes);
  bytes[0] &= 0x7f;
  number = BN_bin2bn(bytes, sizeof bytes, NULL);
  set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
  BN_free(number);
  return set;
}

static int set_names(X509 *certificate) {
  X509_NAME *name = X509_get_subject_name(certificate);
  static const unsigned char organization[] = "local Beam", host[] = "localhost";
  return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, organization, -1, -1, 0) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0) &&
         X509_set_issuer_name(certificate, name);
}

static int add_extensions(X509 *certificate) {
  static const struct {
    int nid;
    const char *value;
  } extensions[] = {
      {NID_basic_constraints, "critical,CA:FALSE"},
      {NID_key_usage, "critical,digitalSignature"},
      {NID_ext_key_usage, "serverAuth"},
      {NID_subject_key_identifier, "hash"},
      {NID_subject_alt_name, "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1"},
  };
  X509V3_CTX context;
  size_t i;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
  for (i = 0; i < sizeof extensions / sizeof *extensions; i++) {
    X509_EXTENSION *made =
        X509V3_EXT_conf_nid(NULL, &context, extensions[i].nid, (char *)(uintptr_t)extensions[i].value);
    int added = made && X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
    if (!added)
      return 0;
  }
  return 1;
}

/* A day old, for clocks that are late. */
static X509 *make_certificate(EVP_PKEY *key) {
  X509 *certificate = X509_new();
  if (certificate && X509_set_version(certificate, 2) && set_serial(certificate) && set_names(certificate) &&
      X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY) &&
      X509_gmtime_adj(X509_getm_notAfter(certificate), (long)BEAM__LOCALHOST_DAYS * DAY) &&
      X509_set_pubkey(certificate, key) && add_extensions(certificate) && X509_sign(certificate, key, EVP_sha256()))
    return certificate;
  X509_free(certificate);
  return NULL;
}

static int add_text(beam__bytes *to, BIO *bio) {
  char *text;
  long len = BIO_get_mem_data(bio, &text);
  return len <= 0 || beam__bytes_add(to, text, (size_t)len);
}

/* The memory of a secure BIO is wiped when it is freed. */
static int write_pem(beam__bytes *certificate_to, X509 *certificate, beam__bytes *key_to, EVP_PKEY *key) {
  BIO *public = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
  int failed = !public || !secret || PEM_write_bio_X509(public, certificate) != 1 ||
               PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) != 1 ||
               add_text(certificate_to, public) || add_text(key_to, secret);
  BIO_free(public);
  BIO_free(secret);
  return failed ? BEAM_ENO_MEMORY : 0;
}

int beam__tls_localhost(beam__bytes *certificate_to, beam__bytes *key_to) {
  EVP_PKEY *key = make_key();
  X509 *certificate = key ? make_certificate(key) : NULL;
  int code = certificate ? write_pem(certificate_to, certificate, key_to, key) : BEAM_ENO_MEMORY;
  X509_free(certificate);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return code;
}
