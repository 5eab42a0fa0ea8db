/* How a WebSocket ends.
 *
 * In two steps. First its end is decided: a close frame came, the peer broke the protocol, the connection was lost, or
 * the user gave up; the last of these that says more wins, so that a close frame found in what was held back outdoes
 * the loss of the connection after it. Then, once all that had come before was handed on, it is told, once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/inside.h"

/* ---- The end ---- */

void beam__ws_drop_carrier(beam_ws *ws, enum beam__carrier_end end) {
  beam__carrier *carrier = ws->carrier;
  ws->carrier = NULL;
  beam_timer_stop(ws->timer);
  ws->timer = NULL;
  if (carrier)
    carrier->ops->close(carrier, end);
}

void beam__ws_tell(beam_ws *ws, beam_ws_event *event) {
  beam_ws_event phase = {.type = BEAM_WS_PHASE};
  ws->phase = BEAM_PHASE_CLOSED;
  beam__ws_emit(ws, &phase);
  event->phase = BEAM_PHASE_CLOSED;
  if (beam__ws_live(ws) && ws->on_event) {
    ws->told = 1;
    ws->on_event(ws->user, ws, event);
  }
}

static void tell_out_of_memory(beam_ws *ws) {
  beam_error error;
  beam__error(&error, BEAM_ENO_MEMORY, (enum beam_phase)ws->phase, ws->peer, "%s: out of memory", ws->peer);
  error.sent = 1;
  beam__ws_tell(ws, &(beam_ws_event){.type = BEAM_WS_CLOSED, .code = BEAM__CODE_LOST, .reason = "", .error = &error});
}

void beam__ws_settle(beam_ws *ws) {
  const beam__ws_ending *end = ws->ending;
  if (!beam__ws_is_decided(ws) || ws->carrier || (ws->paused && beam__ws_holds(ws)) || !beam__ws_live(ws))
    return;
  if (!end)
    tell_out_of_memory(ws);
  else
    beam__ws_tell(ws, &(beam_ws_event){.type = BEAM_WS_CLOSED,
                                       .code = end->code,
                                       .reason = end->reason,
                                       .status = end->error.status,
                                       .error = end->failed ? &end->error : NULL});
}

/* The end as it is to be told; NULL where memory is out: that is then what is told. */
static beam__ws_ending *decide(beam_ws *ws, int code) {
  if (!ws->ending && !ws->destitute)
    ws->ending = calloc(1, sizeof *ws->ending);
  ws->destitute = !ws->ending;
  if (ws->ending) {
    memset(ws->ending, 0, sizeof *ws->ending);
    ws->ending->code = code;
  }
  return ws->ending;
}

void beam__ws_decide_failed(beam_ws *ws, const beam_error *error) {
  beam__ws_ending *end = decide(ws, BEAM__CODE_LOST);
  if (!end)
    return;
  end->failed = 1;
  end->error = *error;
}

void beam__ws_fail(beam_ws *ws, int code, const char *format, const char *text) {
  beam_error error;
  beam__error(&error, code, (enum beam_phase)ws->phase, ws->peer, format, ws->peer, text);
  error.sent = 1;
  beam__ws_decide_failed(ws, &error);
}

/* ---- The close handshake ---- */

void beam__ws_send_close(beam_ws *ws, int code, const char *reason) {
  uint8_t payload[125];
  size_t len = 0;
  if (ws->close_sent || !ws->carrier)
    return;
  ws->close_sent = 1;
  beam__ws_hold_back(ws, 0);
  if (code && code != BEAM__CODE_NONE) {
    size_t reason_len = reason ? strlen(reason) : 0;
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    if (reason_len)
      memcpy(payload + 2, reason, reason_len);
    len = 2 + reason_len;
  }
  beam__ws_send(ws, BEAM__CLOSE, payload, len);
}

static void on_close_late(void *user) {
  beam_ws *ws = user;
  ws->timer = NULL;
  if (!beam__ws_is_decided(ws)) {
    char text[64];
    snprintf(text, sizeof text, "%u ms (close_timeout)", ws->close_timeout_ms);
    beam__ws_fail(ws, BEAM_ETIMEOUT, "%s did not answer the close frame within %s", text);
  }
  beam__ws_drop_carrier(ws, BEAM__END_NOW);
  beam__ws_settle(ws);
}

/* Without memory for the timer nobody is waited for. */
void beam__ws_await_close(beam_ws *ws) {
  if (ws->timer || !beam_timer_start(ws->ctx, &ws->timer, ws->close_timeout_ms, on_close_late, ws))
    return;
  if (!beam__ws_is_decided(ws))
    beam__ws_fail(ws, BEAM_ENO_MEMORY, "%s: %s", "out of memory");
  beam__ws_drop_carrier(ws, BEAM__END_FLUSH);
}

void beam__ws_on_close_frame(beam_ws *ws, const beam__frame_event *frame) {
  beam__ws_ending *end = decide(ws, frame->code);
  if (end)
    snprintf(end->reason, sizeof end->reason, "%.*s", (int)frame->len, (const char *)frame->data);
  ws->close_received = 1;
  beam__ws_send_close(ws, frame->code, NULL);
  beam__ws_enter(ws, BEAM_PHASE_CLOSING);
  if (!ws->carrier)
    return;
  if (ws->decoder.role == BEAM__SERVER)
    beam__ws_drop_carrier(ws, BEAM__END_FLUSH);
  else
    beam__ws_await_close(ws);
}

void beam__ws_on_broken_frame(beam_ws *ws, const beam__frame_event *frame) {
  char text[128];
  if (frame->code == 1009) {
    snprintf(text, sizeof text, "%s of %llu bytes (max_message)", frame->error,
             (unsigned long long)ws->decoder.max_message);
    beam__ws_fail(ws, BEAM_ETOO_LARGE, "%s: %s", text);
  } else {
    beam__ws_fail(ws, BEAM_EPROTOCOL, "%s broke the protocol: %s", frame->error);
  }
  beam__ws_send_close(ws, frame->code, NULL);
  beam__ws_enter(ws, BEAM_PHASE_CLOSING);
  beam__ws_drop_carrier(ws, BEAM__END_FLUSH);
}

void beam__ws_out_of_memory(beam_ws *ws) {
  beam__ws_fail(ws, BEAM_ENO_MEMORY, "%s: %s", "out of memory");
  ws->decoder.done = 1;
  beam__ws_send_close(ws, 1011, NULL);
  beam__ws_drop_carrier(ws, BEAM__END_FLUSH);
  beam__task_defer(ws->ctx, &ws->task);
}
