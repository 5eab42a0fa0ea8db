/* Happy eyeballs (RFC 8305): addresses are tried in turn, each 250 ms after the one before or at once when that failed,
 * and race until one of them stands. Knows nothing of sockets.
 */
#ifndef BEAM_CONNECT_RACE_H
#define BEAM_CONNECT_RACE_H

#include "internal.h"

#pragma GCC visibility push(hidden)

typedef struct beam__race { /* the first five are the caller's to fill in */
  beam_ctx *ctx;
  size_t count;                             /* addresses */
  int (*attempt)(void *user, size_t index); /* 0: it runs; else it failed at once */
  void (*lost)(void *user);                 /* all have failed; the race may be freed in it */
  void *user;
  size_t next, running;
  beam_timer *stagger;
} beam__race;

void beam__race_start(beam__race *race);
/* One of the running attempts failed. */
void beam__race_failed(beam__race *race);
/* No further attempt is made and nothing called; the attempts that run are the caller's to end. */
void beam__race_stop(beam__race *race);

#pragma GCC visibility pop

#endif
