/* One connection of the server. Requests are taken one after the other: the next is looked at when the last has had its
 * answer and the system has taken it, so pipelined requests are answered in order and wait as unparsed bytes.
 *
 * While a request waits for its answer reading goes on, to notice a client that leaves; it stops once BEAM__UNREAD_MAX
 * bytes of further requests are there. A client that ends its half of the connection has left, as in Go's server, which
 * is what Beam's gateway runs on.
 */
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Life ---- */

static void on_deadline_closed(uv_handle_t *handle) {
  beam__connection *connection = handle->data;
  beam__request_free(connection->request);
  beam__request_free(connection->answered);
  beam__bytes_free(&connection->unread);
  free(connection);
}

/* The memory stays until the loop's next turn: callers further up the stack still look at it. */
static void let_go(beam__connection *connection) {
  beam_server *server = connection->server;
  connection->carrier = NULL;
  beam__task_cancel(&connection->resume);
  beam__list_remove(&connection->node);
  uv_close((uv_handle_t *)&connection->deadline, on_deadline_closed);
  beam__server_left(server);
}

void beam__connection_drop(beam__connection *connection, enum beam__carrier_end end) {
  beam__carrier *carrier = connection->carrier;
  let_go(connection);
  carrier->ops->close(carrier, end);
}

static void finish(beam__connection *connection, unsigned ms) {
  beam__carrier *carrier = connection->carrier;
  let_go(connection);
  beam__stream_finish(carrier, ms);
}

beam__carrier *beam__connection_give_away(beam__connection *connection, const beam__carrier_events *events,
                                          void *user) {
  beam__carrier *carrier = connection->carrier;
  const char *early = connection->pumping ? connection->at : connection->unread.at;
  size_t early_len = connection->pumping ? connection->left : connection->unread.len;
  if (beam__stream_hand_over(carrier, events, user, early, early_len))
    return NULL;
  let_go(connection);
  return carrier;
}

/* ---- Deadlines ---- */

static size_t unsent(const beam__connection *connection) {
  return connection->carrier->ops->pending(connection->carrier);
}

static void on_deadline(uv_timer_t *timer);

/* Goes on if a step of the body has come meanwhile. */
static void on_body_deadline(beam__connection *connection) {
  size_t came = connection->request->body.len;
  if (came - connection->stalled_at < BEAM__BODY_STEP) {
    beam__connection_refuse(connection, 408, "the request body did not come");
    return;
  }
  connection->stalled_at = came;
  uv_timer_start(&connection->deadline, on_deadline, connection->server->body_timeout_ms, 0);
}

/* Of an answer: what waits for the system, less what has been added meanwhile. It stands still where the client does.
 */
static size_t standing(const beam__connection *connection) { return unsent(connection) - connection->streamed; }

static int tell_gone(beam__connection *connection);

static void on_answer_deadline(beam__connection *connection) {
  if (standing(connection) != connection->stalled_at) {
    connection->stalled_at = standing(connection);
    uv_timer_start(&connection->deadline, on_deadline, connection->server->idle_timeout_ms, 0);
  } else if (tell_gone(connection)) {
    beam__connection_drop(connection, BEAM__END_NOW);
  }
}

static void on_deadline(uv_timer_t *timer) {
  beam__connection *connection = timer->data;
  if (connection->timing == BEAM__TIMING_BODY)
    on_body_deadline(connection);
  else if (unsent(connection))
    on_answer_deadline(connection);
  else if (connection->unread.len && !connection->request)
    beam__connection_refuse(connection, 408, "the request head did not come");
  else if (!connection->request)
    beam__connection_drop(connection, BEAM__END_NOW);
  else
    connection->timing = BEAM__TIMING_NONE; /* all of it has just left */
}

static void start_deadline(beam__connection *connection, unsigned ms) {
  if (!connection->ctx->stepping)
    uv_update_time(&connection->ctx->loop); /* the loop's clock stands still between steps */
  uv_timer_start(&connection->deadline, on_deadline, ms, 0);
}

static enum beam__timing timing_of(const beam__connection *connection) {
  const beam_request *request = connection->request;
  if (request && request->stage == BEAM__STAGE_BODY)
    return BEAM__TIMING_BODY;
  if (request && request->stage != BEAM__STAGE_STREAMING)
    return BEAM__TIMING_NONE;
  if (unsent(connection))
    return BEAM__TIMING_WRITE;
  if (request)
    return BEAM__TIMING_NONE;
  return connection->unread.len ? BEAM__TIMING_HEAD : BEAM__TIMING_IDLE;
}

static unsigned patience(const beam_server *server, enum beam__timing timing) {
  if (timing == BEAM__TIMING_HEAD)
    return server->head_timeout_ms;
  return timing == BEAM__TIMING_BODY ? server->body_timeout_ms : server->idle_timeout_ms;
}

/* A head has one deadline from its first byte, a body and an answer one that `on_deadline` extends; who is idle one
 * from the last time that anything moved. */
static void set_deadline(beam__connection *connection) {
  enum beam__timing timing = timing_of(connection);
  if (timing == connection->timing && timing != BEAM__TIMING_IDLE && timing != BEAM__TIMING_NONE)
    return;
  connection->timing = timing;
  connection->stalled_at = timing == BEAM__TIMING_BODY ? connection->request->body.len : standing(connection);
  if (timing == BEAM__TIMING_NONE)
    uv_timer_stop(&connection->deadline);
  else
    start_deadline(connection, patience(connection->server, timing));
}

void beam__connection_streams(beam__connection *connection, size_t len) {
  connection->streamed += len;
  if (!connection->pumping && connection->carrier)
    set_deadline(connection);
}

int beam__connection_is_idle(const beam__connection *connection) {
  return !connection->request && !connection->pumping && !connection->ending && !unsent(connection);
}

/* ---- Taking what was read. Each taker returns whether there may be more to take ---- */

static void advance(beam__connection *connection, size_t len) {
  connection->at += len;
  connection->left -= len;
}

static int call_on_request(beam__connection *connection) {
  beam_request *request = connection->request;
  beam_server_options *options = &connection->server->options;
  request->stage = BEAM__STAGE_WAITING;
  request->view.body = request->body.at ? request->body.at : "";
  request->view.body_len = request->body.len;
  connection->calling = 1;
  options->on_request(options->user, request, &request->view);
  connection->calling = 0;
  beam__request_free(connection->answered);
  connection->answered = NULL;
  if (connection->carrier && connection->request)
    beam__bytes_free(&request->body); /* the view is over: it may be minutes until the answer */
  return connection->carrier != NULL;
}

static int keep_body(beam__connection *connection, const char *data, size_t len) {
  beam__bytes *body = &connection->request->body;
  if (len > connection->server->options.max_body - body->len)
    return beam__connection_refuse(connection, 413, "the request body is longer than this server takes");
  if (beam__bytes_add(body, data, len))
    return beam__connection_refuse(connection, 503, "no memory for the request body");
  return 1;
}

static int take_body(beam__connection *connection) {
  enum beam__body_result result = BEAM__BODY_DATA;
  while (result == BEAM__BODY_DATA) {
    beam__body *decoder = &connection->request->decoder;
    size_t used, len;
    const char *data;
    result = beam__body_decode(decoder, connection->at, connection->left, &used, &data, &len);
    advance(connection, used);
    if (result == BEAM__BODY_BAD)
      beam__connection_refuse(connection, 400, decoder->error);
    else if (result == BEAM__BODY_DATA && !keep_body(connection, data, len))
      return 0;
  }
  return result == BEAM__BODY_END ? call_on_request(connection) : 0;
}

static void send_continue(beam__connection *connection) {
  static const char answer[] = "HTTP/1.1 100 Continue\r\n\r\n";
  connection->carrier->ops->write(connection->carrier, answer, sizeof answer - 1);
}

static int take_head(beam__connection *connection) {
  beam__request_head head;
  int taken = beam__request_head_parse(&head, connection->at, connection->left, connection->head_seen);
  connection->head_seen = taken ? 0 : connection->left;
  if (taken >= 0 && (taken ? (size_t)taken : connection->left) > connection->server->options.max_head)
    return beam__connection_refuse(connection, 431, "the request head is longer than this server takes");
  if (taken < 0)
    return beam__connection_refuse(connection, -taken, head.sent.error);
  if (!taken)
    return 0;
  advance(connection, (size_t)taken);
  connection->timing = BEAM__TIMING_NONE;
  if (head.content_length > connection->server->options.max_body)
    return beam__connection_refuse(connection, 413, "the request body is longer than this server takes");
  connection->request = beam__request_new(connection, &head);
  if (!connection->request)
    return beam__connection_refuse(connection, 503, "no memory for the request");
  if (head.expect_continue && !connection->left && (head.chunked || head.content_length))
    send_continue(connection);
  return take_body(connection);
}

static int take(beam__connection *connection) {
  if (connection->ending)
    connection->left = 0;
  else if (!connection->request && connection->left && !unsent(connection))
    return take_head(connection);
  else if (connection->request && connection->request->stage == BEAM__STAGE_BODY)
    return take_body(connection);
  return 0;
}

/* ---- Between reads ---- */

static int keep_unread(beam__connection *connection) {
  beam__bytes *unread = &connection->unread;
  if (unread->len)
    beam__bytes_skip(unread, unread->len - connection->left);
  else if (beam__bytes_add(unread, connection->at, connection->left))
    return BEAM_ENO_MEMORY;
  if (!unread->len && unread->size)
    beam__bytes_free(unread);
  return 0;
}

/* A request that somebody knows of ends without its answer. 0: the callback has closed the server. */
static int tell_gone(beam__connection *connection) {
  beam_request *request = connection->request;
  beam_server_options options = connection->server->options;
  if (request && request->stage != BEAM__STAGE_BODY) {
    request->stage = BEAM__STAGE_GONE;
    if (options.on_gone)
      options.on_gone(options.user, request);
  }
  return connection->carrier != NULL;
}

/* There is no memory for what the client sends. */
static void give_up(beam__connection *connection) {
  if (tell_gone(connection))
    beam__connection_drop(connection, BEAM__END_RESET);
}

static void settle(beam__connection *connection) {
  beam__carrier *carrier = connection->carrier;
  if (!carrier)
    return;
  if (keep_unread(connection)) {
    give_up(connection);
  } else if (connection->ending && !unsent(connection)) {
    finish(connection, connection->server->linger_timeout_ms);
  } else {
    carrier->ops->pause(carrier, connection->unread.len >= BEAM__UNREAD_MAX);
    set_deadline(connection);
  }
}

/* Takes all that can be taken of `len` bytes at `bytes`, and keeps the rest. */
static void pump(beam__connection *connection, const char *bytes, size_t len) {
  connection->at = len ? bytes : "";
  connection->left = len;
  connection->pumping = 1;
  while (take(connection))
    ;
  connection->pumping = 0;
  settle(connection);
}

static void pump_unread(beam__connection *connection) {
  pump(connection, connection->unread.at, connection->unread.len);
}

static void run_resume(beam__task *task) { pump_unread(BEAM__CONTAINER(task, beam__connection, resume)); }

void beam__connection_answered(beam__connection *connection, int keep_alive) {
  if (connection->calling)
    connection->answered = connection->request;
  else
    beam__request_free(connection->request);
  connection->request = NULL;
  connection->ending |= !keep_alive;
  if (!connection->pumping)
    beam__task_defer(connection->ctx, &connection->resume);
}

/* ---- The carrier's events ---- */

static void on_data(void *user, const void *data, size_t len) {
  beam__connection *connection = user;
  if (!connection->unread.len)
    pump(connection, data, len);
  else if (beam__bytes_add(&connection->unread, data, len))
    give_up(connection);
  else
    pump_unread(connection);
}

static void on_drained(void *user) { pump_unread(user); }

/* The answer that is on its way may still be wanted by a client that only ended its own half. */
static void on_lost(void *user, const beam_error *error) {
  beam__connection *connection = user;
  if (!tell_gone(connection))
    return;
  if (!connection->request && !error && unsent(connection))
    finish(connection, connection->server->idle_timeout_ms);
  else
    beam__connection_drop(connection, BEAM__END_NOW);
}

static const beam__carrier_events events = {.data = on_data, .drained = on_drained, .lost = on_lost};

int beam__connection_accept(beam_server *server) {
  beam__connection *connection = calloc(1, sizeof *connection);
  int none;
  if (!connection)
    return BEAM_ENO_MEMORY;
  errno = 0;
  connection->carrier = beam__carrier_accept(server->ctx, (uv_stream_t *)&server->listener, &events, connection);
  none = !connection->carrier && errno == EAGAIN;
  if (connection->carrier && server->tls && beam__stream_serve(connection->carrier, server->tls)) {
    connection->carrier->ops->close(connection->carrier, BEAM__END_NOW);
    connection->carrier = NULL;
  }
  if (!connection->carrier) {
    free(connection);
    return none ? BEAM_ECLOSED : BEAM_ENO_MEMORY;
  }
  connection->server = server;
  connection->ctx = server->ctx;
  beam__task_init(&connection->resume, run_resume);
  uv_timer_init(&server->ctx->loop, &connection->deadline);
  connection->deadline.data = connection;
  beam__list_add(&server->connections, &connection->node);
  server->connection_count++;
  start_deadline(connection, server->head_timeout_ms);
  return 0;
}
