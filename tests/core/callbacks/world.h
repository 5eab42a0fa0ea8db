/* The world in which a callback bites: a server, whoever speaks with it, and bystanders in every state, all in one
 * context. Whoever is in it counts how often it ended, and what came after that.
 *
 *   scenes.h           what happens, so that every event comes
 *   calls.h            every function of beam.h and beam-server.h, on everything that it can be called on
 *   callbacks_test.c   each event with each call
 */
#ifndef BEAM_CALLBACKS_WORLD_H
#define BEAM_CALLBACKS_WORLD_H

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "beam-server.h"
#include "proxy_fixture.h"
#include "test.h"

enum { PARTIES_MAX = 4096, PATIENCE_MS = 5000 };

/* ---- Who is in it ---- */

typedef struct party { /* a WebSocket or an exchange */
  const char *name;
  beam_ws *ws;
  beam_http *http;            /* both NULL: given back */
  int ended, late;            /* terminal events; events after the last one, or after it was given back */
  int greets, closes, aborts; /* what it does when it is open, when a message comes */
  int writes;                 /* an upload: how often it is told to write more */
  int waits, leaves;          /* neither: a timer, a read; a client of no kind */
  int failed;                 /* code of its error */
} party;

enum { STAYS_HELD, STREAMS, WAITS_FOR_UPGRADE, REQUESTS };

static struct world {
  beam_ctx *ctx;
  beam_server *server, *second, *third; /* of the scene; of the bystanders, plain; made by a bite */
  unsigned port, second_port;
  char ca_file[64];
  proxy proxy;

  party parties[PARTIES_MAX]; /* of this pair, the bystanders' first */
  int party_count;
  party *self, *self_peer;                /* whom the scene is about, and the server's end of it */
  party *other, *other_peer, *young;      /* bystanders: open, and on the way */
  party *waiting, *streaming, *uploading; /* bystanders: exchanges */
  party *upgrading;                       /* a WebSocket that waits for its answer */
  beam_server *self_server;               /* whose that request is */
  beam_request *self_request;             /* inside of on_request */
  beam_request *requests[REQUESTS];       /* bystanders */
  beam_timer *timer;
  beam_read *read;
  beam_ctx *further; /* made inside a callback, ended outside */
  int pipe[2];       /* what `read` reads */
  int timers_fired, reads_done, requests_made, gone;
} w;

static inline long long now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static inline party *party_new(const char *name) {
  party *p;
  if (w.party_count == PARTIES_MAX)
    abort();
  p = &w.parties[w.party_count++];
  memset(p, 0, sizeof *p);
  p->name = name;
  return p;
}

/* ---- Events: each has a name, and one of them bites ---- */

static void (*bite)(const char *event, party *whose); /* callbacks_test.c */

static const char *const phase_parts[] = {"first", "middle", "last", "whole"};

static inline void event_of_ws(party *p, const beam_ws_event *event) {
  static const char *const types[] = {"phase", "open", "message", "ping", "pong", "drained", "closed"};
  char name[128];
  const char *more = "";
  if (event->type == BEAM_WS_PHASE)
    more = beam_phase_name(event->phase);
  else if (event->type == BEAM_WS_MESSAGE)
    more = phase_parts[event->first && event->final ? 3 : event->first ? 0 : event->final ? 2 : 1];
  else if (event->type == BEAM_WS_CLOSED)
    more = event->status ? "rejected" : event->error ? beam_error_kind(event->error->code) : "in order";
  snprintf(name, sizeof name, "%s: WebSocket %s %s", p->name, types[event->type], more);
  bite(name, p);
}

static inline void on_ws(void *user, beam_ws *ws, const beam_ws_event *event) {
  party *p = user;
  int i;
  if (p->ended || p->ws != ws)
    p->late++;
  if (event->type == BEAM_WS_CLOSED) {
    p->ended++;
    p->failed = event->error ? event->error->code : 0;
  }
  event_of_ws(p, event);
  if (!p->ws)
    return;
  if (event->type == BEAM_WS_OPEN && p->greets) {
    beam_ws_send_text(p->ws, "one", 3);
    beam_ws_send_text(p->ws, "two", 3); /* joins the first: `drained` comes */
    beam_ws_ping(p->ws, "p", 1);
  }
  if (event->type == BEAM_WS_MESSAGE && p->aborts)
    beam_ws_abort(p->ws, p->aborts == 2);
  else if (event->type == BEAM_WS_MESSAGE && p->closes && !--p->closes)
    beam_ws_close(p->ws, 1000, "done");
  else if (event->type == BEAM_WS_MESSAGE && p == w.self_peer)
    for (i = 0; i < 2; i++) { /* an echo that drains, and a ping for the client */
      beam_ws_send_binary(p->ws, event->data, event->len);
      beam_ws_ping(p->ws, "q", 1);
    }
}

static inline void on_http(void *user, beam_http *http, const beam_http_event *event) {
  static const char *const types[] = {"headers", "data", "drained", "done"};
  party *p = user;
  char name[128];
  if (p->ended || p->http != http)
    p->late++;
  if (event->type == BEAM_HTTP_DONE) {
    p->ended++;
    p->failed = event->error ? event->error->code : 0;
  }
  snprintf(name, sizeof name, "%s: exchange %s %s", p->name, types[event->type],
           event->error ? beam_error_kind(event->error->code) : "");
  bite(name, p);
  if (p->http && event->type == BEAM_HTTP_DRAINED) {
    if (--p->writes > 0)
      beam_http_write(p->http, "more", 4);
    else
      beam_http_write_end(p->http);
  }
}

static inline void on_timer(void *user) {
  party *p = user;
  w.timers_fired++;
  w.timer = p ? w.timer : NULL;
  if (p)
    p->ended++;
  bite(p ? "scene: timer" : "bystander: timer", NULL);
}

static inline void on_read(void *user, const char *data, size_t len, int system_error) {
  party *p = user;
  (void)data, (void)system_error;
  w.reads_done++;
  w.read = p ? w.read : NULL;
  if (p)
    p->ended++;
  bite(!p ? "bystander: read" : len ? "scene: read" : "scene: end of what is read", NULL);
}

/* ---- The server ---- */

static inline int accept_ws(beam_request *request, party *p, const beam_ws_options *given) {
  beam_ws_options options = given ? *given : (beam_ws_options){0};
  options.on_event = on_ws;
  options.user = p;
  return beam_request_accept(request, &p->ws, &options);
}

static inline int is_path(const beam_request_view *view, const char *path) { return strcmp(view->target, path) == 0; }

static inline void answer_upgrade(beam_request *request, const beam_request_view *view) {
  party *p;
  if (is_path(view, "/reject")) {
    beam_request_respond(request, 403, NULL, 0, "no", 2);
    return;
  }
  if (is_path(view, "/hold")) {
    w.requests[WAITS_FOR_UPGRADE] = request;
    return;
  }
  if (is_path(view, "/never"))
    return;
  p = party_new(is_path(view, "/other") ? "bystander's peer" : is_path(view, "/young") ? "bystander" : "server's");
  if (is_path(view, "/other"))
    w.other_peer = p;
  else if (!is_path(view, "/young"))
    w.self_peer = p;
  p->closes = is_path(view, "/close") ? 1 : 0;
  p->aborts = is_path(view, "/abort") ? 1 : is_path(view, "/reset") ? 2 : 0;
  if (accept_ws(request, p, NULL))
    w.party_count--;
}

static inline void answer_plainly(beam_request *request, const beam_request_view *view) {
  if (is_path(view, "/wait")) {
    w.requests[STAYS_HELD] = request;
  } else if (is_path(view, "/stream")) {
    beam_request_stream_begin(request, 200, NULL, 0);
    beam_request_stream_write(request, "piece", 5);
    w.requests[STREAMS] = request;
  } else if (is_path(view, "/pieces")) {
    beam_request_stream_begin(request, 200, NULL, 0);
    beam_request_stream_write(request, "one", 3);
    beam_request_stream_write(request, "two", 3);
    beam_request_stream_end(request);
  } else if (!is_path(view, "/never") && beam_request_respond(request, 200, NULL, 0, "the answer", 10)) {
    beam_request_stream_end(request); /* the bite has begun a stream */
  }
}

static inline void on_request(void *user, beam_request *request, const beam_request_view *view) {
  char name[128];
  w.requests_made++;
  w.self_server = *(beam_server **)user;
  w.self_request = request;
  snprintf(name, sizeof name, "%sserver: request %s%s", w.self_server == w.second ? "bystanders' " : "",
           view->upgrade ? "for an upgrade " : "", view->target);
  bite(name, NULL);
  if (!w.self_request)
    return;
  w.self_request = NULL;
  if (view->upgrade)
    answer_upgrade(request, view);
  else
    answer_plainly(request, view);
}

static inline void on_gone(void *user, beam_request *request) {
  const beam_server *server = *(beam_server **)user;
  int i;
  w.gone++;
  for (i = 0; i < REQUESTS; i++)
    if (w.requests[i] == request)
      w.requests[i] = NULL;
  if (w.self && w.self->leaves && server == w.server)
    w.self->ended = 1;
  bite(server == w.second ? "bystanders' server: gone" : "server: the client has gone", NULL);
}

static inline int listen_at(beam_server **server, unsigned port, int secure) {
  beam_server_options options = {.port = port, .on_request = on_request, .on_gone = on_gone, .user = server};
  beam_error error = {0};
  if (secure)
    options.tls = (beam_tls){.cert_file = w.ca_file, .key_file = w.ca_file};
  if (beam_server_listen(w.ctx, server, &options, &error) == 0)
    return 1;
  printf("# %s\n", error.message);
  return 0;
}

/* ---- Those who ask ---- */

static inline const char *url_of(const char *scheme, const char *host, unsigned port, const char *path) {
  static char urls[4][128];
  static unsigned next;
  char *url = urls[next++ % 4];
  snprintf(url, sizeof urls[0], "%s://%s:%u%s", scheme, host, port, path);
  return url;
}

static inline const char *way_to(const char *scheme, const char *path) {
  return url_of(scheme, "localhost", w.port, path);
}

static inline party *open_ws(party *p, beam_ws_options options) {
  options.on_event = on_ws;
  options.user = p;
  options.close_timeout_ms = options.close_timeout_ms ? options.close_timeout_ms : 500;
  options.proxy = options.proxy ? options.proxy : "";
  options.tls.ca_file = w.ca_file;
  if (beam_ws_open(w.ctx, &p->ws, &options, NULL))
    p->ended++; /* an error is its end */
  return p;
}

static inline party *start_http(party *p, beam_http_options options) {
  options.on_event = on_http;
  options.user = p;
  options.proxy = options.proxy ? options.proxy : "";
  options.tls.ca_file = w.ca_file;
  if (beam_http_start(w.ctx, &p->http, &options, NULL))
    p->ended++;
  return p;
}

#define STEP_UNTIL(condition)                                                                                          \
  do {                                                                                                                 \
    long long end_ = now_ms() + PATIENCE_MS;                                                                           \
    while (!(condition) && now_ms() < end_)                                                                            \
      beam_step(w.ctx, 5);                                                                                             \
  } while (0)

static inline int is_open(const party *p) { return p && p->ws && beam_ws_phase(p->ws) == BEAM_PHASE_OPEN; }

static inline void give_back(party *p) {
  if (!p)
    return;
  beam_ws_free(p->ws);
  beam_http_free(p->http);
  p->ws = NULL;
  p->http = NULL;
}

/* Everybody but the server goes; nobody of this pair is spoken of any more. */
static inline void clear_world(void) {
  int i;
  for (i = 0; i < w.party_count; i++)
    give_back(&w.parties[i]);
  for (i = 0; i < REQUESTS; i++)
    if (w.requests[i])
      beam_request_abort(w.requests[i], 0);
  memset(w.requests, 0, sizeof w.requests);
  w.self = w.self_peer = w.other = w.other_peer = w.young = w.waiting = w.streaming = w.uploading = w.upgrading = NULL;
  beam_timer_stop(w.timer);
  beam_read_stop(w.read);
  beam_server_close(w.third);
  beam_close(w.further);
  w.timer = NULL, w.read = NULL, w.third = NULL, w.further = NULL;
  beam_step(w.ctx, 0);
  beam_step(w.ctx, 0);
  w.party_count = 0;
}

/* Who stands by, as far as it is not there (any more). */
static inline const char *bystanders_way(const char *scheme, const char *path) {
  return url_of(scheme, "127.0.0.1", w.second_port, path);
}

static inline party *bystander_ws(const char *path) {
  return open_ws(party_new("bystander"), (beam_ws_options){.url = bystanders_way("ws", path)});
}

static inline party *bystander_http(beam_http_options options) { return start_http(party_new("bystander"), options); }

/* The server, if the last bite has closed it, and who stands by. */
static inline void fill_world(int secure) {
  if (!w.server && !listen_at(&w.server, w.port, secure) && listen_at(&w.server, 0, secure))
    w.port = beam_server_port(w.server); /* somebody else was given the number meanwhile */
  if (!w.second)
    listen_at(&w.second, 0, 0);
  w.second_port = beam_server_port(w.second);
  w.other = bystander_ws("/other");
  w.upgrading = bystander_ws("/hold");
  w.waiting = bystander_http((beam_http_options){.url = bystanders_way("http", "/wait"), .stream = 1});
  w.streaming = bystander_http((beam_http_options){.url = bystanders_way("http", "/stream"), .stream = 1});
  w.uploading = bystander_http((beam_http_options){.url = bystanders_way("http", "/"), .upload = 1});
  STEP_UNTIL(is_open(w.other) && w.requests[STAYS_HELD] && w.requests[STREAMS] && w.requests[WAITS_FOR_UPGRADE]);
  w.young = bystander_ws("/young");
  if (beam_timer_start(w.ctx, &w.timer, 60000, on_timer, NULL) ||
      beam_read_start(w.ctx, &w.read, w.pipe[0], on_read, NULL))
    abort();
}

#endif
