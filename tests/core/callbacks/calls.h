/* Every function of beam.h and beam-server.h that rule 6 allows inside a callback, on everything in the world that it
 * can be called on. callbacks_test.c compares the table with the headers. */
#ifndef BEAM_CALLBACKS_CALLS_H
#define BEAM_CALLBACKS_CALLS_H

#include "world.h"

/* ---- What there is to be called on ---- */

enum kind { OF_NOTHING, OF_CONTEXT, OF_WS, OF_HTTP, OF_REQUEST, OF_SERVER, OF_TIMER, OF_READ };

typedef struct target {
  const char *name;
  enum kind kind;
  party **party;
  beam_request **request;
  beam_server **server;
} target;

static const target targets[] = {
    {.name = "", .kind = OF_NOTHING},
    {.name = "", .kind = OF_CONTEXT},
    {.name = "itself", .kind = OF_WS, .party = &w.self},
    {.name = "its peer", .kind = OF_WS, .party = &w.self_peer},
    {.name = "another", .kind = OF_WS, .party = &w.other},
    {.name = "another's peer", .kind = OF_WS, .party = &w.other_peer},
    {.name = "one on its way", .kind = OF_WS, .party = &w.young},
    {.name = "one that waits for the upgrade", .kind = OF_WS, .party = &w.upgrading},
    {.name = "itself", .kind = OF_HTTP, .party = &w.self},
    {.name = "one that waits", .kind = OF_HTTP, .party = &w.waiting},
    {.name = "one that is streamed", .kind = OF_HTTP, .party = &w.streaming},
    {.name = "an upload", .kind = OF_HTTP, .party = &w.uploading},
    {.name = "itself", .kind = OF_REQUEST, .request = &w.self_request},
    {.name = "one that waits", .kind = OF_REQUEST, .request = &w.requests[STAYS_HELD]},
    {.name = "one that streams", .kind = OF_REQUEST, .request = &w.requests[STREAMS]},
    {.name = "an upgrade", .kind = OF_REQUEST, .request = &w.requests[WAITS_FOR_UPGRADE]},
    {.name = "its own", .kind = OF_SERVER, .server = &w.server},
    {.name = "another", .kind = OF_SERVER, .server = &w.second},
    {.name = "", .kind = OF_TIMER},
    {.name = "", .kind = OF_READ},
};

enum { TARGETS = sizeof targets / sizeof *targets };

/* ---- Without an object ---- */

static void call_version(const target *t) { (void)t, CHECK(beam_version() != NULL); }

static void call_libraries(const target *t) {
  char text[256];
  (void)t, CHECK(beam_libraries(text, sizeof text) > 0);
}

static void call_ca_bundle(const target *t) { (void)t, (void)beam_ca_bundle(); }
static void call_error_kind(const target *t) {
  (void)t;
  CHECK_STR(beam_error_kind(BEAM_EDNS), "dns");
}
static void call_phase_name(const target *t) {
  (void)t;
  CHECK_STR(beam_phase_name(BEAM_PHASE_TLS), "tls");
}

static void call_hmac(const target *t) {
  uint8_t digest[BEAM_HMAC_SIZE];
  (void)t;
  CHECK_INT(beam_hmac_sha256("k", 1, "d", 1, digest), 0);
}

static void call_same_bytes(const target *t) { (void)t, CHECK(beam_same_bytes("a", "a", 1)); }

static void call_certificate(const target *t) {
  static char certificate[4096], key[4096];
  (void)t;
  CHECK_INT(beam_server_certificate(certificate, key, sizeof key), 0);
}

static void call_new(const target *t) {
  (void)t;
  if (!w.further)
    CHECK_INT(beam_new(&w.further, NULL), 0);
}

/* ---- The context ---- */

static void call_step(const target *t) {
  (void)t;
  CHECK_INT(beam_step(w.ctx, 0), BEAM_EINVALID);
}
static void call_turn(const target *t) {
  (void)t;
  CHECK_INT(beam_turn(w.ctx), BEAM_EINVALID);
}
static void call_fd(const target *t) { (void)t, CHECK(beam_fd(w.ctx) >= 0); }
static void call_wakeup(const target *t) { (void)t, beam_wakeup(w.ctx); }
static void call_now(const target *t) { (void)t, (void)beam_now(w.ctx); }

static void call_timer_start(const target *t) {
  beam_timer *timer;
  (void)t;
  CHECK_INT(beam_timer_start(w.ctx, &timer, 0, on_timer, party_new("a timer of the bite")), 0);
}

static void call_timer_stop(const target *t) {
  (void)t, beam_timer_stop(w.timer);
  w.timer = NULL;
}

static void call_read_start(const target *t) {
  beam_read *read;
  (void)t;
  CHECK_INT(beam_read_start(w.ctx, &read, w.pipe[0], on_read, party_new("a read")), w.read ? BEAM_EINVALID : 0);
  if (!w.read) /* it is stopped with the world */
    w.read = read;
  w.party_count--;
}

static void call_read_stop(const target *t) {
  (void)t, beam_read_stop(w.read);
  w.read = NULL;
}

static void call_ws_open(const target *t) {
  (void)t, open_ws(party_new("one of the bite"), (beam_ws_options){.url = way_to("ws", "/")});
}

static void call_http_start(const target *t) {
  (void)t, start_http(party_new("one of the bite"), (beam_http_options){.url = way_to("http", "/")});
}

static void call_server_listen(const target *t) {
  (void)t;
  if (!w.third)
    CHECK(listen_at(&w.third, 0, 0));
}

/* ---- A WebSocket: what it answers depends on where it is ---- */

static int may(int code) { return code == 0 || code == BEAM_ECLOSED; }

static void call_send_text(const target *t) { CHECK(may(beam_ws_send_text((*t->party)->ws, "bite", 4))); }
static void call_send_binary(const target *t) { CHECK(may(beam_ws_send_binary((*t->party)->ws, "bite", 4))); }
static void call_ping(const target *t) { CHECK(may(beam_ws_ping((*t->party)->ws, "bite", 4))); }
static void call_ws_close(const target *t) { CHECK_INT(beam_ws_close((*t->party)->ws, 1000, "bite"), 0); }
static void call_ws_pause(const target *t) { beam_ws_pause((*t->party)->ws); }
static void call_ws_resume(const target *t) { beam_ws_resume((*t->party)->ws); }
static void call_ws_pending(const target *t) { (void)beam_ws_pending((*t->party)->ws); }
static void call_ws_phase(const target *t) { (void)beam_ws_phase((*t->party)->ws); }
static void call_ws_abort(const target *t) { beam_ws_abort((*t->party)->ws, 1); }

static void call_ws_progress(const target *t) {
  beam_progress progress;
  beam_ws_progress((*t->party)->ws, &progress);
}

static void call_free(const target *t) { give_back(*t->party); }

/* ---- An exchange ---- */

static int may_write(int code) { return code == 0 || code == BEAM_ECLOSED || code == BEAM_EINVALID; }

static void call_write(const target *t) { CHECK(may_write(beam_http_write((*t->party)->http, "bite", 4))); }
static void call_write_end(const target *t) { CHECK(may_write(beam_http_write_end((*t->party)->http))); }
static void call_http_pending(const target *t) { (void)beam_http_pending((*t->party)->http); }
static void call_http_pause(const target *t) { beam_http_pause((*t->party)->http); }
static void call_http_resume(const target *t) { beam_http_resume((*t->party)->http); }

/* It begins anew, and ends once more. */
static void call_http_again(const target *t) {
  if (beam_http_again((*t->party)->http) == 0)
    (*t->party)->ended = 0;
}

/* ---- A request. `answered`: it is invalid ---- */

static void answered(const target *t) { *t->request = NULL; }

static void call_set_user(const target *t) { beam_request_set_user(*t->request, &w); }
static void call_user(const target *t) { (void)beam_request_user(*t->request); }
static void call_request_pending(const target *t) { (void)beam_request_pending(*t->request); }
static void call_stream_begin(const target *t) { (void)beam_request_stream_begin(*t->request, 200, NULL, 0); }
static void call_stream_write(const target *t) { (void)beam_request_stream_write(*t->request, "bite", 4); }

static void call_respond(const target *t) {
  if (beam_request_respond(*t->request, 200, NULL, 0, "bite", 4) == 0)
    answered(t);
}

/* Of one that does not stream it ends nothing. */
static void call_stream_end(const target *t) {
  int streams = beam_request_stream_write(*t->request, "", 0) == 0;
  beam_request_stream_end(*t->request);
  if (streams)
    answered(t);
}

static void call_abort(const target *t) {
  beam_request_abort(*t->request, 1);
  answered(t);
}

static void call_accept(const target *t) {
  party *p = party_new("one that the bite accepts");
  if (accept_ws(*t->request, p, NULL) == 0)
    answered(t);
  else
    w.party_count--;
}

/* ---- A server ---- */

static void call_port(const target *t) { CHECK(beam_server_port(*t->server) > 0); }

static void call_server_close(const target *t) {
  if (*t->server == w.second)
    memset(w.requests, 0, sizeof w.requests);
  if (w.self_server == *t->server)
    w.self_request = NULL;
  beam_server_close(*t->server);
  *t->server = NULL;
}

/* ---- The table ---- */

typedef struct call {
  const char *function;
  enum kind kind;
  void (*make)(const target *t);
} call;

static const call calls[] = {
    {"beam_version", OF_NOTHING, call_version},
    {"beam_libraries", OF_NOTHING, call_libraries},
    {"beam_ca_bundle", OF_NOTHING, call_ca_bundle},
    {"beam_error_kind", OF_NOTHING, call_error_kind},
    {"beam_phase_name", OF_NOTHING, call_phase_name},
    {"beam_hmac_sha256", OF_NOTHING, call_hmac},
    {"beam_same_bytes", OF_NOTHING, call_same_bytes},
    {"beam_server_certificate", OF_NOTHING, call_certificate},
    {"beam_new", OF_NOTHING, call_new},
    {"beam_step", OF_CONTEXT, call_step}, /* refused */
    {"beam_turn", OF_CONTEXT, call_turn}, /* refused */
    {"beam_fd", OF_CONTEXT, call_fd},
    {"beam_wakeup", OF_CONTEXT, call_wakeup},
    {"beam_now", OF_CONTEXT, call_now},
    {"beam_timer_start", OF_CONTEXT, call_timer_start},
    {"beam_read_start", OF_CONTEXT, call_read_start},
    {"beam_ws_open", OF_CONTEXT, call_ws_open},
    {"beam_http_start", OF_CONTEXT, call_http_start},
    {"beam_server_listen", OF_CONTEXT, call_server_listen},
    {"beam_timer_stop", OF_TIMER, call_timer_stop},
    {"beam_read_stop", OF_READ, call_read_stop},
    {"beam_ws_send_text", OF_WS, call_send_text},
    {"beam_ws_send_binary", OF_WS, call_send_binary},
    {"beam_ws_ping", OF_WS, call_ping},
    {"beam_ws_close", OF_WS, call_ws_close},
    {"beam_ws_pause", OF_WS, call_ws_pause},
    {"beam_ws_resume", OF_WS, call_ws_resume},
    {"beam_ws_pending", OF_WS, call_ws_pending},
    {"beam_ws_progress", OF_WS, call_ws_progress},
    {"beam_ws_phase", OF_WS, call_ws_phase},
    {"beam_ws_free", OF_WS, call_free},
    {"beam_ws_abort", OF_WS, call_ws_abort},
    {"beam_http_write", OF_HTTP, call_write},
    {"beam_http_write_end", OF_HTTP, call_write_end},
    {"beam_http_pending", OF_HTTP, call_http_pending},
    {"beam_http_pause", OF_HTTP, call_http_pause},
    {"beam_http_resume", OF_HTTP, call_http_resume},
    {"beam_http_again", OF_HTTP, call_http_again},
    {"beam_http_free", OF_HTTP, call_free},
    {"beam_request_set_user", OF_REQUEST, call_set_user},
    {"beam_request_user", OF_REQUEST, call_user},
    {"beam_request_respond", OF_REQUEST, call_respond},
    {"beam_request_stream_begin", OF_REQUEST, call_stream_begin},
    {"beam_request_stream_write", OF_REQUEST, call_stream_write},
    {"beam_request_stream_end", OF_REQUEST, call_stream_end},
    {"beam_request_pending", OF_REQUEST, call_request_pending},
    {"beam_request_abort", OF_REQUEST, call_abort},
    {"beam_request_accept", OF_REQUEST, call_accept},
    {"beam_server_port", OF_SERVER, call_port},
    {"beam_server_close", OF_SERVER, call_server_close},
};

enum { CALLS = sizeof calls / sizeof *calls };

/* What the headers have and this table has not, and why. */
static const char *const left_out[] = {"beam_close"}; /* rule 6 */

/* Whether there is something to call it on. */
static inline int applies(const call *c, const target *t) {
  if (c->kind != t->kind)
    return 0;
  switch (t->kind) {
  case OF_WS:
    return *t->party && (*t->party)->ws;
  case OF_HTTP:
    return *t->party && (*t->party)->http;
  case OF_REQUEST:
    return *t->request != NULL;
  case OF_SERVER:
    return *t->server != NULL;
  default:
    return 1;
  }
}

#endif
