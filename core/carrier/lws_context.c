/* The making, keeping and ending of the libwebsockets context. The order in which it ends was found by experiment with
 * 4.1.6: destroy, run the loop until nothing of it is left, destroy again. Without the run it uses freed memory,
 * without the second call it leaks 330 kB.
 */
#include "carrier/lws_context.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "carrier/lws_tls.h"

enum {
  NEVER_SECONDS = 10 * 86400, /* deadlines are ours: none of libwebsockets' own may come first */
  SPARE_DESCRIPTORS = 16,     /* beyond the connections asked for: its pipe, attempts that race */
  VHOSTS_MAX = 64,
  TURNS_TO_END = 100 /* only bounds a defect */
};

/* A policy of zeros: its own pings would hang up a connection whose reading we paused (4.1.6 pings by default). */
static const lws_retry_bo_t no_pings;

static const struct lws_protocols protocols[] = {{.name = "beam", .callback = beam__lws_callback}, {.name = NULL}};

/* ---- Virtual hosts ---- */

struct beam__vhost {
  beam__node node;
  struct lws_vhost *vhost;
  SSL_CTX *ssl; /* a reference; NULL: none */
  char *proxy;  /* "" for none; holds credentials */
  unsigned connections;
};

static void free_vhost(beam__vhost *vhost) {
  beam__list_remove(&vhost->node);
  SSL_CTX_free(vhost->ssl);
  beam__wipe_free(vhost->proxy);
  free(vhost);
}

static void destroy_vhost(beam__vhost *vhost) {
  if (vhost->vhost)
    lws_vhost_destroy(vhost->vhost);
  free_vhost(vhost);
}

static beam__vhost *find_vhost(struct beam__lws *lws, const void *ssl, const char *proxy) {
  beam__node *node;
  for (node = lws->vhosts.next; node != &lws->vhosts; node = node->next) {
    beam__vhost *vhost = BEAM__CONTAINER(node, beam__vhost, node);
    if (vhost->ssl == ssl && strcmp(vhost->proxy, proxy) == 0)
      return vhost;
  }
  return NULL;
}

/* Destroys the one that was not used for longest, if there are too many. 0 if all are in use. */
static int make_room(struct beam__lws *lws) {
  beam__node *node;
  beam__vhost *idle = NULL;
  unsigned count = 0;
  for (node = lws->vhosts.prev; node != &lws->vhosts; node = node->prev, count++)
    if (!BEAM__CONTAINER(node, beam__vhost, node)->connections)
      idle = BEAM__CONTAINER(node, beam__vhost, node);
  if (count < VHOSTS_MAX)
    return 1;
  if (idle)
    destroy_vhost(idle);
  return idle != NULL;
}

/* A proxy is always named, with ":0" for none: otherwise 4.1.6 reads the environment's http_proxy. */
static struct lws_vhost *create_vhost(struct beam__lws *lws, beam__vhost *vhost) {
  struct lws_context_creation_info info = {0};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.user = vhost;
  info.vhost_name = "beam";
  info.http_proxy_address = *vhost->proxy ? vhost->proxy : ":0";
  info.connect_timeout_secs = NEVER_SECONDS;
  info.retry_and_idle_policy = &no_pings;
  info.options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
  if (vhost->ssl) {
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.provided_client_ssl_ctx = vhost->ssl;
  }
  return lws_create_vhost(lws->context, &info);
}

beam__vhost *beam__lws_vhost(struct beam__lws *lws, void *ssl, const char *proxy) {
  beam__vhost *vhost = find_vhost(lws, ssl, proxy ? proxy : "");
  if (!vhost) {
    if (!make_room(lws))
      return NULL;
    vhost = calloc(1, sizeof *vhost);
    if (!vhost)
      return NULL;
    beam__list_init(&vhost->node);
    vhost->ssl = ssl;
    if (ssl)
      SSL_CTX_up_ref(ssl);
    vhost->proxy = beam__strdup(proxy ? proxy : "");
    vhost->vhost = vhost->proxy ? create_vhost(lws, vhost) : NULL;
    if (!vhost->vhost) {
      free_vhost(vhost);
      return NULL;
    }
  }
  beam__list_remove(&vhost->node);
  beam__list_add(&lws->vhosts, &vhost->node);
  return vhost;
}

/* ---- Connections ---- */

typedef struct orphan {
  const struct lws *wsi;
  uv_handle_t *handle;
} orphan;

static void match_orphan(uv_handle_t *handle, void *user) {
  orphan *wanted = user;
  if (handle->type == UV_POLL && handle->data == wanted->wsi && !uv_is_closing(handle))
    wanted->handle = handle;
}

static void free_orphan(uv_handle_t *handle) { free(handle); }

/* When connect() fails at once, 4.1.6 closes the socket and frees the connection, but not the uv_poll_t that it had
 * made for them: the loop could never be closed. */
static void close_orphan(struct beam__lws *lws, const struct lws *wsi) {
  orphan wanted = {wsi, NULL};
  uv_walk(&lws->ctx->loop, match_orphan, &wanted);
  if (wanted.handle)
    uv_close(wanted.handle, free_orphan);
}

struct lws *beam__lws_connect(struct beam__lws *lws, beam__vhost *vhost, struct lws_client_connect_info *info) {
  struct lws *wsi;
  unsigned destroyed = lws->destroyed;
  info->context = lws->context;
  info->vhost = vhost->vhost;
  info->local_protocol_name = protocols[0].name;
  info->retry_and_idle_policy = &no_pings;
  info->method = "GET";
  info->alpn = "http/1.1";
  vhost->connections++;
  lws->connecting = 1;
  wsi = lws_client_connect_via_info(info);
  lws->connecting = 0;
  if (!wsi && lws->destroyed == destroyed)
    vhost->connections--; /* it never became a connection: WSI_DESTROY does not come */
  return wsi;
}

void beam__lws_destroyed(struct beam__lws *lws, struct lws *wsi) {
  beam__vhost *vhost = lws_get_vhost(wsi) ? lws_vhost_user(lws_get_vhost(wsi)) : NULL;
  struct lws **doomed = (struct lws **)(void *)lws->doomed.at;
  size_t i;
  lws->destroyed++;
  if (lws->connecting)
    close_orphan(lws, wsi);
  if (vhost && vhost->connections)
    vhost->connections--;
  for (i = 0; i < lws->doomed.len / sizeof *doomed; i++)
    if (doomed[i] == wsi)
      doomed[i] = NULL;
}

/* With bytes in its own buffer 4.1.6 would rather flush than close, for ever if the peer does not read: so the socket
 * is made to refuse them first. */
static void kill_connection(struct lws *wsi) {
  if (lws_partial_buffered(wsi)) {
    shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);
    lws_write(wsi, NULL, 0, LWS_WRITE_HTTP);
  }
  lws_set_timeout(wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
}

void beam__lws_drop(struct beam__lws *lws, struct lws *wsi) {
  lws_set_opaque_user_data(wsi, NULL);
  beam__tls_forget(lws_get_ssl(wsi));
  if (!lws->depth) {
    kill_connection(wsi);
  } else if (beam__bytes_add(&lws->doomed, &wsi, sizeof wsi) == 0) {
    beam__task_defer(lws->ctx, &lws->reap);
  } else {
    lws_set_timeout(wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_ASYNC);
  }
}

static void reap(beam__task *task) {
  struct beam__lws *lws = BEAM__CONTAINER(task, struct beam__lws, reap);
  size_t i;
  for (i = 0; i < lws->doomed.len / sizeof(struct lws *); i++) {
    struct lws **doomed = (struct lws **)(void *)lws->doomed.at;
    if (doomed[i])
      kill_connection(doomed[i]);
  }
  beam__bytes_free(&lws->doomed);
}

static void tidy(beam__task *task) {
  struct beam__lws *lws = BEAM__CONTAINER(task, struct beam__lws, tidy);
  if (lws->service)
    beam__wipe(lws->service, lws->requested);
  lws->requested = 0;
}

/* ---- The end ---- */

/* 4.1.6 closes its event pipe twice, and the second time the number may be somebody else's: a descriptor of no use is
 * put there to be closed in its place. */
static void guard_pipe(struct beam__lws *lws) {
  int null = lws->pipe < 0 ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
  int guard = null < 0 || null == lws->pipe ? null : fcntl(null, F_DUPFD_CLOEXEC, lws->pipe);
  if (guard >= 0 && guard != lws->pipe)
    close(guard);
  if (null >= 0 && null != lws->pipe)
    close(null);
}

static void finish(beam__task *task) {
  struct beam__lws *lws = BEAM__CONTAINER(task, struct beam__lws, finish);
  if (uv_loop_alive(&lws->ctx->loop) && ++lws->turns < TURNS_TO_END) {
    beam__task_defer(lws->ctx, task);
    return;
  }
  lws_context_destroy(lws->context);
  beam__task_cancel(&lws->reap);
  beam__task_cancel(&lws->tidy);
  while (!beam__list_empty(&lws->vhosts))
    free_vhost(BEAM__CONTAINER(lws->vhosts.next, beam__vhost, node));
  beam__tls_contexts_free(lws);
  beam__bytes_free(&lws->doomed);
  lws->ctx->lws = NULL;
  free(lws);
}

static void destroy(beam__owned *owned) {
  struct beam__lws *lws = BEAM__CONTAINER(owned, struct beam__lws, owned);
  beam__carriers_end(lws);
  tidy(&lws->tidy);
  lws->service = NULL;
  lws_context_destroy(lws->context);
  guard_pipe(lws);
  beam__task_defer(lws->ctx, &lws->finish);
}

/* ---- The beginning ---- */

static void match_pipe(uv_handle_t *handle, void *user) {
  uv_os_fd_t fd;
  int *newest = user;
  if (handle->type == UV_POLL && !uv_is_closing(handle) && uv_fileno(handle, &fd) == 0)
    *newest = fd;
}

/* A limit below the process's own is cheaper for a few connections; without one its tables are as large as ulimit -n,
 * but a look-up in them takes one step. */
static struct lws_context *create(struct beam__lws *lws) {
  struct lws_context_creation_info info = {0};
  void *loops[] = {&lws->ctx->loop};
  unsigned connections = lws->ctx->options.connections;
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
                 LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  info.foreign_loops = loops;
  info.user = lws;
  info.fd_limit_per_thread = connections ? connections + SPARE_DESCRIPTORS : 0;
  info.pt_serv_buf_size = BEAM__SERVICE_SIZE;
  info.max_http_header_data = BEAM__LWS_HEAD_MAX;
  info.timeout_secs = NEVER_SECONDS;
  info.connect_timeout_secs = NEVER_SECONDS;
  info.retry_and_idle_policy = &no_pings;
  info.gid = (gid_t)-1;
  info.uid = (uid_t)-1;
  return lws_create_context(&info);
}

/* It sets SIGPIPE to ignore for the whole process: that is the program's to decide, and we do not need it. */
static struct lws_context *create_quietly(struct beam__lws *lws) {
  struct sigaction before;
  struct lws_context *context;
  sigaction(SIGPIPE, NULL, &before);
  lws_set_log_level(0, NULL);
  context = create(lws);
  sigaction(SIGPIPE, &before, NULL);
  return context;
}

static struct beam__lws *allocate(beam_ctx *ctx) {
  struct beam__lws *lws = calloc(1, sizeof *lws);
  if (!lws)
    return NULL;
  lws->ctx = ctx;
  lws->pipe = -1;
  beam__list_init(&lws->carriers);
  beam__list_init(&lws->vhosts);
  beam__list_init(&lws->tls);
  beam__task_init(&lws->reap, reap);
  beam__task_init(&lws->tidy, tidy);
  beam__task_init(&lws->finish, finish);
  return lws;
}

int beam__lws_ready(beam_ctx *ctx, beam_error *error) {
  struct beam__lws *lws;
  if (ctx->lws)
    return 0;
  lws = allocate(ctx);
  if (!lws)
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  lws->context = create_quietly(lws);
  if (!lws->context) {
    free(lws);
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL,
                       "libwebsockets %s does not start: is its libuv plugin installed (Debian: "
                       "libwebsockets-evlib-uv), and are there free descriptors?",
                       lws_get_library_version());
  }
  uv_walk(&ctx->loop, match_pipe, &lws->pipe);
  ctx->lws = lws;
  beam__own(ctx, &lws->owned, destroy);
  return 0;
}
