/* The way to a server: DNS and the CA certificates at the same time, a race of attempts for TCP, the proxy's tunnel,
 * TLS; then a stream (stream.h), on which who asked speaks on.
 */
#pragma once

#include "carrier/carrier.h"
#include "internal.h"
#include "net/proxy.h"

#pragma GCC visibility push(hidden)

typedef struct beam__way { /* zero-initialise */
  beam__url url;
  beam__proxy proxy;
  beam_tls tls; /* checked (net/tls/files.h) */
  unsigned connect_timeout_ms, silence_timeout_ms;
} beam__way;

void beam__way_free(beam__way *way); /* wipes */

/* Opens; the phases begin in the next step. The carrier can only be closed, until `connected` brings the stream. Takes
 * over the way's url and proxy if it succeeds, and zeroes them. 0, BEAM_EINVALID or BEAM_ENO_MEMORY. beam__lws_ready
 * was called before. */
int beam__client_open(beam_ctx *ctx, beam__carrier **carrier, beam__way *way, const beam__carrier_events *events,
                      void *user, beam_error *error);

#pragma GCC visibility pop
