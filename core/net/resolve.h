/* DNS that never blocks and never holds up beam_close: a detached thread per look-up, whose late answer is dropped. */
#pragma once

#include <sys/socket.h>

#include "internal.h"

#pragma GCC visibility push(hidden)

enum { BEAM__ADDRESSES_MAX = 16 };

typedef struct beam__addresses {
  struct sockaddr_storage list[BEAM__ADDRESSES_MAX]; /* the port is set; families alternate from the system's first
                                                        choice on (RFC 8305 section 4) */
  size_t count;
} beam__addresses;

typedef struct beam__lookup beam__lookup;

/* `done` is called once from a step, never from inside this call: with addresses, or with NULL and a text ("Name or
 * service not known"). Numeric hosts, localhost and *.localhost ask nobody. The look-up is invalid when `done` returns.
 * Whoever asks from within an owned thing cancels at the latest in its `destroy`. 0 or BEAM_ENO_MEMORY. */
int beam__lookup_start(beam_ctx *ctx, beam__lookup **lookup, const char *host, unsigned port,
                       void (*done)(void *user, const beam__addresses *addresses, const char *error), void *user);
/* Inside `done`, where there is no address: BEAM_EDNS, or BEAM_ENO_MEMORY (for a thread, too). */
int beam__lookup_code(const beam__lookup *lookup);
/* `done` will not be called. NULL is fine; inside `done` it does nothing. */
void beam__lookup_cancel(beam__lookup *lookup);
/* For tests: what is called in place of getaddrinfo, with its contract, from the look-up's thread. NULL: getaddrinfo.
 */
struct addrinfo;
void beam__lookup_use(int (*resolve)(const char *host, const char *service, const struct addrinfo *hints,
                                     struct addrinfo **result));

#pragma GCC visibility pop
