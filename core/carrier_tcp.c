/* A TCP connection on libuv. Writing is tried at once; what the system does not take is copied and goes out with one
 * uv_write at a time, so that many small messages that had to wait leave together.
 *
 * Ending in order takes care: close(2) with bytes unread makes the kernel send a reset, which may overtake what was
 * written last (RFC 9112 section 9.6). So: write what waits, shut down our half, discard what still comes until the
 * peer's end, all within a bound.
 */
#include "carrier_tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bytes.h"

enum { READ_SIZE = 65536, FLUSH_MS = 200, PIECES_MAX = 8 };

struct beam__read_buffer {
  unsigned references;
  char bytes[READ_SIZE];
};

typedef struct tcp_carrier {
  beam__carrier base;
  beam_ctx *ctx;
  const beam__carrier_events *events; /* NULL once closed by the holder */
  void *user;
  beam__owned owned; /* by the context, from the holder's close to the end of the socket */
  uv_tcp_t socket;
  uv_timer_t deadline; /* bounds an orderly end; not initialised before */
  unsigned handles;    /* of these two, how many are open */
  uv_write_t write;
  beam__bytes writing; /* what `write` carries */
  beam__bytes queued;  /* what waits behind it */
  beam__bytes early;   /* what the previous holder had read too far */
  beam__task later;    /* early bytes and failed writes, to be told from a step */
  beam__read_buffer *buffer;
  int write_error; /* of libuv */
  unsigned paused : 1;
  unsigned ended : 1; /* the terminal event came, or the peer's end */
  unsigned closing : 1;
  char peer[64];
} tcp_carrier;

static tcp_carrier *of(beam__carrier *carrier) { return BEAM__CONTAINER(carrier, tcp_carrier, base); }
static uv_stream_t *stream(tcp_carrier *tcp) { return (uv_stream_t *)&tcp->socket; }
static int has_queue(const tcp_carrier *tcp) { return tcp->writing.len > 0; }

/* ---- The read buffer ---- */

beam__read_buffer *beam__read_buffer_new(void) {
  beam__read_buffer *buffer = malloc(sizeof *buffer);
  if (buffer)
    buffer->references = 1;
  return buffer;
}

void beam__read_buffer_release(beam__read_buffer *buffer) {
  if (buffer && --buffer->references == 0)
    free(buffer);
}

/* ---- The end ---- */

static void on_handle_closed(uv_handle_t *handle) {
  tcp_carrier *tcp = handle->data;
  if (--tcp->handles)
    return;
  beam__bytes_free(&tcp->writing);
  beam__bytes_free(&tcp->queued);
  beam__bytes_free(&tcp->early);
  beam__read_buffer_release(tcp->buffer);
  free(tcp);
}

/* May be called again while it closes. */
static void close_handles(tcp_carrier *tcp) {
  if (tcp->closing)
    return;
  tcp->closing = 1;
  tcp->events = NULL;
  beam__task_cancel(&tcp->later);
  beam__list_remove(&tcp->owned.node);
  uv_close((uv_handle_t *)&tcp->socket, on_handle_closed);
  if (tcp->handles > 1)
    uv_close((uv_handle_t *)&tcp->deadline, on_handle_closed);
}

static void destroy_owned(beam__owned *owned) { close_handles(BEAM__CONTAINER(owned, tcp_carrier, owned)); }
static void on_deadline(uv_timer_t *timer) { close_handles(timer->data); }

static int descriptor(tcp_carrier *tcp) {
  uv_os_fd_t fd = -1;
  uv_fileno((uv_handle_t *)&tcp->socket, &fd);
  return fd;
}

static void end_terminally(tcp_carrier *tcp, int status) {
  beam_error error;
  const beam__carrier_events *events = tcp->events;
  uv_read_stop(stream(tcp));
  tcp->ended = 1;
  if (!events && (status || !has_queue(tcp)))
    close_handles(tcp); /* otherwise the peer may still read what waits */
  else if (events && !status)
    events->lost(tcp->user, NULL);
  else if (events) {
    beam__error(&error, BEAM_ECLOSED, BEAM_PHASE_OPEN, tcp->peer, "the connection from %s was lost: %s", tcp->peer,
                uv_strerror(status));
    error.system = -status;
    events->lost(tcp->user, &error);
  }
}

/* ---- Reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  tcp_carrier *tcp = handle->data;
  (void)suggested;
  *buf = uv_buf_init(tcp->buffer->bytes, READ_SIZE);
}

static void on_read(uv_stream_t *socket, ssize_t count, const uv_buf_t *buf) {
  tcp_carrier *tcp = socket->data;
  if (count > 0 && tcp->events)
    tcp->events->data(tcp->user, buf->base, (size_t)count);
  else if (count < 0)
    end_terminally(tcp, count == UV_EOF ? tcp->write_error : (int)count);
}

static void deliver_early(tcp_carrier *tcp) {
  beam__bytes early = tcp->early;
  memset(&tcp->early, 0, sizeof tcp->early);
  tcp->events->data(tcp->user, early.at, early.len);
  beam__bytes_free(&early);
  if (!tcp->closing && !tcp->paused && !tcp->ended)
    uv_read_start(stream(tcp), on_alloc, on_read);
}

static void run_later(beam__task *task) {
  tcp_carrier *tcp = BEAM__CONTAINER(task, tcp_carrier, later);
  if (tcp->ended || !tcp->events)
    return;
  if (tcp->early.len && !tcp->paused)
    deliver_early(tcp);
  else if (tcp->write_error && tcp->paused)
    end_terminally(tcp, tcp->write_error);
}

static void pause_reading(beam__carrier *carrier, int paused) {
  tcp_carrier *tcp = of(carrier);
  if (tcp->paused == !!paused)
    return;
  tcp->paused = !!paused;
  if (tcp->ended || tcp->closing)
    return;
  if (paused)
    uv_read_stop(stream(tcp));
  else if (tcp->early.len)
    beam__task_defer(tcp->ctx, &tcp->later);
  else
    uv_read_start(stream(tcp), on_alloc, on_read);
  if (paused && tcp->write_error)
    beam__task_defer(tcp->ctx, &tcp->later);
  beam__touch(tcp->ctx);
}

/* ---- Writing ---- */

/* What the peer had sent before is still to be read, up to the end that the shutdown makes; reading then finds the
 * error. Where reading is paused nothing would find it. */
static void fail_writing(tcp_carrier *tcp, int status) {
  if (!tcp->events) {
    close_handles(tcp);
    return;
  }
  tcp->write_error = status;
  beam__bytes_free(&tcp->queued);
  shutdown(descriptor(tcp), SHUT_RD);
  if (tcp->paused)
    beam__task_defer(tcp->ctx, &tcp->later);
}

/* All is written; the holder has gone. */
static void end_in_order(tcp_carrier *tcp) {
  int status = 0;
  shutdown(descriptor(tcp), SHUT_WR);
  if (!tcp->ended)
    status = uv_read_start(stream(tcp), on_alloc, on_read);
  if (tcp->ended || (status && status != UV_EALREADY))
    close_handles(tcp);
}

static void write_queued(tcp_carrier *tcp);

static void on_written(uv_write_t *write, int status) {
  tcp_carrier *tcp = write->data;
  beam__bytes_free(&tcp->writing);
  if (tcp->closing)
    return;
  if (status)
    fail_writing(tcp, status);
  else if (tcp->queued.len)
    write_queued(tcp);
  else if (!tcp->events)
    end_in_order(tcp);
  else if (!tcp->ended)
    tcp->events->drained(tcp->user);
}

static void write_queued(tcp_carrier *tcp) {
  uv_buf_t buf;
  int status;
  tcp->writing = tcp->queued;
  memset(&tcp->queued, 0, sizeof tcp->queued);
  buf.base = tcp->writing.at;
  buf.len = tcp->writing.len;
  status = uv_write(&tcp->write, stream(tcp), &buf, 1, on_written);
  if (!status)
    return;
  beam__bytes_free(&tcp->writing);
  fail_writing(tcp, status);
}

/* Queues the pieces without their first `taken` bytes. All or nothing. */
static int queue_rest(tcp_carrier *tcp, const uv_buf_t *pieces, unsigned count, size_t taken) {
  size_t before = tcp->queued.len;
  unsigned i;
  for (i = 0; i < count; i++) {
    size_t skip = taken < pieces[i].len ? taken : pieces[i].len;
    taken -= skip;
    if (beam__bytes_add(&tcp->queued, pieces[i].base + skip, pieces[i].len - skip)) {
      tcp->queued.len = before;
      return BEAM_ENO_MEMORY;
    }
  }
  return 0;
}

/* As uv_try_write; that one (1.44) calls write(), and a peer which has gone in two steps, FIN then RST, makes SIGPIPE
 * of it. A uv_buf_t is an iovec on Unix. What is queued still goes through libuv. */
static int send_now(tcp_carrier *tcp, const uv_buf_t *pieces, unsigned count) {
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
  ssize_t sent;
  do
    sent = sendmsg(descriptor(tcp), &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? uv_translate_sys_error(errno) : (int)sent;
}

int beam__carrier_tcp_write(beam__carrier *carrier, const uv_buf_t *pieces, unsigned count) {
  tcp_carrier *tcp = of(carrier);
  size_t total = 0;
  int taken = 0;
  unsigned i;
  if (tcp->ended || tcp->closing || tcp->write_error)
    return 0; /* the loss is told by an event */
  for (i = 0; i < count; i++)
    total += pieces[i].len;
  if (!has_queue(tcp) && total)
    taken = send_now(tcp, pieces, count);
  if (taken < 0 && taken != UV_EAGAIN) {
    fail_writing(tcp, taken);
    return 0;
  }
  taken = taken < 0 ? 0 : taken;
  if ((size_t)taken == total)
    return 0;
  if (queue_rest(tcp, pieces, count, (size_t)taken)) {
    if (taken) /* half of it is out: what follows would be read as its other half */
      fail_writing(tcp, UV_ENOMEM);
    return BEAM_ENO_MEMORY;
  }
  if (!has_queue(tcp))
    write_queued(tcp);
  beam__touch(tcp->ctx);
  return 0;
}

static int write_one(beam__carrier *carrier, const void *data, size_t len) {
  uv_buf_t piece;
  piece.base = (char *)(uintptr_t)data; /* libuv's type knows no const; it is only read */
  piece.len = len;
  return beam__carrier_tcp_write(carrier, &piece, 1);
}

static size_t pending(const beam__carrier *carrier) {
  const tcp_carrier *tcp = BEAM__CONTAINER(carrier, const tcp_carrier, base);
  return uv_stream_get_write_queue_size((const uv_stream_t *)&tcp->socket) + tcp->queued.len;
}

/* ---- Closing ---- */

void beam__carrier_tcp_finish(beam__carrier *carrier, unsigned ms) {
  tcp_carrier *tcp = of(carrier);
  tcp->events = NULL;
  beam__task_cancel(&tcp->later);
  if (tcp->ctx->closing || tcp->write_error) {
    close_handles(tcp);
    return;
  }
  uv_timer_init(&tcp->ctx->loop, &tcp->deadline);
  tcp->deadline.data = tcp;
  tcp->handles++;
  if (!tcp->ctx->stepping)
    uv_update_time(&tcp->ctx->loop); /* the loop's clock stands still between steps */
  uv_timer_start(&tcp->deadline, on_deadline, ms, 0);
  beam__own(tcp->ctx, &tcp->owned, destroy_owned);
  if (!has_queue(tcp))
    end_in_order(tcp);
  beam__touch(tcp->ctx);
}

/* With SO_LINGER 0 close(2) sends a reset and drops what waits. */
static void arm_reset(tcp_carrier *tcp) {
  struct linger at_once = {1, 0};
  setsockopt(descriptor(tcp), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void close_carrier(beam__carrier *carrier, enum beam__carrier_end end) {
  tcp_carrier *tcp = of(carrier);
  if (end == BEAM__END_FLUSH) {
    beam__carrier_tcp_finish(carrier, FLUSH_MS);
    return;
  }
  if (end == BEAM__END_RESET)
    arm_reset(tcp);
  close_handles(tcp);
  beam__touch(tcp->ctx);
}

/* ---- Making, and handing over ---- */

static const beam__carrier_ops ops = {write_one, pending, pause_reading, close_carrier};

static void name_peer(tcp_carrier *tcp) {
  struct sockaddr_storage address;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
  int len = sizeof address;
  char text[INET6_ADDRSTRLEN] = "";
  if (uv_tcp_getpeername(&tcp->socket, (struct sockaddr *)&address, &len))
    return;
  if (address.ss_family == AF_INET6) {
    uv_ip6_name(v6, text, sizeof text);
    snprintf(tcp->peer, sizeof tcp->peer, "[%s]:%u", text, ntohs(v6->sin6_port));
  } else {
    uv_ip4_name(v4, text, sizeof text);
    snprintf(tcp->peer, sizeof tcp->peer, "%s:%u", text, ntohs(v4->sin_port));
  }
}

beam__carrier *beam__carrier_tcp_accept(beam_ctx *ctx, uv_stream_t *listener, beam__read_buffer *buffer,
                                        const beam__carrier_events *events, void *user) {
  tcp_carrier *tcp = calloc(1, sizeof *tcp);
  if (!tcp)
    return NULL;
  tcp->base.ops = &ops;
  tcp->ctx = ctx;
  tcp->events = events;
  tcp->user = user;
  tcp->handles = 1;
  tcp->buffer = buffer;
  buffer->references++;
  beam__list_init(&tcp->owned.node);
  beam__task_init(&tcp->later, run_later);
  uv_tcp_init(&ctx->loop, &tcp->socket);
  tcp->socket.data = tcp->write.data = tcp;
  if (uv_accept(listener, stream(tcp)) || uv_read_start(stream(tcp), on_alloc, on_read)) {
    close_handles(tcp);
    return NULL;
  }
  uv_tcp_nodelay(&tcp->socket, 1);
  name_peer(tcp);
  return &tcp->base;
}

int beam__carrier_tcp_hand_over(beam__carrier *carrier, const beam__carrier_events *events, void *user,
                                const void *early, size_t early_len) {
  tcp_carrier *tcp = of(carrier);
  if (beam__bytes_add(&tcp->early, early, early_len))
    return BEAM_ENO_MEMORY;
  tcp->events = events;
  tcp->user = user;
  if (!early_len) {
    pause_reading(carrier, 0);
    return 0;
  }
  uv_read_stop(stream(tcp));
  tcp->paused = 0;
  beam__task_defer(tcp->ctx, &tcp->later);
  return 0;
}

const char *beam__carrier_tcp_peer(const beam__carrier *carrier) {
  return BEAM__CONTAINER(carrier, const tcp_carrier, base)->peer;
}
