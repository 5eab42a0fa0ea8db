/* From a name to an open connection: DNS, the race of addresses, deadlines, proxies. */
#include <netdb.h>
#include <stdatomic.h>

#include "net/resolve.h"
#include "websocket_fixture.h"

static peer echo;

/* ---- DNS ---- */

static const char *const *answers; /* numeric addresses; NULL: none */
static atomic_int held;            /* no answer comes yet */

static int resolve(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  struct addrinfo numeric = *hints, **end = result;
  int i;
  (void)host;
  while (held)
    sleep_ms(1);
  *result = NULL;
  numeric.ai_flags = AI_NUMERICHOST;
  for (i = 0; answers && answers[i]; i++) {
    if (getaddrinfo(answers[i], service, &numeric, end))
      abort();
    while (*end)
      end = &(*end)->ai_next;
  }
  return *result ? 0 : EAI_NONAME;
}

static void resolve_to(const char *const *list) {
  answers = list;
  beam__lookup_use(resolve);
}

static void open_name(client *c, unsigned port, beam_ws_options options) {
  char url[64];
  snprintf(url, sizeof url, "ws://name.test:%u/", port);
  options.url = url;
  client_start(c);
  CHECK_INT(client_open(c, port, "/", options), 0);
}

static void check_failed(client *c, int code, enum beam_phase phase, const char *text) {
  CHECK(wait_for(c, &c->closed, 1));
  CHECK_INT(c->code, 1006);
  CHECK_INT(c->error.code, code);
  CHECK_INT(c->error.phase, phase);
  CHECK_CONTAINS(c->error.message, text);
  client_end(c);
}

static void test_name_not_found(void) {
  client c;
  resolve_to(NULL);
  open_name(&c, 80, (beam_ws_options){0});
  check_failed(&c, BEAM_EDNS, BEAM_PHASE_DNS, "name.test");
  CHECK_STR(c.log, "dns closed closed ");
  CHECK_STR(c.error.host, "name.test:80");
}

static void test_name_slow(void) {
  static const char *const one[] = {"127.0.0.1", NULL};
  client c;
  resolve_to(one);
  held = 1;
  open_name(&c, echo.port, (beam_ws_options){.connect_timeout_ms = 100});
  check_failed(&c, BEAM_ETIMEOUT, BEAM_PHASE_DNS, "connect_timeout");
  held = 0;
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
}

/* ---- TCP ---- */

static void test_refused(void) {
  client c;
  unsigned port = 0;
  int fd = listen_on("127.0.0.1", &port, 1);
  close(fd);
  client_start(&c);
  CHECK_INT(client_open(&c, port, "/", (beam_ws_options){0}), 0);
  check_failed(&c, BEAM_ECONNECT, BEAM_PHASE_TCP, "connection refused");
  CHECK_INT(c.error.system, ECONNREFUSED);
  CHECK_INT(c.error.sent, 0);
}

/* A socket that never accepts, its queue full: what is sent there gets no answer. */
typedef struct black_hole {
  int listener, queued[8];
  unsigned port;
} black_hole;

static void fall_silent(black_hole *hole, const char *address, unsigned port) {
  struct sockaddr_in to = {.sin_family = AF_INET};
  size_t i;
  hole->port = port;
  hole->listener = listen_on(address, &hole->port, 0);
  if (hole->listener < 0)
    abort();
  to.sin_port = htons((uint16_t)hole->port);
  inet_pton(AF_INET, address, &to.sin_addr);
  for (i = 0; i < 8; i++) {
    hole->queued[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)!connect(hole->queued[i], (struct sockaddr *)&to, sizeof to);
  }
  sleep_ms(20);
}

static void end_silence(black_hole *hole) {
  size_t i;
  for (i = 0; i < 8; i++)
    close(hole->queued[i]);
  close(hole->listener);
}

static void test_connect_hangs(void) {
  black_hole hole;
  client c;
  long long start = now_ms();
  fall_silent(&hole, "127.0.0.1", 0);
  client_start(&c);
  CHECK_INT(client_open(&c, hole.port, "/", (beam_ws_options){.connect_timeout_ms = 200}), 0);
  check_failed(&c, BEAM_ETIMEOUT, BEAM_PHASE_TCP, "within 200 ms");
  CHECK(now_ms() - start >= 190);
  end_silence(&hole);
}

/* RFC 8305: the second address is tried 250 ms after the first fell silent, and wins. */
static void test_race_past_a_silent_address(void) {
  static const char *const list[] = {"127.0.0.2", "127.0.0.1", NULL};
  black_hole hole;
  client c;
  long long start;
  int descriptors = descriptors_at_rest();
  fall_silent(&hole, "127.0.0.2", echo.port);
  resolve_to(list);
  start = now_ms();
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  CHECK(now_ms() - start >= 240);
  beam_ws_send_text(c.ws, "x", 1);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_STR(c.log, "dns tcp upgrade open ");
  client_end(&c);
  end_silence(&hole);
  check_descriptors(descriptors);
}

static long long past_closed_addresses(void) {
  static const char *const list[] = {"127.0.0.3", "127.0.0.4", "127.0.0.1", NULL};
  client c;
  long long start = now_ms();
  resolve_to(list);
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
  return now_ms() - start;
}

/* One that refuses is not waited for, which would be 500 ms: once at least, for the machine may be busy. */
static void test_race_past_a_closed_address(void) {
  long long took = 500;
  int i;
  for (i = 0; i < 20 && took >= 500; i++)
    took = past_closed_addresses();
  CHECK(took < 500);
}

static void test_ipv6_and_ipv4(void) {
  static const char *const list[] = {"::1", "127.0.0.1", NULL};
  peer p = {0};
  client c;
  resolve_to(list);
  p.port = echo.port;                             /* the same port on the other family */
  open_name(&c, echo.port, (beam_ws_options){0}); /* ::1 refuses */
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
  peer_start_at(&p, "::1", serve_echo);
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  CHECK_INT(p.connections, 1); /* IPv6 first */
  client_end(&c);
  peer_stop(&p);
}

static void test_ipv6_literal(void) {
  peer p = {0};
  client c;
  char url[64];
  peer_start_at(&p, "::1", serve_echo);
  snprintf(url, sizeof url, "ws://[::1]:%u/", p.port);
  client_start(&c);
  CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = url}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  snprintf(url, sizeof url, "Host: [::1]:%u\r\n", p.port);
  CHECK_CONTAINS(peer_request, url);
  client_end(&c);
  peer_stop(&p);
}

/* connect() itself fails: inside of libwebsockets 4.1.6 it would leave a handle behind, and 4.3.5 use freed memory. */
static void test_unreachable_at_once(void) {
  static const char *const list[] = {"255.255.255.255", "255.255.255.255", NULL};
  client c;
  int descriptors;
  descriptors = descriptors_at_rest();
  resolve_to(list);
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ECONNECT);
  CHECK(c.error.system != 0);
  CHECK_CONTAINS(c.error.message, "255.255.255.255");
  client_end(&c);
  check_descriptors(descriptors);
}

static void test_all_addresses_fail(void) {
  static const char *const list[] = {"127.0.0.3", "255.255.255.255", "127.0.0.4", NULL};
  client c;
  resolve_to(list);
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_CONTAINS(c.error.message, "127.0.0.3");
  CHECK_CONTAINS(c.error.message, "127.0.0.4");
  CHECK_CONTAINS(c.error.message, "255.255.255.255");
  client_end(&c);
}

/* ---- Proxies ---- */

static char asked[READ_MAX]; /* the head that the proxy was sent */
static const char *proxy_answer;

static void *copy_bytes(void *argument) {
  int *pair = argument;
  char data[16384];
  ssize_t len;
  while ((len = recv(pair[0], data, sizeof data, 0)) > 0 && write_all(pair[1], data, (size_t)len) == 0)
    ;
  shutdown(pair[1], SHUT_WR);
  return NULL;
}

static void tunnel(int near, int far) {
  int out[2] = {near, far}, back[2] = {far, near};
  pthread_t thread;
  pthread_create(&thread, NULL, copy_bytes, out);
  copy_bytes(back);
  shutdown(near, SHUT_RDWR);
  pthread_join(thread, NULL);
  close(far);
}

static int connect_to(unsigned port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(fd, (struct sockaddr *)&to, sizeof to) ? -1 : fd;
}

/* In pieces, to be put together by the reader. */
static void write_slowly(int fd, const char *text) {
  for (; *text; text += strlen(text) > 7 ? 7 : strlen(text)) {
    write_all(fd, text, strlen(text) > 7 ? 7 : strlen(text));
    sleep_ms(2);
  }
}

/* Knows one target, whatever it is called. */
static void serve_proxy(int fd, const char *target) {
  (void)target;
  if (read_head(fd, asked, sizeof asked))
    return;
  write_slowly(fd, proxy_answer);
  if (strncmp(proxy_answer, "HTTP", 4) == 0 && proxy_answer[9] == '2')
    tunnel(fd, connect_to(echo.port));
}

static void proxy_start(peer *p, const char *answer) {
  memset(p, 0, sizeof *p);
  p->bare = 1;
  proxy_answer = answer;
  peer_start_at(p, "127.0.0.1", serve_proxy);
}

static void open_through(client *c, const peer *p, const char *credentials) {
  char proxy[128];
  snprintf(proxy, sizeof proxy, "http://%s127.0.0.1:%u", credentials, p->port);
  client_start(c);
  CHECK_INT(client_open(c, 0, "", (beam_ws_options){.url = "ws://far.test:8080/x", .proxy = proxy}), 0);
}

static void test_proxy(void) {
  peer p;
  client c;
  beam__lookup_use(NULL); /* the target's name is the proxy's to resolve */
  proxy_start(&p, "HTTP/1.1 200 Connection established\r\n\r\n");
  open_through(&c, &p, "user:p%40ss@");
  CHECK(wait_for(&c, &c.opened, 1));
  CHECK(strncmp(asked, "CONNECT far.test:8080 HTTP/1.1\r\n", 32) == 0);
  CHECK_CONTAINS(asked, "asic dXNlcjpwQHNz\r\n");
  CHECK_CONTAINS(peer_request, "Host: far.test:8080\r\n");
  CHECK(!strstr(peer_request, "roxy"));
  beam_ws_send_text(c.ws, "through", 7);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_STR(c.log, "dns tcp proxy upgrade open ");
  client_end(&c);
  peer_stop(&p);
}

/* Any 2xx, with or without a reason, after answers that are interim, with headers that mean nothing here. */
static void test_proxies_of_all_kinds(void) {
  static const char *const opened[] = {"HTTP/1.0 200\r\n\r\n", "HTTP/1.1 204 \r\nVia: x\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"};
  size_t i;
  for (i = 0; i < sizeof opened / sizeof *opened; i++) {
    peer p;
    client c;
    proxy_start(&p, opened[i]);
    open_through(&c, &p, "");
    CHECK(wait_for(&c, &c.opened, 1));
    client_end(&c);
    peer_stop(&p);
  }
}

static void check_no_tunnel(const char *answer, int status, const char *text) {
  peer p;
  client c;
  proxy_start(&p, answer);
  open_through(&c, &p, "");
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ECONNECT);
  CHECK_INT(c.error.phase, BEAM_PHASE_PROXY);
  CHECK_INT(c.error.status, status);
  CHECK_INT(c.error.sent, 0);
  CHECK_CONTAINS(c.error.message, text);
  CHECK_CONTAINS(c.error.message, "far.test:8080");
  client_end(&c);
  peer_stop(&p);
}

static void test_proxies_that_open_no_tunnel(void) {
  check_no_tunnel("HTTP/1.1 403 Forbidden\r\n\r\nno", 403, "status 403");
  check_no_tunnel("HTTP/1.1 502\r\n\r\n", 502, "status 502");
  check_no_tunnel("SSH-2.0-OpenSSH_9.2p1\r\n", 0, "SSH-2.0");
  check_no_tunnel("HTTP/1.1 200 OK\r\n\r\nhello", 0, "more than its answer");
}

static void test_proxy_refuses(void) {
  peer p;
  client c;
  proxy_start(&p, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
  open_through(&c, &p, "user:hush@");
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.error.code, BEAM_ECONNECT);
  CHECK_INT(c.error.phase, BEAM_PHASE_PROXY);
  CHECK_INT(c.error.status, 407);
  CHECK_CONTAINS(c.error.message, "credentials");
  CHECK(!strstr(c.error.message, "hush"));
  client_end(&c);
  peer_stop(&p);
}

static void test_proxy_gone(void) {
  client c;
  peer p;
  proxy_start(&p, "");
  open_through(&c, &p, "");
  check_failed(&c, BEAM_ECONNECT, BEAM_PHASE_PROXY, "127.0.0.1");
  peer_stop(&p);
  open_through(&c, &p, "");
  check_failed(&c, BEAM_ECONNECT, BEAM_PHASE_TCP, "proxy 127.0.0.1");
}

/* libwebsockets reads http_proxy itself; which one is used is ours to decide. */
static void test_proxy_of_the_environment(void) {
  static const char *const one[] = {"127.0.0.1", NULL};
  peer p;
  client c;
  char url[64];
  proxy_start(&p, "HTTP/1.1 200 OK\r\n\r\n");
  snprintf(url, sizeof url, "http://127.0.0.1:%u", p.port);
  setenv("http_proxy", url, 1);
  resolve_to(one);
  client_start(&c); /* loopback: none */
  CHECK_INT(client_open(&c, echo.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
  CHECK_INT(p.connections, 0);
  open_name(&c, echo.port, (beam_ws_options){.proxy = ""}); /* none by choice */
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
  CHECK_INT(p.connections, 0);
  open_name(&c, echo.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
  CHECK_INT(p.connections, 1);
  unsetenv("http_proxy");
  peer_stop(&p);
}

static void test_many_proxies(void) {
  peer p;
  client c;
  int i;
  beam__lookup_use(NULL);
  proxy_start(&p, "HTTP/1.1 200 OK\r\n\r\n");
  client_start(&c);
  for (i = 0; i < 70; i++) {
    char proxy[128];
    snprintf(proxy, sizeof proxy, "http://user%d:x@127.0.0.1:%u", i, p.port);
    c.opened = 0;
    CHECK_INT(client_open(&c, 0, "", (beam_ws_options){.url = "ws://far.test/", .proxy = proxy}), 0);
    CHECK(wait_for(&c, &c.opened, 1));
    beam_ws_free(c.ws);
    c.ws = NULL;
    step_for(&c, 2);
  }
  client_end(&c);
  peer_stop(&p);
}

int main(void) {
  peer_start(&echo, serve_echo);
  RUN(test_name_not_found);
  RUN(test_name_slow);
  RUN(test_refused);
  RUN(test_connect_hangs);
  RUN(test_race_past_a_silent_address);
  RUN(test_race_past_a_closed_address);
  RUN(test_ipv6_and_ipv4);
  RUN(test_ipv6_literal);
  RUN(test_unreachable_at_once);
  RUN(test_all_addresses_fail);
  RUN(test_proxy);
  RUN(test_proxies_of_all_kinds);
  RUN(test_proxies_that_open_no_tunnel);
  RUN(test_proxy_refuses);
  RUN(test_proxy_gone);
  RUN(test_proxy_of_the_environment);
  RUN(test_many_proxies);
  peer_stop(&echo);
  return test_end();
}
