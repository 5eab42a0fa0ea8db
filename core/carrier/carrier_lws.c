/* One client connection. libwebsockets calls from deep inside itself, and frees what it likes: so nothing is freed and
 * no connection ended in its callbacks, but from a task.
 */
#include "carrier/carrier_lws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "carrier/lws_carrier.h"

enum { FLUSH_MS = 200 };

/* ---- Links ---- */

void beam__lws_unlink(beam__lws_link *link) {
  if (!link->wsi)
    return;
  lws_set_opaque_user_data(link->wsi, NULL);
  beam__tls_forget(lws_get_ssl(link->wsi));
  link->wsi = NULL;
}

void beam__lws_end_link(struct beam__lws *lws, beam__lws_link *link) {
  struct lws *wsi = link->wsi;
  link->wsi = NULL;
  if (wsi)
    beam__lws_drop(lws, wsi);
}

beam__tls_peer *beam__tls_peer_find(struct beam__lws *lws, int fd) {
  beam__node *node;
  for (node = lws->carriers.next; node != &lws->carriers; node = node->next) {
    beam__lws_carrier *carrier = BEAM__CONTAINER(node, beam__lws_carrier, node);
    beam__tls_peer *peer = carrier->opening ? beam__opening_tls(carrier, fd) : NULL;
    if (peer)
      return peer;
  }
  return NULL;
}

/* ---- The end ---- */

void beam__lws_lost(beam__lws_carrier *carrier, const beam_error *error) {
  if (!beam__lws_live(carrier))
    return;
  carrier->over = 1;
  carrier->events->lost(carrier->user, error);
}

static void free_carrier(beam__lws_carrier *carrier) {
  beam__opening_free(carrier);
  beam_timer_stop(carrier->deadline);
  beam__lws_end_link(carrier->lws, &carrier->link);
  beam__task_cancel(&carrier->task);
  beam__bytes_free(&carrier->out);
  beam__list_remove(&carrier->node);
  free(carrier);
}

static void on_flush_late(void *user) {
  beam__lws_carrier *carrier = user;
  carrier->deadline = NULL;
  beam__lws_end_link(carrier->lws, &carrier->link);
  beam__task_defer(carrier->ctx, &carrier->task);
}

static void reset_on_close(struct lws *wsi) {
  struct linger now = {1, 0};
  setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* A carrier that is flushing has no holder any more; it goes when nothing is left to write, or its time is up. */
static void close_carrier(beam__carrier *base, enum beam__carrier_end end) {
  beam__lws_carrier *carrier = (beam__lws_carrier *)base;
  int flushing = end == BEAM__END_FLUSH && carrier->link.wsi && !carrier->opening && !carrier->broken &&
                 !carrier->ctx->closing && beam__stream_pending(base) > 0;
  carrier->closed = 1;
  beam__opening_free(carrier);
  beam_timer_stop(carrier->deadline);
  carrier->deadline = NULL;
  if (flushing && beam_timer_start(carrier->ctx, &carrier->deadline, FLUSH_MS, on_flush_late, carrier) == 0)
    return;
  if (carrier->link.wsi && end == BEAM__END_RESET)
    reset_on_close(carrier->link.wsi);
  beam__lws_end_link(carrier->lws, &carrier->link);
  beam__task_defer(carrier->ctx, &carrier->task);
}

void beam__carriers_end(struct beam__lws *lws) {
  while (!beam__list_empty(&lws->carriers))
    free_carrier(BEAM__CONTAINER(lws->carriers.next, beam__lws_carrier, node));
}

/* Outside of libwebsockets' callbacks its functions may be called, and its connections ended. Ending one here brings
 * its CLOSED callback, and that the event. */
static void run(beam__task *task) {
  beam__lws_carrier *carrier = BEAM__CONTAINER(task, beam__lws_carrier, task);
  int ended = carrier->broken;
  if (carrier->closed && !carrier->deadline) {
    free_carrier(carrier);
    return;
  }
  if (carrier->opening && carrier->phase == BEAM_PHASE_NONE) {
    beam__opening_start(carrier);
    return;
  }
  if (carrier->link.wsi && carrier->readable && !carrier->paused && !ended)
    ended = beam__stream_read(carrier) < 0;
  if (ended && carrier->link.wsi)
    lws_set_timeout(carrier->link.wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
}

/* ---- What libwebsockets calls ---- */

static void end_reason(const beam__lws_carrier *carrier, beam_error *error) {
  char text[128];
  beam__error(error, BEAM_ECLOSED, BEAM_PHASE_OPEN, NULL, "the connection was lost: %s",
              uv_strerror_r(uv_translate_sys_error(carrier->system), text, sizeof text));
  error->system = carrier->system;
  error->sent = 1;
}

/* The connection is gone; whichever callback says so first counts. */
static void on_gone(beam__lws_link *link) {
  beam__lws_carrier *carrier = link->carrier;
  struct lws *wsi = link->wsi;
  beam_error error;
  if (carrier->opening) {
    beam__opening_failed(link);
    return;
  }
  beam__lws_unlink(link);
  if (carrier->closed) { /* it was flushing */
    beam_timer_stop(carrier->deadline);
    carrier->deadline = NULL;
    beam__task_defer(carrier->ctx, &carrier->task);
    return;
  }
  beam__stream_read_rest(carrier, wsi);
  if (carrier->system)
    end_reason(carrier, &error);
  beam__lws_lost(carrier, carrier->system ? &error : NULL);
}

static int on_readable(beam__lws_carrier *carrier) {
  carrier->readable = 1;
  return carrier->paused && !carrier->opening ? 0 : beam__stream_read(carrier);
}

static void on_read(beam__lws_carrier *carrier, const void *data, size_t len) {
  if (carrier->opening)
    beam__opening_body(carrier, data, len);
  else
    carrier->bytes_in += len;
  if (!carrier->opening && beam__lws_live(carrier))
    carrier->events->data(carrier->user, data, len);
}

/* A response of known length is over. -1 in any case: else 4.1.6 keeps the connection for the next request. */
static int on_complete(beam__lws_carrier *carrier) {
  if (carrier->opening)
    beam__opening_body_end(carrier);
  return -1;
}

static void on_writable(beam__lws_carrier *carrier) {
  if (carrier->opening)
    return;
  beam__stream_drain(carrier);
  if (carrier->closed && !beam__stream_pending(&carrier->base)) {
    beam__lws_end_link(carrier->lws, &carrier->link);
    beam_timer_stop(carrier->deadline);
    carrier->deadline = NULL;
    beam__task_defer(carrier->ctx, &carrier->task);
  }
}

/* A connection that is nobody's any more is ended by whatever it does next. */
static int on_link(struct lws *wsi, beam__lws_link *link, enum lws_callback_reasons reason, void *in, size_t len) {
  beam__lws_carrier *carrier = link->carrier;
  int result = 0;
  switch (reason) {
  case LWS_CALLBACK_WSI_CREATE: /* of a client, 4.1.6 and later: its TCP connection stands */
    beam__opening_tcp(link, wsi);
    return 0;
  case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    return carrier->opening ? beam__opening_head(carrier, in, len) : -1;
  case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
    beam__opening_answer(carrier);
    break;
  case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
    result = on_readable(carrier);
    break;
  case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
    on_read(carrier, in, len);
    return 0; /* this one's result would only be passed up */
  case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
    return on_complete(carrier);
  case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
    on_writable(carrier);
    break;
  case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
  default: /* CLOSED_CLIENT_HTTP, WSI_DESTROY */
    on_gone(link);
    return 0;
  }
  return lws_get_opaque_user_data(wsi) ? result : -1;
}

static int is_end(enum lws_callback_reasons reason) {
  return reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR || reason == LWS_CALLBACK_CLOSED_CLIENT_HTTP ||
         reason == LWS_CALLBACK_WSI_DESTROY;
}

static int is_ours(enum lws_callback_reasons reason) {
  return is_end(reason) || reason == LWS_CALLBACK_WSI_CREATE || reason == LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP ||
         reason == LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER || reason == LWS_CALLBACK_RECEIVE_CLIENT_HTTP ||
         reason == LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ || reason == LWS_CALLBACK_COMPLETED_CLIENT_HTTP ||
         reason == LWS_CALLBACK_CLIENT_HTTP_WRITEABLE;
}

int beam__lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  struct beam__lws *lws;
  beam__lws_link *link;
  int result;
  (void)user;
  if (!is_ours(reason))
    return 0;
  lws = lws_context_user(lws_get_context(wsi));
  link = lws_get_opaque_user_data(wsi);
  lws->depth++;
  if (link && (link->wsi == wsi || reason == LWS_CALLBACK_WSI_CREATE))
    result = on_link(wsi, link, reason, in, len);
  else
    result = is_end(reason) ? 0 : -1;
  if (reason == LWS_CALLBACK_WSI_DESTROY)
    beam__lws_destroyed(lws, wsi);
  lws->depth--;
  return result;
}

/* ---- The beginning ---- */

static const beam__carrier_ops ops = {beam__stream_write, beam__stream_pending, beam__stream_progress,
                                      beam__stream_pause, close_carrier};

void beam__lws_request_free(beam__lws_request *request) {
  beam__url_free(&request->url);
  beam__proxy_free(&request->proxy);
  if (request->head.at)
    beam__wipe(request->head.at, request->head.size);
  beam__bytes_free(&request->head);
}

int beam__carrier_lws_open(beam_ctx *ctx, beam__carrier **out, beam__lws_request *request,
                           const beam__carrier_events *events, void *user, beam_error *error) {
  beam__lws_carrier *carrier = calloc(1, sizeof *carrier);
  int code;
  if (!carrier)
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  carrier->base.ops = &ops;
  carrier->ctx = ctx;
  carrier->lws = ctx->lws;
  carrier->events = events;
  carrier->user = user;
  carrier->link.carrier = carrier;
  beam__task_init(&carrier->task, run);
  code = beam__opening_new(carrier, request, error);
  if (code) {
    free(carrier);
    return code;
  }
  beam__list_init(&carrier->node);
  beam__list_add(&ctx->lws->carriers, &carrier->node);
  beam__task_defer(ctx, &carrier->task);
  *out = &carrier->base;
  return 0;
}
