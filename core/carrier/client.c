#include "carrier/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "carrier/lws.h"
#include "carrier/stream.h"
#include "net/race.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "net/tls/profile.h"
#include "net/tunnel.h"

enum { CONNECT_MS = 10000 };

typedef struct client {
  beam__carrier base;
  beam_ctx *ctx;
  const beam__carrier_events *events;
  void *user;
  beam__task task;
  beam_timer *deadline;
  beam__way way;
  beam__tls_needs tls;
  beam__lookup *lookup;
  beam__addresses addresses;
  beam__race *race;
  beam__carrier *stream; /* NULL: none yet, or handed over */
  beam__answer answer;   /* the proxy's */
  char peer[280];        /* "host:port" that is talked to before the tunnel stands: the proxy's, if there is one */
  enum beam_phase phase;
  uint8_t closed; /* by its holder: no event any more */
  uint8_t over;   /* the last event was sent */
} client;

static const char *host_of(const client *c) { return c->way.url.authority; }
static int live(const client *c) { return !c->closed && !c->over; }

/* ---- The end ---- */

void beam__way_free(beam__way *way) {
  beam__url_free(&way->url);
  beam__proxy_free(&way->proxy);
}

/* No further step is made. What belongs to the context is given back here, for that may end before the memory goes. */
static void stop(client *c, enum beam__carrier_end end) {
  beam__carrier *stream = c->stream;
  beam_timer_stop(c->deadline);
  beam__lookup_cancel(c->lookup);
  beam__tls_needs_release(&c->tls);
  beam__race_cancel(c->race);
  c->deadline = NULL;
  c->lookup = NULL;
  c->race = NULL;
  c->stream = NULL;
  if (stream)
    stream->ops->close(stream, end);
}

static void free_client(client *c) {
  beam__way_free(&c->way);
  beam__answer_free(&c->answer);
  free(c);
}

static void give_up(client *c, const beam_error *error) {
  stop(c, BEAM__END_NOW);
  if (!live(c))
    return;
  c->over = 1;
  c->events->lost(c->user, error);
}

static void out_of_memory(client *c) {
  beam_error error;
  beam__error(&error, BEAM_ENO_MEMORY, c->phase, host_of(c), "out of memory");
  give_up(c, &error);
}

static void close_client(beam__carrier *base, enum beam__carrier_end end) {
  client *c = (client *)base;
  c->closed = 1;
  stop(c, end == BEAM__END_RESET ? end : BEAM__END_NOW);
  beam__task_defer(c->ctx, &c->task);
}

/* ---- Phases and their deadline ---- */

/* Whether it goes on. */
static int enter(client *c, enum beam_phase phase) {
  c->phase = phase;
  if (live(c))
    c->events->phase(c->user, phase);
  return live(c);
}

static const char *missed(const client *c) {
  switch (c->phase) {
  case BEAM_PHASE_TCP:
    return "no TCP connection could be made";
  case BEAM_PHASE_PROXY:
    return "the proxy did not answer";
  case BEAM_PHASE_TLS:
    return "the TLS handshake did not end";
  default:
    return c->addresses.count ? "the CA certificates were not read" : "the name was not resolved";
  }
}

static void on_deadline(void *user) {
  client *c = user;
  beam_error error;
  c->deadline = NULL;
  beam__error(&error, BEAM_ETIMEOUT, c->phase, host_of(c), "%s: %s within %u ms (connect_timeout)", host_of(c),
              missed(c), c->way.connect_timeout_ms);
  give_up(c, &error);
}

/* ---- The stream: TLS, and what the proxy says ---- */

/* The holder of this becomes the holder of the stream. */
static void finish(client *c) {
  beam__carrier *stream = c->stream;
  c->stream = NULL;
  c->over = 1;
  stop(c, BEAM__END_NOW);
  beam__task_defer(c->ctx, &c->task);
  beam__stream_hand_over(stream, c->events, c->user, NULL, 0);
  c->events->connected(c->user, stream, 0, NULL, 0);
}

static void on_secured(void *user) { finish(user); }

static void secure(client *c) {
  if (!c->tls.profile)
    finish(c);
  else if (enter(c, BEAM_PHASE_TLS) &&
           beam__stream_secure(c->stream, c->tls.profile, c->way.url.host, host_of(c), on_secured))
    out_of_memory(c);
}

static void ask_proxy(client *c) {
  beam__bytes head = {0};
  int code = beam__tunnel_request(&head, &c->way.url, &c->way.proxy);
  if (!code)
    code = c->stream->ops->write(c->stream, head.at, head.len);
  beam__bytes_wipe(&head);
  if (code)
    out_of_memory(c);
}

/* 1: the tunnel stands; 0: more is needed; or the error's code. The server speaks when it was spoken to: nothing may
 * come with the proxy's answer. */
static int read_proxy(client *c, const void *data, size_t len, beam_error *error) {
  size_t used;
  int code = beam__answer_read(&c->answer, data, len, &used);
  if (code < 0)
    return beam__tunnel_unreadable(&c->answer, code, c->peer, host_of(c), error);
  if (code == 0)
    return 0;
  code = beam__tunnel_answered(&c->answer, c->peer, host_of(c), error);
  if (!code && used < len)
    code =
        beam__error(error, BEAM_ECONNECT, BEAM_PHASE_PROXY, c->peer,
                    "the proxy %s sent more than its answer when it was asked for a tunnel to %s", c->peer, host_of(c));
  return code ? code : 1;
}

static void on_data(void *user, const void *data, size_t len) {
  client *c = user;
  beam_error error;
  int result = read_proxy(c, data, len, &error);
  if (result < 0)
    give_up(c, &error);
  else if (result)
    secure(c);
}

static void proxy_lost(client *c, int system) {
  char text[96];
  beam_error error;
  beam__error(&error, BEAM_ECONNECT, BEAM_PHASE_PROXY, c->peer, "the proxy %s gave no tunnel to %s: %s", c->peer,
              host_of(c), beam__system_text(system, text, sizeof text));
  error.system = system;
  give_up(c, &error);
}

/* Of a handshake the stream says how it failed. */
static void on_lost(void *user, const beam_error *lost) {
  client *c = user;
  if (c->phase == BEAM_PHASE_TLS)
    give_up(c, lost);
  else
    proxy_lost(c, lost ? lost->system : 0);
}

static void on_drained(void *user) { (void)user; }

static const beam__carrier_events stream_events = {.data = on_data, .drained = on_drained, .lost = on_lost};

/* ---- DNS, trust and TCP ---- */

static void on_connection(client *c, int fd) {
  beam__socket_limit_silence(fd, c->way.silence_timeout_ms);
  errno = 0;
  c->stream = beam__stream_new(c->ctx, fd, beam__lws_watch, &stream_events, c);
  if (!c->stream && errno == ENOMEM) {
    out_of_memory(c);
  } else if (!c->stream) {
    beam_error error;
    beam__error(&error, BEAM_ECONNECT, BEAM_PHASE_TCP, host_of(c),
                "%s: libwebsockets takes no further connection (beam_options.connections: %u)", host_of(c),
                c->ctx->options.connections);
    give_up(c, &error);
  } else if (!c->way.proxy.host) {
    secure(c);
  } else if (enter(c, BEAM_PHASE_PROXY)) {
    ask_proxy(c);
  }
}

static void on_connect(void *user, int fd, int system, const char *failures) {
  client *c = user;
  const char *proxy = c->way.proxy.host;
  beam_error error;
  c->race = NULL;
  if (fd >= 0) {
    on_connection(c, fd);
    return;
  }
  beam__error(&error, system == ENOMEM ? BEAM_ENO_MEMORY : BEAM_ECONNECT, BEAM_PHASE_TCP, c->peer,
              "no TCP connection to %s%s%s: %s", proxy ? "the proxy " : "", proxy ? proxy : host_of(c),
              proxy ? " could be made" : "", failures);
  error.system = system;
  give_up(c, &error);
}

static void connect_if_ready(client *c) {
  if (!c->addresses.count || (c->way.url.tls && !c->tls.profile) || !enter(c, BEAM_PHASE_TCP))
    return;
  if (beam__race_start(c->ctx, &c->race, &c->addresses, on_connect, c))
    out_of_memory(c);
}

static void on_addresses(void *user, const beam__addresses *addresses, const char *text) {
  client *c = user;
  const char *proxy = c->way.proxy.host;
  beam_error error;
  int code = beam__lookup_code(c->lookup);
  c->lookup = NULL;
  if (addresses && addresses->count) {
    c->addresses = *addresses;
    connect_if_ready(c);
    return;
  }
  beam__error(&error, code, BEAM_PHASE_DNS, c->peer, "%s%s could not be resolved: %s", proxy ? "the proxy " : "",
              proxy ? proxy : c->way.url.host, text ? text : "it has no address");
  give_up(c, &error);
}

static void on_certificates(void *user) {
  client *c = user;
  beam_error error;
  if (beam__tls_needs_make(c->ctx, &c->tls, &error) == 0) {
    connect_if_ready(c);
    return;
  }
  error.phase = BEAM_PHASE_TLS;
  give_up(c, &error);
}

static void start(client *c) {
  const beam__proxy *proxy = &c->way.proxy;
  if (!enter(c, BEAM_PHASE_DNS))
    return;
  if (beam__lookup_start(c->ctx, &c->lookup, proxy->host ? proxy->host : c->way.url.host,
                         proxy->host ? proxy->port : c->way.url.port, on_addresses, c))
    out_of_memory(c);
  else if (c->way.url.tls && !beam__tls_needs_await(&c->tls, on_certificates, c))
    on_certificates(c);
}

static void run(beam__task *task) {
  client *c = BEAM__CONTAINER(task, client, task);
  if (!live(c))
    free_client(c);
  else
    start(c);
}

/* ---- The beginning ---- */

/* Its holder only closes it. */
static const beam__carrier_ops ops = {.close = close_client};

static void take_over(client *c, beam__way *way) {
  c->way = *way;
  memset(&way->url, 0, sizeof way->url);
  memset(&way->proxy, 0, sizeof way->proxy);
  memset(&c->way.tls, 0, sizeof c->way.tls);
  if (!c->way.connect_timeout_ms)
    c->way.connect_timeout_ms = CONNECT_MS;
  beam__proxy_peer(&c->way.proxy, &c->way.url, c->peer, sizeof c->peer);
}

int beam__client_open(beam_ctx *ctx, beam__carrier **carrier, beam__way *way, const beam__carrier_events *events,
                      void *user, beam_error *error) {
  client *c = calloc(1, sizeof *c);
  unsigned ms = way->connect_timeout_ms ? way->connect_timeout_ms : CONNECT_MS;
  int code = c ? 0 : BEAM_ENO_MEMORY;
  if (!code && way->url.tls)
    code = beam__tls_needs_start(ctx, &c->tls, &way->tls, error);
  if (!code)
    code = beam_timer_start(ctx, &c->deadline, ms, on_deadline, c);
  if (code) {
    if (c) {
      beam__tls_needs_release(&c->tls);
      free_client(c);
    }
    return code == BEAM_ENO_MEMORY ? beam__no_memory(error) : code;
  }
  c->base.ops = &ops;
  c->ctx = ctx;
  c->events = events;
  c->user = user;
  take_over(c, way);
  beam__task_init(&c->task, run);
  beam__task_defer(ctx, &c->task);
  *carrier = &c->base;
  return 0;
}
