/* What is done while something fails: a session, a call, a stream, in plain, over TLS, through a proxy. Each tells what
 * it ended with, and whether all ended exactly once. */
#ifndef BEAM_FAULT_CLIENT_SCENES_H
#define BEAM_FAULT_CLIENT_SCENES_H

#include <time.h>

#include "net/proxy.h"
#include "peer.h"
#include "runner.h"

enum { SCENE_MS = 30000 }; /* within it all is to end, on a busy machine too; a fault may cost a deadline */

static long long scene_now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static const char *scene_url(const char *scheme, const char *path) {
  static char url[128];
  int secure = strcmp(scheme, "wss") == 0 || strcmp(scheme, "https") == 0;
  snprintf(url, sizeof url, "%s://localhost:%u%s", scheme, secure ? peer.secure_port : peer.port, path);
  return url;
}

static const char *scene_proxy(void) {
  static char url[64];
  snprintf(url, sizeof url, "http://name:word@127.0.0.1:%u", peer.proxy_port);
  return url;
}

static void wrong(outcome *to, const char *text) {
  if (!*to->wrong)
    snprintf(to->wrong, sizeof to->wrong, "%s", text);
}

static void ended_with(outcome *to, int code, const beam_error *error) {
  snprintf(to->kind, sizeof to->kind, "%s", code ? beam_error_kind(code) : "unharmed");
  if (error)
    snprintf(to->message, sizeof to->message, "%s", error->message);
}

/* ---- A session ---- */

typedef struct session {
  beam_ws *ws;
  int ended, late, heard, code;
  size_t bytes;
  beam_error error;
} session;

static char scene_long_text[70000];

static void on_session(void *user, beam_ws *ws, const beam_ws_event *event) {
  session *s = user;
  s->late += s->ended > 0;
  if (event->type == BEAM_WS_OPEN) {
    beam_ws_send_text(ws, "hello", 5);
    beam_ws_send_binary(ws, scene_long_text, sizeof scene_long_text);
    beam_ws_ping(ws, "p", 1);
  } else if (event->type == BEAM_WS_MESSAGE) {
    s->bytes += event->len;
    if (++s->heard == 2)
      beam_ws_close(ws, 1000, "done");
  } else if (event->type == BEAM_WS_CLOSED) {
    s->ended++;
    s->code = event->error ? event->error->code : 0;
    if (event->error)
      s->error = *event->error;
  }
}

static void play_session(outcome *to, const char *scheme, const char *way) {
  session s = {0};
  beam_ws_options options = {.url = scene_url(scheme, "/"), .proxy = way, .on_event = on_session, .user = &s};
  long long end = scene_now() + SCENE_MS;
  beam_ctx *ctx;
  int code = beam_new(&ctx, NULL);
  options.tls.ca_file = peer.ca_file;
  options.auth = (beam_auth){.scheme = BEAM_AUTH_BEARER, .secret = "token"};
  if (code) {
    ended_with(to, code == BEAM_EINVALID ? BEAM_ENO_MEMORY : code, NULL);
    return;
  }
  code = beam_ws_open(ctx, &s.ws, &options, &s.error);
  if (code)
    ended_with(to, code, &s.error);
  while (!code && !s.ended && scene_now() < end)
    beam_step(ctx, 100);
  if (!code && !s.ended)
    wrong(to, "the session did not end");
  if (s.ended > 1 || s.late || (code && s.ended))
    wrong(to, "the session ended more than once");
  if (s.ended && !s.code && s.bytes != sizeof scene_long_text + 5)
    wrong(to, "the session ended in order without its messages");
  if (!code)
    ended_with(to, s.code, &s.error);
  beam_ws_free(s.ws);
  beam_close(ctx);
}

/* ---- A call ---- */

typedef struct exchange {
  beam_http *http;
  int ended, late, code, status;
  size_t bytes;
  beam_error error;
} exchange;

static void on_exchange(void *user, beam_http *http, const beam_http_event *event) {
  exchange *e = user;
  (void)http;
  e->late += e->ended > 0;
  e->bytes += event->len;
  if (event->type == BEAM_HTTP_DONE) {
    e->ended++;
    e->status = event->status;
    e->code = event->error ? event->error->code : 0;
    if (event->error)
      e->error = *event->error;
  }
}

static int one_exchange(beam_ctx *ctx, outcome *to, beam_http_options options, size_t wanted) {
  exchange e = {0};
  long long end = scene_now() + SCENE_MS;
  int code;
  options.on_event = on_exchange;
  options.user = &e;
  options.tls.ca_file = peer.ca_file;
  options.auth = (beam_auth){.scheme = BEAM_AUTH_BEARER, .secret = "token"};
  options.connect_timeout_ms = 5000;
  options.timeout_ms = 10000;
  code = beam_http_start(ctx, &e.http, &options, &e.error);
  while (!code && !e.ended && scene_now() < end)
    beam_step(ctx, 100);
  if (!code && !e.ended)
    wrong(to, "the exchange did not end");
  if (e.ended > 1 || e.late || (code && e.ended))
    wrong(to, "the exchange ended more than once");
  if (e.ended && !e.code && (e.status != 200 || e.bytes != wanted))
    wrong(to, "the exchange ended in order without its answer");
  code = code ? code : e.code;
  ended_with(to, code, &e.error);
  beam_http_free(e.http);
  return code;
}

/* Two, so that the second goes over the connection of the first. */
static void play_exchanges(outcome *to, const char *scheme, const char *way, int stream) {
  static const char body[] = "{\"value\": 1}";
  beam_http_options options = {.url = scene_url(scheme, stream ? "/stream" : "/"), .proxy = way, .stream = stream};
  size_t wanted = stream ? 60000 : sizeof body - 1;
  beam_ctx *ctx;
  int code = beam_new(&ctx, NULL);
  if (code) {
    ended_with(to, code == BEAM_EINVALID ? BEAM_ENO_MEMORY : code, NULL);
    return;
  }
  if (!stream)
    options.body = body, options.body_len = sizeof body - 1;
  if (one_exchange(ctx, to, options, wanted) == 0)
    one_exchange(ctx, to, options, wanted);
  beam_close(ctx);
}

/* ---- An address and a proxy's: read whole, or not at all ---- */

static void read_address(outcome *to) {
  beam__url url;
  beam__proxy way = {0};
  beam_error error;
  int code = beam__url_parse(&url, "ws://[fe80::1%25lo]:8443/path", &error);
  if (!code && (url.port != 8443 || strcmp(url.host, "fe80::1%lo") != 0))
    wrong(to, "the address is another one");
  if (!code)
    code = beam__proxy_choose(&way, "http://name:word@proxy.test:3129", &url, &error);
  if (!code && (way.port != 3129 || !way.credentials || strcmp(way.credentials, "name:word") != 0))
    wrong(to, "the proxy is another one");
  ended_with(to, code, code ? &error : NULL);
  beam__url_free(&url);
  beam__proxy_free(&way);
}

/* ---- The scenes ---- */

static void plain_session(outcome *to) { play_session(to, "ws", ""); }
static void secure_session(outcome *to) { play_session(to, "wss", ""); }
static void proxied_session(outcome *to) { play_session(to, "wss", scene_proxy()); }
static void plain_call(outcome *to) { play_exchanges(to, "http", "", 0); }
static void secure_call(outcome *to) { play_exchanges(to, "https", "", 0); }
static void proxied_call(outcome *to) { play_exchanges(to, "https", scene_proxy(), 0); }
static void plain_stream(outcome *to) { play_exchanges(to, "http", "", 1); }
static void secure_stream(outcome *to) { play_exchanges(to, "https", "", 1); }

static const scene client_scenes[] = {
    {"an address", read_address, 0, 0},
    {"a session", plain_session, 0, 0},
    {"a session over TLS", secure_session, 0, 0},
    {"a session through a proxy", proxied_session, 0, 0},
    {"a call", plain_call, 0, 0},
    {"a call over TLS", secure_call, 0, 0},
    {"a call through a proxy", proxied_call, 0, 0},
    {"a stream", plain_stream, 0, 0},
    {"a stream over TLS", secure_stream, 0, 0},
};

enum { CLIENT_SCENES = sizeof client_scenes / sizeof *client_scenes };

/* In a process in which no library has done anything yet. */
static const scene first_call_scene = {"a first call over TLS", secure_call, 0, 1};

#endif
