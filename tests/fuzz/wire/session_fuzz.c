/* Whole sessions of a WebSocket: any bytes of the server, in any cut, before and after the upgrade, through a proxy
 * too; and between them sends, pauses, pings and closes of the program, also from inside its events. Whatever comes:
 * each connection ends exactly once, says nothing after that, hands on no message over its bound and no text that is
 * none. */
#include "base/utf8.h"
#include "websocket/handshake.h"
#include "wire.h"

enum { BOUND = 200, STEPS = 400 };

typedef struct session {
  script script;
  beam_ctx *ctx;
  beam_ws *ws;
  int peer, is_open, is_over, is_nested, bites, fragments;
  size_t message; /* bytes of the one that comes in fragments */
  char head[4096];
  size_t head_len;
} session;

/* ---- What the program sees ---- */

static void act(session *s, unsigned what);

static void check_message(session *s, const beam_ws_event *event) {
  HOLDS(s->is_open);
  s->message = event->first ? event->len : s->message + event->len;
  HOLDS(s->message <= BOUND);
  HOLDS(s->fragments || (event->first && event->final));
  if (!event->binary && !s->fragments)
    HOLDS(beam__utf8_valid(event->data, event->len));
}

static void check_end(session *s, const beam_ws_event *event) {
  HOLDS(event->reason && strlen(event->reason) <= 123 && beam__utf8_valid(event->reason, strlen(event->reason)));
  HOLDS(event->error || (s->is_open && event->code >= 1000 && event->code <= 4999));
  if (event->error)
    HOLDS(event->error->code < 0 && *event->error->message && memchr(event->error->message, 0, 512));
}

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  session *s = user;
  HOLDS(!s->is_over && (!s->ws || ws == s->ws));
  s->ws = ws;
  if (event->type == BEAM_WS_OPEN) {
    HOLDS(!s->is_open && event->status == 101);
    s->is_open = 1;
  } else if (event->type == BEAM_WS_MESSAGE)
    check_message(s, event);
  else if (event->type == BEAM_WS_PING || event->type == BEAM_WS_PONG)
    HOLDS(s->is_open && event->len <= 125);
  else if (event->type == BEAM_WS_CLOSED) {
    check_end(s, event);
    s->is_over = 1;
  }
  if (s->bites && !s->is_nested && event->type != BEAM_WS_PHASE) {
    s->is_nested = 1;
    act(s, next_byte(&s->script));
    s->is_nested = 0;
  }
}

/* ---- What the program does ---- */

static void send_message(session *s, unsigned how) {
  size_t len, times = how & 8 ? 200 : 1, i;
  const uint8_t *bytes = next_bytes(&s->script, &len);
  char *whole = malloc(len * times + 1);
  int code;
  for (i = 0; i < times; i++)
    memcpy(whole + i * len, bytes, len);
  code = how & 16 ? beam_ws_send_binary(s->ws, whole, len * times) : beam_ws_send_text(s->ws, whole, len * times);
  HOLDS(code == 0 || code == BEAM_ECLOSED || (code == BEAM_EINVALID && !(how & 16)));
  HOLDS(code != 0 || s->is_open);
  free(whole);
}

static void close_it(session *s) {
  static const int codes[] = {0, 1000, 1001, 1011, 3000, 4999, 1005, 17};
  unsigned which = next_byte(&s->script);
  int code = beam_ws_close(s->ws, codes[which % 8], which & 8 ? "why \xC3\xA9" : NULL);
  HOLDS(code == 0 || code == BEAM_EINVALID);
}

static void act(session *s, unsigned what) {
  size_t len;
  const uint8_t *bytes;
  if (!s->ws)
    return;
  switch (what % 8) {
  case 0:
  case 1:
    send_message(s, what);
    break;
  case 2:
    bytes = next_bytes(&s->script, &len);
    beam_ws_ping(s->ws, bytes, len);
    break;
  case 3:
    close_it(s);
    break;
  case 4:
    beam_ws_pause(s->ws);
    break;
  case 5:
    beam_ws_resume(s->ws);
    break;
  case 6: {
    beam_progress progress;
    beam_ws_progress(s->ws, &progress);
    HOLDS(beam_ws_pending(s->ws) < 1 << 20 && beam_ws_phase(s->ws) <= BEAM_PHASE_CLOSED);
    break;
  }
  default: /* given back: nothing may come any more */
    if (what & 8) {
      beam_ws_free(s->ws);
      s->ws = NULL;
      s->is_over = 1;
    }
  }
}

/* ---- What the server does ---- */

static void take_request(session *s) {
  s->head_len += peer_read(s->peer, s->head + s->head_len, sizeof s->head - 1 - s->head_len);
  s->head[s->head_len] = '\0';
}

/* The answer that is wanted, as far as it goes: a tunnel first, then the upgrade. */
static void answer_well(session *s) {
  char accept[BEAM__ACCEPT_SIZE], key[BEAM__KEY_SIZE], text[256];
  const char *found;
  take_request(s);
  if (strncmp(s->head, "CONNECT ", 8) == 0) {
    peer_send(s->peer, "HTTP/1.1 200 OK\r\n\r\n", 19);
    s->head_len = 0;
  } else if ((found = strstr(s->head, "Sec-WebSocket-Key: ")) && strlen(found) > 19 + BEAM__KEY_SIZE) {
    memcpy(key, found + 19, BEAM__KEY_SIZE - 1);
    key[BEAM__KEY_SIZE - 1] = '\0';
    HOLDS(beam__handshake_accept(key, accept) == 0);
    snprintf(text, sizeof text,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: %s\r\n\r\n",
             accept);
    peer_send(s->peer, text, strlen(text));
  }
}

static void send_frame(session *s) {
  size_t len, head = 2;
  uint8_t frame[260] = {(uint8_t)next_byte(&s->script)};
  const uint8_t *payload = next_bytes(&s->script, &len);
  frame[1] = (uint8_t)len;
  if (len > 125) {
    frame[1] = 126;
    frame[2] = 0;
    frame[3] = (uint8_t)len;
    head = 4;
  }
  memcpy(frame + head, payload, len);
  peer_send(s->peer, frame, head + len);
}

static void serve(session *s, unsigned what) {
  size_t len;
  const uint8_t *bytes;
  char ignored[1024];
  switch (what % 8) {
  case 0:
  case 1:
    bytes = next_bytes(&s->script, &len);
    peer_send(s->peer, bytes, len);
    break;
  case 2:
    answer_well(s);
    break;
  case 3:
  case 4:
    send_frame(s);
    break;
  case 5:
    if (s->is_open)
      peer_read(s->peer, ignored, sizeof ignored);
    break;
  case 6:
    if (s->peer >= 0)
      shutdown(s->peer, SHUT_WR);
    break;
  default:
    if (what & 8)
      peer_reset(&s->peer);
  }
}

/* ---- A session ---- */

static void step_until(session *s, int (*is_done)(session *), int listener) {
  int i;
  for (i = 0; i < STEPS && !is_done(s); i++) {
    beam_step(s->ctx, i < 20 ? 0 : 5);
    if (listener >= 0 && s->peer < 0)
      s->peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  }
}

static int has_connected(session *s) {
  return s->is_over || (s->peer >= 0 && s->ws && beam_ws_phase(s->ws) >= BEAM_PHASE_PROXY);
}
static int has_ended(session *s) { return s->is_over; }

static void play(session *s) {
  while (s->script.at < s->script.end) {
    unsigned what = next_byte(&s->script);
    if (what < 64)
      beam_step(s->ctx, 0);
    else if (what < 160)
      serve(s, what);
    else
      act(s, what);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int listener = -1;
  static unsigned port;
  char url[64], proxy[64];
  session s = {.script = {data, data + size}, .peer = -1};
  unsigned settings = next_byte(&s.script);
  beam_ws_options options = {
      .url = url, .on_event = on_event, .user = &s, .max_message = BOUND, .close_timeout_ms = 50};
  if (listener < 0)
    listener = listen_anywhere(&port);
  s.ctx = shared_context(NULL);
  s.bites = settings >> 1 & 1;
  options.fragments = s.fragments = settings >> 2 & 1;
  options.proxy = "";
  snprintf(url, sizeof url, "ws://%s:%u/", next_loopback(), port);
  if (settings & 1) {
    snprintf(proxy, sizeof proxy, "http://u:p@%s:%u", next_loopback(), port);
    options.proxy = proxy;
  }
  options.auth = (beam_auth){settings & 8 ? BEAM_AUTH_BEARER : BEAM_AUTH_NONE, NULL, "secret-of-8", 0};
  HOLDS(beam_ws_open(s.ctx, &s.ws, &options, NULL) == 0);
  step_until(&s, has_connected, listener);
  play(&s);
  if (s.ws) {
    beam_ws_resume(s.ws);
    peer_reset(&s.peer);
    step_until(&s, has_ended, -1);
    HOLDS(s.is_over); /* the other end is gone: so is the connection */
    if (s.ws)
      HOLDS(beam_ws_send_text(s.ws, "x", 1) == BEAM_ECLOSED && beam_ws_phase(s.ws) == BEAM_PHASE_CLOSED);
    beam_ws_free(s.ws);
  }
  peer_reset(&s.peer);
  return 0;
}
