/* Reading without asking first. A host that waits for beam_fd is told that something is ready and not what, so libuv
 * asks the system once more. Where it was one socket alone, and the same as before, it most likely is that one again:
 * beam_turn then reads it at once, and what else there is in the next turn, which the host is told of at once. A wrong
 * guess costs one read; after some right ones in a row libuv is asked all the same, so that nobody waits behind a busy
 * socket. */
#pragma once

#pragma GCC visibility push(hidden)

struct beam_ctx;

typedef struct beam__again {
  int (*read)(void *user); /* of the socket that was ready last */
  void *user;
  unsigned ready; /* sockets in this turn */
  unsigned alone; /* turns in a row in which it was the only one */
  unsigned row;   /* right guesses in a row */
} beam__again;

/* A socket is ready. `read` reads it without waiting and returns 1 if there was something. */
void beam__again_note(beam__again *again, int (*read)(void *user), void *user);
/* It is closed. */
void beam__again_forget(beam__again *again, const void *user);
/* Reads the likely one. 0: there is none, or there was nothing to read. */
int beam__again_read(beam__again *again);

#pragma GCC visibility pop
