/* From a URL to an open connection: DNS, a race of attempts for TCP, then proxy, TLS and upgrade on the one that stood
 * first. libwebsockets makes each attempt; the deadlines, the request's head and the reading of the answer are ours.
 *
 * 4.1.6 puts heads together in one buffer per context, and reads answers into the same: its start is told by where the
 * request's head ends (APPEND_HANDSHAKE_HEADER). So the whole head is written by us (libwebsockets would add
 * "Connection: close" and cut long hosts), and the answer is read as it came, with headers that libwebsockets cannot
 * list.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carrier/answer_lws.h"
#include "carrier/lws_carrier.h"
#include "carrier/lws_failure.h"

enum {
  CONNECT_MS = 10000,
  UPGRADE_MS = 960000, /* longer than Beam's cold start, docs/wire.md section 5 */
  BODY_MS = 1000,      /* for the body of a rejection, once its head is there */
  BODY_MAX = 65536,
  PROXY_HOST_MAX = 95,        /* 4.1.6 cuts its CONNECT at 256 bytes, and names the host twice */
  PROXY_CREDENTIALS_MAX = 93, /* it keeps 127 bytes of their base64 */
  ROOM_KEPT = 12              /* bytes at the end of its buffer that it does not offer */
};

struct beam__opening {
  beam__lws_request request;
  beam__tls_needs tls;
  beam__lookup *lookup;
  beam__addresses addresses;
  beam__race race;
  beam__lws_link attempts[BEAM__ADDRESSES_MAX];
  beam__tls_peer peer;
  char failures[256]; /* what became of the addresses so far */
  int system;         /* errno of the last of them */
  int sent;           /* the request's head */
  beam__answer answer;
  beam__bytes body;
};

static const char *host_of(const beam__opening *opening) { return opening->request.url.authority; }

/* ---- The end of an opening ---- */

static void end_attempts(beam__lws_carrier *carrier) {
  beam__opening *opening = carrier->opening;
  size_t i;
  beam__race_stop(&opening->race);
  for (i = 0; i < opening->addresses.count; i++)
    beam__lws_end_link(carrier->lws, &opening->attempts[i]);
}

void beam__opening_free(beam__lws_carrier *carrier) {
  beam__opening *opening = carrier->opening;
  if (!opening)
    return;
  beam__lookup_cancel(opening->lookup);
  end_attempts(carrier);
  if (carrier->link.wsi)
    beam__tls_forget(lws_get_ssl(carrier->link.wsi));
  carrier->opening = NULL;
  beam__lws_request_free(&opening->request);
  free((char *)(uintptr_t)opening->request.protocols);
  beam__tls_needs_release(&opening->tls);
  beam__answer_free(&opening->answer);
  beam__bytes_free(&opening->body);
  free(opening);
}

/* Ends everything with `lost`; `error` is filled in but for what is the same for all. */
static void give_up(beam__lws_carrier *carrier, beam_error *error) {
  beam__opening *opening = carrier->opening;
  error->sent = opening->sent;
  beam_timer_stop(carrier->deadline);
  carrier->deadline = NULL;
  beam__lookup_cancel(opening->lookup);
  opening->lookup = NULL;
  beam__trust_forget(&opening->tls.waiter);
  end_attempts(carrier);
  beam__lws_end_link(carrier->lws, &carrier->link);
  beam__lws_lost(carrier, error);
}

/* The opening may be freed in the event. */
static void reject(beam__lws_carrier *carrier, const beam_error *error) {
  beam__opening *opening = carrier->opening;
  beam__answer answer = opening->answer;
  beam__bytes body = opening->body;
  beam_timer_stop(carrier->deadline);
  carrier->deadline = NULL;
  beam__lws_end_link(carrier->lws, &carrier->link);
  if (!beam__lws_live(carrier))
    return;
  memset(&opening->answer, 0, sizeof answer);
  memset(&opening->body, 0, sizeof body);
  carrier->over = 1;
  carrier->events->rejected(carrier->user, error, answer.headers, answer.header_count, body.at, body.len);
  beam__answer_free(&answer);
  beam__bytes_free(&body);
}

/* ---- Phases and deadlines ---- */

static void enter(beam__lws_carrier *carrier, enum beam_phase phase) {
  carrier->phase = phase;
  if (beam__lws_live(carrier))
    carrier->events->phase(carrier->user, phase);
}

static const char *missed_text(const beam__lws_carrier *carrier) {
  if (carrier->phase == BEAM_PHASE_DNS && carrier->opening->addresses.count)
    return "the CA certificates were not read";
  return beam__missed_text(carrier->phase);
}

static void on_deadline(void *user) {
  beam__lws_carrier *carrier = user;
  const beam__lws_request *request = &carrier->opening->request;
  int upgrading = carrier->phase == BEAM_PHASE_UPGRADE;
  beam_error error;
  carrier->deadline = NULL;
  beam__error(&error, BEAM_ETIMEOUT, carrier->phase, request->url.authority, "%s: %s within %u ms (%s)",
              request->url.authority, missed_text(carrier),
              upgrading ? request->upgrade_timeout_ms : request->connect_timeout_ms,
              upgrading ? "upgrade_timeout" : "connect_timeout");
  give_up(carrier, &error);
}

static void out_of_memory(beam__lws_carrier *carrier) {
  beam_error error;
  beam__error(&error, BEAM_ENO_MEMORY, carrier->phase, host_of(carrier->opening), "out of memory");
  give_up(carrier, &error);
}

/* ---- DNS, trust and TCP ---- */

/* "[address]:port" or "address:port". */
static void address_text(const struct sockaddr_storage *address, unsigned port, char *numeric, size_t numeric_size,
                         char *text, size_t size) {
  socklen_t len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  if (getnameinfo((const struct sockaddr *)address, len, numeric, (socklen_t)numeric_size, NULL, 0, NI_NUMERICHOST))
    snprintf(numeric, numeric_size, "?");
  snprintf(text, size, address->ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", numeric, port);
}

static void note_failure(beam__opening *opening, size_t index, int system) {
  const beam__lws_request *request = &opening->request;
  char numeric[64], text[80], reason[96];
  size_t used = strlen(opening->failures);
  address_text(&opening->addresses.list[index], request->proxy.host ? request->proxy.port : request->url.port, numeric,
               sizeof numeric, text, sizeof text);
  opening->system = system;
  snprintf(opening->failures + used, sizeof opening->failures - used, "%s%s (%s)", used ? "; " : "",
           beam__system_text(system, reason, sizeof reason), text);
}

static beam__vhost *vhost_for(beam__lws_carrier *carrier, const char *address) {
  const beam__opening *opening = carrier->opening;
  const char *credentials = opening->request.proxy.credentials;
  char proxy[256];
  if (!opening->request.proxy.host)
    return beam__lws_vhost(carrier->lws, opening->tls.context, NULL);
  snprintf(proxy, sizeof proxy, "%s%s%s", credentials ? credentials : "", credentials ? "@" : "", address);
  return beam__lws_vhost(carrier->lws, opening->tls.context, proxy);
}

/* Why connect() fails at once for this address: libwebsockets does not say, and errno is overwritten. */
static int connect_error(const struct sockaddr_storage *address) {
  socklen_t len = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), system = 0;
  if (fd < 0)
    return errno;
  if (connect(fd, (const struct sockaddr *)address, len) && errno != EINPROGRESS)
    system = errno;
  close(fd);
  return system ? system : ECONNABORTED;
}

/* Of two addresses, the one is where to connect to, the other what the proxy is asked for. */
static int attempt(void *user, size_t index) {
  beam__lws_carrier *carrier = user;
  beam__opening *opening = carrier->opening;
  const beam__url *url = &opening->request.url;
  beam__lws_link *link = &opening->attempts[index];
  struct lws_client_connect_info info = {0};
  char numeric[64], text[80], bracketed[280];
  beam__vhost *vhost;
  struct lws *wsi;
  address_text(&opening->addresses.list[index], opening->request.proxy.port, numeric, sizeof numeric, text,
               sizeof text);
  snprintf(bracketed, sizeof bracketed, strchr(url->host, ':') ? "[%s]" : "%s", url->host);
  info.address = opening->request.proxy.host ? bracketed : numeric;
  info.port = (int)url->port;
  info.host = "host"; /* ours go into the head and the TLS handshake themselves */
  info.path = "/";
  info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
  if (opening->tls.context)
    info.ssl_connection |= LCCSCF_USE_SSL;
  info.opaque_user_data = link;
  *link = (beam__lws_link){carrier, NULL, index};
  vhost = vhost_for(carrier, text);
  wsi = vhost ? beam__lws_connect(carrier->lws, vhost, &info) : NULL;
  if (!wsi)
    note_failure(opening, index, vhost ? connect_error(&opening->addresses.list[index]) : ENOMEM);
  else if (carrier->link.wsi != wsi) /* it stands already only if connect() did not have to wait */
    link->wsi = wsi;
  return wsi ? 0 : -1;
}

static void on_no_address_left(void *user) {
  beam__lws_carrier *carrier = user;
  beam__opening *opening = carrier->opening;
  const beam__proxy *proxy = &opening->request.proxy;
  beam_error error;
  beam__error(&error, BEAM_ECONNECT, BEAM_PHASE_TCP, host_of(opening), "no TCP connection to %s%s%s: %s",
              proxy->host ? "the proxy " : "", proxy->host ? proxy->host : host_of(opening),
              proxy->host ? " could be made" : "", opening->failures);
  error.system = opening->system;
  give_up(carrier, &error);
}

/* The name and the CA certificates are looked for at the same time. */
static void connect_if_ready(beam__lws_carrier *carrier) {
  beam__opening *opening = carrier->opening;
  if (!opening->addresses.count || (opening->request.url.tls && !opening->tls.context))
    return;
  enter(carrier, BEAM_PHASE_TCP);
  if (!beam__lws_live(carrier))
    return;
  opening->race = (beam__race){.ctx = carrier->ctx,
                               .count = opening->addresses.count,
                               .attempt = attempt,
                               .lost = on_no_address_left,
                               .user = carrier};
  beam__race_start(&opening->race);
}

static void on_addresses(void *user, const beam__addresses *addresses, const char *text) {
  beam__lws_carrier *carrier = user;
  beam__opening *opening = carrier->opening;
  const beam__proxy *proxy = &opening->request.proxy;
  beam_error error;
  opening->lookup = NULL;
  if (!addresses || !addresses->count) {
    beam__error(&error, BEAM_EDNS, BEAM_PHASE_DNS, host_of(opening), "%s%s could not be resolved: %s",
                proxy->host ? "the proxy " : "", proxy->host ? proxy->host : opening->request.url.host,
                text ? text : "it has no address");
    give_up(carrier, &error);
    return;
  }
  opening->addresses = *addresses;
  connect_if_ready(carrier);
}

static void on_certificates(void *user) {
  beam__lws_carrier *carrier = user;
  beam_error error;
  if (beam__tls_needs_make(carrier->lws, &carrier->opening->tls, &error) == 0) {
    connect_if_ready(carrier);
    return;
  }
  error.phase = BEAM_PHASE_TLS;
  give_up(carrier, &error);
}

void beam__opening_start(beam__lws_carrier *carrier) {
  beam__opening *opening = carrier->opening;
  const beam__proxy *proxy = &opening->request.proxy;
  enter(carrier, BEAM_PHASE_DNS);
  if (!beam__lws_live(carrier))
    return;
  if (beam__lookup_start(carrier->ctx, &opening->lookup, proxy->host ? proxy->host : opening->request.url.host,
                         proxy->host ? proxy->port : opening->request.url.port, on_addresses, carrier)) {
    out_of_memory(carrier);
    return;
  }
  if (opening->request.url.tls && !beam__tls_needs_await(&opening->tls, on_certificates, carrier))
    on_certificates(carrier);
}

/* The proxy's answer will lie there, should it refuse. Reading nothing from a connection on which nobody has spoken
 * yet tells where that is. */
static void find_service_buffer(struct beam__lws *lws, struct lws *wsi) {
  char *bytes = NULL;
  int len = 0;
  if (!lws->service && lws_http_client_read(wsi, &bytes, &len) == 0 && bytes)
    lws->service = bytes - LWS_PRE;
}

/* The first attempt that stands is the connection; one that stands later finds nobody and sends nothing. */
void beam__opening_tcp(beam__lws_link *link, struct lws *wsi) {
  beam__lws_carrier *carrier = link->carrier;
  beam__opening *opening = carrier->opening;
  if (!opening || carrier->link.wsi)
    return;
  carrier->link.wsi = wsi;
  carrier->link.index = link->index;
  link->wsi = NULL;
  lws_set_opaque_user_data(wsi, &carrier->link);
  end_attempts(carrier);
  if (opening->request.proxy.host) {
    find_service_buffer(carrier->lws, wsi);
    enter(carrier, BEAM_PHASE_PROXY);
  }
}

/* ---- TLS ---- */

static void on_tls(void *user) { enter(user, BEAM_PHASE_TLS); }

beam__tls_peer *beam__opening_tls(beam__lws_carrier *carrier, int fd) {
  if (!carrier->opening->tls.context || !carrier->link.wsi || lws_get_socket_fd(carrier->link.wsi) != fd)
    return NULL;
  return &carrier->opening->peer;
}

/* ---- The upgrade ---- */

int beam__opening_head(beam__lws_carrier *carrier, char **end, size_t room) {
  beam__opening *opening = carrier->opening;
  const beam__bytes *head = &opening->request.head;
  char *start = *end + room + ROOM_KEPT - BEAM__SERVICE_SIZE;
  if (memcmp(start, "GET ", 4)) { /* another release may lay its buffer out in another way */
    beam_error error;
    beam__error(&error, BEAM_EHANDSHAKE, carrier->phase, host_of(opening),
                "libwebsockets %s puts requests together in a way that is not known here", lws_get_library_version());
    give_up(carrier, &error);
    return -1;
  }
  beam_timer_stop(carrier->deadline);
  carrier->deadline = NULL;
  enter(carrier, BEAM_PHASE_UPGRADE);
  if (!beam__lws_live(carrier) ||
      beam_timer_start(carrier->ctx, &carrier->deadline, opening->request.upgrade_timeout_ms, on_deadline, carrier))
    return -1;
  memcpy(start, head->at, head->len);
  *end = start + head->len;
  opening->sent = 1;
  carrier->lws->service = start;
  if (carrier->lws->requested < head->len)
    carrier->lws->requested = head->len;
  beam__task_defer(carrier->ctx, &carrier->lws->tidy);
  return 0;
}

static void open_up(beam__lws_carrier *carrier) {
  beam__answer answer = carrier->opening->answer;
  memset(&carrier->opening->answer, 0, sizeof answer);
  beam_timer_stop(carrier->deadline);
  carrier->deadline = NULL;
  beam__opening_free(carrier);
  lws_set_timeout(carrier->link.wsi, NO_PENDING_TIMEOUT, 0);
  carrier->phase = BEAM_PHASE_OPEN;
  carrier->events->connected(carrier->user, answer.status, answer.headers, answer.header_count);
  beam__answer_free(&answer);
}

static void on_body_late(void *user) {
  beam__lws_carrier *carrier = user;
  carrier->deadline = NULL;
  beam__opening_body_end(carrier);
}

static void await_body(beam__lws_carrier *carrier) {
  int status = carrier->opening->answer.status;
  beam_timer_stop(carrier->deadline);
  carrier->deadline = NULL;
  if (status == 204 || status == 304 ||
      beam_timer_start(carrier->ctx, &carrier->deadline, BODY_MS, on_body_late, carrier))
    beam__opening_body_end(carrier);
}

/* libwebsockets 4.1.6 to 5.0 take what follows such a 101 for its body. */
static int refuse_body(const beam__opening *opening, beam_error *error) {
  const beam__answer *answer = &opening->answer;
  int code;
  if (!beam__header_find(answer->headers, answer->header_count, "content-length") &&
      !beam__header_find(answer->headers, answer->header_count, "transfer-encoding"))
    return 0;
  code = beam__error(error, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, host_of(opening),
                     "%s answered the upgrade with a 101 that is not valid: it announces a body (Content-Length or "
                     "Transfer-Encoding)",
                     host_of(opening));
  error->status = answer->status;
  error->sent = 1;
  return code;
}

void beam__opening_answer(beam__lws_carrier *carrier) {
  beam__opening *opening = carrier->opening;
  beam_error error;
  if (!opening || !beam__lws_live(carrier))
    return;
  if (beam__answer_of(carrier->link.wsi, carrier->lws, &opening->answer)) {
    out_of_memory(carrier);
    return;
  }
  if (opening->answer.status != 101)
    await_body(carrier);
  else if (beam__handshake_agrees(&opening->answer, opening->request.key, opening->request.protocols, host_of(opening),
                                  &error) ||
           refuse_body(opening, &error))
    reject(carrier, &error);
  else
    open_up(carrier);
}

void beam__opening_body(beam__lws_carrier *carrier, const void *data, size_t len) {
  beam__opening *opening = carrier->opening;
  size_t room = BODY_MAX - opening->body.len;
  if (!beam__lws_live(carrier) || !opening->answer.status)
    return;
  beam__bytes_add(&opening->body, data, len < room ? len : room);
  if (len >= room)
    beam__opening_body_end(carrier);
}

void beam__opening_body_end(beam__lws_carrier *carrier) {
  beam_error error;
  if (!beam__lws_live(carrier) || !carrier->opening->answer.status)
    return;
  beam__handshake_refused(&carrier->opening->answer, host_of(carrier->opening), &error);
  reject(carrier, &error);
}

/* ---- A connection that fails ---- */

static void connection_failed(beam__lws_carrier *carrier) {
  beam__opening *opening = carrier->opening;
  beam__failure failure = {carrier->phase, host_of(opening), opening->request.proxy.host,
                           &opening->peer, carrier->system,  carrier->lws};
  beam_error error;
  if (opening->answer.status ||
      (carrier->phase == BEAM_PHASE_UPGRADE && beam__answer_refused(carrier->lws, &opening->answer))) {
    beam__opening_body_end(carrier);
    return;
  }
  beam__failure_describe(&failure, &error);
  give_up(carrier, &error);
}

static int socket_error(struct lws *wsi) {
  int fd = lws_get_socket_fd(wsi), system = 0;
  socklen_t size = sizeof system;
  return fd < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &system, &size) ? 0 : system;
}

void beam__opening_failed(beam__lws_link *link) {
  beam__lws_carrier *carrier = link->carrier;
  int system = socket_error(link->wsi), standing = link == &carrier->link;
  beam__lws_unlink(link);
  if (!standing) {
    note_failure(carrier->opening, link->index, system);
    beam__race_failed(&carrier->opening->race);
    return;
  }
  if (!carrier->system)
    carrier->system = system;
  connection_failed(carrier);
}

/* ---- The beginning ---- */

static int check_proxy(const beam__lws_request *request, beam_error *error) {
  const beam__proxy *proxy = &request->proxy;
  if (!proxy->host)
    return 0;
  if (strlen(request->url.host) > PROXY_HOST_MAX)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, request->url.authority,
                       "a host name of over %d bytes cannot be reached through a proxy", PROXY_HOST_MAX);
  if (proxy->credentials && strlen(proxy->credentials) > PROXY_CREDENTIALS_MAX)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, request->url.authority,
                       "the proxy's user and password take over %d bytes", PROXY_CREDENTIALS_MAX);
  return 0;
}

static void take_over(beam__lws_carrier *carrier, beam__opening *opening, beam__lws_request *request) {
  opening->request = *request;
  memset(&request->url, 0, sizeof request->url);
  memset(&request->proxy, 0, sizeof request->proxy);
  memset(&request->head, 0, sizeof request->head);
  memset(&opening->request.tls, 0, sizeof opening->request.tls);
  if (!opening->request.connect_timeout_ms)
    opening->request.connect_timeout_ms = CONNECT_MS;
  if (!opening->request.upgrade_timeout_ms)
    opening->request.upgrade_timeout_ms = UPGRADE_MS;
  opening->peer.host = opening->request.url.host;
  opening->peer.started = on_tls;
  opening->peer.user = carrier;
  carrier->opening = opening;
}

int beam__opening_new(beam__lws_carrier *carrier, beam__lws_request *request, beam_error *error) {
  beam__opening *opening = calloc(1, sizeof *opening);
  char *protocols = beam__strdup(request->protocols);
  unsigned connect_ms = request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_MS;
  int code = opening && (protocols || !request->protocols) ? 0 : BEAM_ENO_MEMORY;
  if (!code)
    code = check_proxy(request, error);
  if (!code && request->url.tls)
    code = beam__tls_needs_start(carrier->ctx, &opening->tls, &request->tls, error);
  if (!code && beam_timer_start(carrier->ctx, &carrier->deadline, connect_ms, on_deadline, carrier))
    code = BEAM_ENO_MEMORY;
  if (code) {
    if (opening)
      beam__tls_needs_release(&opening->tls);
    free(protocols);
    free(opening);
    return code == BEAM_ENO_MEMORY ? beam__error(error, code, BEAM_PHASE_NONE, NULL, "out of memory") : code;
  }
  take_over(carrier, opening, request);
  opening->request.protocols = protocols;
  return 0;
}
