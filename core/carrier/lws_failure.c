/* One text for each phase: who ended it, what was said, what to do. */
#include "carrier/lws_failure.h"

#include "carrier/answer_lws.h"
#include "net/tls/verify.h"

const char *beam__system_text(int system, char *to, size_t size) {
  if (!system)
    return "closed by the other side";
  return uv_strerror_r(uv_translate_sys_error(system), to, size);
}

const char *beam__missed_text(enum beam_phase phase) {
  switch (phase) {
  case BEAM_PHASE_TCP:
    return "no TCP connection could be made";
  case BEAM_PHASE_PROXY:
    return "the proxy did not answer";
  case BEAM_PHASE_TLS:
    return "the TLS handshake did not end";
  case BEAM_PHASE_UPGRADE:
    return "the server did not answer the upgrade";
  default:
    return "the name was not resolved";
  }
}

static void describe_tls(const beam__failure *failure, beam_error *error) {
  const beam__tls_peer *peer = failure->peer;
  char text[96];
  if (peer->verify_code)
    beam__tls_verify_error(error, failure->host, peer->verify_code, peer->subject, peer->issuer);
  else
    beam__error(error, BEAM_ETLS, BEAM_PHASE_TLS, failure->host, "the TLS handshake with %s failed: %s", failure->host,
                *peer->reason ? peer->reason : beam__system_text(failure->system, text, sizeof text));
}

static void describe_proxy(const beam__failure *failure, beam_error *error) {
  int status = beam__answer_of_proxy(failure->lws);
  char text[96];
  if (status)
    beam__error(error, BEAM_ECONNECT, BEAM_PHASE_PROXY, failure->host,
                "the proxy %s refused a tunnel to %s with status %d%s", failure->proxy, failure->host, status,
                status == 407 ? ": it wants (other) credentials" : "");
  else
    beam__error(error, BEAM_ECONNECT, BEAM_PHASE_PROXY, failure->host, "the proxy %s gave no tunnel to %s: %s",
                failure->proxy, failure->host, beam__system_text(failure->system, text, sizeof text));
  error->status = status;
}

static void describe_upgrade(const beam__failure *failure, beam_error *error) {
  char text[96], came[80];
  beam__lws_shown(failure->lws, came, sizeof came);
  if (*came && !failure->system)
    beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, failure->host,
                "%s answered the upgrade with what is not HTTP, is cut short or has a head over %d bytes: \"%s\"",
                failure->host, BEAM__LWS_HEAD_MAX, came);
  else
    beam__error(error, BEAM_ECLOSED, BEAM_PHASE_UPGRADE, failure->host, "%s ended the connection before its answer: %s",
                failure->host, beam__system_text(failure->system, text, sizeof text));
}

void beam__failure_describe(const beam__failure *failure, beam_error *error) {
  switch (failure->phase) {
  case BEAM_PHASE_UPGRADE:
    describe_upgrade(failure, error);
    break;
  case BEAM_PHASE_TLS:
    describe_tls(failure, error);
    break;
  case BEAM_PHASE_PROXY:
    describe_proxy(failure, error);
    break;
  default:
    beam__error(error, BEAM_ECONNECT, failure->phase, failure->host, "%s ended the connection", failure->host);
  }
  error->system = failure->system;
}
