/* What a refused certificate, or a handshake that failed, means for its reader. */
#include "net/tls/refusal.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "internal.h"

enum { NAME_SHOWN = 72 }; /* bytes of a subject or issuer, so that the advice still fits in the message */

/* ---- A certificate ---- */

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
    to[i] = beam__ascii_is_control(name[i]) ? '?' : name[i];
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
