/* What a host costs beside what is underneath: a step with nothing to do, with one open connection; a call of a hook.
 * usage: host URL   prints nanoseconds, one line each */
#include "beamhost.h"
#include "measure.h"

#include <string.h>

static const char script[] = "local t, n = {}, 0\n"
                             "function t.nothing() end\n"
                             "function t.identity(value) return value end\n"
                             "return t";
static const char ticking[] = "local n = 0 return { tick = function(seconds) n = n + seconds end }";

enum { STEPS = 1000000, CALLS = 300000 };

static int is_open;

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user, (void)ws;
  is_open |= event->type == BEAM_WS_OPEN;
}

static void bare_step(const char *url) {
  beam_ws_options options = {.url = url, .on_event = on_event};
  beam_ctx *ctx;
  beam_ws *ws;
  if (beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &options, NULL))
    exit(1);
  while (!is_open)
    beam_step(ctx, -1);
  beam_fd(ctx);
  double start = now();
  for (int i = 0; i < STEPS; i++)
    beam_step(ctx, 0);
  printf("beam_step, idle                       %5.0f\n", (now() - start) / STEPS * 1e9);
  beam_close(ctx);
}

static beam_host *open_host(const char *url, const char *text) {
  beam_host_options options = {.target = url, .token = ""};
  beam_host_figures figures = {0};
  beam_host_error error;
  beam_host *host;
  if (beam_host_new(&host, &options, &error) || beam_host_load_string(host, text, strlen(text), "bench.lua", &error)) {
    fprintf(stderr, "host: %s\n", error.message);
    exit(1);
  }
  do
    beam_host_step(host, 100);
  while (!beam_host_stats(host, &figures) && strcmp(figures.state, "open") != 0);
  beam_host_fd(host);
  return host;
}

static void host_step(const char *url, const char *text, const char *what) {
  beam_host *host = open_host(url, text);
  double start = now();
  for (int i = 0; i < STEPS; i++)
    beam_host_step(host, 0);
  printf("%-37s %5.0f\n", what, (now() - start) / STEPS * 1e9);
  beam_host_free(host);
}

static void host_call(const char *url, const char *function, const char *json, const char *what) {
  beam_host *host = open_host(url, script);
  beam_host_result result;
  double start = now();
  for (int i = 0; i < CALLS; i++)
    if (beam_host_call(host, function, json, json ? strlen(json) : 0, &result, NULL))
      exit(1);
  printf("%-37s %5.0f\n", what, (now() - start) / CALLS * 1e9);
  beam_host_free(host);
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 2;
  const char *url = argv[1];
  bare_step(url);
  host_step(url, script, "beam_host_step, idle");
  host_step(url, ticking, "beam_host_step with a hook tick");
  host_call(url, "nothing", NULL, "beam_host_call, no value");
  host_call(url, "identity", "{\"x\":12,\"name\":\"ball\"}", "beam_host_call, a small object in and out");
  return 0;
}
