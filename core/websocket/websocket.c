/* One WebSocket: what it is told by its user and its carrier. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "websocket/inside.h"

enum { CLOSE_MS = 2000, MESSAGE_MAX = 16 * 1024 * 1024 };

void beam__ws_enter(beam_ws *ws, enum beam_phase phase) {
  beam_ws_event event = {.type = BEAM_WS_PHASE};
  if (ws->phase == phase)
    return;
  ws->phase = (uint8_t)phase;
  beam__ws_emit(ws, &event);
}

/* ---- What the carrier says ---- */

static void on_phase(void *user, enum beam_phase phase) { beam__ws_enter(user, phase); }

static void on_connected(void *user, beam__carrier *carrier, int status, const beam_header *headers,
                         size_t header_count) {
  beam_ws *ws = user;
  beam_ws_event event = {.type = BEAM_WS_OPEN, .status = status, .headers = headers, .header_count = header_count};
  ws->carrier = carrier;
  carrier->ops->pause(carrier, ws->paused);
  beam__ws_enter(ws, BEAM_PHASE_OPEN);
  beam__ws_emit(ws, &event);
}

static void on_rejected(void *user, const beam_error *error, const beam_header *headers, size_t header_count,
                        const char *body, size_t body_len) {
  beam_ws *ws = user;
  beam__ws_drop_carrier(ws, BEAM__END_NOW);
  beam__ws_tell(ws, &(beam_ws_event){.type = BEAM_WS_CLOSED,
                                     .code = BEAM__CODE_LOST,
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
  beam__ws_drop_carrier(ws, BEAM__END_NOW);
  if (!ws->paused)
    beam__ws_hand_on_held(ws); /* reading was resumed in this very step */
  snprintf(text, sizeof text, "%s%s%s", beam__decoder_midway(&ws->decoder) ? " in the middle of a message" : "",
           error ? ": " : "", error ? error->message : "");
  if (!beam__ws_is_decided(ws) && ws->phase < BEAM_PHASE_OPEN && error) {
    beam__ws_decide_failed(ws, error);
  } else if (!beam__ws_is_decided(ws)) {
    beam__ws_fail(ws, error && error->code == BEAM_ENO_MEMORY ? BEAM_ENO_MEMORY : BEAM_ECLOSED,
                  "%s ended the connection without a close frame%s", text);
    if (ws->ending && error)
      ws->ending->error.system = error->system;
  }
  beam__ws_settle(ws);
}

const beam__carrier_events beam__ws_carrier_events = {on_phase,    on_connected, beam__ws_on_data, beam__ws_on_drained,
                                                      on_rejected, on_lost};

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
    beam__ws_emit(ws, &event);
  }
  if (beam__ws_live(ws) && !ws->paused)
    beam__ws_hand_on_held(ws);
  beam__ws_settle(ws);
}

/* The memory goes with the next step: the call may come from inside one of its events. */
static void give_back(beam_ws *ws) {
  if (ws->phase == BEAM_PHASE_OPEN)
    beam__ws_send_close(ws, 1001, NULL);
  ws->freed = 1;
  beam__list_remove(&ws->owned.node);
  beam__ws_drop_carrier(ws, BEAM__END_FLUSH);
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
  code = beam__ws_send(ws, opcode, data, len);
  if (code)
    beam__ws_out_of_memory(ws); /* a frame cut short cannot be followed by anything */
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
  beam__ws_send_close(ws, code, reason);
  ws->phase = BEAM_PHASE_CLOSING;
  ws->announce = 1;
  beam_ws_resume(ws);
  beam__ws_await_close(ws);
}

int beam_ws_close(beam_ws *ws, int code, const char *reason) {
  if (!close_is_valid(code, reason) || beam__is_foreign(ws->ctx))
    return BEAM_EINVALID;
  if (ws->phase >= BEAM_PHASE_CLOSING || beam__ws_is_decided(ws))
    return 0;
  if (ws->phase == BEAM_PHASE_OPEN) {
    begin_close(ws, code, reason);
  } else {
    beam__ws_fail(ws, BEAM_ECANCELED, "the attempt to reach %s was given up%s", "");
    if (ws->ending)
      ws->ending->error.sent = ws->phase == BEAM_PHASE_UPGRADE;
    beam__ws_drop_carrier(ws, BEAM__END_NOW);
  }
  beam__task_defer(ws->ctx, &ws->task);
  return 0;
}

void beam_ws_abort(beam_ws *ws, int reset) {
  if (ws->told || ws->phase == BEAM_PHASE_CLOSED || beam__is_foreign(ws->ctx))
    return;
  if (!beam__ws_is_decided(ws))
    beam__ws_fail(ws, BEAM_ECLOSED, "the connection to %s was aborted%s", "");
  beam__bytes_free(&ws->held);
  ws->held_at = 0;
  ws->decoder.done = 1; /* inside of an event more may be at hand: a pause would keep it, and the end behind it */
  ws->paused = 0;
  beam__ws_drop_carrier(ws, reset ? BEAM__END_RESET : BEAM__END_NOW);
  beam__task_defer(ws->ctx, &ws->task);
}

void beam_ws_pause(beam_ws *ws) {
  if (ws->close_sent || beam__is_foreign(ws->ctx))
    return;
  ws->paused = 1;
  beam__ws_set_reading(ws);
}

void beam_ws_resume(beam_ws *ws) {
  if (!ws->paused || beam__is_foreign(ws->ctx))
    return;
  ws->paused = 0;
  beam__ws_set_reading(ws);
  beam__task_defer(ws->ctx, &ws->task);
}

size_t beam_ws_pending(const beam_ws *ws) {
  return beam__ws_has_stream(ws) ? ws->carrier->ops->pending(ws->carrier) : 0;
}

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
