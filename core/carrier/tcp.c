/* A TCP connection: libuv says when its socket is ready, reading and writing is done here. Writing is tried at once;
 * what the system does not take is copied and goes out when it does, many small messages together.
 *
 * Not libuv's streams, because they (1.44) write with write(): a peer that has gone in two steps, FIN then RST, makes
 * SIGPIPE of that, which ends a program that does not ignore it; and that is the program's to decide.
 *
 * Ending in order takes care: close(2) with bytes unread makes the kernel send a reset, which may overtake what was
 * written last (RFC 9112 section 9.6). So: write what waits, shut down our half, discard what still comes until the
 * peer's end, all within a bound.
 */
#include "carrier/tcp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "net/socket.h"

enum {
  READ_SIZE = 65536,
  READS_PER_EVENT = 16, /* then the others have their turn */
  FLUSH_MS = 200,
  COMPACT_MIN = 65536 /* bytes at the front of the queue that are worth moving the rest for */
};

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
  uv_poll_t poll;
  uv_timer_t deadline; /* bounds an orderly end; not initialised before */
  unsigned handles;    /* of these two, how many are open */
  int fd;
  int watched;        /* UV_READABLE, UV_WRITABLE */
  beam__bytes queued; /* what waits to be written: from `sent` on */
  size_t sent;
  uint64_t bytes_in, bytes_out; /* so far */
  beam__bytes early;            /* what the previous holder had read too far */
  beam__task later;             /* early bytes and failed writes, to be told from a step */
  beam__read_buffer *buffer;
  int write_error; /* of libuv's codes */
  unsigned paused : 1;
  unsigned ended : 1; /* the terminal event came, or the peer's end */
  unsigned closing : 1;
  char peer[64];
} tcp_carrier;

static tcp_carrier *of(beam__carrier *carrier) { return BEAM__CONTAINER(carrier, tcp_carrier, base); }
static size_t waiting(const tcp_carrier *tcp) { return tcp->queued.len - tcp->sent; }

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
  beam__bytes_free(&tcp->queued);
  beam__bytes_free(&tcp->early);
  beam__read_buffer_release(tcp->buffer);
  free(tcp);
}

/* May be called again while it closes. */
static void close_socket(tcp_carrier *tcp) {
  if (tcp->closing)
    return;
  tcp->closing = 1;
  tcp->events = NULL;
  beam__task_cancel(&tcp->later);
  beam__list_remove(&tcp->owned.node);
  uv_close((uv_handle_t *)&tcp->poll, on_handle_closed);
  if (tcp->handles > 1)
    uv_close((uv_handle_t *)&tcp->deadline, on_handle_closed);
  close(tcp->fd); /* libuv has let go of it in uv_close */
}

static void destroy_owned(beam__owned *owned) { close_socket(BEAM__CONTAINER(owned, tcp_carrier, owned)); }
static void on_deadline(uv_timer_t *timer) { close_socket(timer->data); }

/* ---- What is waited for ---- */

static void on_ready(uv_poll_t *poll, int status, int ready);

static int may_read(const tcp_carrier *tcp) { return !tcp->paused && !tcp->ended && !tcp->early.len; }

static void watch(tcp_carrier *tcp) {
  int wanted = (may_read(tcp) ? UV_READABLE : 0) | (waiting(tcp) ? UV_WRITABLE : 0);
  if (tcp->closing || wanted == tcp->watched)
    return;
  tcp->watched = wanted;
  if (wanted)
    uv_poll_start(&tcp->poll, wanted, on_ready);
  else
    uv_poll_stop(&tcp->poll);
  beam__touch(tcp->ctx);
}

static void drop_queue(tcp_carrier *tcp) {
  beam__bytes_free(&tcp->queued);
  tcp->sent = 0;
}

/* `status` 0: the peer ended in order. A holder that has gone may leave what the peer may still read. */
static void end_terminally(tcp_carrier *tcp, int status) {
  beam_error error;
  tcp->ended = 1;
  if (status)
    drop_queue(tcp);
  watch(tcp);
  if (!tcp->events && !waiting(tcp)) {
    close_socket(tcp);
  } else if (tcp->events && !status) {
    tcp->events->lost(tcp->user, NULL);
  } else if (tcp->events) {
    beam__error(&error, BEAM_ECLOSED, BEAM_PHASE_OPEN, tcp->peer, "the connection from %s was lost: %s", tcp->peer,
                uv_strerror(status));
    error.system = -status;
    tcp->events->lost(tcp->user, &error);
  }
}

/* ---- Reading ---- */

/* Reads up to the end of what there is, or until it may not; returns whether that is known to be all. */
static int read_ready(tcp_carrier *tcp, int to_the_end) {
  int reads;
  for (reads = 0; reads < READS_PER_EVENT && may_read(tcp) && !tcp->closing; reads++) {
    ssize_t count = recv(tcp->fd, tcp->buffer->bytes, READ_SIZE, 0);
    tcp->bytes_in += count > 0 ? (size_t)count : 0;
    if (count > 0 && tcp->events)
      tcp->events->data(tcp->user, tcp->buffer->bytes, (size_t)count);
    else if (count == 0)
      end_terminally(tcp, tcp->write_error);
    else if (count < 0 && errno != EAGAIN && errno != EINTR)
      end_terminally(tcp, tcp->write_error ? tcp->write_error : uv_translate_sys_error(errno));
    if ((count < 0 && errno == EAGAIN) || (!to_the_end && count < READ_SIZE))
      return 1;
  }
  return 0;
}

static void deliver_early(tcp_carrier *tcp) {
  beam__bytes early = tcp->early;
  memset(&tcp->early, 0, sizeof tcp->early);
  tcp->events->data(tcp->user, early.at, early.len);
  beam__bytes_free(&early);
  watch(tcp);
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
  watch(tcp);
  if (paused ? tcp->write_error : tcp->early.len > 0)
    beam__task_defer(tcp->ctx, &tcp->later);
}

/* ---- Writing ---- */

/* What the peer had sent before is still to be read, up to the end that the shutdown makes; reading then finds the
 * error. Where reading is paused nothing would find it. */
static void fail_writing(tcp_carrier *tcp, int status) {
  drop_queue(tcp);
  if (!tcp->events) {
    close_socket(tcp);
    return;
  }
  tcp->write_error = status;
  shutdown(tcp->fd, SHUT_RD);
  if (tcp->paused)
    beam__task_defer(tcp->ctx, &tcp->later);
  watch(tcp);
}

/* All is written; the holder has gone. */
static void end_in_order(tcp_carrier *tcp) {
  shutdown(tcp->fd, SHUT_WR);
  if (tcp->ended)
    close_socket(tcp);
}

/* How many bytes the system took, or a negative code of libuv's. A uv_buf_t is an iovec on Unix. */
static ssize_t send_now(tcp_carrier *tcp, const uv_buf_t *pieces, unsigned count) {
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
  ssize_t sent;
  do
    sent = sendmsg(tcp->fd, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return errno == EAGAIN ? 0 : uv_translate_sys_error(errno);
  tcp->bytes_out += (size_t)sent;
  return sent;
}

static void write_ready(tcp_carrier *tcp) {
  uv_buf_t rest = uv_buf_init(tcp->queued.at + tcp->sent, 0);
  ssize_t sent;
  rest.len = waiting(tcp);
  sent = send_now(tcp, &rest, 1);
  if (sent < 0) {
    fail_writing(tcp, (int)sent);
    return;
  }
  tcp->sent += (size_t)sent;
  if (waiting(tcp))
    return;
  drop_queue(tcp);
  watch(tcp);
  if (!tcp->events)
    end_in_order(tcp);
  else if (!tcp->ended)
    tcp->events->drained(tcp->user);
}

/* Queues the pieces without their first `taken` bytes. All or nothing. */
static int queue_rest(tcp_carrier *tcp, const uv_buf_t *pieces, unsigned count, size_t taken) {
  size_t before;
  unsigned i;
  if (tcp->sent > COMPACT_MIN && tcp->sent > tcp->queued.len / 2) {
    beam__bytes_skip(&tcp->queued, tcp->sent);
    tcp->sent = 0;
  }
  before = tcp->queued.len;
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

int beam__carrier_tcp_write(beam__carrier *carrier, const uv_buf_t *pieces, unsigned count) {
  tcp_carrier *tcp = of(carrier);
  size_t total = 0;
  ssize_t taken = 0;
  unsigned i;
  if (tcp->ended || tcp->closing || tcp->write_error)
    return 0; /* the loss is told by an event */
  for (i = 0; i < count; i++)
    total += pieces[i].len;
  if (!waiting(tcp) && total)
    taken = send_now(tcp, pieces, count);
  if (taken < 0)
    fail_writing(tcp, (int)taken);
  if (taken < 0 || (size_t)taken == total)
    return 0;
  if (queue_rest(tcp, pieces, count, (size_t)taken)) {
    if (taken) /* half of it is out: what follows would be read as its other half */
      fail_writing(tcp, UV_ENOMEM);
    return BEAM_ENO_MEMORY;
  }
  watch(tcp);
  return 0;
}

static int write_one(beam__carrier *carrier, const void *data, size_t len) {
  uv_buf_t piece;
  piece.base = (char *)(uintptr_t)data; /* the type knows no const; it is only read */
  piece.len = len;
  return beam__carrier_tcp_write(carrier, &piece, 1);
}

static size_t pending(const beam__carrier *carrier) {
  return waiting(BEAM__CONTAINER(carrier, const tcp_carrier, base));
}

static void progress(const beam__carrier *carrier, beam_progress *to) {
  const tcp_carrier *tcp = BEAM__CONTAINER(carrier, const tcp_carrier, base);
  *to = (beam_progress){tcp->bytes_in, tcp->bytes_out, beam__socket_unacknowledged(tcp->fd)};
}

/* ---- Readiness ---- */

/* libuv (1.44) tells of an error at the socket by a negative status, whatever else is ready, and stops watching. What
 * came before the error is still there to be read; where nothing may be read now, the error waits, or is told. */
static void on_socket_error(tcp_carrier *tcp) {
  int status = 0;
  socklen_t len = sizeof status;
  tcp->watched = 0;
  if (tcp->ended) { /* told already, or the holder has gone: nobody reads what waits any more */
    drop_queue(tcp);
    if (!tcp->events)
      close_socket(tcp);
    return;
  }
  if (may_read(tcp) && !read_ready(tcp, 1)) {
    watch(tcp);
    return;
  }
  if (tcp->closing || tcp->ended || tcp->early.len)
    return;
  getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &status, &len);
  status = status ? uv_translate_sys_error(status) : UV_ECONNRESET;
  end_terminally(tcp, tcp->write_error ? tcp->write_error : status);
}

static void on_ready(uv_poll_t *poll, int status, int ready) {
  tcp_carrier *tcp = poll->data;
  if (status < 0) {
    on_socket_error(tcp);
    return;
  }
  if ((ready & UV_WRITABLE) && waiting(tcp))
    write_ready(tcp);
  if ((ready & UV_READABLE) && !tcp->closing)
    read_ready(tcp, 0);
}

/* ---- Closing ---- */

void beam__carrier_tcp_finish(beam__carrier *carrier, unsigned ms) {
  tcp_carrier *tcp = of(carrier);
  tcp->events = NULL;
  tcp->paused = 0; /* what comes is discarded */
  beam__bytes_free(&tcp->early);
  beam__task_cancel(&tcp->later);
  if (tcp->ctx->closing || tcp->write_error) {
    close_socket(tcp);
    return;
  }
  uv_timer_init(&tcp->ctx->loop, &tcp->deadline);
  tcp->deadline.data = tcp;
  tcp->handles++;
  if (!tcp->ctx->stepping)
    uv_update_time(&tcp->ctx->loop); /* the loop's clock stands still between steps */
  uv_timer_start(&tcp->deadline, on_deadline, ms, 0);
  beam__own(tcp->ctx, &tcp->owned, destroy_owned);
  watch(tcp);
  if (!waiting(tcp))
    end_in_order(tcp);
  beam__touch(tcp->ctx);
}

/* With SO_LINGER 0 close(2) sends a reset and drops what waits. */
static void arm_reset(tcp_carrier *tcp) {
  struct linger at_once = {1, 0};
  setsockopt(tcp->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void close_carrier(beam__carrier *carrier, enum beam__carrier_end end) {
  tcp_carrier *tcp = of(carrier);
  if (end == BEAM__END_FLUSH) {
    beam__carrier_tcp_finish(carrier, FLUSH_MS);
    return;
  }
  if (end == BEAM__END_RESET)
    arm_reset(tcp);
  close_socket(tcp);
  beam__touch(tcp->ctx);
}

/* ---- Making, and handing over ---- */

static const beam__carrier_ops ops = {write_one, pending, progress, pause_reading, close_carrier};

static void name_peer(tcp_carrier *tcp) {
  struct sockaddr_storage address;
  struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;
  socklen_t len = sizeof address;
  char text[INET6_ADDRSTRLEN] = "";
  if (getpeername(tcp->fd, (struct sockaddr *)&address, &len))
    return;
  if (address.ss_family == AF_INET6) {
    uv_ip6_name(v6, text, sizeof text);
    snprintf(tcp->peer, sizeof tcp->peer, "[%s]:%u", text, ntohs(v6->sin6_port));
  } else {
    uv_ip4_name(v4, text, sizeof text);
    snprintf(tcp->peer, sizeof tcp->peer, "%s:%u", text, ntohs(v4->sin_port));
  }
}

static void free_handle(uv_handle_t *handle) { free(handle); }

/* The socket that waits at the listener, which libuv gives out as a stream only; -1: there is none, or no room. */
static int take_socket(beam_ctx *ctx, uv_stream_t *listener) {
  uv_tcp_t *accepted = malloc(sizeof *accepted);
  uv_os_fd_t theirs;
  int fd = -1, on = 1;
  if (!accepted)
    return -1;
  uv_tcp_init(&ctx->loop, accepted);
  if (uv_accept(listener, (uv_stream_t *)accepted) == 0 && uv_fileno((uv_handle_t *)accepted, &theirs) == 0)
    fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
  uv_close((uv_handle_t *)accepted, free_handle);
  if (fd >= 0)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

beam__carrier *beam__carrier_tcp_accept(beam_ctx *ctx, uv_stream_t *listener, beam__read_buffer *buffer,
                                        const beam__carrier_events *events, void *user) {
  tcp_carrier *tcp = calloc(1, sizeof *tcp);
  int fd = tcp ? take_socket(ctx, listener) : -1;
  if (fd < 0 || uv_poll_init(&ctx->loop, &tcp->poll, fd)) {
    if (fd >= 0)
      close(fd);
    free(tcp);
    return NULL;
  }
  tcp->base.ops = &ops;
  tcp->ctx = ctx;
  tcp->events = events;
  tcp->user = user;
  tcp->fd = fd;
  tcp->handles = 1;
  tcp->buffer = buffer;
  buffer->references++;
  tcp->poll.data = tcp;
  beam__list_init(&tcp->owned.node);
  beam__task_init(&tcp->later, run_later);
  name_peer(tcp);
  watch(tcp);
  return &tcp->base;
}

int beam__carrier_tcp_hand_over(beam__carrier *carrier, const beam__carrier_events *events, void *user,
                                const void *early, size_t early_len) {
  tcp_carrier *tcp = of(carrier);
  if (beam__bytes_add(&tcp->early, early, early_len))
    return BEAM_ENO_MEMORY;
  tcp->events = events;
  tcp->user = user;
  tcp->paused = 0;
  watch(tcp);
  if (early_len)
    beam__task_defer(tcp->ctx, &tcp->later);
  return 0;
}

const char *beam__carrier_tcp_peer(const beam__carrier *carrier) {
  return BEAM__CONTAINER(carrier, const tcp_carrier, base)->peer;
}
