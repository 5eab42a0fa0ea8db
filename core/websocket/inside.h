/* What the files of a WebSocket share: the struct, and what they ask of each other.
 *
 *   websocket.c   what it is told by its user and its carrier; its life
 *   incoming.c    from bytes to messages, pings and pongs
 *   outgoing.c    from messages to bytes
 *   ending.c      how it ends: the close handshake, and what is told of it
 */
#pragma once

#include "base/bytes.h"
#include "websocket/websocket.h"

#pragma GCC visibility push(hidden)

enum { BEAM__CODE_NONE = 1005, BEAM__CODE_LOST = 1006 }; /* RFC 6455 section 7.4.1: neither is ever on the wire */

/* The answer to a ping that cannot be sent yet. Of several pings only the newest need be answered (RFC 6455 section
 * 5.5.3), so that a peer that pings and does not read makes nothing grow; one that goes on is not read any more. */
typedef struct beam__pong {
  size_t skipped; /* payload bytes and heads of the pings that a newer one replaced */
  uint8_t len;
  uint8_t payload[125];
} beam__pong;

/* How it ended; made when that is known. */
typedef struct beam__ws_ending {
  int code;
  char reason[124];
  int failed; /* `error` says how */
  beam_error error;
} beam__ws_ending;

struct beam_ws {
  beam_ctx *ctx;
  beam__owned owned;
  beam__task task;
  beam__carrier *carrier; /* NULL: not yet, or no more */
  beam_timer *timer;      /* bounds the close handshake */
  void (*on_event)(void *user, beam_ws *ws, const beam_ws_event *event);
  void *user;
  char *peer;              /* "host:port" */
  beam__ws_ending *ending; /* NULL: it goes on, unless `destitute` */
  beam__bytes message;     /* pieces of a message that is not whole */
  beam__bytes held;        /* what came while reading was paused, from held_at on */
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

static inline int beam__ws_live(const beam_ws *ws) { return !ws->freed && !ws->told && !ws->ctx->closing; }
static inline int beam__ws_holds(const beam_ws *ws) { return ws->held.len > ws->held_at; }
static inline int beam__ws_has_stream(const beam_ws *ws) { return ws->carrier && ws->phase >= BEAM_PHASE_OPEN; }
static inline int beam__ws_is_decided(const beam_ws *ws) { return ws->ending || ws->destitute; }

/* ---- websocket.c ---- */

void beam__ws_enter(beam_ws *ws, enum beam_phase phase);
static inline void beam__ws_emit(beam_ws *ws, beam_ws_event *event) {
  event->phase = (enum beam_phase)ws->phase;
  if (beam__ws_live(ws) && ws->on_event)
    ws->on_event(ws->user, ws, event);
}

/* ---- incoming.c ---- */

void beam__ws_on_data(void *user, const void *data, size_t len); /* the carrier's events */
void beam__ws_on_drained(void *user);
/* Nothing more is read until all of what was held back is handed on. A callback may give it up, so that it is not ours
 * meanwhile. */
void beam__ws_hand_on_held(beam_ws *ws);
void beam__ws_set_reading(beam_ws *ws);
void beam__ws_hold_back(beam_ws *ws, int held_back);

/* ---- outgoing.c ---- */

/* Writes one frame, masked at a client, in as few writes as can be. 0, or BEAM_ENO_MEMORY with the frame perhaps cut
 * short. */
int beam__ws_send(const beam_ws *ws, enum beam__opcode opcode, const void *data, size_t len);

/* ---- ending.c ---- */

void beam__ws_drop_carrier(beam_ws *ws, enum beam__carrier_end end);
void beam__ws_tell(beam_ws *ws, beam_ws_event *event);
/* Tells the end once it is decided, the connection is given back, and nothing is held that came before. */
void beam__ws_settle(beam_ws *ws);
void beam__ws_decide_failed(beam_ws *ws, const beam_error *error);
/* The same with an error of `code`, whose `format` is given the peer and `text`. */
void beam__ws_fail(beam_ws *ws, int code, const char *format, const char *text);
void beam__ws_send_close(beam_ws *ws, int code, const char *reason);
void beam__ws_await_close(beam_ws *ws);
/* The peer's close frame is answered; it is the server that then ends TCP (RFC 6455 section 7.1.1). */
void beam__ws_on_close_frame(beam_ws *ws, const beam__frame_event *frame);
void beam__ws_on_broken_frame(beam_ws *ws, const beam__frame_event *frame);
void beam__ws_out_of_memory(beam_ws *ws);

#pragma GCC visibility pop
