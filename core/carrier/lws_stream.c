/* Bytes in and out of an open connection. libwebsockets takes whole chunks and keeps back what the socket refuses; what
 * it has kept back is not known to the byte, so that a chunk counts as pending until all of it is gone.
 *
 * Traps of its HTTP client role, 4.1.6 to 5.0: POLLIN is served before POLLOUT, so a steady stream in would starve what
 * goes out: every read is followed by a drain. lws_rx_flow_control stops POLLOUT as well, and spins: a pause is to
 * leave the socket unread when it is readable, which the role permits.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "carrier/lws_carrier.h"
#include "net/socket.h"

enum { CHUNK = 65536, REST_SIZE = 65536 };

/* ---- Out ---- */

size_t beam__stream_pending(const beam__carrier *base) {
  const beam__lws_carrier *carrier = (const beam__lws_carrier *)base;
  return carrier->out.len - carrier->out_at + carrier->chunk;
}

/* Before TLS, so that `pending` and this are of one kind. */
void beam__stream_progress(const beam__carrier *base, beam_progress *progress) {
  const beam__lws_carrier *carrier = (const beam__lws_carrier *)base;
  int fd = carrier->link.wsi ? lws_get_socket_fd(carrier->link.wsi) : -1;
  *progress = (beam_progress){carrier->bytes_in, carrier->bytes_out - carrier->chunk, beam__socket_unacknowledged(fd)};
}

static void forget_output(beam__lws_carrier *carrier) {
  beam__bytes_free(&carrier->out);
  carrier->out_at = 0;
  carrier->chunk = 0;
}

/* The peer may have said why before it went: reading goes on until there is nothing left. */
static void break_off(beam__lws_carrier *carrier) {
  if (!carrier->system)
    carrier->system = errno;
  carrier->broken = 1;
  forget_output(carrier);
  beam__task_defer(carrier->ctx, &carrier->task);
}

/* Gives chunks until one is not taken whole; returns how many bytes libwebsockets has now. */
static size_t give(beam__lws_carrier *carrier, const char *data, size_t len) {
  size_t given = 0;
  while (given < len && !carrier->chunk && !carrier->broken) {
    size_t chunk = len - given < CHUNK ? len - given : CHUNK;
    if (lws_write(carrier->link.wsi, (unsigned char *)(uintptr_t)(data + given), chunk, LWS_WRITE_HTTP) < 0) {
      break_off(carrier);
      return len;
    }
    given += chunk;
    carrier->bytes_out += chunk;
    if (lws_partial_buffered(carrier->link.wsi))
      carrier->chunk = chunk;
  }
  return given;
}

int beam__stream_write(beam__carrier *base, const void *data, size_t len) {
  beam__lws_carrier *carrier = (beam__lws_carrier *)base;
  size_t given = 0;
  if (!carrier->link.wsi || carrier->broken || carrier->opening)
    return 0; /* `lost` is on its way */
  if (carrier->out_at == carrier->out.len)
    given = give(carrier, data, len);
  if (given == len && !carrier->chunk)
    return 0; /* the system has it: nothing is left for a step to do */
  beam__touch(carrier->ctx);
  return beam__bytes_add(&carrier->out, (const char *)data + given, len - given);
}

/* Moves what is left to the front only when that is the smaller half, so that each byte is moved about once. */
static void compact(beam__lws_carrier *carrier) {
  if (carrier->out_at == carrier->out.len) {
    beam__bytes_free(&carrier->out);
    carrier->out_at = 0;
  } else if (carrier->out_at > carrier->out.len / 2) {
    beam__bytes_skip(&carrier->out, carrier->out_at);
    carrier->out_at = 0;
  }
}

/* Lets libwebsockets write what it kept back. */
static void flush_chunk(beam__lws_carrier *carrier) {
  if (lws_partial_buffered(carrier->link.wsi) && lws_write(carrier->link.wsi, NULL, 0, LWS_WRITE_HTTP) < 0)
    break_off(carrier);
  else if (!lws_partial_buffered(carrier->link.wsi))
    carrier->chunk = 0;
}

void beam__stream_drain(beam__lws_carrier *carrier) {
  size_t given;
  if (!carrier->link.wsi || carrier->broken || !beam__stream_pending(&carrier->base))
    return;
  if (carrier->chunk)
    flush_chunk(carrier);
  if (!carrier->chunk && !carrier->broken) {
    given = give(carrier, carrier->out.at + carrier->out_at, carrier->out.len - carrier->out_at);
    if (!carrier->broken) {
      carrier->out_at += given;
      compact(carrier);
    }
  }
  if (!carrier->broken && !beam__stream_pending(&carrier->base) && beam__lws_live(carrier))
    carrier->events->drained(carrier->user);
}

/* ---- In ---- */

void beam__stream_pause(beam__carrier *base, int paused) {
  beam__lws_carrier *carrier = (beam__lws_carrier *)base;
  carrier->paused = paused != 0;
  if (!paused && carrier->readable)
    beam__task_defer(carrier->ctx, &carrier->task);
}

int beam__stream_read(beam__lws_carrier *carrier) {
  char *bytes = carrier->lws->input;
  int len = BEAM__INPUT_SIZE, result;
  carrier->readable = 0;
  result = lws_http_client_read(carrier->link.wsi, &bytes, &len);
  if (result >= 0 && carrier->link.wsi)
    beam__stream_drain(carrier);
  return result < 0 ? -1 : 0;
}

static ssize_t read_socket(struct lws *wsi, void *to, size_t size) {
  int fd = lws_get_socket_fd(wsi);
  if (lws_get_ssl(wsi))
    return SSL_read(lws_get_ssl(wsi), to, (int)size);
  if (fd < 0)
    return 0;
  return recv(fd, to, size, MSG_DONTWAIT);
}

/* libwebsockets may have read the error and kept it to itself. The socket's state remembers: after a peer's orderly end
 * it waits for ours, after a reset it is closed. */
static int was_reset(struct lws *wsi) {
#ifdef __linux__
  struct tcp_info info;
  socklen_t size = sizeof info;
  int fd = lws_get_socket_fd(wsi);
  return fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
#else
  (void)wsi;
  return 0;
#endif
}

/* On a reset libwebsockets closes on libuv without reading what had come before it. */
void beam__stream_read_rest(beam__lws_carrier *carrier, struct lws *wsi) {
  char *bytes = malloc(REST_SIZE);
  ssize_t len = -1;
  errno = 0;
  while (bytes && (len = read_socket(wsi, bytes, REST_SIZE)) > 0 && beam__lws_live(carrier))
    carrier->events->data(carrier->user, bytes, (size_t)len);
  if (!carrier->system && len < 0 && errno != EAGAIN)
    carrier->system = errno;
  if (!carrier->system && was_reset(wsi))
    carrier->system = ECONNRESET;
  free(bytes);
}
