/* libbeam.so loaded and unloaded over and over, with a server, a WebSocket and a call in it each time, and once while a
 * look-up still hangs in its thread: no crash, and no descriptor left. */
#include <dirent.h>
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include "beam-server.h"
#include "test.h"

enum { TIMES = 30, PATIENCE_MS = 60000 };

static struct {
  void *library;
  int (*new)(beam_ctx **ctx, const beam_options *options);
  int (*step)(beam_ctx *ctx, int timeout_ms);
  void (*close)(beam_ctx *ctx);
  int (*listen)(beam_ctx *ctx, beam_server **server, const beam_server_options *options, beam_error *error);
  unsigned (*port)(const beam_server *server);
  int (*respond)(beam_request *request, int status, const beam_header *headers, size_t count, const void *body,
                 size_t len);
  int (*accept)(beam_request *request, beam_ws **ws, const beam_ws_options *options);
  int (*open)(beam_ctx *ctx, beam_ws **ws, const beam_ws_options *options, beam_error *error);
  int (*start)(beam_ctx *ctx, beam_http **http, const beam_http_options *options, beam_error *error);
} beam;

static int take(void *function, const char *name) {
  void *found = dlsym(beam.library, name);
  memcpy(function, &found, sizeof found);
  return CHECK(found != NULL);
}

static int load(void) {
  beam.library = dlopen("build/libbeam.so", RTLD_NOW | RTLD_LOCAL);
  if (!CHECK(beam.library != NULL)) {
    printf("# %s\n", dlerror());
    return 0;
  }
  return take(&beam.new, "beam_new") && take(&beam.step, "beam_step") && take(&beam.close, "beam_close") &&
         take(&beam.listen, "beam_server_listen") && take(&beam.port, "beam_server_port") &&
         take(&beam.respond, "beam_request_respond") && take(&beam.accept, "beam_request_accept") &&
         take(&beam.open, "beam_ws_open") && take(&beam.start, "beam_http_start");
}

/* ---- What is done with it ---- */

static int opened, answered;

static void on_ws(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  opened += event->type == BEAM_WS_OPEN;
}

static void on_http(void *user, beam_http *http, const beam_http_event *event) {
  (void)user, (void)http;
  answered += event->type == BEAM_HTTP_DONE && !event->error;
}

static void on_request(void *user, beam_request *request, const beam_request_view *view) {
  beam_ws_options options = {.on_event = on_ws};
  beam_ws *ws;
  (void)user;
  if (view->upgrade)
    beam.accept(request, &ws, &options);
  else
    beam.respond(request, 200, NULL, 0, "", 0);
}

static long long now_ms(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (long long)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* All of it lives when the context closes. */
static void use(int hangs) {
  beam_server_options listening = {.on_request = on_request};
  char ws_url[64], http_url[64];
  beam_ws_options talking = {.url = ws_url, .proxy = "", .on_event = on_ws};
  beam_http_options calling = {.url = http_url, .proxy = "", .on_event = on_http};
  long long end = now_ms() + PATIENCE_MS;
  beam_server *server;
  beam_ctx *ctx;
  beam_http *http;
  beam_ws *ws;
  opened = answered = 0;
  CHECK_INT(beam.new(&ctx, NULL), 0);
  REQUIRE(beam.listen(ctx, &server, &listening, NULL) == 0);
  snprintf(ws_url, sizeof ws_url, "ws://127.0.0.1:%u/", beam.port(server));
  snprintf(http_url, sizeof http_url, "http://127.0.0.1:%u/", beam.port(server));
  CHECK_INT(beam.open(ctx, &ws, &talking, NULL), 0);
  CHECK_INT(beam.start(ctx, &http, &calling, NULL), 0);
  while ((!opened || !answered) && now_ms() < end)
    beam.step(ctx, 50);
  CHECK(opened == 1 && answered == 1);
  talking.url = "ws://a-name-that-is-asked-for.invalid/";
  if (hangs)
    CHECK_INT(beam.open(ctx, &ws, &talking, NULL), 0);
  beam.step(ctx, 0);
  beam.close(ctx);
}

static int entries(const char *path) {
  DIR *folder = opendir(path);
  int count = 0;
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}

static int descriptors(void) { return entries("/proc/self/fd"); }
static int threads(void) { return entries("/proc/self/task"); }

static void loaded_and_unloaded(void) {
  int i, before = 0, alone = threads();
  long long end;
  for (i = 0; i < TIMES; i++) {
    REQUIRE(load());
    use(i % 3 == 2);
    CHECK_INT(dlclose(beam.library), 0);
    before = i ? before : descriptors(); /* those of libuv's own that stay */
  }
  for (end = now_ms() + PATIENCE_MS; threads() != alone && now_ms() < end;)
    usleep(10000); /* a look-up that was left ends in its own time, and opens what it asks with until then */
  CHECK_INT(threads(), alone);
  CHECK_INT(descriptors(), before);
}

int main(void) {
  RUN(loaded_and_unloaded);
  return test_end();
}
