/* The local Beam's server: any bytes of a client, in any cut, over one connection after another; and requests that are
 * answered at once, later, in pieces, with an upgrade, by a reset, or never. Whatever comes: each request is told once,
 * and what was told is gone, answered or aborted once. */
#include "beam-server.h"
#include "wire.h"

enum { REQUESTS = 64, SOCKETS = 4 };

typedef struct state {
  script script;
  beam_ctx *ctx;
  beam_server *server;
  beam_request *requests[REQUESTS]; /* that wait for an answer */
  uint8_t streams[REQUESTS];        /* which of them are being answered in pieces */
  beam_ws *sockets[SOCKETS];
  int socket_over[SOCKETS];
} state;

static int place_of(const state *s, const beam_request *request) {
  int i;
  for (i = 0; i < REQUESTS; i++)
    if (s->requests[i] == request)
      return i;
  return -1;
}

/* ---- WebSockets that were accepted ---- */

static void on_socket(void *user, beam_ws *ws, const beam_ws_event *event) {
  state *s = user;
  int i;
  for (i = 0; i < SOCKETS; i++)
    if (s->sockets[i] == ws)
      break;
  HOLDS(i < SOCKETS && !s->socket_over[i] && event->type != BEAM_WS_OPEN);
  if (event->type == BEAM_WS_MESSAGE) {
    HOLDS(event->len <= 200);
    if (event->binary)
      beam_ws_send_binary(ws, event->data, event->len);
    else
      HOLDS(beam_ws_send_text(ws, event->data, event->len) != BEAM_EINVALID);
  }
  s->socket_over[i] = event->type == BEAM_WS_CLOSED;
}

static void accept_socket(state *s, int place) {
  beam_ws_options options = {.on_event = on_socket, .user = s, .max_message = 200, .close_timeout_ms = 50};
  int i, code;
  for (i = 0; i < SOCKETS - 1 && s->sockets[i] && !s->socket_over[i]; i++)
    ;
  beam_ws_free(s->sockets[i]);
  s->sockets[i] = NULL;
  s->socket_over[i] = 0;
  code = beam_request_accept(s->requests[place], &s->sockets[i], &options);
  HOLDS(code == 0 || code == BEAM_EINVALID);
  if (code == 0)
    s->requests[place] = NULL;
}

/* ---- Requests ---- */

static void answer(state *s, int place, unsigned how) {
  static const beam_header headers[] = {{"x-a", "b"}, {"content-type", "text/plain"}};
  beam_request *request = s->requests[place];
  if (!request)
    return;
  if (s->streams[place]) {
    if (how & 1) {
      HOLDS(beam_request_stream_write(request, "piece of it", how & 2 ? 11 : 0) == 0);
      HOLDS(beam_request_pending(request) < 1 << 20);
      return;
    }
    s->requests[place] = NULL;
    if (how & 2)
      beam_request_stream_end(request);
    else
      beam_request_abort(request, (int)(how >> 2 & 1));
    return;
  }
  switch (how % 6) {
  case 0:
  case 1:
    HOLDS(beam_request_respond(request, how & 8 ? 204 : 200, headers, how % 3, "body", how & 16 ? 4 : 0) == 0);
    s->requests[place] = NULL;
    break;
  case 2:
    HOLDS(beam_request_stream_begin(request, 200, headers, 1) == 0);
    s->streams[place] = 1;
    break;
  case 3:
    accept_socket(s, place);
    break;
  case 4:
    beam_request_abort(request, (int)(how >> 3 & 1));
    s->requests[place] = NULL;
    break;
  default:; /* later, or never */
  }
}

static void check_view(const beam_request_view *view) {
  size_t i;
  HOLDS(*view->method && *view->target && !strpbrk(view->target, " \r\n"));
  for (i = 0; i < view->header_count; i++)
    HOLDS(*view->headers[i].name && !strpbrk(view->headers[i].value, "\r\n"));
  HOLDS(view->body_len <= 500);
}

static void on_request(void *user, beam_request *request, const beam_request_view *view) {
  state *s = user;
  int place = place_of(s, NULL);
  check_view(view);
  HOLDS(place_of(s, request) < 0 && !beam_request_user(request));
  if (place < 0) {
    beam_request_abort(request, 1);
    return;
  }
  beam_request_set_user(request, s);
  s->requests[place] = request;
  s->streams[place] = 0;
  answer(s, place, next_byte(&s->script));
}

static void on_gone(void *user, beam_request *request) {
  state *s = user;
  int place = place_of(s, request);
  HOLDS(place >= 0 && beam_request_user(request) == s);
  s->requests[place] = NULL;
}

/* ---- The client ---- */

/* -1: the system has no room for one more just now. */
static int connect_to(unsigned port) {
  struct sockaddr_in address = loopback("127.0.0.1", port), from = loopback(next_loopback(), 0);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  HOLDS(fd >= 0 && !bind(fd, (struct sockaddr *)&from, sizeof from));
  if (!connect(fd, (struct sockaddr *)&address, sizeof address))
    return fd;
  close(fd);
  return -1;
}

/* What a client would write: heads that are right so far, for what lies behind them. */
static void send_well(int fd, unsigned which) {
  static const char *const texts[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      "3\r\nabc\r\n0\r\n\r\n",
      "\x81\x85\0\0\0\0hello",
  };
  peer_send(fd, texts[which % 8], which % 8 == 7 ? 11 : strlen(texts[which % 8]));
}

static void play(state *s, unsigned port) {
  int peer = connect_to(port);
  char ignored[4096];
  while (s->script.at < s->script.end) {
    unsigned what = next_byte(&s->script);
    size_t len;
    const uint8_t *bytes;
    switch (what % 10) {
    case 0:
    case 1:
      beam_step(s->ctx, 0);
      break;
    case 2:
    case 3:
    case 4:
      bytes = next_bytes(&s->script, &len);
      peer_send(peer, bytes, len);
      break;
    case 5:
      send_well(peer, what / 10);
      break;
    case 6:
      answer(s, (int)(what / 10) % 4, next_byte(&s->script));
      break;
    case 7:
      peer_read(peer, ignored, sizeof ignored);
      break;
    case 8:
      if (peer >= 0 && what & 16)
        shutdown(peer, SHUT_WR);
      break;
    default:
      if (what & 32) {
        peer_reset(&peer);
        peer = connect_to(port);
      }
    }
  }
  beam_step(s->ctx, 0);
  peer_reset(&peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  state s = {.script = {data, data + size}};
  beam_server_options options = {
      .max_body = 500, .max_connections = 3, .on_request = on_request, .on_gone = on_gone, .user = &s};
  int i;
  s.ctx = shared_context(NULL);
  HOLDS(beam_server_listen(s.ctx, &s.server, &options, NULL) == 0);
  play(&s, beam_server_port(s.server));
  for (i = 0; i < 6; i++)
    beam_step(s.ctx, 0);
  beam_server_close(s.server);
  for (i = 0; i < SOCKETS; i++)
    beam_ws_free(s.sockets[i]);
  beam_step(s.ctx, 0);
  return 0;
}
