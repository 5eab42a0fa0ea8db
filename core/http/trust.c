/* Whom an exchange trusts, and who it is: what its connection must have in common with another one's to be used again.
 *
 * curl (7.88) would read the CA file inside a step, 30 to 60 ms: so its own store stays empty, and the shared one
 * (trust.h) is put into its SSL_CTX. And it keeps connections apart, and TLS sessions, by its options alone, among
 * which are neither the credentials that a proxy was shown for a tunnel nor what a client certificate's file holds: so
 * exchanges that differ in these must differ in an option. CURLOPT_CAPATH does it without being read: it names trust
 * and identity, as a directory that cannot exist. If the store were ever left out, nobody would be trusted.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "http/http.h"
#include "net/tls/files.h"

/* ---- Identity ---- */

/* 0 for who shows nothing of himself. */
static int identify(const beam_http *http, const beam_tls *tls, uint64_t *identity) {
  unsigned char bytes[BEAM__IDENTITY_SIZE];
  *identity = 0;
  if (!http->proxy.credentials && !tls->cert_file && !tls->key_file)
    return 0;
  if (beam__tls_identify(tls, http->proxy.credentials, bytes))
    return BEAM_ENO_MEMORY;
  memcpy(identity, bytes, sizeof *identity);
  return 0;
}

static int set_identity(beam_http *http, const beam_tls *tls, unsigned trust) {
  CURL *easy = http->transfer.easy;
  char name[64];
  uint64_t identity;
  if (identify(http, tls, &identity))
    return BEAM_ENO_MEMORY;
  snprintf(name, sizeof name, "/dev/null/beam-trust-%u-%016llx", trust, (unsigned long long)identity);
  return curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) || curl_easy_setopt(easy, CURLOPT_CAPATH, name);
}

/* ---- Trust ---- */

/* CURLOPT_CAPATH NULL: with a directory beside the file curl (7.88) loads all anew for each connection. Who shows
 * something of himself has a connection of his own there. */
static int let_curl_load(const beam_http *http, const beam_tls *tls, const char *ca_file) {
  CURL *easy = http->transfer.easy;
  long apart = http->proxy.credentials || tls->cert_file;
  if (ca_file && !tls->insecure &&
      (curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)))
    return BEAM_ENO_MEMORY;
  return curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, apart) || curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, apart);
}

int beam__http_choose_trust(beam_http *http, const beam_tls *tls) {
  const char *ca_file = beam__tls_ca_file(tls);
  if (!beam__curl_has_openssl() || (!ca_file && !tls->insecure))
    return let_curl_load(http, tls, ca_file);
  if (tls->insecure)
    return set_identity(http, tls, 0);
  http->trust = beam__trust_of(http->ctx, ca_file);
  return http->trust ? set_identity(http, tls, beam__trust_id(http->trust)) : BEAM_ENO_MEMORY;
}

/* The second is for the intermediate certificates of a client's own, as curl would have it. */
int beam__http_apply_trust(const beam_http *http, SSL_CTX *context) {
  X509_STORE *store = http->trust ? beam__trust_store(http->trust) : NULL;
  if (!store || (SSL_CTX_set1_verify_cert_store(context, store) && SSL_CTX_set1_chain_cert_store(context, store)))
    return 0;
  return BEAM_ENO_MEMORY;
}

int beam__http_lacks_trust(const beam_http *http) {
  return http->trust && beam__trust_state(http->trust) == BEAM__TRUST_LOADING;
}

int beam__http_check_trust(beam_http *http) {
  if (!http->trust || beam__trust_state(http->trust) != BEAM__TRUST_FAILED)
    return 0;
  http->phase = BEAM_PHASE_TLS;
  beam__http_fail(http, beam__trust_code(http->trust), "%s", beam__trust_error(http->trust));
  return beam__trust_code(http->trust);
}

void beam__http_release_trust(beam_http *http) {
  beam__trust_forget(&http->trust_waiter);
  beam__trust_release(http->trust);
  http->trust = NULL;
}
