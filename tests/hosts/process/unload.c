/* A host that loads libbeam, lets it look up a name, closes and unloads it, and lives on: the look-up's thread must
 * find its code still there. usage: unload LIBRARY; prints TAP. Not linked with anything libbeam brings, or that would
 * stay loaded by itself. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "beam.h"

enum { LOOKUP_US = 300000 };

static volatile int asked;

/* In place of the C library's, for all that is loaded (-rdynamic). */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  (void)host, (void)service, (void)result;
  if (hints && (hints->ai_flags & AI_NUMERICHOST))
    return EAI_NONAME;
  asked = 1;
  usleep(LOOKUP_US);
  return EAI_NONAME;
}

static void on_http(void *user, beam_http *http, const beam_http_event *event) { (void)user, (void)http, (void)event; }
static void on_ws(void *user, beam_ws *ws, const beam_ws_event *event) { (void)user, (void)ws, (void)event; }

static void *find(void *library, const char *name) {
  void *symbol = library ? dlsym(library, name) : NULL;
  if (!symbol) {
    printf("Bail out! %s: %s\n", name, dlerror());
    exit(1);
  }
  return symbol;
}

static int start(void *library, beam_ctx *ctx, int websocket) {
  beam_http_options http_options = {.url = "http://slow.test/", .proxy = "", .on_event = on_http};
  beam_ws_options ws_options = {.url = "ws://slow.test/", .proxy = "", .on_event = on_ws};
  int (*http_start)(beam_ctx *, beam_http **, const beam_http_options *, beam_error *);
  int (*ws_open)(beam_ctx *, beam_ws **, const beam_ws_options *, beam_error *);
  beam_http *http;
  beam_ws *ws;
  *(void **)&http_start = find(library, "beam_http_start");
  *(void **)&ws_open = find(library, "beam_ws_open");
  return websocket ? ws_open(ctx, &ws, &ws_options, NULL) : http_start(ctx, &http, &http_options, NULL);
}

static int unload_while_asked(const char *path, int websocket) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  int (*new_context)(beam_ctx **, const beam_options *);
  int (*step)(beam_ctx *, int);
  void (*close_context)(beam_ctx *);
  beam_ctx *ctx;
  int i;
  *(void **)&new_context = find(library, "beam_new");
  *(void **)&step = find(library, "beam_step");
  *(void **)&close_context = find(library, "beam_close");
  asked = 0;
  if (new_context(&ctx, NULL) || start(library, ctx, websocket))
    return 0;
  for (i = 0; i < 100 && !asked; i++)
    step(ctx, 10);
  close_context(ctx);
  dlclose(library);
  usleep(2 * LOOKUP_US);
  return asked;
}

int main(int count, char **arguments) {
  static const char *const names[] = {"unloads_while_http_looks_up", "unloads_while_a_websocket_looks_up"};
  int i, failed = 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (i = 0; i < 2 && count == 2; i++) {
    int ok = unload_while_asked(arguments[1], i);
    printf("%s %d - %s\n", ok ? "ok" : "not ok", i + 1, names[i]);
    failed |= !ok;
  }
  printf("1..2\n");
  return failed || count != 2;
}
