/* What curl says went wrong, told by what the exchange was doing: code, phase, and a sentence to act on. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "net/tls/refusal.h"
#include "net/tunnel.h"

/* Curl's own words, without those it only adds; never a header or a URL, which its texts do not hold. */
static const char *detail(const beam_http *http, CURLcode result) {
  return http->curl_text[0] ? http->curl_text : curl_easy_strerror(result);
}

/* May a byte of the request have left? What went to a proxy to open its tunnel does not count. */
int beam__http_was_sent(const beam_http *http) {
  long sent = 0;
  if (http->sent_before_restart || http->response.current || http->upload.asked)
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
  http->error.sent = beam__http_was_sent(http);
}

int beam__http_fail(beam_http *http, int code, const char *format, ...) {
  char text[sizeof http->error.message];
  va_list arguments;
  if (http->error.code)
    return -1;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  beam__error(&http->error, code, http->phase, http->peer, "%s", text);
  complete(http);
  return -1;
}

/* ---- Before the request ---- */

/* Once TCP stands, what is not ready is the proxy's tunnel or TLS. The count of connections says so in every version
 * (7.88, 8.14, 8.22); times and bytes sent do not. */
static void refine_phase(beam_http *http) {
  long tunnel = 0, connections = 0;
  if (http->phase != BEAM_PHASE_TCP || !http->url.tls)
    return;
  curl_easy_getinfo(http->transfer.easy, CURLINFO_NUM_CONNECTS, &connections);
  curl_easy_getinfo(http->transfer.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  if (http->proxy.host && (tunnel ? tunnel / 100 != 2 : connections > 0))
    http->phase = BEAM_PHASE_PROXY;
  else if (connections)
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
  if (!status)
    beam__http_fail(http, BEAM_ECONNECT, "the proxy %s opened no tunnel to %s: %s", http->peer, http->url.authority,
                    detail(http, result));
  else if (!http->error.code)
    beam__tunnel_refused(&http->error, (int)status, http->peer, http->url.authority);
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

/* OpenSSL's words, which curl wraps: "OpenSSL/3.0.19: error:0A00010B:SSL routines::wrong version number". */
static const char *reason_in(const char *text) {
  const char *last = strrchr(text, ':');
  return strstr(text, "error:") && last[1] ? last + 1 : text;
}

static void fail_tls(beam_http *http, CURLcode result) {
  http->phase = BEAM_PHASE_TLS;
  beam__tls_handshake_error(&http->error, http->url.authority, reason_in(detail(http, result)));
  complete(http);
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

/* The number of the TLS alert that OpenSSL's error code in curl's text stands for ("error:0A00045C:…"), or 0. */
static int alert_of(const char *text) {
  const char *code = strstr(text, "error:");
  unsigned long error = code ? strtoul(code + 6, NULL, 16) : 0;
  int reason = error && ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256 ? reason - SSL_AD_REASON_OFFSET : 0;
}

/* In TLS 1.3 a server refuses the client's certificate only after the handshake, in place of an answer. */
static int is_certificate_alert(const beam_http *http) {
  switch (alert_of(http->curl_text)) {
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
  case SSL_AD_CERTIFICATE_REVOKED:
  case SSL_AD_CERTIFICATE_EXPIRED:
  case SSL_AD_CERTIFICATE_UNKNOWN:
  case SSL_AD_UNKNOWN_CA:
  case SSL_AD_ACCESS_DENIED:
  case SSL_AD_CERTIFICATE_REQUIRED:
    return 1;
  default:
    return 0;
  }
}

/* Each version has other words for a connection that ended inside of an answer. */
static void fail_cut_short(beam_http *http) {
  curl_off_t length = -1, got = 0;
  char early[32] = "too";
  curl_easy_getinfo(http->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(http->transfer.easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
  if (length > got)
    snprintf(early, sizeof early, "%lld bytes", (long long)(length - got));
  beam__http_fail(http, BEAM_EHTTP, "the exchange with %s failed while the response was being read: it ended %s early",
                  http->peer, early);
  http->error.system = system_error(http);
}

/* Most servers that speak TLS only say nothing to who does not. */
static const char *no_answer(const beam_http *http) {
  return http->url.tls ? "it ended the connection without an answer"
                       : "it ended the connection without an answer; if it speaks TLS only: https://";
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
  if (http->phase == BEAM_PHASE_RESPONSE && result == CURLE_PARTIAL_FILE) {
    fail_cut_short(http);
    return;
  }
  beam__http_fail(http, BEAM_EHTTP, "the exchange with %s failed while the %s: %s", http->peer,
                  http->phase == BEAM_PHASE_RESPONSE ? "response was being read" : "answer was awaited",
                  result == CURLE_GOT_NOTHING ? no_answer(http) : detail(http, result));
  http->error.system = system_error(http);
}

void beam__http_fail_again(beam_http *http) {
  http->phase = BEAM_PHASE_REQUEST;
  beam__http_fail(http, BEAM_EHTTP,
                  "%s closed a kept connection after the request was sent and before an answer came; it is not sent "
                  "again, for it may have been carried out",
                  http->peer);
  http->error.sent = 1;
}

enum { TOO_LARGE = 100 }; /* CURLE_TOO_LARGE, which headers before 8.6 do not have */

static int is_within_head(const beam_http *http) { return http->response.current && !http->response.status; }

/* Of memory that ran out curl tells in many ways, a certificate that was refused among them; but malloc leaves ENOMEM.
 */
static int is_starved(const beam_http *http, CURLcode result) {
  if (result == CURLE_OPERATION_TIMEDOUT)
    return 0;
  return http->ctx->curl->starved || strstr(http->curl_text, "malloc failure") ||
         (result == CURLE_OUT_OF_MEMORY && !is_within_head(http));
}

/* A header line over 100 KiB; until 8.5 the code was that of memory. */
static int is_long_header(const beam_http *http, CURLcode result) {
  return is_within_head(http) && (result == CURLE_OUT_OF_MEMORY || (int)result == TOO_LARGE);
}

static void fail_long_header(beam_http *http) {
  http->phase = BEAM_PHASE_RESPONSE;
  beam__http_fail(http, BEAM_ETOO_LARGE, "%s: a header of the response is larger than 100 KiB", http->peer);
}

/* What newer versions (8.22) find before we are given the line; the older ones hand it on, and response.c finds it. */
static void fail_head(beam_http *http) {
  http->phase = BEAM_PHASE_RESPONSE;
  beam__http_fail(http, BEAM_EHTTP, "%s: %s", http->peer, beam__response_unreadable);
  http->error.status = http->response.current;
}

void beam__http_fail_curl(beam_http *http, CURLcode result) {
  if (http->error.code)
    return;
  refine_phase(http);
  if (is_starved(http, result))
    beam__http_fail(http, BEAM_ENO_MEMORY, "out of memory for the exchange with %s", http->peer);
  else if (result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY)
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
  else if (http->phase == BEAM_PHASE_TLS)
    fail_tls(http, result);
  else if (is_long_header(http, result))
    fail_long_header(http);
  else if (result == CURLE_WEIRD_SERVER_REPLY && is_within_head(http))
    fail_head(http);
  else
    fail_exchange(http, result);
}
