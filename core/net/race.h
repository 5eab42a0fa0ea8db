/* TCP to the first of several addresses that stands. Happy eyeballs (RFC 8305): they are tried in turn, each 250 ms
 * after the one before or at once when that failed, and race.
 */
#pragma once

#include "net/resolve.h"

#pragma GCC visibility push(hidden)

typedef struct beam__race beam__race;

/* `done` is called once from a step, never from inside this call: with a connected socket (net/socket.h) that is the
 * callee's from then on; or with -1, the errno of the address that failed last, and what became of each ("connection
 * refused (127.0.0.1:80); …"). The race is invalid when `done` returns. 0 or BEAM_ENO_MEMORY. */
int beam__race_start(beam_ctx *ctx, beam__race **race, const beam__addresses *addresses,
                     void (*done)(void *user, int fd, int system, const char *failures), void *user);
/* `done` will not be called. NULL is fine. In an owned thing's `destroy` at the latest. */
void beam__race_cancel(beam__race *race);

#pragma GCC visibility pop
