/* The loop's side of libcurl: its sockets as uv_poll handles, its one timer as a uv timer, its results handed on. */
#include "http/curl.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct watch { /* a socket that curl waits for, or will again */
  uv_poll_t poll;
  beam__node node; /* in curl->watches */
  struct beam__curl *curl;
  curl_socket_t socket;
  int events;         /* of libuv's, that are watched */
  int kept;           /* to the end of the socket */
  int idle;           /* curl does not wait for it */
  int port;           /* ours, once it is kept */
  struct watch *same; /* the next one in curl->by_port */
};

/* ---- Driving ---- */

static void admit_if_room(struct beam__curl *curl) {
  if (!beam__list_empty(&curl->waiting) && curl->running < BEAM__TRANSFERS_MAX)
    beam__task_defer(curl->ctx, &curl->admit);
}

static void let_go(struct beam__curl *curl, beam__transfer *transfer) {
  if (!transfer->running)
    return;
  transfer->running = 0;
  curl->running--;
  curl_multi_remove_handle(curl->multi, transfer->easy);
}

/* NULL: it is curl's own, to which connections belong that no transfer uses. */
static beam__transfer *transfer_of(CURL *easy) {
  char *private = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  return (beam__transfer *)(void *)private;
}

/* `done` may stop any other transfer: curl takes the messages of those away itself. */
static void hand_on_results(struct beam__curl *curl) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(curl->multi, &left))) {
    CURLcode result = message->data.result;
    beam__transfer *transfer = transfer_of(message->easy_handle);
    if (message->msg != CURLMSG_DONE)
      continue;
    let_go(curl, transfer); /* the message is invalid from here */
    transfer->done(transfer, result);
  }
  admit_if_room(curl);
}

static void set_timer(struct beam__curl *curl);

static void tell_gathered(struct beam__curl *curl) {
  while (!beam__list_empty(&curl->gathering)) {
    beam__transfer *transfer = BEAM__CONTAINER(curl->gathering.next, beam__transfer, gathering);
    beam__list_remove(&transfer->gathering);
    transfer->gathered(transfer);
  }
}

static void drive(struct beam__curl *curl, curl_socket_t socket, int ready) {
  int running;
  if (socket == CURL_SOCKET_TIMEOUT)
    curl->due = BEAM__NEVER; /* curl says anew when it wants to be called, if it does (7.88 to 8.22) */
  curl->changing++;
  curl->busy++;
  errno = 0;
  curl_multi_socket_action(curl->multi, socket, ready, &running);
  curl->starved = errno == ENOMEM;
  curl->busy--;
  tell_gathered(curl);
  hand_on_results(curl);
  curl->changing--;
  set_timer(curl);
}

static void admit(struct beam__curl *curl) {
  curl->changing++;
  while (!beam__list_empty(&curl->waiting) && curl->running < BEAM__TRANSFERS_MAX) {
    beam__transfer *transfer = BEAM__CONTAINER(curl->waiting.next, beam__transfer, node);
    beam__list_remove(&transfer->node);
    transfer->started(transfer);
    if (curl_multi_add_handle(curl->multi, transfer->easy)) {
      transfer->done(transfer, CURLE_OUT_OF_MEMORY);
      continue;
    }
    transfer->running = 1;
    curl->running++;
  }
  curl->changing--;
  drive(curl, CURL_SOCKET_TIMEOUT, 0);
}

static void run_admit(beam__task *task) { admit(BEAM__CONTAINER(task, struct beam__curl, admit)); }

/* ---- Sockets and the timer ---- */

static void on_ready(uv_poll_t *poll, int status, int events) {
  struct watch *watch = poll->data;
  struct beam__curl *curl = watch->curl; /* the watch may end meanwhile */
  int ready = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
  if (status < 0 || watch->idle) {
    uv_poll_stop(poll);
    watch->events = 0;
  }
  if (watch->idle)
    return; /* the server has closed it: curl looks before it uses it again */
  /* Not CURL_CSELECT_ERR, which curl (7.88) reports as "select/poll returned error" with no errno and no second try:
   * let it read, and find what there is to find. */
  drive(curl, watch->socket, status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : ready);
  /* What the callbacks started goes out before the next socket is looked at: the server works meanwhile. */
  if (!beam__list_empty(&curl->waiting) && curl->running < BEAM__TRANSFERS_MAX)
    admit(curl);
}

static struct watch *watch_new(struct beam__curl *curl, curl_socket_t socket) {
  struct watch *watch = calloc(1, sizeof *watch);
  if (!watch)
    return NULL;
  if (uv_poll_init_socket(&curl->ctx->loop, &watch->poll, socket)) {
    free(watch);
    return NULL;
  }
  watch->poll.data = watch;
  watch->curl = curl;
  watch->socket = socket;
  watch->idle = 1;
  beam__list_add(&curl->watches, &watch->node);
  return watch;
}

/* ---- By their ports: each request over a kept connection asks for one ---- */

static struct watch **place_of(struct beam__curl *curl, int port) {
  return &curl->by_port[(unsigned)port % BEAM__TRANSFERS_MAX];
}

static void add_port(struct watch *watch, int port) {
  struct watch **place = place_of(watch->curl, port);
  watch->port = port;
  watch->same = *place;
  *place = watch;
}

static void remove_port(const struct watch *watch) {
  struct watch **place = place_of(watch->curl, watch->port);
  while (*place && *place != watch)
    place = &(*place)->same;
  if (*place)
    *place = watch->same;
}

/* The number of a socket may come back at once for another one: uv_close takes it out of epoll here and now, only the
 * memory is freed later. */
static void watch_end(struct watch *watch) {
  beam__list_remove(&watch->node);
  if (watch->port)
    remove_port(watch);
  uv_close((uv_handle_t *)&watch->poll, beam__free_with_handle);
}

/* libuv would begin anew with what it watches already. Of a socket that is no connection yet curl may have closed the
 * one of this number without saying so: there that is right. */
static int watch_for(struct watch *watch, int events) {
  watch->idle = 0;
  if (watch->kept && events == watch->events)
    return 0;
  watch->events = events;
  return uv_poll_start(&watch->poll, events, on_ready);
}

static struct watch *find(struct beam__curl *curl, curl_socket_t socket) {
  beam__node *node;
  for (node = curl->watches.next; node != &curl->watches; node = node->next) {
    struct watch *watch = BEAM__CONTAINER(node, struct watch, node);
    if (watch->socket == socket)
      return watch;
  }
  return NULL;
}

static struct watch *watch_of(struct beam__curl *curl, curl_socket_t socket) {
  struct watch *watch = find(curl, socket);
  return watch ? watch : watch_new(curl, socket);
}

static int on_close_socket(void *user, curl_socket_t socket) {
  struct watch *watch = find(user, socket);
  if (watch)
    watch_end(watch);
  return close(socket);
}

static void tell_unwatched(CURL *easy) {
  beam__transfer *transfer = transfer_of(easy);
  if (transfer && transfer->running && transfer->unwatched)
    transfer->unwatched(transfer);
}

/* Only of a connection that was made does curl (7.88) say when it closes the socket. */
static int is_connection(CURL *easy, curl_socket_t socket) {
  curl_socket_t connected = CURL_SOCKET_BAD;
  return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &connected) == CURLE_OK && connected == socket;
}

static int port_of(curl_socket_t socket) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } name = {{0}};
  socklen_t len = sizeof name;
  if (getsockname(socket, &name.any, &len))
    return 0;
  return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

/* A connection stays watched for the next transfer: to end that and begin again costs libuv five system calls. */
static void let_rest(struct watch *watch, CURL *easy) {
  watch->idle = 1;
  watch->kept = watch->kept || is_connection(easy, watch->socket);
  if (!watch->kept)
    watch_end(watch);
  else if (!watch->port)
    add_port(watch, port_of(watch->socket));
}

/* Curl (7.88 to 8.22) looks at a kept connection before it uses it again, but not for what it has to say: of one that
 * is TLS it sees neither a farewell nor an answer to nothing. Of its socket it says the port (CURLINFO_ACTIVESOCKET is
 * that of an earlier transfer). Another one of this port would be thrown away for nothing. With the end of an answer
 * newer versions (8.22) take all that is in the socket: what stood behind it is then with OpenSSL. */
int beam__curl_has_spoken(struct beam__curl *curl, int local_port, int held) {
  const struct watch *watch;
  for (watch = *place_of(curl, local_port); watch; watch = watch->same) {
    char byte;
    if (watch->port == local_port && (held || recv(watch->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0))
      return 1;
  }
  return 0;
}

/* Always 0: with -1 curl would give up every transfer of the pool; this one is left to its deadline. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *assigned) {
  struct beam__curl *curl = user;
  struct watch *watch = assigned;
  if (what == CURL_POLL_REMOVE) {
    if (watch)
      let_rest(watch, easy);
    tell_unwatched(easy);
    return 0;
  }
  if (!watch) {
    watch = watch_of(curl, socket);
    curl_multi_assign(curl->multi, socket, watch);
  }
  if (!watch || watch_for(watch, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0)))
    beam__log(curl->ctx, BEAM_LOG_ERROR, "http: socket %d cannot be watched", (int)socket);
  return 0;
}

static void on_timer(uv_timer_t *timer) {
  struct beam__curl *curl = timer->data;
  curl->armed = BEAM__NEVER;
  drive(curl, CURL_SOCKET_TIMEOUT, 0);
}

/* What curl said last is done once it has said all: it changes its mind with each handle that comes and goes. */
static void set_timer(struct beam__curl *curl) {
  uint64_t now = uv_now(&curl->ctx->loop);
  if (curl->changing || curl->due == curl->armed)
    return;
  curl->armed = curl->due;
  if (curl->due == BEAM__NEVER)
    uv_timer_stop(&curl->timer);
  else
    uv_timer_start(&curl->timer, on_timer, curl->due > now ? curl->due - now : 0, 0);
}

/* Curl calls this from inside itself, so that "now" too has to wait for the loop. */
static int on_timeout(CURLM *multi, long timeout_ms, void *user) {
  struct beam__curl *curl = user;
  (void)multi;
  curl->due = timeout_ms < 0 ? BEAM__NEVER : uv_now(&curl->ctx->loop) + (uint64_t)timeout_ms;
  set_timer(curl);
  return 0;
}

/* ---- Transfers ---- */

void beam__transfer_start(struct beam__curl *curl, beam__transfer *transfer) {
  beam__list_add(&curl->waiting, &transfer->node);
  admit_if_room(curl);
}

void beam__transfer_stop(struct beam__curl *curl, beam__transfer *transfer) {
  beam__list_remove(&transfer->node);
  beam__list_remove(&transfer->gathering);
  let_go(curl, transfer);
  admit_if_room(curl);
}

void beam__transfer_resume(struct beam__curl *curl, beam__transfer *transfer, int paused) {
  if (!transfer->running)
    return;
  curl->busy++;
  errno = 0;
  curl_easy_pause(transfer->easy, paused);
  curl->starved = errno == ENOMEM;
  curl->busy--;
  tell_gathered(curl);
  hand_on_results(curl);
}

/* ---- Easy handles ---- */

CURL *beam__curl_easy(struct beam__curl *curl) {
  CURL *easy = curl->spare_count ? curl->spare[--curl->spare_count] : curl_easy_init();
  if (!easy || curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket) ||
      curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, curl)) {
    curl_easy_cleanup(easy);
    return NULL;
  }
  return easy;
}

void beam__curl_easy_end(struct beam__curl *curl, CURL *easy, int whole) {
  if (!whole || curl->spare_count == BEAM__SPARE_MAX) {
    curl_easy_cleanup(easy);
    return;
  }
  curl_easy_reset(easy);
  curl->spare[curl->spare_count++] = easy;
}

/* ---- Life ---- */

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static int global_ready;

/* Never cleaned up: other parts of the process may use curl too. */
static void init_global(void) { global_ready = curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK; }

static void destroy_curl(beam__owned *owned) {
  struct beam__curl *curl = BEAM__CONTAINER(owned, struct beam__curl, owned);
  beam__list_remove(&owned->node);
  beam__task_cancel(&curl->admit);
  curl_multi_cleanup(curl->multi);
  while (!beam__list_empty(&curl->watches))
    watch_end(BEAM__CONTAINER(curl->watches.next, struct watch, node));
  while (curl->spare_count)
    curl_easy_cleanup(curl->spare[--curl->spare_count]);
  beam__url_forget(&curl->url);
  curl->ctx->curl = NULL;
  uv_close((uv_handle_t *)&curl->timer, beam__free_with_handle);
}

/* CURLMOPT_QUICK_EXIT of 8.20 and later, whatever this was built with: its resolver's threads belong to the multi
 * handle, which would wait for their look-ups. Older versions know no such number, and let go of them by
 * CURLOPT_QUICK_EXIT. */
enum { QUICK_EXIT = 21 };

static void set_up_multi(struct beam__curl *curl) {
  curl_multi_setopt(curl->multi, (CURLMoption)QUICK_EXIT, 1L);
  curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
  curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
  curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
  curl_multi_setopt(curl->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(curl->multi, CURLMOPT_MAXCONNECTS, (long)BEAM__TRANSFERS_MAX);
}

static struct beam__curl *curl_new(beam_ctx *ctx) {
  struct beam__curl *curl = calloc(1, sizeof *curl);
  if (!curl)
    return NULL;
  curl->multi = curl_multi_init();
  if (!curl->multi) {
    free(curl);
    return NULL;
  }
  curl->ctx = ctx;
  curl->due = curl->armed = BEAM__NEVER;
  beam__list_init(&curl->waiting);
  beam__list_init(&curl->gathering);
  beam__list_init(&curl->watches);
  beam__list_init(&curl->streams);
  beam__task_init(&curl->admit, run_admit);
  uv_timer_init(&ctx->loop, &curl->timer);
  curl->timer.data = curl;
  set_up_multi(curl);
  beam__own(ctx, &curl->owned, destroy_curl);
  return curl;
}

int beam__curl_has_openssl(void) {
  const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;
  return library && strncmp(library, "OpenSSL/", 8) == 0;
}

struct beam__curl *beam__curl_of(beam_ctx *ctx) {
  pthread_once(&global_once, init_global);
  if (!ctx->curl && global_ready)
    ctx->curl = curl_new(ctx);
  return ctx->curl;
}
