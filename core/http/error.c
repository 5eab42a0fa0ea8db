/* What curl says went wrong, told by what the exchange was doing: code, phase, and a sentence to act on. */
#include <arpa/inet.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/http.h"
#include "net/tls/verify.h"

/* Curl's own words, without those it only adds; never a header or a URL, which its texts do not hold. */
static const char *detail(const beam_http *http, CURLcode result) {
  return http->curl_text[0] ? http->curl_text : curl_easy_strerror(result);
}

/* May a byte of the request have left? What went to a proxy to open its tunnel does not count. */
static int was_sent(const beam_http *http) {
  long sent = 0;
  if (http->sent_before_restart)
    return 1;
  if (!http->attempts)
    return 0;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_REQUEST_SIZE, &sent);
  return sent > http->sent_before;
}

static int system_error(const beam_http *http) {
  long system = 0;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_OS_ERRNO, &system);
  return (int)system;
}

static void complete(beam_http *http) {
  http->error.status = http->response.status;
  http->error.sent = was_sent(http);
}

void beam__http_fail(beam_http *http, int code, const char *format, ...) {
  char text[sizeof http->error.message];
  va_list arguments;
  if (http->error.code)
    return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  beam__error(&http->error, code, http->phase, http->peer, "%s", text);
  complete(http);
}

/* ---- Before the request ---- */

/* Once TCP stands, what is not ready is the proxy's tunnel (what was sent before the request asked for it) or TLS. */
static void refine_phase(beam_http *http) {
  curl_off_t connected = 0;
  long tunnel = 0, sent = 0;
  if (http->phase != BEAM_PHASE_TCP)
    return;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_CONNECT_TIME_T, &connected);
  curl_easy_getinfo(http->transfer.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  curl_easy_getinfo(http->transfer.easy, CURLINFO_REQUEST_SIZE, &sent);
  if (http->proxy.host && http->url.tls && sent && tunnel / 100 != 2)
    http->phase = BEAM_PHASE_PROXY;
  else if (connected && http->url.tls)
    http->phase = BEAM_PHASE_TLS;
}

static void fail_name(beam_http *http) {
  http->phase = BEAM_PHASE_DNS;
  beam__http_fail(http, BEAM_EDNS, "the name in %s could not be resolved%s: check it, and this machine's network",
                  http->peer, http->proxy.host ? " (it is the proxy's)" : "");
}

static void fail_connect(beam_http *http) {
  int system = system_error(http);
  beam__http_fail(http, BEAM_ECONNECT, "no connection to %s%s: %s", http->peer, http->proxy.host ? " (the proxy)" : "",
                  system ? strerror(system) : "no address could be reached");
  http->error.system = system;
}

static void fail_tunnel(beam_http *http, CURLcode result) {
  long status = 0;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_HTTP_CONNECTCODE, &status);
  if (status)
    beam__http_fail(http, BEAM_ECONNECT, "the proxy %s refused a tunnel to %s with status %ld%s", http->peer,
                    http->url.authority, status, status == 407 ? ": it wants other credentials" : "");
  else
    beam__http_fail(http, BEAM_ECONNECT, "the proxy %s opened no tunnel to %s: %s", http->peer, http->url.authority,
                    detail(http, result));
  http->error.status = (int)status;
}

static int is_address(const char *host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* curl checks the name itself, after OpenSSL was content with the chain; it then leaves 0 or 1 ("unspecified") here. */
static void fail_certificate(beam_http *http) {
  long verify = 0;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_SSL_VERIFYRESULT, &verify);
  if (verify == X509_V_OK || verify == X509_V_ERR_UNSPECIFIED)
    verify = is_address(http->url.host) ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH;
  beam__tls_verify_error(&http->error, http->url.authority, verify, http->subject, http->issuer);
  complete(http);
}

static void fail_tls(beam_http *http, CURLcode result) {
  http->phase = BEAM_PHASE_TLS;
  beam__http_fail(http, BEAM_ETLS, "the TLS handshake with %s failed: %s", http->url.authority, detail(http, result));
}

/* ---- Later, or at any time ---- */

static void fail_timeout(beam_http *http) {
  if (http->phase < BEAM_PHASE_REQUEST && !http->response.status &&
      !(http->exchange_due && uv_now(&http->ctx->loop) >= http->exchange_due))
    beam__http_fail(http, BEAM_ETIMEOUT, "no connection to %s within %u ms (%s%s)", http->peer,
                    http->connect_timeout_ms,
                    beam__http_lacks_trust(http) ? "the CA certificates are still being read" : "phase ",
                    beam__http_lacks_trust(http) ? "" : beam_phase_name(http->phase));
  else
    beam__http_fail(http, BEAM_ETIMEOUT, "the exchange with %s was not over within %u ms (phase %s)", http->peer,
                    http->timeout_ms, beam_phase_name(http->phase));
}

/* In TLS 1.3 a server refuses the client's certificate only after the handshake, in place of an answer. */
static int is_certificate_alert(const beam_http *http) {
  return strstr(http->curl_text, "alert") && strstr(http->curl_text, "certificate");
}

static void fail_exchange(beam_http *http, CURLcode result) {
  if (!http->response.status && is_certificate_alert(http)) {
    fail_tls(http, result);
    return;
  }
  if (http->phase < BEAM_PHASE_REQUEST) {
    beam__http_fail(http, BEAM_ECONNECT, "no connection to %s: %s", http->peer, detail(http, result));
    return;
  }
  if (http->response.current)
    http->phase = BEAM_PHASE_RESPONSE;
  beam__http_fail(http, BEAM_EHTTP, "the exchange with %s failed while the %s: %s", http->peer,
                  http->phase == BEAM_PHASE_RESPONSE ? "response was being read" : "answer was awaited",
                  detail(http, result));
  http->error.system = system_error(http);
}

void beam__http_fail_again(beam_http *http) {
  http->phase = BEAM_PHASE_REQUEST;
  beam__http_fail(http, BEAM_EHTTP,
                  "%s closed a kept connection after the request was sent and before an answer came; it is not sent "
                  "again, for it may have been carried out",
                  http->peer);
}

/* 7.88 says so of a header line over 100 KiB; newer versions have a code of their own for it. */
static int is_long_header(const beam_http *http, CURLcode result) {
  return result == CURLE_OUT_OF_MEMORY && http->phase == BEAM_PHASE_REQUEST;
}

void beam__http_fail_curl(beam_http *http, CURLcode result) {
  if (http->error.code)
    return;
  refine_phase(http);
  if (result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY)
    fail_name(http);
  else if (result == CURLE_OPERATION_TIMEDOUT)
    fail_timeout(http);
  else if (http->phase == BEAM_PHASE_PROXY)
    fail_tunnel(http, result);
  else if (result == CURLE_SEND_FAIL_REWIND) /* of an upload, whose bytes are gone */
    beam__http_fail_again(http);
  else if (result == CURLE_COULDNT_CONNECT)
    fail_connect(http);
  else if (result == CURLE_PEER_FAILED_VERIFICATION)
    fail_certificate(http);
  else if (http->phase == BEAM_PHASE_TLS && result != CURLE_OUT_OF_MEMORY)
    fail_tls(http, result);
  else if (is_long_header(http, result))
    beam__http_fail(http, BEAM_ETOO_LARGE, "%s: a header of the response is larger than 100 KiB", http->peer);
  else if (result == CURLE_OUT_OF_MEMORY)
    beam__http_fail(http, BEAM_ENO_MEMORY, "out of memory for the exchange with %s", http->peer);
  else
    fail_exchange(http, result);
}
