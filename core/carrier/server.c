/* libuv accepts, the stream does the rest. Not libuv's own streams, because they (1.44) write with write(): a peer that
 * has gone in two steps, FIN then RST, makes SIGPIPE of that, which ends a program that does not ignore it.
 */
#include "carrier/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "net/socket.h"

static void free_handle(uv_handle_t *handle) { free(handle); }

/* The socket that waits at the listener, which libuv gives out as a stream only; -1: none waits (errno is EAGAIN), or
 * no room. */
static int take_socket(beam_ctx *ctx, uv_stream_t *listener) {
  uv_tcp_t *accepted = malloc(sizeof *accepted);
  uv_os_fd_t theirs;
  int fd = -1, status;
  if (!accepted)
    return -1;
  uv_tcp_init(&ctx->loop, accepted);
  status = uv_accept(listener, (uv_stream_t *)accepted);
  errno = -status;
  if (status == 0 && uv_fileno((uv_handle_t *)accepted, &theirs) == 0)
    fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
  uv_close((uv_handle_t *)accepted, free_handle);
  if (fd >= 0)
    beam__socket_adopt(fd);
  return fd;
}

beam__carrier *beam__carrier_accept(beam_ctx *ctx, uv_stream_t *listener, const beam__carrier_events *events,
                                    void *user) {
  int fd = take_socket(ctx, listener);
  return fd < 0 ? NULL : beam__stream_new(ctx, fd, beam__watch_socket, events, user);
}
