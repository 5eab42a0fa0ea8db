/* Whom an exchange trusts. curl (7.88) would read the CA file inside a step, 30 to 60 ms: so its own store stays empty,
 * and the shared one (trust.h) is put into its SSL_CTX.
 *
 * But curl keeps connections apart, and TLS sessions, by its options alone: two exchanges with different CA files must
 * differ in one. CURLOPT_CAPATH does it without being read: it names the trust, as a directory that cannot exist. If
 * the store were ever left out, nobody would be trusted.
 */
#include <openssl/ssl.h>
#include <stdio.h>

#include "http/http.h"
#include "net/tls/verify.h"

/* CURLOPT_CAPATH NULL: with a directory beside the file curl (7.88) loads all anew for each connection. */
static int let_curl_load(CURL *easy, const char *ca_file) {
  return curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

int beam__http_choose_trust(beam_http *http, const beam_tls *tls) {
  const char *ca_file = tls->ca_file && *tls->ca_file ? tls->ca_file : beam__tls_ca_bundle();
  CURL *easy = http->transfer.easy;
  char name[48];
  if (!ca_file || tls->insecure)
    return 0;
  if (!beam__curl_has_openssl())
    return let_curl_load(easy, ca_file);
  http->trust = beam__trust_of(http->ctx, ca_file);
  if (!http->trust)
    return BEAM_ENO_MEMORY;
  snprintf(name, sizeof name, "/dev/null/beam-trust-%u", beam__trust_id(http->trust));
  return curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) || curl_easy_setopt(easy, CURLOPT_CAPATH, name);
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
  beam__http_fail(http, BEAM_EINVALID, "%s", beam__trust_error(http->trust));
  return BEAM_EINVALID;
}

void beam__http_release_trust(beam_http *http) {
  beam__trust_forget(&http->trust_waiter);
  beam__trust_release(http->trust);
  http->trust = NULL;
}
