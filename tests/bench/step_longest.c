/* The longest beam_step(ctx, 0) while a DNS answer takes 2 s and a TLS handshake stalls.
 * usage: step_longest   prints milliseconds (the longest of the calls that open, then of the steps) */
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "beam.h"
#include "measure.h"
#include "resolve.h"

static int slow_resolver(const char *host, const char *service, const struct addrinfo *hints,
                         struct addrinfo **result) {
  (void)host;
  sleep(2);
  return getaddrinfo("127.0.0.1", service, hints, result);
}

static unsigned mute_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 16) ||
      getsockname(fd, (struct sockaddr *)&address, &len))
    exit(1);
  return ntohs(address.sin_port); /* the kernel completes TCP; nobody answers */
}

static void on_event(void *user, beam_ws *ws, const beam_ws_event *event) { (void)user, (void)ws, (void)event; }
static void on_http(void *user, beam_http *http, const beam_http_event *event) { (void)user, (void)http, (void)event; }

int main(void) {
  char stalled[64], slow[64], call[64];
  unsigned port = mute_port();
  beam_ctx *ctx;
  beam_ws *ws;
  beam_http *http;
  double longest_open = 0, longest = 0, start, end;
  snprintf(stalled, sizeof stalled, "wss://127.0.0.1:%u/", port);
  snprintf(slow, sizeof slow, "wss://slow.example:%u/", port);
  snprintf(call, sizeof call, "https://127.0.0.1:%u/", port);
  beam_ws_options to_stalled = {.url = stalled, .on_event = on_event}, to_slow = {.url = slow, .on_event = on_event};
  beam_http_options to_call = {.url = call, .on_event = on_http};
  beam__lookup_use(slow_resolver);
  start = now();
  if (beam_new(&ctx, NULL) || beam_ws_open(ctx, &ws, &to_stalled, NULL) || beam_ws_open(ctx, &ws, &to_slow, NULL) ||
      beam_http_start(ctx, &http, &to_call, NULL))
    return 1;
  longest_open = now() - start;
  end = now() + 3;
  while (now() < end) {
    start = now();
    beam_step(ctx, 0);
    if (now() - start > longest)
      longest = now() - start;
    usleep(1000);
  }
  start = now();
  beam_close(ctx);
  printf("opening %.2f ms (CA store loaded once), longest step %.3f ms, closing %.2f ms\n", longest_open * 1e3,
         longest * 1e3, (now() - start) * 1e3);
  return 0;
}
