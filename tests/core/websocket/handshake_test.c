/* Sec-WebSocket-Key and Sec-WebSocket-Accept; the request, and whether an answer agrees with it. */
#include "beam.h"
#include "test.h"
#include "websocket/handshake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static void accept_of_the_rfc(void) { /* sections 1.3 and 4.2.2 */
  char accept[BEAM__ACCEPT_SIZE];
  CHECK_INT(beam__handshake_accept(KEY, accept), 0);
  CHECK_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void a_key_that_is_none_has_no_accept(void) {
  static const char *keys[] = {"",
                               "==",
                               "dGhlIHNhbXBsZSBub25jZQ=",
                               "dGhlIHNhbXBsZSBub25jZQ",
                               "dGhlIHNhbXBsZSBub25jZQ===",
                               " dGhlIHNhbXBsZSBub25jZQ==",
                               "dGhlIHNhbXBsZSBub25jZQ==\r\n",
                               "dGhlIHNhbXBsZSBub25j-Q==",
                               "dGhlIHNhbXBsZSBub25jZQ=a",
                               "dGhlIHNhbXBsZSBub25jZQaa",
                               "dGhl=HNhbXBsZSBub25jZQ==",
                               "dGhlIHNhbXBsZSBub25jZWRnZQ=="};
  char accept[BEAM__ACCEPT_SIZE];
  size_t at;
  for (at = 0; at < sizeof keys / sizeof keys[0]; at++) {
    strcpy(accept, "untouched");
    CHECK_INT(beam__handshake_accept(keys[at], accept), BEAM_EINVALID);
    CHECK_STR(accept, "");
  }
}

static void keys_are_fresh_and_well_formed(void) {
  char keys[100][BEAM__KEY_SIZE], accept[BEAM__ACCEPT_SIZE];
  size_t at, other;
  for (at = 0; at < 100; at++) {
    beam__handshake_key(keys[at]);
    CHECK_INT(strlen(keys[at]), 24);
    CHECK_INT(beam__handshake_accept(keys[at], accept), 0);
    CHECK_INT(strlen(accept), 28);
    for (other = 0; other < at; other++)
      CHECK(strcmp(keys[at], keys[other]) != 0);
  }
}

/* ---- The client ---- */

static beam__bytes request_for(const char *address, const beam_header *headers, size_t count) {
  beam__bytes head = {0};
  beam__url url;
  CHECK_INT(beam__url_parse(&url, address, NULL), 0);
  CHECK_INT(beam__handshake_request(&head, &url, "Bearer t", headers, count, KEY, NULL), 0);
  beam__bytes_add(&head, "", 1);
  beam__url_free(&url);
  return head;
}

static void the_request(void) {
  static const beam_header two[] = {{"X-One", "1"}, {"host", "other"}};
  beam__bytes head = request_for("ws://a.test:80/p?q=1", two, 1);
  CHECK_STR(head.at, "GET /p?q=1 HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\nUser-Agent: beam-lua/" BEAM_VERSION
                     "\r\nAuthorization: Bearer t\r\nX-One: 1\r\n\r\n");
  beam__bytes_free(&head);
  head = request_for("wss://a.test:80/", two, 2);
  CHECK_CONTAINS(head.at, "\r\nhost: other\r\n");
  CHECK(!strstr(head.at, "Host: a.test"));
  beam__bytes_free(&head);
}

static void what_is_offered_is_one_list(void) {
  static const beam_header headers[] = {
      {"Sec-WebSocket-Protocol", "a"}, {"X", "x"}, {"SEC-WEBSOCKET-PROTOCOL", "b, c"}};
  char *offer = beam__handshake_offer(headers, 3);
  CHECK_STR(offer, "a, b, c");
  free(offer);
  offer = beam__handshake_offer(headers + 1, 1);
  CHECK_STR(offer, "");
  free(offer);
}

/* What is said of a head that is read whole; "" if it agrees. */
static const char *judge(const char *text, const char *offer) {
  static beam_error error;
  beam__answer answer = {0};
  size_t used;
  int code = beam__answer_read(&answer, text, strlen(text), &used);
  memset(&error, 0, sizeof error);
  CHECK(code != 0);
  if (code < 0)
    code = beam__handshake_unreadable(&answer, code, "a.test:80", &error);
  else if (answer.status != 101)
    beam__handshake_refused(&answer, "a.test:80", &error);
  else
    code = beam__handshake_agrees(&answer, KEY, offer, "a.test:80", &error);
  if (error.code) {
    CHECK_INT(error.code, BEAM_EHANDSHAKE);
    CHECK_INT(error.phase, BEAM_PHASE_UPGRADE);
    CHECK_INT(error.status, answer.status);
    CHECK_INT(error.sent, 1);
    CHECK_STR(error.host, "a.test:80");
    CHECK_CONTAINS(error.message, "a.test:80");
  }
  beam__answer_free(&answer);
  return error.message;
}

#define S "HTTP/1.1 101 S\r\n"
#define U "Upgrade: websocket\r\n"
#define C "Connection: Upgrade\r\n"
#define A "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define P "Sec-WebSocket-Protocol:"
#define E "Sec-WebSocket-Extensions:"

static void answers_that_agree(void) {
  static const char *const texts[] = {
      S U C A "\r\n",
      "HTTP/1.1 101\nupgrade:WebSocket\nconnection:upgrade\nsec-websocket-accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\n",
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" S U C A "\r\n",
      S "UPGRADE: WEBSOCKET\r\nCONNECTION: KEEP-ALIVE, UPGRADE\r\n" A "\r\n",
      S U "Connection: keep-alive\r\nConnection: Upgrade\r\n" A "\r\n",
      S "Upgrade: \r\n" U C A "\r\n",
      S U "Connection: ,,\tUpgrade ,\r\n" A "\r\n",
      S U C A E "\r\n\r\n",
      S U C A E " , \r\n" E "\r\n\r\n",
      S U C A "Content-Length: 0\r\n\r\n",
      S U C A "Content-Length: 12\r\n\r\n",
      S U C A "Transfer-Encoding: chunked\r\n\r\n",
      S U C A P " b\r\n\r\n",
      S U C A P "\r\n" P " b\r\n\r\n",
      S U C A P "\r\n\r\n",
  };
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++)
    CHECK_STR(judge(texts[i], "a, b"), "");
}

static void answers_that_do_not(void) {
  CHECK_CONTAINS(judge(S C A "\r\n", NULL), "Upgrade header");
  CHECK_CONTAINS(judge(S "Upgrade: h2c\r\n" C A "\r\n", NULL), "Upgrade header");
  CHECK_CONTAINS(judge(S U A "\r\n", NULL), "Connection header");
  CHECK_CONTAINS(judge(S U "Connection: close\r\nX: upgrade\r\n" A "\r\n", NULL), "Connection header");
  CHECK_CONTAINS(judge(S U C "\r\n", NULL), "no Sec-WebSocket-Accept");
  CHECK_CONTAINS(judge(S U C A A "\r\n", NULL), "more than one Sec-WebSocket-Accept");
  CHECK_CONTAINS(judge(S U C "Sec-WebSocket-Accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n\r\n", NULL), "our key");
  CHECK_CONTAINS(judge(S U C A E " permessage-deflate\r\n\r\n", NULL), "extension");
  CHECK_CONTAINS(judge(S U C A E "\r\n" E " x\r\n\r\n", NULL), "extension");
  CHECK_CONTAINS(judge(S U C A P " c\r\n\r\n", "a, b"), "not offered");
  CHECK_CONTAINS(judge(S U C A P " b\r\n\r\n", NULL), "not offered");
  CHECK_CONTAINS(judge(S U C A P " b\r\n\r\n", ""), "not offered");
  CHECK_CONTAINS(judge(S U C A P " a, b\r\n\r\n", "a, b"), "more than one subprotocol");
  CHECK_CONTAINS(judge(S U C A P " a\r\n" P " b\r\n\r\n", "a, b"), "more than one subprotocol");
  CHECK_CONTAINS(judge(S U C " folded\r\n" A "\r\n", NULL), "folded");
  CHECK_CONTAINS(judge("SSH-2.0-x\r\n", NULL), "it is not HTTP/1 (\"SSH-2.0-x\")");
}

/* Whoever forwards a request without its Upgrade makes a plain request of it, and the server answers that. */
static void an_upgrade_that_was_not_passed_on(void) {
  static const char *const texts[] = {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 400 Bad\r\n\r\n",
                                      "HTTP/1.1 426 Upgrade Required\r\n\r\n"};
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++)
    CHECK_CONTAINS(judge(texts[i], NULL), "does not pass the Upgrade header on");
  CHECK(!strstr(judge("HTTP/1.1 401 No\r\n\r\n", NULL), "pass the Upgrade"));
}

int main(void) {
  RUN(accept_of_the_rfc);
  RUN(a_key_that_is_none_has_no_accept);
  RUN(keys_are_fresh_and_well_formed);
  RUN(the_request);
  RUN(what_is_offered_is_one_list);
  RUN(answers_that_agree);
  RUN(answers_that_do_not);
  RUN(an_upgrade_that_was_not_passed_on);
  return test_end();
}
