/* The carrier of a client: TCP, TLS, proxy and the HTTP upgrade over libwebsockets' HTTP client role.
 *
 *   carrier_lws.c   one connection from its opening to its end, and all that libwebsockets calls
 *   lws_opening.c   until it is open: addresses, attempts, deadlines, the request and its answer
 *   lws_stream.c    once it is open: bytes in and out
 */
#ifndef BEAM_CARRIER_LWS_H
#define BEAM_CARRIER_LWS_H

#include "carrier/carrier.h"
#include "internal.h"
#include "net/proxy.h"
#include "websocket/handshake.h"

#pragma GCC visibility push(hidden)

typedef struct beam__lws_request {
  beam__url url;            /* taken over if opening succeeds, and zeroed */
  beam__proxy proxy;        /* likewise */
  beam__bytes head;         /* likewise: from beam__handshake_request */
  char key[BEAM__KEY_SIZE]; /* that it was made with */
  const char *protocols;    /* the subprotocols it offers, or NULL; copied */
  beam_tls tls;             /* checked; copied */
  unsigned connect_timeout_ms, upgrade_timeout_ms;
} beam__lws_request;

/* Opens; the phases begin in the next step. 0, BEAM_EINVALID or BEAM_ENO_MEMORY. beam__lws_ready was called before. */
int beam__carrier_lws_open(beam_ctx *ctx, beam__carrier **carrier, beam__lws_request *request,
                           const beam__carrier_events *events, void *user, beam_error *error);
void beam__lws_request_free(beam__lws_request *request); /* wipes */

#pragma GCC visibility pop

#endif
