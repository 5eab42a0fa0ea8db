/* What is asked of a connected socket beside its bytes. */
#ifndef BEAM_SOCKET_H
#define BEAM_SOCKET_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Bytes that the system holds for the peer: not sent, or sent and not confirmed by its system. 0 where the system does
 * not say. */
size_t beam__socket_unacknowledged(int fd);

#pragma GCC visibility pop

#endif
