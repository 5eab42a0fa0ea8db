/* One WebSocket, client's or server's: frames in and out over a carrier, one life, one terminal event.
 *
 *   beam_ws_open (client)           open.c, upgrade.c  --\
 *   beam_request_accept (server)    server.c          ---+->  websocket.c  ->  carrier.h
 *
 * A server makes one in three steps: beam__ws_new, then its carrier with beam__ws_carrier_events and the beam_ws as
 * user, then beam__ws_attach; after a failure in between beam_ws_free.
 */
#pragma once

#include "carrier/carrier.h"
#include "internal.h"
#include "websocket/frame.h"

#pragma GCC visibility push(hidden)

/* In BEAM_PHASE_NONE, without a carrier. Of the options close_timeout_ms, max_message, fragments, on_event and user are
 * read. `peer` is "host:port", for errors. 0 or BEAM_ENO_MEMORY. */
int beam__ws_new(beam_ctx *ctx, beam_ws **ws, enum beam__role role, const beam_ws_options *options, const char *peer);
/* Hands over the carrier, whose `close` is now the WebSocket's to call. A server's is open from here on, without an
 * event; a client's once the carrier says `connected`. */
void beam__ws_attach(beam_ws *ws, beam__carrier *carrier);
/* What every carrier of a WebSocket is given, with the beam_ws as `user`. */
extern const beam__carrier_events beam__ws_carrier_events;

#pragma GCC visibility pop
