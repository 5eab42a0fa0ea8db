/* The join between a WebSocket (which speaks frames) or an HTTP connection of the server and what carries its bytes.
 *
 *   websocket/  --ops-->     client.c  the way to a server: DNS, TCP, proxy, TLS
 *   server/     <--events--  stream.c  a connected socket: the client's once it stands, and the server's
 *
 * A carrier is made by its own function, which takes the events and their user. Events come from beam_step only. `lost`
 * and `rejected` are terminal: none comes after them, and none after `close` was called. Whoever holds the carrier
 * calls `close` exactly once, also after a terminal event; the carrier frees itself, when it is safe.
 */
#pragma once

#include "beam.h"

#pragma GCC visibility push(hidden)

typedef struct beam__carrier beam__carrier;

enum beam__carrier_end {
  BEAM__END_FLUSH, /* write what waits, and let the peer take it (for up to 200 ms), then close */
  BEAM__END_NOW,   /* close; what waits is dropped */
  BEAM__END_RESET  /* close with a TCP reset */
};

typedef struct beam__carrier_events {
  void (*phase)(void *user, enum beam_phase phase);
  /* It stands, and `carrier` takes its place: the one that was opened is gone, and is not to be closed any more. With
   * the head of the answer, where one was waited for. */
  void (*connected)(void *user, beam__carrier *carrier, int status, const beam_header *headers, size_t header_count);
  /* Never while paused, but for what is left when the connection is lost: `lost` follows at once. */
  void (*data)(void *user, const void *data, size_t len);
  void (*drained)(void *user); /* pending fell to 0 */
  void (*rejected)(void *user, const beam_error *error, const beam_header *headers, size_t header_count,
                   const char *body, size_t body_len); /* error->status: the HTTP status */
  void (*lost)(void *user, const beam_error *error);   /* error NULL: the peer ended TCP in order */
} beam__carrier_events;

/* Until it is connected there are `progress` and `close` alone, and `close` alone while a socket is made for it. */
typedef struct beam__carrier_ops {
  /* Takes all of `data`, copying what the system does not take at once. 0 or BEAM_ENO_MEMORY. */
  int (*write)(beam__carrier *carrier, const void *data, size_t len);
  size_t (*pending)(const beam__carrier *carrier);
  void (*progress)(const beam__carrier *carrier, beam_progress *progress);
  void (*pause)(beam__carrier *carrier, int paused);
  void (*close)(beam__carrier *carrier, enum beam__carrier_end end);
} beam__carrier_ops;

/* The first member of every carrier. */
struct beam__carrier {
  const beam__carrier_ops *ops;
};

#pragma GCC visibility pop
