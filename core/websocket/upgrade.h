/* The client's way to an open WebSocket, as a carrier: it opens the way to the server (carrier/client.h), asks for the
 * upgrade and reads the answer; then the stream takes its place.
 */
#pragma once

#include "carrier/client.h"
#include "websocket/handshake.h"

#pragma GCC visibility push(hidden)

typedef struct beam__upgrade_request { /* zero-initialise */
  beam__way way;
  beam__bytes head;         /* from beam__handshake_request */
  char key[BEAM__KEY_SIZE]; /* that it was made with */
  char *offer;              /* the subprotocols it offers (beam__handshake_offer) */
  unsigned timeout_ms;
} beam__upgrade_request;

void beam__upgrade_request_free(beam__upgrade_request *request); /* wipes */

/* Opens; the phases begin in the next step. Takes over what is in the request if it succeeds, and zeroes it. 0,
 * BEAM_EINVALID or BEAM_ENO_MEMORY. beam__lws_ready was called before. */
int beam__upgrade_open(beam_ctx *ctx, beam__carrier **carrier, beam__upgrade_request *request,
                       const beam__carrier_events *events, void *user, beam_error *error);

#pragma GCC visibility pop
