/* libwebsockets: it adopts our connected sockets in its RAW role and serves them on our loop. All that knows it, and
 * its versions, is in lws.c.
 */
#pragma once

#include "carrier/readiness.h"

#pragma GCC visibility push(hidden)

/* Makes the context's libwebsockets if it is not there. 0, BEAM_EINVALID (it does not start) or BEAM_ENO_MEMORY. */
int beam__lws_ready(beam_ctx *ctx, beam_error *error);
/* Like beam__watch_socket. NULL also where its table is full (beam_options.connections). */
beam__watch *beam__lws_watch(beam_ctx *ctx, int fd, const beam__watch_events *events, void *user);

#pragma GCC visibility pop
