/* Writing is output.c's. Reading is done in a buffer that all sockets of the context share.
 *
 * Ending in order takes care: close(2) with bytes unread makes the kernel send a reset, which may overtake what was
 * written last (RFC 9112 section 9.6). So: write what waits, shut down our half, discard what still comes until the
 * peer's end, all within a bound. When the peer breaks off, what it sent before is still handed on.
 */
#include "carrier/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carrier/output.h"
#include "net/socket.h"

enum {
  READS_PER_EVENT = 16, /* then the others have their turn */
  FLUSH_MS = 200
};

typedef struct beam__stream {
  beam__carrier base;
  const beam__carrier_events *events; /* NULL once closed by the holder */
  void *user;
  beam__watch *watch; /* NULL: the socket is no longer ours */
  beam__output out;
  void (*secured)(void *user);
  beam__owned owned;    /* by the context, from the holder's close to the end of the socket */
  beam_timer *deadline; /* bounds an orderly end */
  beam__bytes early;    /* what was read, and may not be handed on yet */
  beam__task later;     /* what joined, early bytes, what is left after a failed write, and the end of this */
  uint64_t received;    /* bytes */
  int broken;           /* why writing failed, of libuv's codes: what can be read is, then it ends */
  unsigned owed : 1;    /* `drained`, for something waited */
  unsigned paused : 1;
  unsigned ended : 1; /* the terminal event came, or the peer's end */
  unsigned closing : 1;
} beam__stream;

static beam__stream *of(beam__carrier *carrier) { return BEAM__CONTAINER(carrier, beam__stream, base); }
static size_t waiting(const beam__stream *stream) { return beam__output_waiting(&stream->out); }
static int may_read(const beam__stream *stream) {
  return !stream->paused && !stream->ended && !stream->early.len && !stream->broken && !stream->closing;
}

/* ---- The end ---- */

static void free_stream(beam__stream *stream) {
  beam__output_drop(&stream->out);
  beam__bytes_free(&stream->early);
  beam__tls_free(stream->out.tls);
  free(stream);
}

/* May be called again while it closes. The memory stays until the next round of tasks: callers further up the stack
 * still look at it. */
static void close_socket(beam__stream *stream) {
  if (stream->closing)
    return;
  stream->closing = 1;
  stream->events = NULL;
  beam__again_forget(&stream->out.ctx->again, stream);
  beam_timer_stop(stream->deadline);
  beam__list_remove(&stream->owned.node);
  if (stream->watch)
    stream->watch->close(stream->watch);
  stream->watch = NULL;
  beam__task_defer(stream->out.ctx, &stream->later);
}

static void destroy_owned(beam__owned *owned) { close_socket(BEAM__CONTAINER(owned, beam__stream, owned)); }

static void on_deadline(void *user) {
  beam__stream *stream = user;
  stream->deadline = NULL;
  close_socket(stream);
}

static void watch(beam__stream *stream) {
  if (stream->watch && !stream->closing)
    stream->watch->want(stream->watch, may_read(stream), stream->out.full);
}

/* A handshake that is cut off has failed, too. */
static void tell_lost(beam__stream *stream, int status) {
  const beam__tls *tls = stream->out.tls;
  int in_handshake = stream->secured != NULL;
  beam_error error;
  char text[128];
  if (tls && beam__tls_has_failed(tls))
    beam__tls_failure(tls, 0, &error);
  else if (in_handshake && status != UV_ENOMEM)
    beam__tls_failure(tls, -status, &error);
  else
    beam__error(&error, status == UV_ENOMEM ? BEAM_ENO_MEMORY : BEAM_ECLOSED,
                in_handshake ? BEAM_PHASE_TLS : BEAM_PHASE_OPEN, NULL, "the connection was lost: %s",
                uv_strerror_r(status, text, sizeof text));
  if (error.code == BEAM_ECLOSED)
    error.system = -status;
  error.sent = !in_handshake;
  stream->events->lost(stream->user, &error);
}

/* `status` 0: the peer ended in order. A holder that has gone may leave what the peer may still read. */
static void end_terminally(beam__stream *stream, int status) {
  stream->ended = 1;
  if (status)
    beam__output_drop(&stream->out);
  watch(stream);
  if (!stream->events && !waiting(stream))
    close_socket(stream);
  else if (stream->events && (status || stream->secured))
    tell_lost(stream, status);
  else if (stream->events)
    stream->events->lost(stream->user, NULL);
}

/* What the peer had sent before is still to be read. */
static void break_off(beam__stream *stream, int status) {
  beam__output_drop(&stream->out);
  if (!stream->events) {
    close_socket(stream);
    return;
  }
  if (!stream->broken)
    stream->broken = status;
  watch(stream);
  beam__task_defer(stream->out.ctx, &stream->later);
}

/* ---- Writing ---- */

static void send_queue(beam__stream *stream) {
  int status = stream->watch ? beam__output_send(&stream->out) : 0;
  if (status)
    break_off(stream, status);
}

/* Something waits: for the system, for more, or for the loop to turn. */
static void wait_for_more(beam__stream *stream) {
  stream->owed = 1;
  watch(stream);
  if (stream->out.full)
    beam__touch(stream->out.ctx);
  else
    beam__task_defer(stream->out.ctx, &stream->later);
}

int beam__stream_write(beam__carrier *carrier, const uv_buf_t *pieces, unsigned count) {
  beam__stream *stream = of(carrier);
  int status;
  if (stream->ended || stream->closing || stream->broken)
    return 0; /* the loss is told by an event */
  status = beam__output_write(&stream->out, pieces, count);
  if (status)
    break_off(stream, status);
  else if (waiting(stream))
    wait_for_more(stream);
  return status == UV_ENOMEM ? BEAM_ENO_MEMORY : 0;
}

static int write_one(beam__carrier *carrier, const void *data, size_t len) {
  uv_buf_t piece;
  piece.base = (char *)(uintptr_t)data; /* the type knows no const; it is only read */
  piece.len = len;
  return beam__stream_write(carrier, &piece, 1);
}

static size_t pending(const beam__carrier *carrier) {
  return waiting(BEAM__CONTAINER(carrier, const beam__stream, base));
}

static void progress(const beam__carrier *carrier, beam_progress *to) {
  const beam__stream *stream = BEAM__CONTAINER(carrier, const beam__stream, base);
  int fd = stream->watch ? stream->out.fd : -1;
  *to = (beam_progress){.received = stream->received,
                        .sent = stream->out.taken,
                        .unacknowledged = beam__socket_unacknowledged(fd),
                        .unanswered_ms = beam__socket_unanswered_ms(fd)};
}

/* All is written; the holder has gone. */
static void end_in_order(beam__stream *stream) {
  shutdown(stream->out.fd, SHUT_WR);
  if (stream->ended)
    close_socket(stream);
}

static void write_on(beam__stream *stream) {
  send_queue(stream);
  watch(stream);
  if (waiting(stream) || stream->broken || !stream->owed)
    return;
  stream->owed = 0;
  if (!stream->events)
    end_in_order(stream);
  else if (!stream->ended)
    stream->events->drained(stream->user);
}

/* ---- Reading ---- */

static void hand_on(beam__stream *stream, const void *data, size_t len) {
  if (!stream->early.len && !stream->paused)
    stream->events->data(stream->user, data, len);
  else if (beam__bytes_add(&stream->early, data, len))
    break_off(stream, UV_ENOMEM);
}

static void on_secured(beam__stream *stream) {
  void (*secured)(void *user) = stream->secured;
  stream->secured = NULL;
  if (secured)
    secured(stream->user);
}

static void on_tls(beam__stream *stream, enum beam__tls_result result, size_t len) {
  if (result == BEAM__TLS_SECURED)
    on_secured(stream);
  else if (result == BEAM__TLS_DATA)
    hand_on(stream, stream->out.ctx->buffers->plain, len);
  else if (result == BEAM__TLS_END)
    end_terminally(stream, 0);
  else if (result == BEAM__TLS_FAILED)
    end_terminally(stream, UV_EPROTO);
}

/* An alert of ours goes out before the end is told. */
static void decode(beam__stream *stream, const char *bytes, size_t len) {
  enum beam__tls_result result;
  beam__tls_put(stream->out.tls, bytes, len);
  do {
    size_t got;
    result = beam__tls_read(stream->out.tls, stream->out.ctx->buffers->plain, BEAM__READ_SIZE, &got);
    if (!stream->out.full)
      send_queue(stream);
    watch(stream);
    on_tls(stream, result, got);
  } while ((result == BEAM__TLS_SECURED || result == BEAM__TLS_DATA) && stream->events && !stream->ended &&
           beam__tls_has_more(stream->out.tls));
}

static void take(beam__stream *stream, const char *bytes, size_t len) {
  stream->received += len;
  if (!stream->events)
    return; /* the holder has gone: it is discarded */
  if (stream->out.tls)
    decode(stream, bytes, len);
  else
    hand_on(stream, bytes, len);
}

/* Reads what there is, or until it may not. */
static void read_ready(beam__stream *stream) {
  int reads;
  for (reads = 0; reads < READS_PER_EVENT && may_read(stream); reads++) {
    ssize_t count = recv(stream->out.fd, stream->out.ctx->buffers->input, BEAM__READ_SIZE, 0);
    if (count > 0)
      take(stream, stream->out.ctx->buffers->input, (size_t)count);
    else if (count == 0)
      end_terminally(stream, 0);
    else if (errno != EAGAIN && errno != EINTR)
      end_terminally(stream, uv_translate_sys_error(errno));
    if (count < BEAM__READ_SIZE)
      return;
  }
}

/* ---- The loss, once writing has failed or the socket has: what had come before is read at once, for it would be lost,
 * too, and told when it may be ---- */

static void deliver_early(beam__stream *stream) {
  beam__bytes early = stream->early;
  memset(&stream->early, 0, sizeof stream->early);
  stream->events->data(stream->user, early.at, early.len);
  beam__bytes_free(&early);
  watch(stream);
}

static void tell_rest(beam__stream *stream) {
  if (stream->early.len && !stream->paused)
    deliver_early(stream);
  if (stream->events && !stream->ended && !stream->early.len)
    end_terminally(stream, stream->broken);
}

static void read_rest(beam__stream *stream) {
  ssize_t count = 1;
  while (stream->events && !stream->ended && count > 0) {
    count = recv(stream->out.fd, stream->out.ctx->buffers->input, BEAM__READ_SIZE, MSG_DONTWAIT);
    if (count > 0)
      take(stream, stream->out.ctx->buffers->input, (size_t)count);
  }
  if (stream->events && !stream->ended)
    tell_rest(stream);
}

/* ---- Later ---- */

static void run_later(beam__task *task) {
  beam__stream *stream = BEAM__CONTAINER(task, beam__stream, later);
  if (stream->closing) {
    free_stream(stream);
    return;
  }
  if (stream->owed && !stream->out.full)
    write_on(stream);
  if (!stream->events || stream->ended)
    return;
  if (stream->broken && stream->watch)
    read_rest(stream);
  else if (stream->broken)
    tell_rest(stream);
  else if (stream->early.len && !stream->paused)
    deliver_early(stream);
}

static void pause_reading(beam__carrier *carrier, int paused) {
  beam__stream *stream = of(carrier);
  if (stream->paused == !!paused)
    return;
  stream->paused = !!paused;
  if (stream->ended || stream->closing)
    return;
  watch(stream);
  beam__touch(stream->out.ctx);
  if (!paused && stream->early.len)
    beam__task_defer(stream->out.ctx, &stream->later);
}

/* ---- Readiness ---- */

static int read_unasked(void *user) {
  beam__stream *stream = user;
  uint64_t before = stream->received;
  if (!stream->watch || !may_read(stream))
    return 0;
  read_ready(stream);
  return stream->received != before || stream->ended;
}

static void on_ready(void *user, int readable, int writable) {
  beam__stream *stream = user;
  if (writable && stream->out.full)
    write_on(stream);
  if (readable && !stream->closing) {
    beam__again_note(&stream->out.ctx->again, read_unasked, stream);
    read_ready(stream);
  }
}

static void on_failed(void *user) {
  beam__stream *stream = user;
  int system = beam__socket_error(stream->out.fd);
  beam__output_drop(&stream->out);
  if (!stream->broken)
    stream->broken = uv_translate_sys_error(system ? system : ECONNRESET);
  if (stream->events && !stream->ended)
    read_rest(stream);
  if (stream->watch)
    stream->watch->close(stream->watch);
  stream->watch = NULL;
  if (!stream->events)
    close_socket(stream);
}

static const beam__watch_events watch_events = {on_ready, on_failed};

/* ---- Closing ---- */

void beam__stream_finish(beam__carrier *carrier, unsigned ms) {
  beam__stream *stream = of(carrier);
  stream->events = NULL;
  stream->paused = 0; /* what comes is discarded */
  beam__bytes_free(&stream->early);
  if (!stream->out.full)
    send_queue(stream);
  if (stream->out.tls && !stream->broken)
    beam__tls_finish(stream->out.tls);
  if (!stream->out.full)
    send_queue(stream);
  if (stream->out.ctx->closing || stream->broken || !stream->watch ||
      beam_timer_start(stream->out.ctx, &stream->deadline, ms, on_deadline, stream)) {
    close_socket(stream);
    return;
  }
  beam__own(stream->out.ctx, &stream->owned, destroy_owned);
  watch(stream);
  stream->owed = 1;
  if (!waiting(stream))
    end_in_order(stream);
  beam__touch(stream->out.ctx);
}

static void close_carrier(beam__carrier *carrier, enum beam__carrier_end end) {
  beam__stream *stream = of(carrier);
  if (end == BEAM__END_FLUSH) {
    beam__stream_finish(carrier, FLUSH_MS);
    return;
  }
  if (end == BEAM__END_RESET && stream->watch)
    beam__socket_reset_on_close(stream->out.fd);
  else if (!stream->out.full)
    send_queue(stream); /* what has only joined may leave */
  close_socket(stream);
  beam__touch(stream->out.ctx);
}

/* ---- Making, securing and handing over ---- */

static const beam__carrier_ops ops = {write_one, pending, progress, pause_reading, close_carrier};

beam__carrier *beam__stream_new(beam_ctx *ctx, int fd, beam__watcher *watcher, const beam__carrier_events *events,
                                void *user) {
  beam__stream *stream = beam__buffers_make(ctx) ? calloc(1, sizeof *stream) : NULL;
  if (stream)
    stream->watch = watcher(ctx, fd, &watch_events, stream);
  if (!stream || !stream->watch) {
    close(fd);
    free(stream);
    return NULL;
  }
  stream->base.ops = &ops;
  stream->out.ctx = ctx;
  stream->events = events;
  stream->user = user;
  stream->out.fd = fd;
  beam__task_init(&stream->later, run_later);
  watch(stream);
  return &stream->base;
}

int beam__stream_secure(beam__carrier *carrier, beam__tls_profile *profile, const char *host, const char *peer,
                        void (*secured)(void *user)) {
  beam__stream *stream = of(carrier);
  stream->out.tls = beam__tls_client(profile, host, peer, &stream->out.queued);
  if (!stream->out.tls)
    return BEAM_ENO_MEMORY;
  stream->secured = secured;
  if (beam__tls_start(stream->out.tls))
    return BEAM_ENO_MEMORY;
  send_queue(stream);
  watch(stream);
  return 0;
}

int beam__stream_serve(beam__carrier *carrier, beam__tls_profile *profile) {
  beam__stream *stream = of(carrier);
  char peer[64];
  beam__stream_peer(carrier, peer, sizeof peer);
  stream->out.tls = beam__tls_server(profile, peer, &stream->out.queued);
  return stream->out.tls ? 0 : BEAM_ENO_MEMORY;
}

void beam__stream_peer(const beam__carrier *carrier, char *text, size_t size) {
  const beam__stream *stream = BEAM__CONTAINER(carrier, const beam__stream, base);
  *text = '\0';
  if (stream->watch)
    beam__socket_peer(stream->out.fd, text, size);
}

int beam__stream_hand_over(beam__carrier *carrier, const beam__carrier_events *events, void *user, const void *early,
                           size_t early_len) {
  beam__stream *stream = of(carrier);
  if (beam__bytes_add(&stream->early, early, early_len))
    return BEAM_ENO_MEMORY;
  stream->events = events;
  stream->user = user;
  stream->paused = 0;
  watch(stream);
  if (early_len)
    beam__task_defer(stream->out.ctx, &stream->later);
  return 0;
}
