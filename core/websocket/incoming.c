/* What comes in over a WebSocket: bytes become messages, pings and pongs, unless reading is paused. */
#include <stdlib.h>
#include <string.h>

#include "carrier/output.h"
#include "websocket/inside.h"

enum {
  PONGS_PENDING = 128 * 1024, /* bytes that wait to be sent: from here on the answers do not join them */
  PONGS_SKIPPED = 64 * 1024,  /* bytes of pings that were not answered: from here on the peer is held back */
  PING_HEAD = 2
};

static void emit_data(beam_ws *ws, enum beam_ws_event_type type, const void *data, size_t len) {
  beam_ws_event event = {.type = type, .data = data, .len = len};
  beam__ws_emit(ws, &event);
}

/* ---- Reading ---- */

void beam__ws_set_reading(beam_ws *ws) {
  if (beam__ws_has_stream(ws))
    ws->carrier->ops->pause(ws->carrier, ws->paused || ws->held_back || beam__ws_holds(ws));
}

void beam__ws_hold_back(beam_ws *ws, int held_back) {
  if (ws->held_back == held_back)
    return;
  ws->held_back = (uint8_t)held_back;
  beam__ws_set_reading(ws);
}

/* ---- What comes in ---- */

/* A message in one frame, of which no piece came before. Most messages are that: it goes into the loop that decodes. */
static void on_whole(beam_ws *ws, const beam__frame_event *frame) {
  beam_ws_event event = {.type = BEAM_WS_MESSAGE,
                         .data = (const char *)frame->data,
                         .len = frame->len,
                         .binary = frame->binary,
                         .first = 1,
                         .final = 1};
  beam__ws_emit(ws, &event);
}

/* As it came: a piece of a message for those who ask, or what is whole after one. */
static void emit_message(beam_ws *ws, const beam__frame_event *piece) {
  beam_ws_event event = {.type = BEAM_WS_MESSAGE,
                         .data = (const char *)piece->data,
                         .len = piece->len,
                         .binary = piece->binary,
                         .first = piece->first,
                         .final = piece->final};
  beam__ws_emit(ws, &event);
}

/* A piece of a message that is handed on whole. The codec bounds what comes here, so that nothing is counted again. */
static void gather(beam_ws *ws, const beam__frame_event *piece) {
  beam_ws_event event = {.type = BEAM_WS_MESSAGE, .binary = piece->binary, .first = 1, .final = 1};
  beam_ctx *ctx = ws->ctx;
  beam__bytes pieces;
  if (piece->first)
    beam__buffers_take_large(ctx, &ws->message);
  if (beam__bytes_add(&ws->message, piece->data, piece->len)) {
    beam__ws_out_of_memory(ws);
    return;
  }
  if (!piece->final)
    return;
  pieces = ws->message; /* the event may free the WebSocket, and not the context */
  memset(&ws->message, 0, sizeof ws->message);
  event.data = pieces.at ? pieces.at : ""; /* nothing but empty pieces */
  event.len = pieces.len;
  beam__ws_emit(ws, &event);
  beam__buffers_give_back_large(ctx, &pieces);
}

static void on_piece(beam_ws *ws, const beam__frame_event *piece) {
  if (ws->fragments || (piece->first && piece->final))
    emit_message(ws, piece);
  else
    gather(ws, piece);
}

static void send_pong(beam_ws *ws, const void *data, size_t len) {
  if (!ws->close_sent && ws->carrier)
    beam__ws_send(ws, BEAM__PONG, data, len);
}

/* 0, or BEAM_ENO_MEMORY. */
static int keep_pong(beam_ws *ws, const void *data, size_t len) {
  if (!ws->pong && !(ws->pong = calloc(1, sizeof *ws->pong)))
    return BEAM_ENO_MEMORY;
  ws->pong->skipped += PING_HEAD + len;
  ws->pong->len = (uint8_t)len;
  memcpy(ws->pong->payload, data, len);
  return 0;
}

/* Where answers pile up, the newest ping's alone is sent, once the rest is. */
static void on_ping(beam_ws *ws, const beam__frame_event *frame) {
  if (ws->carrier && ws->carrier->ops->pending(ws->carrier) < PONGS_PENDING)
    send_pong(ws, frame->data, frame->len);
  else if (keep_pong(ws, frame->data, frame->len))
    beam__ws_out_of_memory(ws);
  else if (ws->pong->skipped > PONGS_SKIPPED && !ws->close_sent)
    beam__ws_hold_back(ws, 1);
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
    beam__ws_on_close_frame(ws, frame);
    break;
  case BEAM__FRAME_ERROR:
    beam__ws_on_broken_frame(ws, frame);
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
  } while (frame.type != BEAM__FRAME_MORE && beam__ws_live(ws) && !ws->paused);
  return at;
}

static void hold(beam_ws *ws, const void *bytes, size_t len) {
  if (beam__bytes_add(&ws->held, bytes, len))
    beam__ws_out_of_memory(ws);
}

void beam__ws_on_data(void *user, const void *data, size_t len) {
  beam_ws *ws = user;
  uint8_t *bytes = (uint8_t *)(uintptr_t)data; /* the codec writes into it only at a server, whose carrier allows it */
  size_t used = 0;
  if (!ws->paused && !beam__ws_holds(ws))
    used = decode(ws, bytes, len);
  if (beam__ws_live(ws) && used < len)
    hold(ws, bytes + used, len - used);
  beam__ws_settle(ws);
}

void beam__ws_hand_on_held(beam_ws *ws) {
  beam__bytes batch = ws->held;
  size_t at = ws->held_at;
  if (!beam__ws_holds(ws))
    return;
  memset(&ws->held, 0, sizeof ws->held);
  ws->held_at = 0;
  at += decode(ws, (uint8_t *)batch.at + at, batch.len - at);
  if (beam__ws_live(ws) && at < batch.len) {
    ws->held = batch;
    ws->held_at = at;
    return;
  }
  beam__bytes_free(&batch);
  beam__ws_set_reading(ws);
}

void beam__ws_on_drained(void *user) {
  beam_ws *ws = user;
  if (ws->pong)
    send_pong(ws, ws->pong->payload, ws->pong->len);
  free(ws->pong);
  ws->pong = NULL;
  beam__ws_hold_back(ws, 0);
  emit_data(ws, BEAM_WS_DRAINED, NULL, 0);
}
