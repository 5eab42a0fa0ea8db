/* TLS, the part that does not speak it: certificates on disk, and what a refused certificate means for its reader. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "net/tls/trust.h"
#include "net/tls/verify.h"

enum { NAME_SHOWN = 72 }; /* bytes of a subject or issuer, so that the advice still fits in the message */

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

static int is_given(const char *text) { return text && *text; }

static int refuse(beam_error *error, const char *field, const char *path, const char *why) {
  return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "tls.%s: %.200s: %s", field, path, why);
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
      refuse(error, field, path, uv_strerror_r(uv_translate_sys_error(system), why, sizeof why));
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
    code =
        refuse_content(error, "key_file", tls->key_file,
                       !passphrase.asked           ? "there is no private key in PEM form in it"
                       : is_given(passphrase.text) ? "tls.key_passphrase does not decrypt it"
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
  if (!is_given(tls->ca_file) && !is_given(tls->cert_file) && !is_given(tls->key_file))
    return 0;
  if (is_given(tls->cert_file) != is_given(tls->key_file))
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL,
                       "tls.cert_file and tls.key_file come together: %s is missing",
                       is_given(tls->cert_file) ? "tls.key_file" : "tls.cert_file");
  ERR_set_mark(); /* libcurl and libwebsockets read OpenSSL's error queue: leave nothing in it */
  if (is_given(tls->ca_file))
    result = check_authority(ctx, tls->ca_file, error);
  if (!result && is_given(tls->cert_file))
    result = check_client(tls, error);
  ERR_pop_to_mark();
  return result;
}

/* ---- A certificate that was refused ---- */

static const char no_bundle[] =
    "this system has no bundle of certificate authorities that was found: install ca-certificates, or set tls.ca_file";

static const struct reason {
  long code;
  const char *text, *advice;
} reasons[] = {
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "it is self-signed", "if you trust it, give it as tls.ca_file"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "its issuer is unknown: the chain ends in a root that is not trusted",
     "if you trust that root, give it as tls.ca_file"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "its issuer is unknown", NULL},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "its issuer is unknown", NULL},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "its issuer is unknown", NULL},
    {X509_V_ERR_CERT_UNTRUSTED, "its issuer is not trusted", NULL},
    {X509_V_ERR_CERT_HAS_EXPIRED, "it has expired", "renew it on the server, and check this machine's clock"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "it is not valid yet", "check this machine's clock, then the server's certificate"},
    {X509_V_ERR_HOSTNAME_MISMATCH, "it is for another host name",
     "check the URL; the server must show a certificate for this name"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "it is not for this address",
     "use the host name that it is for; the server must else show a certificate for this address"},
    {X509_V_ERR_CERT_REVOKED, "its issuer has revoked it", "the server needs a new certificate; do not trust this one"},
    {X509_V_ERR_INVALID_PURPOSE, "it is not meant for a TLS server", "the server must show a server certificate"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "its key is too weak", "the server needs a certificate with a stronger key"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "its issuer's key is too weak", "the server needs a certificate from another issuer"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "it is signed with a digest that is too weak",
     "the server needs a certificate signed with SHA-256 or better"},
};

static const char unknown_issuer_advice[] =
    "give the issuer's certificate as tls.ca_file (or in SSL_CERT_FILE), or let the server send the whole chain";

static struct reason find_reason(long code) {
  struct reason found = {code, NULL, "check the server's certificate, or give its issuer's as tls.ca_file"};
  size_t i;
  for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].code == code)
      found = reasons[i];
  if (!found.text)
    found.text = X509_verify_cert_error_string(code);
  if (!found.advice)
    found.advice = beam_ca_bundle() ? unknown_issuer_advice : no_bundle;
  return found;
}

static void print_name(char *to, size_t size, const X509_NAME *name) {
  BIO *memory = BIO_new(BIO_s_mem());
  int len = 0;
  if (memory && X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253) >= 0)
    len = BIO_read(memory, to, (int)size - 1);
  to[len > 0 ? len : 0] = '\0';
  BIO_free(memory);
}

void beam__tls_names(const X509 *certificate, char *subject, size_t subject_size, char *issuer, size_t issuer_size) {
  print_name(subject, subject_size, X509_get_subject_name(certificate));
  print_name(issuer, issuer_size, X509_get_issuer_name(certificate));
}

/* A name out of the peer's certificate: cut short, with nothing in it that could end a line of a log. */
static void show_name(char to[NAME_SHOWN + 1], const char *name) {
  size_t i;
  for (i = 0; i < NAME_SHOWN && name && name[i]; i++)
    to[i] = (unsigned char)name[i] < ' ' || name[i] == 0x7f ? '?' : name[i];
  to[i] = '\0';
}

static void show_names(char *to, size_t size, const char *subject, const char *issuer) {
  char of[NAME_SHOWN + 1], by[NAME_SHOWN + 1];
  show_name(of, subject);
  show_name(by, issuer);
  *to = '\0';
  if (*of && *by)
    snprintf(to, size, " (subject %s, issuer %s)", of, by);
  else if (*of || *by)
    snprintf(to, size, " (%s %s)", *of ? "subject" : "issuer", *of ? of : by);
}

int beam__tls_verify_error(beam_error *error, const char *host, long verify_code, const char *subject,
                           const char *issuer) {
  struct reason reason = find_reason(verify_code);
  char names[2 * NAME_SHOWN + 32];
  show_names(names, sizeof names, subject, issuer);
  return beam__error(error, BEAM_ETLS, BEAM_PHASE_TLS, host, "the certificate of %.100s was refused: %s%s; %s",
                     host ? host : "the server", reason.text, names, reason.advice);
}

/* ---- A handshake that failed otherwise ---- */

static const struct {
  const char *in_reason, *advice;
} advices[] = {
    {"wrong version number", "; no TLS is spoken there: is it a plain http:// or ws:// port?"},
    {"packet length too long", "; no TLS is spoken there: is it a plain http:// or ws:// port?"},
    {"http request", "; no TLS is spoken there: is it a plain http:// or ws:// port?"},
    {"certificate required", "; the server wants a client certificate: set tls.cert_file and tls.key_file"},
    {"unrecognized name", "; the server knows no such host: check the name in the URL"},
    {"protocol version", "; the server speaks no TLS 1.2 or 1.3"},
};

int beam__tls_handshake_error(beam_error *error, const char *host, const char *reason) {
  const char *advice = "";
  size_t i;
  for (i = 0; i < sizeof advices / sizeof *advices; i++)
    if (strstr(reason, advices[i].in_reason))
      advice = advices[i].advice;
  return beam__error(error, BEAM_ETLS, BEAM_PHASE_TLS, host, "the TLS handshake with %s failed: %s%s", host, reason,
                     advice);
}
