/* The listening side of the server, and what its connections share. */
#include "server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "net/tls/files.h"
#include "net/tls/localhost.h"

enum { BACKLOG = 4096, DEFAULT_MAX_BODY = 64 * 1024 * 1024, RETRY_MS = 100 };

/* ---- The date: made once a second. strftime would follow the locale ---- */

const char *beam__server_date(beam_server *server) {
  static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t now = time(NULL);
  struct tm t;
  if (now == server->date_at || !gmtime_r(&now, &t))
    return server->date;
  server->date_at = now;
  snprintf(server->date, sizeof server->date, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
           months[t.tm_mon], (t.tm_year + 1900) % 10000, t.tm_hour, t.tm_min, t.tm_sec);
  return server->date;
}

/* ---- Accepting ---- */

/* Who asks for nothing gives way, the oldest first. */
static int make_room(beam_server *server) {
  beam__node *node;
  for (node = server->connections.next; node != &server->connections; node = node->next) {
    beam__connection *connection = BEAM__CONTAINER(node, beam__connection, node);
    if (!beam__connection_is_idle(connection))
      continue;
    beam__connection_drop(connection, BEAM__END_NOW);
    return 1;
  }
  return 0;
}

static void accept_waiting(beam_server *server);

/* There was no memory for the one that waits, and perhaps nobody leaves. */
static void on_retry(uv_timer_t *timer) { accept_waiting(timer->data); }

static void accept_next(beam_server *server) {
  if (server->connection_count >= server->connections_max)
    make_room(server);
  if (server->connection_count < server->connections_max) {
    int code = beam__connection_accept(server);
    if (code == 0 || code == BEAM_ECLOSED)
      return;
    uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
  }
  /* libuv stops watching the listener until the one that waits is accepted: the others wait in the system's queue */
  server->waiting = 1;
  beam__log(server->ctx, BEAM_LOG_WARNING, "server: %zu connections are open, the next has to wait",
            server->connection_count);
}

static void on_connection(uv_stream_t *listener, int status) {
  beam_server *server = listener->data;
  if (status == UV_EMFILE || status == UV_ENFILE)
    make_room(server);
  if (status)
    beam__log(server->ctx, BEAM_LOG_WARNING, "server: a connection could not be accepted: %s", uv_strerror(status));
  else
    accept_next(server);
}

static void accept_waiting(beam_server *server) {
  if (!server->waiting)
    return;
  server->waiting = 0;
  accept_next(server);
}

void beam__server_left(beam_server *server) {
  server->connection_count--;
  accept_waiting(server);
}

/* ---- Listening ---- */

static void on_handle_closed(uv_handle_t *handle) {
  beam_server *server = handle->data;
  if (--server->handles)
    return;
  beam__tls_profile_release(server->tls);
  free(server);
}

void beam_server_close(beam_server *server) {
  if (!server || beam__is_foreign(server->ctx))
    return;
  beam__list_remove(&server->owned.node);
  server->waiting = 0;
  while (!beam__list_empty(&server->connections)) {
    beam__connection *connection = BEAM__CONTAINER(server->connections.next, beam__connection, node);
    beam__connection_drop(connection, connection->request ? BEAM__END_NOW : BEAM__END_FLUSH);
  }
  uv_close((uv_handle_t *)&server->listener, on_handle_closed);
  uv_close((uv_handle_t *)&server->retry, on_handle_closed);
  beam__touch(server->ctx);
}

static void destroy_owned(beam__owned *owned) { beam_server_close(BEAM__CONTAINER(owned, beam_server, owned)); }

/* As many connections as are wanted, and the process may open. */
static size_t affordable_connections(size_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted + BEAM__DESCRIPTORS_SPARED)
    return wanted;
  return limit.rlim_cur > (rlim_t)2 * BEAM__DESCRIPTORS_SPARED ? limit.rlim_cur - BEAM__DESCRIPTORS_SPARED
                                                               : BEAM__DESCRIPTORS_SPARED;
}

static void set_limits(beam_server *server) {
  beam_server_options *options = &server->options;
  if (!options->max_body)
    options->max_body = DEFAULT_MAX_BODY;
  if (!options->max_head || options->max_head > BEAM__REQUEST_HEAD_MAX)
    options->max_head = BEAM__REQUEST_HEAD_MAX;
  server->connections_max =
      affordable_connections(options->max_connections ? options->max_connections : BEAM__CONNECTIONS_MAX);
  server->head_timeout_ms = options->head_timeout_ms ? options->head_timeout_ms : BEAM__HEAD_TIMEOUT_MS;
  server->body_timeout_ms = options->body_timeout_ms ? options->body_timeout_ms : BEAM__BODY_TIMEOUT_MS;
  server->idle_timeout_ms = options->idle_timeout_ms ? options->idle_timeout_ms : BEAM__IDLE_TIMEOUT_MS;
  server->linger_timeout_ms = BEAM__LINGER_TIMEOUT_MS;
}

static beam_server *new_server(beam_ctx *ctx, const beam_server_options *options) {
  beam_server *server = calloc(1, sizeof *server);
  if (!server)
    return NULL;
  server->ctx = ctx;
  server->options = *options;
  server->options.host = NULL; /* the caller's, not kept, as are the next */
  memset(&server->options.tls, 0, sizeof server->options.tls);
  set_limits(server);
  beam__list_init(&server->connections);
  uv_tcp_init(&ctx->loop, &server->listener);
  uv_timer_init(&ctx->loop, &server->retry);
  server->listener.data = server->retry.data = server;
  server->handles = 2;
  return server;
}

static int read_address(const char *host, unsigned port, struct sockaddr_storage *address) {
  if (port > 65535)
    return BEAM_EINVALID;
  if (uv_ip4_addr(host, (int)port, (struct sockaddr_in *)address) == 0 ||
      uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)address) == 0)
    return 0;
  return BEAM_EINVALID;
}

static int prepare_tls(beam_server *server, const beam_tls *files, beam_error *error) {
  int code = beam__tls_check(server->ctx, files, error);
  return code || !files->cert_file ? code : beam__tls_profile_serve(server->ctx, &server->tls, files, error);
}

static int bind_and_listen(beam_server *server, const struct sockaddr_storage *address, const char *name,
                           beam_error *error) {
  int status = uv_tcp_bind(&server->listener, (const struct sockaddr *)address, 0);
  if (!status)
    status = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
  if (!status)
    return 0;
  beam__error(error, BEAM_ECONNECT, BEAM_PHASE_TCP, name, "cannot listen on %s: %s; try another port or address", name,
              uv_strerror(status));
  if (error)
    error->system = -status;
  return BEAM_ECONNECT;
}

int beam_server_listen(beam_ctx *ctx, beam_server **out, const beam_server_options *options, beam_error *error) {
  const char *host = options->host ? options->host : "127.0.0.1";
  struct sockaddr_storage address;
  char name[272];
  beam_server *server;
  int code;
  *out = NULL;
  snprintf(name, sizeof name, "%s:%u", host, options->port);
  if (beam__is_foreign(ctx))
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, name, "%s", beam__foreign);
  if (!options->on_request)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, name, "a server needs on_request");
  if (read_address(host, options->port, &address))
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, name,
                       "cannot listen on %s: give a numeric address and a port up to 65535", name);
  server = new_server(ctx, options);
  if (!server)
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, name, "no memory for a server");
  beam__own(ctx, &server->owned, destroy_owned);
  code = prepare_tls(server, &options->tls, error);
  if (!code)
    code = bind_and_listen(server, &address, name, error);
  if (code) {
    beam_server_close(server);
    return code;
  }
  *out = server;
  beam__touch(ctx);
  return 0;
}

static int copy_pem(char *to, size_t size, const beam__bytes *from) {
  if (from->len >= size)
    return BEAM_ENO_MEMORY;
  memcpy(to, from->at, from->len);
  to[from->len] = '\0';
  return 0;
}

int beam_server_certificate(char *certificate, char *key, size_t size) {
  beam__bytes public = {0}, secret = {0};
  int code = beam__tls_localhost(&public, &secret);
  if (!code)
    code = copy_pem(certificate, size, &public) | copy_pem(key, size, &secret) ? BEAM_ENO_MEMORY : 0;
  beam__bytes_wipe(&secret);
  beam__bytes_free(&public);
  return code;
}

unsigned beam_server_port(const beam_server *server) {
  struct sockaddr_storage address;
  int len = sizeof address;
  if (uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &len))
    return 0;
  return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                             : ((struct sockaddr_in *)&address)->sin_port);
}
