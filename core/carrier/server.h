/* The local Beam's carriers: connections that are accepted. */
#pragma once

#include "carrier/stream.h"

#pragma GCC visibility push(hidden)

/* Accepts the connection that waits at `listener`, and reads. `events` must outlive it. NULL: no memory, or the client
 * has left already; or, with EAGAIN in errno, none waits. */
beam__carrier *beam__carrier_accept(beam_ctx *ctx, uv_stream_t *listener, const beam__carrier_events *events,
                                    void *user);

#pragma GCC visibility pop
