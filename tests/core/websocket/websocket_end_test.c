/* How an attempt or a WebSocket ends badly: each failure with its code, phase and text. */
#include "websocket_fixture.h"

/* ---- Answers that are no 101 ---- */

typedef struct answer_case {
  const char *target, *answer, *body; /* body NULL: whatever */
  int status;
  const char *text; /* in the error */
} answer_case;

#define HEAD(status) "HTTP/1.1 " status " Status\r\n"
#define JSON(status, length, body)                                                                                     \
  HEAD(status)                                                                                                         \
  "Content-Type: application/json\r\nX-Task-Id: t-1\r\nX-Other: o\r\nContent-Length: " length "\r\n\r\n" body

static const answer_case answers[] = {
    {"/401", JSON("401", "26", "{\"message\":\"Unauthorized\"}"), "{\"message\":\"Unauthorized\"}", 401, "token"},
    {"/400", JSON("400", "2", "{}"), "{}", 400, "status 400"},
    {"/404", JSON("404", "2", "{}"), "{}", 404, "status 404"},
    {"/429", JSON("429", "2", "{}"), "{}", 429, "status 429"},
    {"/503", HEAD("503") "X-Task-Id: t-1\r\n\r\nuntil the end", "until the end", 503, "status 503"},
    {"/504", HEAD("504") "X-Task-Id: t-1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", 504,
     "504"},
    {"/302", HEAD("302") "X-Task-Id: t-1\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", "", 302,
     "redirects are not followed"},
    {"/200", JSON("200", "2", "ok"), "ok", 200, "not a WebSocket"},
    {"/204", HEAD("204") "X-Task-Id: t-1\r\n\r\n", "", 204, "status 204"},
};

static void serve_answer(int fd, const char *target) {
  size_t i;
  for (i = 0; i < sizeof answers / sizeof *answers; i++)
    if (strcmp(target, answers[i].target) == 0)
      write_text(fd, answers[i].answer);
}

static void check_closed(client *c, int code, enum beam_phase phase, const char *text) {
  CHECK(wait_for(c, &c->closed, 1));
  CHECK_INT(c->closed, 1);
  CHECK_INT(c->opened, 0);
  CHECK_INT(c->code, 1006);
  CHECK_INT(c->failed, 1);
  CHECK_INT(c->error.code, code);
  CHECK_INT(c->error.phase, phase);
  CHECK_CONTAINS(c->error.message, text);
  step_for(c, 5);
  CHECK_INT(c->closed, 1);
  client_end(c);
}

static void test_rejections(void) {
  peer p;
  size_t i;
  peer_start(&p, serve_answer);
  for (i = 0; i < sizeof answers / sizeof *answers; i++) {
    client c;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, answers[i].target, (beam_ws_options){0}), 0);
    check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, answers[i].text);
    CHECK_INT(c.status, answers[i].status);
    CHECK_INT(c.error.status, answers[i].status);
    CHECK_INT(c.error.sent, 1);
    CHECK_STR(c.body, answers[i].body);
    CHECK_CONTAINS(c.headers, "x-task-id: t-1\n");
    CHECK_CONTAINS(c.error.host, "127.0.0.1:");
    if (strstr(answers[i].answer, "X-Other"))
      CHECK_CONTAINS(c.headers, "x-other: o\n");
  }
  CHECK_INT(p.connections, i); /* nobody came back to follow the redirect */
  peer_stop(&p);
}

static void serve_slowly(int fd, const char *target) {
  const char *at = answers[0].answer;
  int one = 1;
  (void)target;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  for (; *at; at++) {
    write_all(fd, at, 1);
    usleep(500);
  }
}

static void test_rejection_byte_by_byte(void) {
  peer p;
  client c;
  peer_start(&p, serve_slowly);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, "401");
  CHECK_CONTAINS(c.headers, "x-task-id: t-1\n");
  CHECK_CONTAINS(c.headers, "content-type: application/json\nx-task-id: t-1\nx-other: o\n");
  CHECK_STR(c.body, "{\"message\":\"Unauthorized\"}");
  peer_stop(&p);
}

static void serve_late_body(int fd, const char *target) {
  write_text(fd, HEAD("504") "Content-Length: 5\r\n\r\n");
  sleep_ms(50);
  if (strcmp(target, "/late") == 0)
    write_text(fd, "later");
  else
    wait_for_end(fd);
}

static void test_body_after_the_head(void) {
  peer p;
  client c;
  peer_start(&p, serve_late_body);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/late", (beam_ws_options){0}), 0);
  check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, "504");
  CHECK_STR(c.body, "later");
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/never", (beam_ws_options){0}), 0);
  check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, "504");
  CHECK_STR(c.body, "");
  peer_stop(&p);
}

static void serve_large_head(int fd, const char *target) {
  char *value = calloc(1, 70001), head[300];
  memset(value, 'v', 70000);
  value[atoi(target + 5)] = 0;
  snprintf(head, sizeof head, "HTTP/1.1 %.3s X\r\nX-Task-Id: t-1\r\nX-Large: ", target + 1);
  write_text(fd, head);
  write_text(fd, value);
  write_text(fd, "\r\nContent-Length: 0\r\n\r\n");
  sleep_ms(50);
  free(value);
}

/* Up to 64 KiB. */
static void test_large_heads(void) {
  static const char *const targets[] = {"/400/100", "/503/4000", "/429/20000", "/400/65000", "/400/66000"};
  peer p;
  size_t i;
  peer_start(&p, serve_large_head);
  for (i = 0; i < sizeof targets / sizeof *targets; i++) {
    client c;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, targets[i], (beam_ws_options){0}), 0);
    CHECK(wait_for(&c, &c.closed, 1));
    CHECK_INT(c.error.code, BEAM_EHANDSHAKE);
    CHECK_INT(c.status, i < 4 ? atoi(targets[i] + 1) : 0);
    if (i == 4)
      CHECK_CONTAINS(c.error.message, "64 KiB");
    client_end(&c);
  }
  peer_stop(&p);
}

static void serve_large_body(int fd, const char *target) {
  char *body = calloc(1, 300000);
  (void)target;
  memset(body, 'b', 300000);
  write_text(fd, HEAD("500") "Content-Length: 300000\r\n\r\n");
  write_all(fd, body, 300000);
  free(body);
}

static void test_body_is_bounded(void) {
  peer p;
  client c;
  peer_start(&p, serve_large_body);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, "500");
  CHECK_INT(c.body_len, 65536);
  peer_stop(&p);
}

/* ---- A 101 that is wrong, and what is no HTTP at all ---- */

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"

static void serve_bad_101(int fd, const char *target) {
  switch (target[1]) {
  case 'a':
    write_text(fd, SWITCH "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: nope\r\n\r\n");
    break;
  case 'n':
    write_text(fd, SWITCH "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    break;
  case 'u':
    write_text(fd, SWITCH "Connection: Upgrade\r\n\r\n");
    break;
  case 'c':
    write_text(fd, SWITCH "Upgrade: websocket\r\nConnection: close\r\n\r\n");
    break;
  case 'e':
    peer_accept_upgrade(fd, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    break;
  case 'p':
    peer_accept_upgrade(fd, "Sec-WebSocket-Protocol: chat\r\n");
    break;
  case 'g':
    write_text(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
    break;
  case 'h':
    write_text(fd, "HTTP/1.1 400 X\r\nHalf: ");
    break;
  case 'r':
    reset_on_close(fd);
    return;
  default:
    return;
  }
  sleep_ms(20);
}

static void test_bad_answers(void) {
  static const struct {
    const char *target, *text;
  } cases[] = {{"/accept", "Sec-WebSocket-Accept"},
               {"/no-accept", "no Sec-WebSocket-Accept"},
               {"/upgrade", "Upgrade header"},
               {"/connection", "Connection header"},
               {"/extension", "Sec-WebSocket-Extensions"},
               {"/protocol", "Sec-WebSocket-Protocol"},
               {"/garbage", "SSH-2.0-OpenSSH_9.2p1"}};
  peer p;
  size_t i;
  peer_start(&p, serve_bad_101);
  for (i = 0; i < sizeof cases / sizeof *cases; i++) {
    client c;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, cases[i].target, (beam_ws_options){0}), 0);
    check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, cases[i].text);
    CHECK(!strstr(c.error.message, "secret"));
  }
  peer_stop(&p);
}

/* No answer at all: that is no refusal, and another attempt may do. */
static void test_no_answer(void) {
  static const struct {
    const char *target, *text;
  } cases[] = {{"/reset", "connection reset by peer"},
               {"/-end", "before its answer: closed by the other side; if it speaks TLS only: wss://"},
               {"/half", "in the middle of its answer (\"HTTP/1.1 400 X\"): closed by the other side"}};
  peer p;
  size_t i;
  peer_start(&p, serve_bad_101);
  for (i = 0; i < sizeof cases / sizeof *cases; i++) {
    client c;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, cases[i].target, (beam_ws_options){0}), 0);
    check_closed(&c, BEAM_ECLOSED, BEAM_PHASE_UPGRADE, cases[i].text);
  }
  peer_stop(&p);
}

static void serve_length(int fd, const char *target) {
  peer_accept_upgrade(fd, strcmp(target, "/length") == 0 ? "Content-Length: 0\r\n" : "Transfer-Encoding: chunked\r\n");
  write_message(fd, "early");
  read_close(fd);
}

/* It has no body, whatever it says (RFC 9110 sections 8.6 and 15.2.2). */
static void test_101_with_a_length(void) {
  static const char *const targets[] = {"/length", "/chunked"};
  peer p;
  size_t i;
  peer_start(&p, serve_length);
  for (i = 0; i < 2; i++) {
    client c;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, targets[i], (beam_ws_options){0}), 0);
    CHECK(wait_for(&c, &c.messages, 1));
    CHECK_STR(c.last, "early");
    client_end(&c);
  }
  peer_stop(&p);
}

static void serve_interim(int fd, const char *target) {
  int i, count = atoi(target + 1);
  for (i = 0; i < count; i++)
    write_text(fd, i % 2 ? "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" : "HTTP/1.1 100 Continue\r\n\r\n");
  if (target[strlen(target) - 1] == 'r')
    write_text(fd, HEAD("401") "Content-Length: 2\r\n\r\nno");
  else
    peer_accept_upgrade(fd, "");
  sleep_ms(20);
}

static void test_interim_answers(void) {
  peer p;
  client c;
  peer_start(&p, serve_interim);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/5", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  client_end(&c);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/2r", (beam_ws_options){0}), 0);
  check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, "status 401");
  CHECK_STR(c.body, "no");
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/100", (beam_ws_options){0}), 0);
  check_closed(&c, BEAM_EHANDSHAKE, BEAM_PHASE_UPGRADE, "interim");
  peer_stop(&p);
}

static void test_no_secret_in_an_error(void) {
  peer p;
  client c;
  beam_ws_options options = {.auth = {.scheme = BEAM_AUTH_BEARER, .secret = "secret-secret-secret-secret"}};
  beam_header headers[] = {{"X-Secret", "secret secret secret secret secret secret secret secret secret secret"}};
  options.headers = headers;
  options.header_count = 1;
  peer_start(&p, serve_bad_101);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/-end", options), 0);
  check_closed(&c, BEAM_ECLOSED, BEAM_PHASE_UPGRADE, "ended the connection");
  CHECK_CONTAINS(peer_request, "Authorization: Bearer secret-secret-secret-secret\r\n");
  CHECK(!strstr(c.error.message, "secret"));
  peer_stop(&p);
}

static void serve_silence(int fd, const char *target) {
  (void)target;
  wait_for_end(fd);
}

static void test_silence(void) {
  peer p;
  client c;
  peer_start(&p, serve_silence);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){.upgrade_timeout_ms = 150, .connect_timeout_ms = 100}), 0);
  check_closed(&c, BEAM_ETIMEOUT, BEAM_PHASE_UPGRADE, "upgrade_timeout");
  CHECK_INT(c.error.sent, 1);
  peer_stop(&p);
}

/* ---- The request ---- */

static void test_the_request(void) {
  peer p;
  client c;
  beam_header headers[] = {
      {"Host", "echo-1234567.app.beam.cloud"}, {"X-Mine", "1"}, {"Sec-WebSocket-Protocol", "a, b"}};
  beam_ws_options options = {.headers = headers, .header_count = 3, .auth = {BEAM_AUTH_BASIC, "id", "pass", 0}};
  peer_start(&p, serve_echo);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/path?x=1", options), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  CHECK(strncmp(peer_request, "GET /path?x=1 HTTP/1.1\r\nHost: ", 24 + 6) != 0); /* Host is the caller's, once */
  CHECK(strncmp(peer_request, "GET /path?x=1 HTTP/1.1\r\n", 24) == 0);
  CHECK_CONTAINS(peer_request, "Host: echo-1234567.app.beam.cloud\r\n");
  CHECK(!strstr(peer_request, "Host: 127.0.0.1"));
  CHECK_CONTAINS(peer_request, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
  CHECK_CONTAINS(peer_request, "Authorization: Basic aWQ6cGFzcw==\r\n");
  CHECK_CONTAINS(peer_request, "X-Mine: 1\r\n");
  CHECK(!strstr(peer_request, "close"));
  client_end(&c);
  peer_stop(&p);
}

static void check_refused(beam_ws_options options, int code, const char *text) {
  client c;
  client_start(&c);
  CHECK_INT(client_open(&c, 9, "/", options), code);
  CHECK(c.ws == NULL);
  CHECK_INT(c.error.code, code);
  CHECK_CONTAINS(c.error.message, text);
  CHECK(!strstr(c.error.message, "hush"));
  step_for(&c, 5);
  CHECK_INT(c.closed, 0);
  client_end(&c);
}

static void test_refused_options(void) {
  static char large[17000];
  beam_header ours = {"Connection", "x"}, injected = {"X", "a\r\nB: c"}, huge = {"X", large};
  memset(large, 'x', sizeof large - 1);
  check_refused((beam_ws_options){.url = "gopher://x/"}, BEAM_EINVALID, "");
  check_refused((beam_ws_options){.headers = &ours, .header_count = 1}, BEAM_EINVALID, "Connection");
  check_refused((beam_ws_options){.headers = &injected, .header_count = 1}, BEAM_EINVALID, "X");
  check_refused((beam_ws_options){.headers = &huge, .header_count = 1}, BEAM_ETOO_LARGE, "16384");
  check_refused((beam_ws_options){.url = "ws://example.org/", .auth = {BEAM_AUTH_BEARER, NULL, "hush", 0}}, BEAM_EAUTH,
                "");
  check_refused((beam_ws_options){.url = "ws://localhost/",
                                  .auth = {BEAM_AUTH_BEARER, NULL, "hush", 0},
                                  .proxy = "http://proxy.test:3128"},
                BEAM_EAUTH, "goes through a proxy");
  check_refused((beam_ws_options){.url = "wss://localhost:9/", .tls = {.ca_file = "/no/such/file"}}, BEAM_EINVALID,
                "/no/such/file");
  check_refused((beam_ws_options){.url = "wss://localhost:9/", .tls = {.ca_file = "/etc/passwd"}}, BEAM_EINVALID,
                "/etc/passwd");
  check_refused((beam_ws_options){.url = "wss://localhost:9/", .tls = {.cert_file = "/etc/passwd"}}, BEAM_EINVALID, "");
}

/* ---- An open connection that is lost, and a peer that breaks the protocol ---- */

static int close_seen;

static void serve_fault(int fd, const char *target) {
  peer_accept_upgrade(fd, "");
  write_message(fd, "before");
  switch (target[1]) {
  case 'e': /* ends */
    return;
  case 'r': /* resets, with the message still unread */
    reset_on_close(fd);
    return;
  case 'h': /* half a message */
    write_all(fd, "\x81\x7e\x10\x00 half", 9);
    return;
  case 'm': /* masked */
    write_all(fd, "\x81\x81\0\0\0\0x", 7);
    break;
  case 'b': /* reserved bit */
    write_all(fd, "\xC1\x01x", 3);
    break;
  case 'o': /* opcode */
    write_all(fd, "\x83\x01x", 3);
    break;
  case 'f': /* fragmented control */
    write_all(fd, "\x09\x01x", 3);
    break;
  case 'l': /* long control */
    write_all(fd, "\x89\x7e\x00\x7e", 4);
    break;
  case 'c': /* continuation of nothing */
    write_all(fd, "\x80\x01x", 3);
    break;
  case 'u': /* bad UTF-8 */
    write_all(fd, "\x81\x02\xff\xfe", 4);
    break;
  case 't': /* too large */
    write_all(fd, "\x82\x7f\x00\x00\x01\x00\x00\x00\x00\x00", 10);
    break;
  case '5': /* a close code that may not be sent */
    write_close(fd, 1005, "");
    break;
  default:
    return;
  }
  close_seen = read_close(fd);
}

static void check_fault(const char *target, int code, const char *text, int close_code) {
  peer p;
  client c;
  int tries = 0;
  close_seen = 0;
  peer_start(&p, serve_fault);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, target, (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.messages, 1); /* what came before is never lost */
  CHECK_STR(c.last, "before");
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.failed, 1);
  CHECK_INT(c.error.code, code);
  CHECK_INT(c.error.phase, BEAM_PHASE_OPEN);
  CHECK_CONTAINS(c.error.message, text);
  step_for(&c, 20);
  CHECK_INT(c.closed, 1);
  client_end(&c);
  while (close_code && !close_seen && tries++ < 6000)
    sleep_ms(5);
  CHECK_INT(close_seen, close_code);
  peer_stop(&p);
}

static void test_losses(void) {
  check_fault("/end", BEAM_ECLOSED, "without a close frame", 0);
  check_fault("/half", BEAM_ECLOSED, "in the middle of a message", 0);
}

static void serve_reset_later(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  write_message(fd, "before");
  sleep_ms(100);
  reset_on_close(fd);
}

static void test_reset(void) {
  peer p;
  client c;
  peer_start(&p, serve_reset_later);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.messages, 1);
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.error.code, BEAM_ECLOSED);
  CHECK_INT(c.error.system, ECONNRESET);
  CHECK_CONTAINS(c.error.message, "connection reset by peer");
  client_end(&c);
  peer_stop(&p);
}

static int go_on;

static void serve_message_and_reset(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
    sleep_ms(1);
  write_message(fd, "last words");
  reset_on_close(fd);
}

/* libwebsockets closes on a reset without reading: what lies in the socket is read by us. */
static void test_message_before_a_reset(void) {
  peer p;
  client c;
  go_on = 0;
  peer_start(&p, serve_message_and_reset);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  __atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
  sleep_ms(100);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_STR(c.last, "last words");
  CHECK_INT(c.error.system, ECONNRESET);
  client_end(&c);
  peer_stop(&p);
}

static void test_broken_frames(void) {
  check_fault("/masked", BEAM_EPROTOCOL, "masked", 1002);
  check_fault("/bit", BEAM_EPROTOCOL, "reserved bit", 1002);
  check_fault("/opcode", BEAM_EPROTOCOL, "opcode", 1002);
  check_fault("/fragmented-control", BEAM_EPROTOCOL, "fragmented", 1002);
  check_fault("/long-control", BEAM_EPROTOCOL, "125", 1002);
  check_fault("/continuation", BEAM_EPROTOCOL, "continuation", 1002);
  check_fault("/utf-8", BEAM_EPROTOCOL, "UTF-8", 1007);
  check_fault("/too-large", BEAM_ETOO_LARGE, "max_message", 1009);
  check_fault("/5", BEAM_EPROTOCOL, "close frame", 1002);
}

static void test_abort(void) {
  int reset;
  for (reset = 0; reset < 2; reset++) {
    peer p;
    client c;
    peer_start(&p, serve_echo);
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
    CHECK(wait_for(&c, &c.opened, 1));
    beam_ws_abort(c.ws, reset);
    CHECK_INT(c.closed, 0); /* events come from a step */
    CHECK(wait_for(&c, &c.closed, 1));
    CHECK_INT(c.code, 1006);
    CHECK_INT(c.error.code, BEAM_ECLOSED);
    client_end(&c);
    peer_stop(&p);
  }
}

int main(void) {
  RUN(test_rejections);
  RUN(test_rejection_byte_by_byte);
  RUN(test_body_after_the_head);
  RUN(test_body_is_bounded);
  RUN(test_large_heads);
  RUN(test_bad_answers);
  RUN(test_no_answer);
  RUN(test_101_with_a_length);
  RUN(test_interim_answers);
  RUN(test_no_secret_in_an_error);
  RUN(test_silence);
  RUN(test_the_request);
  RUN(test_refused_options);
  RUN(test_losses);
  RUN(test_reset);
  RUN(test_message_before_a_reset);
  RUN(test_broken_frames);
  RUN(test_abort);
  return test_end();
}
