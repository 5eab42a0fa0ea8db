/* The carrier over a TCP connection that was accepted: first the HTTP server's, then, after a 101, a WebSocket's.
 *
 *   server/connection.c  --\
 *                           +-->  carrier_tcp.c  -->  libuv
 *   websocket.c          --/
 *
 * Beyond carrier.h it can be handed from one holder to the next. `phase`, `connected` and `rejected` never come.
 */
#ifndef BEAM_CARRIER_TCP_H
#define BEAM_CARRIER_TCP_H

#include "carrier/carrier.h"
#include "internal.h"

#pragma GCC visibility push(hidden)

/* The memory that all connections of a listener read into, one after the other; counted. */
typedef struct beam__read_buffer beam__read_buffer;

beam__read_buffer *beam__read_buffer_new(void); /* NULL: no memory */
void beam__read_buffer_release(beam__read_buffer *buffer);

/* Accepts the connection that waits at `listener`, and reads. `events` must outlive it. NULL: no memory, or the client
 * has left already. */
beam__carrier *beam__carrier_tcp_accept(beam_ctx *ctx, uv_stream_t *listener, beam__read_buffer *buffer,
                                        const beam__carrier_events *events, void *user);
/* Writes several pieces as one. Like `write` of carrier.h. */
int beam__carrier_tcp_write(beam__carrier *carrier, const uv_buf_t *pieces, unsigned count);
/* From now on the events go to another holder, who is given the `early` bytes (copied) first, from a step. 0, or
 * BEAM_ENO_MEMORY: nothing has changed. */
int beam__carrier_tcp_hand_over(beam__carrier *carrier, const beam__carrier_events *events, void *user,
                                const void *early, size_t early_len);
/* Closes like BEAM__END_FLUSH, but with `ms` milliseconds instead of 200 for the peer to take what waits. */
void beam__carrier_tcp_finish(beam__carrier *carrier, unsigned ms);
/* "address:port" of the other end; valid as long as the carrier. */
const char *beam__carrier_tcp_peer(const beam__carrier *carrier);

#pragma GCC visibility pop

#endif
