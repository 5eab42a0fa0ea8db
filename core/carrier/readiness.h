/* Who says when a socket can be read or written; stream.c does both itself.
 *
 *   stream.c  ->  readiness.h  ->  readiness.c  libuv (the local Beam)
 *                              ->  lws.c        libwebsockets on our loop (the client)
 */
#pragma once

#include "internal.h"

#pragma GCC visibility push(hidden)

typedef struct beam__watch_events {
  void (*ready)(void *user, int readable, int writable); /* also when it was not asked for */
  /* The last event: there is an error at the socket. The descriptor is open until this returns, perhaps longer; what
   * came before can be read. `close` is still to be called. */
  void (*failed)(void *user);
} beam__watch_events;

typedef struct beam__watch {
  void (*want)(struct beam__watch *watch, int reading, int writing);
  void (*close)(struct beam__watch *watch); /* no event comes any more; the descriptor is closed soon */
} beam__watch;

/* Takes the descriptor over, unless it returns NULL: out of memory. Nothing is wanted yet. */
beam__watch *beam__watch_socket(beam_ctx *ctx, int fd, const beam__watch_events *events, void *user);

#pragma GCC visibility pop
