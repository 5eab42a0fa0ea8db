/* Certificates and keys on disk: the system's, and those that the caller names. */
#include "net/tls/files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "internal.h"
#include "net/tls/trust.h"

/* ---- The system's store ---- */

const char *beam_ca_bundle(void) {
  static const char *const places[] = {
      "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo, Alpine */
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
      "/etc/pki/tls/certs/ca-bundle.crt",                  /* older Fedora, RHEL, Amazon Linux */
      "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
      "/etc/ssl/cert.pem",                                 /* Alpine without ca-certificates, macOS, the BSDs */
      "/opt/homebrew/etc/ca-certificates/cert.pem",        /* Homebrew on Apple silicon */
      "/opt/homebrew/etc/openssl@3/cert.pem",
      "/usr/local/etc/ca-certificates/cert.pem", /* Homebrew on Intel */
      "/usr/local/etc/openssl@3/cert.pem",
  };
  const char *chosen = getenv("SSL_CERT_FILE");
  size_t i;
  if (chosen && *chosen && access(chosen, R_OK) == 0)
    return chosen;
  for (i = 0; i < sizeof places / sizeof *places; i++)
    if (access(places[i], R_OK) == 0)
      return places[i];
  return NULL;
}

/* ---- Files the caller names ---- */

const char *beam__tls_ca_file(const beam_tls *tls) {
  return beam__is_given(tls->ca_file) ? tls->ca_file : beam_ca_bundle();
}

static int refuse(beam_error *error, const char *field, const char *path, const char *why) {
  return beam__invalid(error, "tls.%s: %.200s: %s", field, path, why);
}

/* What OpenSSL could not read; of memory that ran out it says no more than that, but malloc leaves ENOMEM. */
static int refuse_content(beam_error *error, const char *field, const char *path, const char *why) {
  if (errno == ENOMEM)
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory for tls.%s", field);
  return refuse(error, field, path, why);
}

static FILE *open_file(const char *field, const char *path, beam_error *error) {
  FILE *file = fopen(path, "re");
  if (!file) {
    int system = errno;
    char why[128];
    if (system == ENOMEM)
      refuse_content(error, field, path, "");
    else
      refuse(error, field, path, beam__system_text(system, why, sizeof why));
    if (error)
      error->system = system;
  }
  return file;
}

/* 0 and the first certificate of a PEM file, or the error. */
static int read_certificate(X509 **certificate, const char *field, const char *path, beam_error *error) {
  FILE *file = open_file(field, path, error);
  int code = 0;
  *certificate = NULL;
  if (!file)
    return errno == ENOMEM ? BEAM_ENO_MEMORY : BEAM_EINVALID;
  errno = 0;
  *certificate = PEM_read_X509(file, NULL, NULL, NULL);
  if (!*certificate)
    code = refuse_content(error, field, path, "there is no certificate in PEM form in it");
  fclose(file);
  return code;
}

struct passphrase {
  const char *text;
  int asked;
};

static int tell_passphrase(char *to, int size, int writing, void *user) {
  struct passphrase *passphrase = user;
  passphrase->asked = 1;
  return beam__tls_passphrase(to, size, writing, (void *)(uintptr_t)passphrase->text);
}

int beam__tls_passphrase(char *to, int size, int writing, void *text) {
  size_t len = text ? strlen(text) : 0;
  (void)writing;
  if (!len || len > (size_t)size)
    return -1;
  memcpy(to, text, len);
  return (int)len;
}

static int read_key(EVP_PKEY **key, const beam_tls *tls, beam_error *error) {
  FILE *file = open_file("key_file", tls->key_file, error);
  struct passphrase passphrase = {tls->key_passphrase, 0};
  int code = 0;
  *key = NULL;
  if (!file)
    return errno == ENOMEM ? BEAM_ENO_MEMORY : BEAM_EINVALID;
  errno = 0;
  *key = PEM_read_PrivateKey(file, NULL, tell_passphrase, &passphrase);
  if (!*key)
    code = refuse_content(error, "key_file", tls->key_file,
                          !passphrase.asked ? "there is no private key in PEM form in it"
                          : beam__is_given(passphrase.text)
                              ? "tls.key_passphrase does not decrypt it"
                              : "the key is encrypted: set tls.key_passphrase, or decrypt it with "
                                "`openssl pkey -in FILE -out FILE`");
  fclose(file);
  return code;
}

static int check_client(const beam_tls *tls, beam_error *error) {
  X509 *certificate;
  EVP_PKEY *key = NULL;
  int result = read_certificate(&certificate, "cert_file", tls->cert_file, error);
  if (!result)
    result = read_key(&key, tls, error);
  errno = 0;
  if (!result && X509_check_private_key(certificate, key) != 1)
    result = refuse_content(error, "key_file", tls->key_file, "it does not belong to the certificate in tls.cert_file");
  EVP_PKEY_free(key);
  X509_free(certificate);
  return result;
}

/* What could block the caller is not read here. What is good is loaded, even where nothing will be encrypted: the next
 * check then needs no more than a look at the file's state. */
static int check_authority(beam_ctx *ctx, const char *path, beam_error *error) {
  struct stat file;
  X509 *authority;
  int code;
  if (beam__trust_is_ready(ctx, path) || (stat(path, &file) == 0 && !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode)))
    return 0;
  code = read_certificate(&authority, "ca_file", path, error);
  X509_free(authority);
  if (!code)
    beam__trust_release(beam__trust_of(ctx, path));
  return code;
}

int beam__tls_check(beam_ctx *ctx, const beam_tls *tls, beam_error *error) {
  int result = 0;
  if (!beam__is_given(tls->ca_file) && !beam__is_given(tls->cert_file) && !beam__is_given(tls->key_file))
    return 0;
  if (beam__is_given(tls->cert_file) != beam__is_given(tls->key_file))
    return beam__invalid(error, "tls.cert_file and tls.key_file come together: %s is missing",
                         beam__is_given(tls->cert_file) ? "tls.key_file" : "tls.cert_file");
  ERR_set_mark(); /* libcurl and libwebsockets read OpenSSL's error queue: leave nothing in it */
  if (beam__is_given(tls->ca_file))
    result = check_authority(ctx, tls->ca_file, error);
  if (!result && beam__is_given(tls->cert_file))
    result = check_client(tls, error);
  ERR_pop_to_mark();
  return result;
}

/* ---- Who shows them ---- */

static unsigned char salt[16];
static pthread_once_t salted = PTHREAD_ONCE_INIT;

static void make_salt(void) { beam__random(salt, sizeof salt); }

/* What cannot be read is found when it is loaded: nobody is taken meanwhile for who shows nothing. */
static int add_file(EVP_MD_CTX *digest, const char *path) {
  char piece[4096];
  size_t got;
  FILE *file = beam__is_given(path) ? fopen(path, "re") : NULL;
  int added = EVP_DigestUpdate(digest, file ? "+" : beam__is_given(path) ? "?" : "-", 1);
  while (file && (got = fread(piece, 1, sizeof piece, file)) > 0)
    added &= EVP_DigestUpdate(digest, piece, got);
  if (file)
    fclose(file);
  beam__wipe(piece, sizeof piece);
  return added;
}

static int add_text(EVP_MD_CTX *digest, const char *text) {
  return EVP_DigestUpdate(digest, text ? text : "", text ? strlen(text) + 1 : 1);
}

int beam__tls_identify(const beam_tls *files, const char *more, unsigned char identity[BEAM__IDENTITY_SIZE]) {
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  int made;
  pthread_once(&salted, make_salt);
  made = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) && EVP_DigestUpdate(digest, salt, sizeof salt) &&
         add_file(digest, files->cert_file) && add_file(digest, files->key_file) &&
         add_text(digest, files->key_passphrase) && add_text(digest, more) &&
         EVP_DigestFinal_ex(digest, identity, NULL);
  EVP_MD_CTX_free(digest);
  return made ? 0 : BEAM_ENO_MEMORY;
}
