/* Two contexts in two threads under ThreadSanitizer, each with a server of its own in TLS, sessions and calls over it,
 * look-ups and files beside the loop, and the other one's wake-ups; contexts that are made and closed while the other
 * one works. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "beam-server.h"
#include "certificate.h"
#include "test.h"

enum { THREADS = 2, LIVES = 5, ROUNDS = 4, PATIENCE_MS = 20000 };

/* What is the libraries', by version and reason. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return /* OpenSSL 3.0 to 3.5, libcurl, libwebsockets and libuv are not built with it: of their atomics, and so of what
            they guard with them, it sees nothing. */
      "called_from_lib:libcrypto.so\n"
      "called_from_lib:libssl.so\n"
      "called_from_lib:libcurl.so\n"
      "called_from_lib:libwebsockets.so\n"
      "called_from_lib:libuv.so\n"
      /* libwebsockets 4.1.6 closes its pipe, which is not seen, and another thread is given its number; that nothing of
         that thread's is closed is what descriptors_of_another_thread counts. */
      "race:is_marker\n"
      "race:place_marker\n";
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "history_size=7"; } /* so that both stacks are known */

static char ca_file[64];

typedef struct life { /* of a context, in its thread */
  beam_ctx *ctx;
  beam_server *server;
  unsigned port;
  int heard, closed, done, failed;
} life;

static _Atomic(beam_ctx *) contexts[THREADS]; /* to be woken */
static pthread_mutex_t waking = PTHREAD_MUTEX_INITIALIZER;
static atomic_int messages, answers, failures;

static long long now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void on_far(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user;
  if (event->type == BEAM_WS_MESSAGE)
    beam_ws_send_text(ws, event->data, event->len);
  else if (event->type == BEAM_WS_CLOSED)
    beam_ws_free(ws);
}

static void on_request(void *user, beam_request *request, const beam_request_view *view) {
  beam_ws_options options = {.on_event = on_far};
  beam_ws *ws;
  (void)user;
  if (view->upgrade)
    beam_request_accept(request, &ws, &options);
  else
    beam_request_respond(request, 200, NULL, 0, view->body, view->body_len);
}

static void on_near(void *user, beam_ws *ws, const beam_ws_event *event) {
  life *l = user;
  if (event->type == BEAM_WS_OPEN)
    beam_ws_send_text(ws, "hello", 5);
  if (event->type == BEAM_WS_MESSAGE) {
    l->heard++;
    atomic_fetch_add(&messages, 1);
    beam_ws_close(ws, 1000, NULL);
  }
  if (event->type == BEAM_WS_CLOSED) {
    l->closed++;
    l->failed += event->error != NULL;
  }
}

static void on_http(void *user, beam_http *http, const beam_http_event *event) {
  life *l = user;
  (void)http;
  if (event->type != BEAM_HTTP_DONE)
    return;
  l->done++;
  l->failed += event->error != NULL;
  atomic_fetch_add(&answers, 1);
}

static void wake_the_other(int me) {
  beam_ctx *other;
  pthread_mutex_lock(&waking); /* that it is not closed meanwhile is the program's to see to */
  other = atomic_load(&contexts[!me]);
  if (other)
    beam_wakeup(other);
  pthread_mutex_unlock(&waking);
}

static void one_round(life *l, int me) {
  char url[64];
  beam_ws_options talking = {.url = url, .proxy = "", .on_event = on_near, .user = l};
  beam_http_options calling = {.url = url, .proxy = "", .body = "{}", .body_len = 2, .on_event = on_http, .user = l};
  long long end = now_ms() + PATIENCE_MS;
  int closed = l->closed + 1, done = l->done + 2;
  beam_http *http[2] = {NULL, NULL};
  beam_ws *ws = NULL;
  talking.tls.ca_file = calling.tls.ca_file = ca_file;
  snprintf(url, sizeof url, "wss://localhost:%u/", l->port);
  l->failed += beam_ws_open(l->ctx, &ws, &talking, NULL) != 0;
  l->failed += beam_http_start(l->ctx, &http[0], &calling, NULL) != 0;
  l->failed += beam_http_start(l->ctx, &http[1], &calling, NULL) != 0;
  while (!l->failed && (l->closed < closed || l->done < done) && now_ms() < end) {
    beam_step(l->ctx, 100);
    wake_the_other(me);
  }
  l->failed += l->closed < closed || l->done < done;
  beam_ws_free(ws);
  beam_http_free(http[0]);
  beam_http_free(http[1]);
}

static void one_life(int me) {
  beam_server_options options = {.on_request = on_request};
  life l = {0};
  int i;
  options.tls = (beam_tls){.cert_file = ca_file, .key_file = ca_file};
  if (beam_new(&l.ctx, NULL) || beam_server_listen(l.ctx, &l.server, &options, NULL)) {
    atomic_fetch_add(&failures, 1);
    return;
  }
  l.port = beam_server_port(l.server);
  atomic_store(&contexts[me], l.ctx);
  for (i = 0; i < ROUNDS && !l.failed; i++)
    one_round(&l, me);
  pthread_mutex_lock(&waking);
  atomic_store(&contexts[me], NULL);
  pthread_mutex_unlock(&waking);
  beam_close(l.ctx);
  atomic_fetch_add(&failures, l.failed);
}

static void *run(void *argument) {
  int i, me = *(int *)argument;
  for (i = 0; i < LIVES; i++)
    one_life(me);
  return NULL;
}

static void two_contexts_in_two_threads(void) {
  static int numbers[THREADS] = {0, 1};
  pthread_t threads[THREADS];
  int i;
  for (i = 0; i < THREADS; i++)
    REQUIRE(pthread_create(&threads[i], NULL, run, &numbers[i]) == 0);
  for (i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CHECK_INT(atomic_load(&failures), 0);
  CHECK_INT(atomic_load(&messages), THREADS * LIVES * ROUNDS);
  CHECK_INT(atomic_load(&answers), THREADS * LIVES * ROUNDS * 2);
}

/* Opens and closes without end, as a program's other threads do: what it has opened nobody else may close. */
static atomic_int opening, opened, closed_under;

static void *open_and_close(void *unused) {
  (void)unused;
  while (atomic_load(&opening)) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sched_yield();
    atomic_fetch_add(&opened, 1);
    if (close(fd))
      atomic_fetch_add(&closed_under, 1);
  }
  return NULL;
}

static void one_short_life(void) {
  beam_ws_options options = {.url = "ws://127.0.0.1:1/", .proxy = "", .on_event = on_far};
  beam_ctx *ctx;
  beam_ws *ws;
  int i;
  REQUIRE(beam_new(&ctx, NULL) == 0);
  REQUIRE(beam_ws_open(ctx, &ws, &options, NULL) == 0);
  for (i = 0; i < 3; i++)
    beam_step(ctx, 1);
  beam_close(ctx);
}

static void descriptors_of_another_thread(void) {
  enum { SHORT_LIVES = 300 };
  pthread_t stranger;
  int i;
  atomic_store(&opening, 1);
  REQUIRE(pthread_create(&stranger, NULL, open_and_close, NULL) == 0);
  for (i = 0; i < SHORT_LIVES; i++)
    one_short_life();
  atomic_store(&opening, 0);
  pthread_join(stranger, NULL);
  printf("# %d opened by another thread, %d closed under it\n", atomic_load(&opened), atomic_load(&closed_under));
  CHECK(atomic_load(&opened) > SHORT_LIVES);
  CHECK_INT(atomic_load(&closed_under), 0);
}

int main(void) {
  snprintf(ca_file, sizeof ca_file, "/tmp/beam-threads-%d.pem", (int)getpid());
  write_certificate(ca_file);
  RUN(two_contexts_in_two_threads); /* what it finds is told on stderr, and by the exit status */
  RUN(descriptors_of_another_thread);
  unlink(ca_file);
  return test_end();
}
