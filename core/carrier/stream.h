/* The carrier over a connected socket, in plain or through TLS.
 *
 *   client.c  (connected, after its 101)  --\
 *                                            +-->  stream.c  -->  readiness.h, net/socket.h
 *   server/   (accepted)                  --/                -->  net/tls/connection.h
 *
 * Beyond carrier.h it can be handed from one holder to the next. `phase`, `connected` and `rejected` never come.
 */
#pragma once

#include "carrier/carrier.h"
#include "carrier/readiness.h"
#include "net/tls/connection.h"

#pragma GCC visibility push(hidden)

typedef beam__watch *beam__watcher(beam_ctx *ctx, int fd, const beam__watch_events *events, void *user);

/* Takes the socket over (net/socket.h), also when it returns NULL: out of memory, or nobody watches it. Reads from the
 * next turn on. `events` must outlive it. */
beam__carrier *beam__stream_new(beam_ctx *ctx, int fd, beam__watcher *watch, const beam__carrier_events *events,
                                void *user);
/* TLS from here on, for the certificate of `host` (see beam__tls_client); `secured` is called from a step when the
 * handshake is over, or `lost` with the reason why it failed. 0 or BEAM_ENO_MEMORY. */
int beam__stream_secure(beam__carrier *carrier, beam__tls_profile *profile, const char *host, const char *peer,
                        void (*secured)(void *user));
/* TLS from here on, as a server (see beam__tls_server): `data` is what was sealed. 0 or BEAM_ENO_MEMORY. */
int beam__stream_serve(beam__carrier *carrier, beam__tls_profile *profile);
/* "address:port" of the other end, or "". */
void beam__stream_peer(const beam__carrier *carrier, char *text, size_t size);
/* Writes several pieces as one. Like `write` of carrier.h. */
int beam__stream_write(beam__carrier *carrier, const uv_buf_t *pieces, unsigned count);
/* From now on the events go to another holder, who is given the `early` bytes (copied) first, from a step. 0, or
 * BEAM_ENO_MEMORY: nothing has changed. */
int beam__stream_hand_over(beam__carrier *carrier, const beam__carrier_events *events, void *user, const void *early,
                           size_t early_len);
/* Closes like BEAM__END_FLUSH, but with `ms` milliseconds instead of 200 for the peer to take what waits. */
void beam__stream_finish(beam__carrier *carrier, unsigned ms);

#pragma GCC visibility pop
