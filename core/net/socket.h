/* A TCP socket of ours: non-blocking, closed when another program is started, and silent where it would make SIGPIPE,
 * which is the program's to decide about.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#pragma GCC visibility push(hidden)

/* -1 and errno. */
int beam__socket_open(int family);
/* Makes a socket that came from elsewhere one of ours. */
void beam__socket_adopt(int fd);
/* What happened to it, an errno, told once; 0: nothing. */
int beam__socket_error(int fd);
/* "address:port" of the other end; "" if there is none. */
void beam__socket_peer(int fd, char *text, size_t size);
/* Writes the pieces as one: how many bytes the system took, 0 where it has no room; or a negative code of libuv's. */
ssize_t beam__socket_send(int fd, const uv_buf_t *pieces, unsigned count);
/* Closing it will send a reset, and drop what waits. */
void beam__socket_reset_on_close(int fd);
/* What is sent and not acknowledged for so long ends the connection; 0: the system's own patience. */
void beam__socket_limit_silence(int fd, unsigned ms);
/* Bytes that the system holds for the peer: not sent, or sent and not confirmed by its system. 0 where the system does
 * not say. */
size_t beam__socket_unacknowledged(int fd);

/* Milliseconds since the peer's system confirmed something, while it has something to confirm: bytes, or a question
 * whether it takes bytes again. 0: nothing, or the system does not say. */
unsigned beam__socket_unanswered_ms(int fd);

#pragma GCC visibility pop
