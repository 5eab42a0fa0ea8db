/* One context of libwebsockets for each beam_ctx, on its loop, with one virtual host.
 *
 * A socket is adopted as a "raw file" (4.1.6 to 4.3.5), of which libwebsockets says when it is ready and leaves the
 * rest to us; not as a socket, because
 *   - 4.3.5 listens to the kernel's routes, and when a default route or an address goes it closes every socket that its
 *     own table no longer reaches, those on loopback too: a file has no peer's address to be judged by;
 *   - it reads a socket itself, through a buffer of its own, and closes it on a reset with data unread.
 * And it is connected before it is adopted: where connect() fails at once inside of libwebsockets, 4.1.6 leaves a
 * uv_poll_t behind and 4.3.5 tells of a connection that it has freed.
 *
 * It ends in the order that was found by experiment: destroy, run the loop until nothing of it is left, destroy again.
 * Without the run it uses freed memory, without the second call it leaks 330 kB. Where it finds no descriptor in the
 * middle of its beginning, 4.1.6 unloads its part for libuv and leaves handles of it in the loop: it is not begun then.
 */
#include "carrier/lws.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  NEVER_SECONDS = 10 * 86400, /* deadlines are ours: none of libwebsockets' own may come first */
  SPARE_DESCRIPTORS = 16,     /* beyond the connections asked for: its pipe, connections that close */
  OWN_DESCRIPTORS = 8,        /* that it may open to begin with */
  TURNS_TO_END = 100,         /* only bounds a defect */
  CLOSES_TWICE = LWS_LIBRARY_VERSION_NUMBER < 4003000,
  DECOYS = 4 /* descriptors that another thread is given rather than the pipe's */
};

struct beam__lws {
  beam__owned owned;
  beam_ctx *ctx;
  struct lws_context *context;
  struct lws_vhost *vhost;
  beam__task finish; /* the second half of the end */
  long descriptors;  /* above this number it takes none; 0: any */
  unsigned depth;    /* of its callbacks on the stack */
  int pipe, marker;  /* its event pipe's descriptor; what stands in for it at the end */
  int decoys[DECOYS];
  int turns;
};

typedef struct lws_watch {
  beam__watch base;
  struct beam__lws *lws;
  const beam__watch_events *events; /* NULL once it is closed */
  void *user;
  struct lws *wsi; /* NULL: gone */
  beam__task task; /* closes it, or asks to be told when it can be written, outside of libwebsockets */
  uint8_t reading, writing, in_writable;
  uint8_t ending; /* libwebsockets is closing it */
} lws_watch;

/* A policy of zeros: 4.1.6 would ping by itself. */
static const lws_retry_bo_t no_pings;

/* ---- Watches ---- */

static void kill_connection(lws_watch *watch) {
  lws_set_timeout(watch->wsi, PENDING_TIMEOUT_KILLED_BY_PARENT, LWS_TO_KILL_SYNC);
}

static void run(beam__task *task) {
  lws_watch *watch = BEAM__CONTAINER(task, lws_watch, task);
  if (watch->ending)
    return;
  if (!watch->events)
    kill_connection(watch);
  else if (watch->writing)
    lws_callback_on_writable(watch->wsi);
}

/* 4.1.6 takes back, when the callback returns, what is asked for inside of RAW_WRITEABLE_FILE. */
static void ask_for_writing(lws_watch *watch) {
  if (watch->in_writable)
    beam__task_defer(watch->lws->ctx, &watch->task);
  else
    lws_callback_on_writable(watch->wsi);
}

static void want(beam__watch *base, int reading, int writing) {
  lws_watch *watch = (lws_watch *)base;
  if (watch->ending)
    return;
  if (watch->reading != reading)
    lws_rx_flow_control(watch->wsi, reading);
  watch->reading = (uint8_t)reading;
  if (writing && !watch->writing)
    ask_for_writing(watch);
  watch->writing = (uint8_t)writing;
}

static void close_watch(beam__watch *base) {
  lws_watch *watch = (lws_watch *)base;
  watch->events = NULL;
  if (!watch->wsi)
    free(watch);
  else if (!watch->ending && watch->lws->depth)
    beam__task_defer(watch->lws->ctx, &watch->task);
  else if (!watch->ending)
    kill_connection(watch);
}

/* Nobody needs it any more once it is closed by us, too. */
static void on_destroyed(lws_watch *watch) {
  beam__task_cancel(&watch->task);
  watch->wsi = NULL;
  if (!watch->events)
    free(watch);
}

static void on_adopted(lws_watch *watch, enum lws_callback_reasons reason) {
  switch (reason) {
  case LWS_CALLBACK_RAW_RX_FILE:
    if (watch->events)
      watch->events->ready(watch->user, 1, 0);
    break;
  case LWS_CALLBACK_RAW_WRITEABLE_FILE:
    watch->writing = 0;
    watch->in_writable = 1;
    if (watch->events)
      watch->events->ready(watch->user, 0, 1);
    watch->in_writable = 0;
    break;
  case LWS_CALLBACK_RAW_CLOSE_FILE:
    watch->ending = 1;
    if (watch->events)
      watch->events->failed(watch->user);
    break;
  case LWS_CALLBACK_WSI_DESTROY:
    on_destroyed(watch);
    break;
  default:
    break;
  }
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  lws_watch *watch = wsi ? lws_get_opaque_user_data(wsi) : NULL;
  struct beam__lws *lws = watch ? watch->lws : NULL;
  (void)user, (void)in, (void)len;
  if (!watch)
    return 0;
  lws->depth++;
  on_adopted(watch, reason);
  lws->depth--;
  return 0;
}

/* Too high a number, and it would leave what it has made of it behind. */
beam__watch *beam__lws_watch(beam_ctx *ctx, int fd, const beam__watch_events *events, void *user) {
  struct beam__lws *lws = ctx->lws;
  lws_watch *watch = !lws->vhost || (lws->descriptors && fd >= lws->descriptors) ? NULL : calloc(1, sizeof *watch);
  lws_sock_file_fd_type descriptor = {.filefd = fd};
  if (!watch)
    return NULL;
  watch->base = (beam__watch){want, close_watch};
  watch->lws = lws;
  watch->events = events;
  watch->user = user;
  watch->reading = 1;
  beam__task_init(&watch->task, run);
  watch->wsi = lws_adopt_descriptor_vhost(lws->vhost, LWS_ADOPT_RAW_FILE_DESC, descriptor, "beam", NULL);
  if (!watch->wsi) {
    free(watch);
    return NULL;
  }
  lws_set_opaque_user_data(watch->wsi, watch);
  return &watch->base;
}

/* ---- The end: 4.1.6 closes its event pipe twice, 4.3.5 never. A marker takes its place, by which one can tell. ----
 *
 * After the first time another thread may be given the number, and the second would close what is its. Numbers are
 * given from the lowest: so lower ones are let go just before, and if the pipe's is taken all the same, there is no
 * second time: what is left of the context stays.
 */

static int is_marker(const struct beam__lws *lws) {
  struct stat there, marker;
  return fstat(lws->pipe, &there) == 0 && fstat(lws->marker, &marker) == 0 && there.st_dev == marker.st_dev &&
         there.st_ino == marker.st_ino;
}

static void place_marker(struct beam__lws *lws) {
  int ends[2];
  lws->marker = -1;
  if (lws->pipe < 0 || pipe(ends))
    return;
  close(ends[1]);
  lws->marker = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
  close(ends[0]);
  if (lws->marker >= 0 && dup2(lws->marker, lws->pipe) >= 0)
    fcntl(lws->pipe, F_SETFD, FD_CLOEXEC);
}

/* After the first destroy the number is free on 4.1.6, and will be closed once more: nobody else may get it. */
static int hold_number(struct beam__lws *lws) {
  int fd;
  if (!CLOSES_TWICE || lws->pipe < 0 || (lws->marker >= 0 && is_marker(lws)))
    return 1;
  fd = fcntl(lws->marker >= 0 ? lws->marker : uv_backend_fd(&lws->ctx->loop), F_DUPFD_CLOEXEC, lws->pipe);
  if (fd >= 0 && fd != lws->pipe)
    close(fd);
  return fd == lws->pipe;
}

static void open_decoys(struct beam__lws *lws) {
  int i;
  for (i = 0; i < DECOYS; i++)
    lws->decoys[i] = CLOSES_TWICE ? fcntl(uv_backend_fd(&lws->ctx->loop), F_DUPFD_CLOEXEC, 0) : -1;
}

static void close_decoys(struct beam__lws *lws) {
  int i;
  for (i = 0; i < DECOYS; i++)
    if (lws->decoys[i] >= 0)
      close(lws->decoys[i]);
}

static void remove_marker(struct beam__lws *lws) {
  if (lws->marker < 0)
    return;
  if (is_marker(lws))
    close(lws->pipe);
  close(lws->marker);
}

static void finish(beam__task *task) {
  struct beam__lws *lws = BEAM__CONTAINER(task, struct beam__lws, finish);
  if (uv_loop_alive(&lws->ctx->loop) && ++lws->turns < TURNS_TO_END) {
    beam__task_defer(lws->ctx, task);
    return;
  }
  lws_context_destroy(lws->context);
  remove_marker(lws);
  lws->ctx->lws = NULL;
  free(lws);
}

static void destroy(beam__owned *owned) {
  struct beam__lws *lws = BEAM__CONTAINER(owned, struct beam__lws, owned);
  lws->ctx->needless = NULL;
  place_marker(lws);
  close_decoys(lws);
  lws_context_destroy(lws->context);
  lws->ctx->unfinished = !hold_number(lws);
  beam__task_defer(lws->ctx, &lws->finish);
}

/* ---- The beginning ---- */

/* Of its handles, the one that is no socket: 4.3.5 has one for the kernel's routes, too. */
static void match_pipe(uv_handle_t *handle, void *user) {
  uv_os_fd_t fd;
  int type, *found = user;
  socklen_t size = sizeof type;
  if (handle->type == UV_POLL && !uv_is_closing(handle) && uv_fileno(handle, &fd) == 0 &&
      getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size))
    *found = fd;
}

/* It looks there for bytes that it has read and not handed on: with "raw files" there are none. */
static void match_idle(uv_handle_t *handle, void *user) {
  uv_idle_t **found = user;
  if (handle->type == UV_IDLE && !uv_is_closing(handle))
    *found = (uv_idle_t *)handle;
}

/* A limit below the process's own is cheaper for a few connections; without one its tables are as large as ulimit -n,
 * but a look-up in them takes one step. */
static struct lws_context *create(struct beam__lws *lws) {
  struct lws_context_creation_info info = {0};
  void *loops[] = {&lws->ctx->loop};
  unsigned connections = lws->ctx->options.connections;
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
                 LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME;
  info.foreign_loops = loops;
  info.fd_limit_per_thread = connections ? connections + SPARE_DESCRIPTORS : 0;
  info.timeout_secs = NEVER_SECONDS;
  info.connect_timeout_secs = NEVER_SECONDS;
  info.retry_and_idle_policy = &no_pings;
  info.gid = (gid_t)-1;
  info.uid = (uid_t)-1;
  lws->descriptors = connections ? 0 : sysconf(_SC_OPEN_MAX);
  return lws_create_context(&info);
}

static struct lws_vhost *create_vhost(struct lws_context *context) {
  static const struct lws_protocols protocols[] = {{.name = "beam", .callback = on_event}, {.name = NULL}};
  struct lws_context_creation_info info = {0};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.vhost_name = "beam";
  info.http_proxy_address = ":0"; /* otherwise 4.1.6 reads the environment's */
  info.retry_and_idle_policy = &no_pings;
  info.options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
  return lws_create_vhost(context, &info);
}

/* It sets SIGPIPE to ignore for the whole process: that is the program's to decide, and we do not need it. */
static void create_quietly(struct beam__lws *lws) {
  struct sigaction before;
  errno = 0;
  sigaction(SIGPIPE, NULL, &before);
  lws_set_log_level(0, NULL);
  open_decoys(lws);
  lws->context = beam__descriptors_left(OWN_DESCRIPTORS) ? create(lws) : NULL;
  lws->vhost = lws->context ? create_vhost(lws->context) : NULL;
  sigaction(SIGPIPE, &before, NULL);
}

/* Why it did not start it does not say; malloc leaves ENOMEM, and a virtual host needs nothing but memory. */
static int not_started(const struct beam__lws *lws, beam_error *error) {
  if (errno == ENOMEM || lws->context)
    return beam__no_memory(error);
  return beam__invalid(error,
                       "libwebsockets %s does not start: is its libuv plugin installed (Debian: "
                       "libwebsockets-evlib-uv), and are there free descriptors?",
                       lws_get_library_version());
}

int beam__lws_ready(beam_ctx *ctx, beam_error *error) {
  struct beam__lws *lws;
  errno = 0;
  if (ctx->lws && !ctx->lws->vhost)
    ctx->lws->vhost = create_vhost(ctx->lws->context);
  if (ctx->lws)
    return ctx->lws->vhost ? 0 : not_started(ctx->lws, error);
  lws = calloc(1, sizeof *lws);
  if (!lws)
    return beam__no_memory(error);
  lws->ctx = ctx;
  lws->pipe = lws->marker = -1;
  beam__task_init(&lws->finish, finish);
  create_quietly(lws);
  if (!lws->context) {
    int code = not_started(lws, error);
    close_decoys(lws);
    free(lws);
    return code;
  }
  uv_walk(&ctx->loop, match_pipe, &lws->pipe);
  uv_walk(&ctx->loop, match_idle, &ctx->needless);
  ctx->lws = lws;
  beam__own(ctx, &lws->owned, destroy);
  return lws->vhost ? 0 : not_started(lws, error);
}
