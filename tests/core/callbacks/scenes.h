/* What happens, so that every event comes: each scene has a party or two and goes on to its end by itself. */
#ifndef BEAM_CALLBACKS_SCENES_H
#define BEAM_CALLBACKS_SCENES_H

#include "calls.h"

typedef struct scene {
  const char *name;
  int secure;         /* the server speaks TLS */
  void (*play)(void); /* begins it: w.self is who is to end, or to be given back */
} scene;

static party *self(void) { return w.self = party_new("self"); }

static party *self_that_waits(void) {
  self()->waits = 1;
  return w.self;
}

/* ---- WebSockets ---- */

static void talk(beam_ws_options options, int closes) {
  w.self = self();
  w.self->greets = 1;
  w.self->closes = closes;
  open_ws(w.self, options);
}

static void play_talk(void) { talk((beam_ws_options){.url = way_to("ws", "/")}, 3); }
static void play_secure_talk(void) { talk((beam_ws_options){.url = way_to("wss", "/")}, 3); }

static void play_proxied_talk(void) {
  talk((beam_ws_options){.url = way_to("ws", "/"), .proxy = url_of("http", "127.0.0.1", w.proxy.port, "")}, 3);
}

static void play_secure_proxied_talk(void) {
  talk((beam_ws_options){.url = way_to("wss", "/"), .proxy = url_of("http", "127.0.0.1", w.proxy.port, "")}, 3);
}

static void play_closed_by_server(void) { talk((beam_ws_options){.url = way_to("ws", "/close")}, 0); }
static void play_lost(void) { talk((beam_ws_options){.url = way_to("ws", "/abort")}, 0); }
static void play_reset(void) { talk((beam_ws_options){.url = way_to("wss", "/reset")}, 0); }
static void play_rejected(void) { talk((beam_ws_options){.url = way_to("ws", "/reject")}, 0); }
static void play_too_large(void) { talk((beam_ws_options){.url = way_to("ws", "/"), .max_message = 2}, 0); }

static void play_refused(void) {
  talk((beam_ws_options){.url = url_of("ws", "127.0.0.1", 1, "/")}, 0); /* nobody listens there */
}

static void play_upgrade_timeout(void) {
  w.self = self();
  open_ws(w.self, (beam_ws_options){.url = way_to("ws", "/never"), .upgrade_timeout_ms = 10});
}

/* The server sends one long message back, which comes in pieces. */
static void play_fragments(void) {
  w.self = self();
  w.self->closes = 4;
  open_ws(w.self, (beam_ws_options){.url = way_to("ws", "/"), .fragments = 1});
  STEP_UNTIL(is_open(w.self) || w.self->ended || !w.self->ws);
  if (is_open(w.self_peer)) {
    static char text[400000];
    beam_ws_send_binary(w.self_peer->ws, text, sizeof text);
  }
}

/* ---- Exchanges ---- */

static void exchange(beam_http_options options) { start_http(self(), options); }

static void play_call(void) { exchange((beam_http_options){.url = way_to("http", "/"), .body = "{}", .body_len = 2}); }
static void play_secure_call(void) { exchange((beam_http_options){.url = way_to("https", "/")}); }
static void play_stream(void) { exchange((beam_http_options){.url = way_to("http", "/pieces"), .stream = 1}); }
static void play_secure_stream(void) { exchange((beam_http_options){.url = way_to("https", "/pieces"), .stream = 1}); }
static void play_large(void) { exchange((beam_http_options){.url = way_to("http", "/"), .max_body = 3}); }
static void play_no_server(void) { exchange((beam_http_options){.url = url_of("http", "127.0.0.1", 1, "/")}); }
static void play_late(void) { exchange((beam_http_options){.url = way_to("http", "/never"), .timeout_ms = 10}); }

static void play_proxied_call(void) {
  exchange((beam_http_options){.url = way_to("https", "/"), .proxy = url_of("http", "127.0.0.1", w.proxy.port, "")});
}

static void play_upload(void) {
  exchange((beam_http_options){.url = way_to("http", "/"), .upload = 1});
  w.self->writes = 3;
  if (w.self->http)
    beam_http_write(w.self->http, "first", 5);
}

/* ---- The rest ---- */

static void play_timer(void) {
  beam_timer *timer;
  if (beam_timer_start(w.ctx, &timer, 1, on_timer, self_that_waits()))
    w.self->ended = 1;
}

static void play_read_of(int writes) {
  static int ends[2] = {-1, -1};
  beam_read *read;
  close(ends[0]);
  close(ends[1]);
  if (pipe(ends))
    abort();
  if (writes && write(ends[1], "text", 4) != 4)
    abort();
  if (!writes)
    close(ends[1]), ends[1] = -1;
  if (beam_read_start(w.ctx, &read, ends[0], on_read, self_that_waits()))
    w.self->ended = 1;
}

static void play_read(void) { play_read_of(1); }
static void play_read_end(void) { play_read_of(0); }

/* A client that leaves before it has its answer; over when the server has noticed. */
static void play_leave(void) {
  int fd = proxy_dial(w.port), before = w.requests_made;
  static const char head[] = "GET /never HTTP/1.1\r\nHost: a\r\n\r\n";
  self_that_waits()->leaves = 1;
  if (fd < 0 || send(fd, head, sizeof head - 1, MSG_NOSIGNAL) < 0)
    abort();
  STEP_UNTIL(w.requests_made > before);
  close(fd);
}

static const scene scenes[] = {
    {"a session", 0, play_talk},
    {"a session over TLS", 1, play_secure_talk},
    {"a session through a proxy", 0, play_proxied_talk},
    {"a session over TLS through a proxy", 1, play_secure_proxied_talk},
    {"a session that the server closes", 0, play_closed_by_server},
    {"a session that is lost", 0, play_lost},
    {"a session over TLS that is reset", 1, play_reset},
    {"a rejected upgrade", 0, play_rejected},
    {"a message that is too large", 0, play_too_large},
    {"a session with nobody", 0, play_refused},
    {"an upgrade that is not answered", 0, play_upgrade_timeout},
    {"fragments", 0, play_fragments},
    {"a call", 0, play_call},
    {"a call over TLS", 1, play_secure_call},
    {"a call through a proxy", 1, play_proxied_call},
    {"a stream", 0, play_stream},
    {"a stream over TLS", 1, play_secure_stream},
    {"an answer that is too large", 0, play_large},
    {"a call of nobody", 0, play_no_server},
    {"a call that is late", 0, play_late},
    {"an upload", 0, play_upload},
    {"a timer", 0, play_timer},
    {"a read", 0, play_read},
    {"the end of what is read", 0, play_read_end},
    {"a client that leaves", 0, play_leave},
};

enum { SCENES = sizeof scenes / sizeof *scenes };

#endif
