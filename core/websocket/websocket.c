/* One WebSocket: what it is told, what it hears, and how it ends.
 *
 * It ends in two steps. First its end is decided: a close frame came, the peer broke the protocol, the connection was
 * lost, or the user gave up; the last of these that says more wins, so that a close frame found in what was held back
 * outdoes the loss of the connection after it. Then, once all that had come before was handed on, it is told, once.
 */
#include "websocket/websocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "websocket/message.h"
#include "websocket/pong.h"

enum {
  CLOSE_MS = 2000,
  MESSAGE_MAX = 16 * 1024 * 1024,
  CODE_NONE = 1005, /* RFC 6455 section 7.4.1: neither is ever on the wire */
  CODE_LOST = 1006
};

/* How it ended; made when that is known. */
typedef struct ending {
  int code;
  char reason[124];
  int failed; /* `error` says how */
  beam_error error;
} ending;

struct beam_ws {
  beam_ctx *ctx;
  beam__owned owned;
  beam__task task;
  beam__carrier *carrier; /* NULL: not yet, or no more */
  beam_timer *timer;      /* bounds the close handshake */
  void (*on_event)(void *user, beam_ws *ws, const beam_ws_event *event);
  void *user;
  char *peer;          /* "host:port" */
  ending *ending;      /* NULL: it goes on, unless `destitute` */
  beam__bytes message; /* pieces of a message that is not whole */
  beam__bytes held;    /* what came while reading was paused, from held_at on */
  size_t held_at;
  beam__pong *pong; /* that waits to be sent */
  unsigned close_timeout_ms;
  uint8_t phase;
  uint8_t fragments, paused;
  uint8_t held_back; /* the peer pings and does not read: nothing is read of it */
  uint8_t close_sent, close_received;
  uint8_t announce;  /* the phase `closing` was entered from outside of a step */
  uint8_t destitute; /* it has ended, and there was no memory to say how */
  uint8_t told;      /* the terminal event was sent */
  uint8_t freed;     /* by the user: no event any more */
  beam__decoder decoder;
};

/* ---- Events ---- */

static int live(const beam_ws *ws) { return !ws->freed && !ws->told && !ws->ctx->closing; }

static void emit(beam_ws *ws, beam_ws_event *event) {
  event->phase = (enum beam_phase)ws->phase;
  if (live(ws) && ws->on_event)
    ws->on_event(ws->user, ws, event);
}

static void enter(beam_ws *ws, enum beam_phase phase) {
  beam_ws_event event = {.type = BEAM_WS_PHASE};
  if (ws->phase == phase)
    return;
  ws->phase = (uint8_t)phase;
  emit(ws, &event);
}

static void emit_data(beam_ws *ws, enum beam_ws_event_type type, const void *data, size_t len) {
  beam_ws_event event = {.type = type, .data = data, .len = len};
  emit(ws, &event);
}

/* ---- The end ---- */

static void drop_carrier(beam_ws *ws, enum beam__carrier_end end) {
  beam__carrier *carrier = ws->carrier;
  ws->carrier = NULL;
  beam_timer_stop(ws->timer);
  ws->timer = NULL;
  if (carrier)
    carrier->ops->close(carrier, end);
}

static void tell(beam_ws *ws, beam_ws_event *event) {
  beam_ws_event phase = {.type = BEAM_WS_PHASE};
  ws->phase = BEAM_PHASE_CLOSED;
  emit(ws, &phase);
  event->phase = BEAM_PHASE_CLOSED;
  if (live(ws) && ws->on_event) {
    ws->told = 1;
    ws->on_event(ws->user, ws, event);
  }
}

static int holds(const beam_ws *ws) { return ws->held.len > ws->held_at; }

static int is_decided(const beam_ws *ws) { return ws->ending || ws->destitute; }

static void tell_out_of_memory(beam_ws *ws) {
  beam_error error;
  beam__error(&error, BEAM_ENO_MEMORY, (enum beam_phase)ws->phase, ws->peer, "%s: out of memory", ws->peer);
  error.sent = 1;
  tell(ws, &(beam_ws_event){.type = BEAM_WS_CLOSED, .code = CODE_LOST, .reason = "", .error = &error});
}

/* Tells the end once it is decided, the connection is given back, and nothing is held that came before. */
static void settle(beam_ws *ws) {
  const ending *end = ws->ending;
  if (!is_decided(ws) || ws->carrier || (ws->paused && holds(ws)) || !live(ws))
    return;
  if (!end)
    tell_out_of_memory(ws);
  else
    tell(ws, &(beam_ws_event){.type = BEAM_WS_CLOSED,
                              .code = end->code,
                              .reason = end->reason,
                              .status = end->error.status,
                              .error = end->failed ? &end->error : NULL});
}

/* The end as it is to be told; NULL where memory is out: that is then what is told. */
static ending *decide(beam_ws *ws, int code) {
  if (!ws->ending && !ws->destitute)
    ws->ending = calloc(1, sizeof *ws->ending);
  ws->destitute = !ws->ending;
  if (ws->ending) {
    memset(ws->ending, 0, sizeof *ws->ending);
    ws->ending->code = code;
  }
  return ws->ending;
}

static void decide_failed(beam_ws *ws, const beam_error *error) {
  ending *end = decide(ws, CODE_LOST);
  if (!end)
    return;
  end->failed = 1;
  end->error = *error;
}

static void fail(beam_ws *ws, int code, const char *format, const char *text) {
  beam_error error;
  beam__error(&error, code, (enum beam_phase)ws->phase, ws->peer, format, ws->peer, text);
  error.sent = 1;
  decide_failed(ws, &error);
}

/* ---- Reading ---- */

static void set_reading(beam_ws *ws) {
  if (ws->carrier)
    ws->carrier->ops->pause(ws->carrier, ws->paused || ws->held_back || holds(ws));
}

static void hold_back(beam_ws *ws, int held_back) {
  if (ws->held_back == held_back)
    return;
  ws->held_back = (uint8_t)held_back;
  set_reading(ws);
}

/* ---- The close handshake ---- */

static void send_close(beam_ws *ws, int code, const char *reason) {
  uint8_t payload[125];
  size_t len = 0;
  if (ws->close_sent || !ws->carrier)
    return;
  ws->close_sent = 1;
  hold_back(ws, 0);
  if (code && code != CODE_NONE) {
    size_t reason_len = reason ? strlen(reason) : 0;
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    if (reason_len)
      memcpy(payload + 2, reason, reason_len);
    len = 2 + reason_len;
  }
  beam__frame_send(ws->carrier, ws->decoder.role, BEAM__CLOSE, payload, len);
}

static void on_close_late(void *user) {
  beam_ws *ws = user;
  ws->timer = NULL;
  if (!is_decided(ws)) {
    char text[64];
    snprintf(text, sizeof text, "%u ms (close_timeout)", ws->close_timeout_ms);
    fail(ws, BEAM_ETIMEOUT, "%s did not answer the close frame within %s", text);
  }
  drop_carrier(ws, BEAM__END_NOW);
  settle(ws);
}

/* Without memory for the timer nobody is waited for. */
static void await_close(beam_ws *ws) {
  if (ws->timer || !beam_timer_start(ws->ctx, &ws->timer, ws->close_timeout_ms, on_close_late, ws))
    return;
  if (!is_decided(ws))
    fail(ws, BEAM_ENO_MEMORY, "%s: %s", "out of memory");
  drop_carrier(ws, BEAM__END_FLUSH);
}

/* The peer's close frame is answered; it is the server that then ends TCP (RFC 6455 section 7.1.1). */
static void on_close_frame(beam_ws *ws, const beam__frame_event *frame) {
  ending *end = decide(ws, frame->code);
  if (end)
    snprintf(end->reason, sizeof end->reason, "%.*s", (int)frame->len, (const char *)frame->data);
  ws->close_received = 1;
  send_close(ws, frame->code, NULL);
  enter(ws, BEAM_PHASE_CLOSING);
  if (!ws->carrier)
    return;
  if (ws->decoder.role == BEAM__SERVER)
    drop_carrier(ws, BEAM__END_FLUSH);
  else
    await_close(ws);
}

static void on_broken_frame(beam_ws *ws, const beam__frame_event *frame) {
  char text[128];
  if (frame->code == 1009) {
    snprintf(text, sizeof text, "%s of %llu bytes (max_message)", frame->error,
             (unsigned long long)ws->decoder.max_message);
    fail(ws, BEAM_ETOO_LARGE, "%s: %s", text);
  } else {
    fail(ws, BEAM_EPROTOCOL, "%s broke the protocol: %s", frame->error);
  }
  send_close(ws, frame->code, NULL);
  enter(ws, BEAM_PHASE_CLOSING);
  drop_carrier(ws, BEAM__END_FLUSH);
}

static void out_of_memory(beam_ws *ws) {
  fail(ws, BEAM_ENO_MEMORY, "%s: %s", "out of memory");
  ws->decoder.done = 1;
  send_close(ws, 1011, NULL);
  drop_carrier(ws, BEAM__END_FLUSH);
  beam__task_defer(ws->ctx, &ws->task);
}

/* ---- What comes in ---- */

static void on_piece(beam_ws *ws, const beam__frame_event *piece) {
  beam_ws_event event = {
      .type = BEAM_WS_MESSAGE, .binary = piece->binary, .first = piece->first, .final = piece->final};
  beam__bytes pieces;
  int whole = 1;
  if (ws->fragments) {
    event.data = (const char *)piece->data;
    event.len = piece->len;
  } else {
    whole = beam__message_add(&ws->message, piece, &event.data, &event.len);
    event.first = event.final = 1;
  }
  if (whole < 0)
    out_of_memory(ws);
  if (whole <= 0)
    return;
  pieces = ws->message; /* the event may free the WebSocket */
  memset(&ws->message, 0, sizeof ws->message);
  emit(ws, &event);
  beam__bytes_free(&pieces);
}

/* A message in one frame, of which no piece came before. */
static void on_whole(beam_ws *ws, const beam__frame_event *frame) {
  beam_ws_event event = {.type = BEAM_WS_MESSAGE,
                         .data = (const char *)frame->data,
                         .len = frame->len,
                         .binary = frame->binary,
                         .first = 1,
                         .final = 1};
  emit(ws, &event);
}

static void send_pong(beam_ws *ws, const void *data, size_t len) {
  if (!ws->close_sent && ws->carrier)
    beam__frame_send(ws->carrier, ws->decoder.role, BEAM__PONG, data, len);
}

/* Where answers pile up, the newest ping's alone is sent, once the rest is (RFC 6455 section 5.5.3). */
static void on_ping(beam_ws *ws, const beam__frame_event *frame) {
  if (ws->carrier && ws->carrier->ops->pending(ws->carrier) < BEAM__PONGS_PENDING)
    send_pong(ws, frame->data, frame->len);
  else if (!beam__pong_keep(&ws->pong, frame->data, frame->len))
    out_of_memory(ws);
  else if (ws->pong->skipped > BEAM__PONGS_SKIPPED && !ws->close_sent)
    hold_back(ws, 1);
  emit_data(ws, BEAM_WS_PING, frame->data, frame->len);
}

static void on_frame(beam_ws *ws, const beam__frame_event *frame) {
  switch (frame->type) {
  case BEAM__FRAME_DATA:
    on_piece(ws, frame);
    break;
  case BEAM__FRAME_PING:
    on_ping(ws, frame);
    break;
  case BEAM__FRAME_PONG:
    emit_data(ws, BEAM_WS_PONG, frame->data, frame->len);
    break;
  case BEAM__FRAME_CLOSE:
    on_close_frame(ws, frame);
    break;
  case BEAM__FRAME_ERROR:
    on_broken_frame(ws, frame);
    break;
  case BEAM__FRAME_MORE:
    break;
  }
}

/* Decodes until there is nothing left, or a callback has paused or freed the WebSocket; returns what was used. */
static size_t decode(beam_ws *ws, uint8_t *bytes, size_t len) {
  size_t at = 0, used;
  beam__frame_event frame;
  do {
    used = beam__decode_whole(&ws->decoder, bytes + at, len - at, &frame);
    if (used) {
      at += used;
      on_whole(ws, &frame);
      if (at == len)
        break;
      continue;
    }
    beam__decode(&ws->decoder, bytes + at, len - at, &used, &frame);
    at += used;
    on_frame(ws, &frame);
  } while (frame.type != BEAM__FRAME_MORE && live(ws) && !ws->paused);
  return at;
}

static void hold(beam_ws *ws, const void *bytes, size_t len) {
  if (beam__bytes_add(&ws->held, bytes, len))
    out_of_memory(ws);
}

static void on_data(void *user, const void *data, size_t len) {
  beam_ws *ws = user;
  uint8_t *bytes = (uint8_t *)(uintptr_t)data; /* the codec writes into it only at a server, whose carrier allows it */
  size_t used = 0;
  if (!ws->paused && !holds(ws))
    used = decode(ws, bytes, len);
  if (live(ws) && used < len)
    hold(ws, bytes + used, len - used);
  settle(ws);
}

/* Nothing more is read until all of it is handed on. A callback may give it up, so that it is not ours meanwhile. */
static void hand_on_held(beam_ws *ws) {
  beam__bytes batch = ws->held;
  size_t at = ws->held_at;
  if (!holds(ws))
    return;
  memset(&ws->held, 0, sizeof ws->held);
  ws->held_at = 0;
  at += decode(ws, (uint8_t *)batch.at + at, batch.len - at);
  if (live(ws) && at < batch.len) {
    ws->held = batch;
    ws->held_at = at;
    return;
  }
  beam__bytes_free(&batch);
  set_reading(ws);
}

/* ---- What else the carrier says ---- */

static void on_phase(void *user, enum beam_phase phase) { enter(user, phase); }

static void on_connected(void *user, beam__carrier *carrier, int status, const beam_header *headers,
                         size_t header_count) {
  beam_ws *ws = user;
  beam_ws_event event = {.type = BEAM_WS_OPEN, .status = status, .headers = headers, .header_count = header_count};
  ws->carrier = carrier;
  carrier->ops->pause(carrier, ws->paused);
  enter(ws, BEAM_PHASE_OPEN);
  emit(ws, &event);
}

static void on_drained(void *user) {
  beam_ws *ws = user;
  if (ws->pong)
    send_pong(ws, ws->pong->payload, ws->pong->len);
  free(ws->pong);
  ws->pong = NULL;
  hold_back(ws, 0);
  emit_data(ws, BEAM_WS_DRAINED, NULL, 0);
}

static void on_rejected(void *user, const beam_error *error, const beam_header *headers, size_t header_count,
                        const char *body, size_t body_len) {
  beam_ws *ws = user;
  drop_carrier(ws, BEAM__END_NOW);
  tell(ws, &(beam_ws_event){.type = BEAM_WS_CLOSED,
                            .code = CODE_LOST,
                            .reason = "",
                            .status = error->status,
                            .headers = headers,
                            .header_count = header_count,
                            .data = body,
                            .len = body_len,
                            .error = error});
}

static void on_lost(void *user, const beam_error *error) {
  beam_ws *ws = user;
  char text[sizeof error->message + 32];
  drop_carrier(ws, BEAM__END_NOW);
  if (!ws->paused)
    hand_on_held(ws); /* reading was resumed in this very step */
  snprintf(text, sizeof text, "%s%s%s", beam__decoder_midway(&ws->decoder) ? " in the middle of a message" : "",
           error ? ": " : "", error ? error->message : "");
  if (!is_decided(ws) && ws->phase < BEAM_PHASE_OPEN && error) {
    decide_failed(ws, error);
  } else if (!is_decided(ws)) {
    fail(ws, error && error->code == BEAM_ENO_MEMORY ? BEAM_ENO_MEMORY : BEAM_ECLOSED,
         "%s ended the connection without a close frame%s", text);
    if (ws->ending && error)
      ws->ending->error.system = error->system;
  }
  settle(ws);
}

const beam__carrier_events beam__ws_carrier_events = {on_phase,   on_connected, on_data,
                                                      on_drained, on_rejected,  on_lost};

/* ---- Life ---- */

static void free_now(beam_ws *ws) {
  beam__task_cancel(&ws->task);
  beam__bytes_free(&ws->message);
  beam__bytes_free(&ws->held);
  free(ws->pong);
  free(ws->ending);
  free(ws->peer);
  free(ws);
}

/* What public calls have put off to the next step. */
static void run(beam__task *task) {
  beam_ws *ws = BEAM__CONTAINER(task, beam_ws, task);
  beam_ws_event event = {.type = BEAM_WS_PHASE};
  if (ws->freed) {
    free_now(ws);
    return;
  }
  if (ws->announce) {
    ws->announce = 0;
    emit(ws, &event);
  }
  if (live(ws) && !ws->paused)
    hand_on_held(ws);
  settle(ws);
}

/* The memory goes with the next step: the call may come from inside one of its events. */
static void give_back(beam_ws *ws) {
  if (ws->phase == BEAM_PHASE_OPEN)
    send_close(ws, 1001, NULL);
  ws->freed = 1;
  beam__list_remove(&ws->owned.node);
  drop_carrier(ws, BEAM__END_FLUSH);
  beam__task_defer(ws->ctx, &ws->task);
}

static void destroy(beam__owned *owned) { give_back(BEAM__CONTAINER(owned, beam_ws, owned)); }

int beam__ws_new(beam_ctx *ctx, beam_ws **out, enum beam__role role, const beam_ws_options *options, const char *peer) {
  beam_ws *ws = calloc(1, sizeof *ws);
  char *name = beam__strdup(peer ? peer : "");
  *out = NULL;
  if (!ws || !name) {
    free(ws);
    free(name);
    return BEAM_ENO_MEMORY;
  }
  ws->ctx = ctx;
  ws->peer = name;
  ws->on_event = options->on_event;
  ws->user = options->user;
  ws->fragments = options->fragments != 0;
  ws->close_timeout_ms = options->close_timeout_ms ? options->close_timeout_ms : CLOSE_MS;
  beam__decoder_init(&ws->decoder, role, options->max_message ? options->max_message : MESSAGE_MAX);
  beam__task_init(&ws->task, run);
  beam__list_init(&ws->owned.node);
  beam__own(ctx, &ws->owned, destroy);
  *out = ws;
  return 0;
}

void beam__ws_attach(beam_ws *ws, beam__carrier *carrier) {
  ws->carrier = carrier;
  if (ws->decoder.role == BEAM__SERVER)
    ws->phase = BEAM_PHASE_OPEN;
}

/* ---- Calls ---- */

static int send_message(beam_ws *ws, enum beam__opcode opcode, const void *data, size_t len) {
  int code;
  if (beam__is_foreign(ws->ctx))
    return BEAM_EINVALID;
  if (ws->phase != BEAM_PHASE_OPEN || !ws->carrier || ws->close_sent)
    return BEAM_ECLOSED;
  code = beam__frame_send(ws->carrier, ws->decoder.role, opcode, data, len);
  if (code)
    out_of_memory(ws); /* a frame cut short cannot be followed by anything */
  return code;
}

int beam_ws_send_text(beam_ws *ws, const char *data, size_t len) {
  return beam__utf8_valid(data, len) ? send_message(ws, BEAM__TEXT, data, len) : BEAM_EINVALID;
}

int beam_ws_send_binary(beam_ws *ws, const void *data, size_t len) { return send_message(ws, BEAM__BINARY, data, len); }

int beam_ws_ping(beam_ws *ws, const void *data, size_t len) {
  return len > 125 ? BEAM_EINVALID : send_message(ws, BEAM__PING, data, len);
}

static int close_is_valid(int code, const char *reason) {
  if (!code)
    return !reason || !*reason;
  if (!beam__close_code_valid(code) || code == 1002)
    return 0;
  return !reason || (strlen(reason) <= 123 && beam__utf8_valid(reason, strlen(reason)));
}

/* A pause ends here: else the peer's close frame could not be read. */
static void begin_close(beam_ws *ws, int code, const char *reason) {
  send_close(ws, code, reason);
  ws->phase = BEAM_PHASE_CLOSING;
  ws->announce = 1;
  beam_ws_resume(ws);
  await_close(ws);
}

int beam_ws_close(beam_ws *ws, int code, const char *reason) {
  if (!close_is_valid(code, reason) || beam__is_foreign(ws->ctx))
    return BEAM_EINVALID;
  if (ws->phase >= BEAM_PHASE_CLOSING || is_decided(ws))
    return 0;
  if (ws->phase == BEAM_PHASE_OPEN) {
    begin_close(ws, code, reason);
  } else {
    fail(ws, BEAM_ECANCELED, "the attempt to reach %s was given up%s", "");
    if (ws->ending)
      ws->ending->error.sent = ws->phase == BEAM_PHASE_UPGRADE;
    drop_carrier(ws, BEAM__END_NOW);
  }
  beam__task_defer(ws->ctx, &ws->task);
  return 0;
}

void beam_ws_abort(beam_ws *ws, int reset) {
  if (ws->told || ws->phase == BEAM_PHASE_CLOSED || beam__is_foreign(ws->ctx))
    return;
  if (!is_decided(ws))
    fail(ws, BEAM_ECLOSED, "the connection to %s was aborted%s", "");
  beam__bytes_free(&ws->held);
  ws->held_at = 0;
  drop_carrier(ws, reset ? BEAM__END_RESET : BEAM__END_NOW);
  beam__task_defer(ws->ctx, &ws->task);
}

void beam_ws_pause(beam_ws *ws) {
  if (ws->close_sent || beam__is_foreign(ws->ctx))
    return;
  ws->paused = 1;
  set_reading(ws);
}

void beam_ws_resume(beam_ws *ws) {
  if (!ws->paused || beam__is_foreign(ws->ctx))
    return;
  ws->paused = 0;
  set_reading(ws);
  beam__task_defer(ws->ctx, &ws->task);
}

size_t beam_ws_pending(const beam_ws *ws) { return ws->carrier ? ws->carrier->ops->pending(ws->carrier) : 0; }

void beam_ws_progress(const beam_ws *ws, beam_progress *progress) {
  memset(progress, 0, sizeof *progress);
  if (ws->carrier)
    ws->carrier->ops->progress(ws->carrier, progress);
  progress->unfinished = beam__decoder_unfinished(&ws->decoder);
}

enum beam_phase beam_ws_phase(const beam_ws *ws) { return (enum beam_phase)ws->phase; }

void beam_ws_free(beam_ws *ws) {
  if (ws && !ws->freed && !beam__is_foreign(ws->ctx))
    give_back(ws);
}
