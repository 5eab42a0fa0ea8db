/* The words for what goes wrong while a connection opens. */
#ifndef BEAM_LWS_FAILURE_H
#define BEAM_LWS_FAILURE_H

#include "carrier/lws_tls.h"

#pragma GCC visibility push(hidden)

typedef struct beam__failure { /* of a connection whose TCP stood */
  enum beam_phase phase;
  const char *host;  /* "name:port" */
  const char *proxy; /* its host, or NULL */
  const beam__tls_peer *peer;
  int system;            /* errno, or 0 */
  struct beam__lws *lws; /* where what came may lie */
} beam__failure;

void beam__failure_describe(const beam__failure *failure, beam_error *error);
/* "connection refused"; for 0 that the other side ended it. */
const char *beam__system_text(int system, char *to, size_t size);
/* What had not happened when the deadline passed. */
const char *beam__missed_text(enum beam_phase phase);

#pragma GCC visibility pop

#endif
