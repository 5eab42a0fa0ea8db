/* CONNECT: what a proxy is asked, and what its answers mean. */
#include "net/tunnel.h"
#include "test.h"

static void check_request(const char *address, const beam__proxy *proxy, const char *want) {
  beam__bytes head = {0};
  beam__url url;
  CHECK_INT(beam__url_parse(&url, address, NULL), 0);
  CHECK_INT(beam__tunnel_request(&head, &url, proxy), 0);
  beam__bytes_add(&head, "", 1);
  CHECK_STR(head.at, want);
  beam__bytes_free(&head);
  beam__url_free(&url);
}

static void requests(void) {
  char credentials[] = "user:p@ss";
  beam__proxy plain = {0}, secret = {.credentials = credentials};
#define AGENT "User-Agent: beam-lua/" BEAM_VERSION "\r\n"
  check_request("wss://far.test/x", &plain, "CONNECT far.test:443 HTTP/1.1\r\nHost: far.test:443\r\n" AGENT "\r\n");
  check_request("ws://far.test./", &plain, "CONNECT far.test.:80 HTTP/1.1\r\nHost: far.test.:80\r\n" AGENT "\r\n");
  check_request("wss://[::1]:9/", &secret,
                "CONNECT [::1]:9 HTTP/1.1\r\nHost: [::1]:9\r\n" AGENT
                "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n");
  check_request("wss://[fe80::1%25eth0]/", &plain,
                "CONNECT [fe80::1]:443 HTTP/1.1\r\nHost: [fe80::1]:443\r\n" AGENT "\r\n");
}

/* The answer in pieces of each size: 0, or the code of the error. */
static int answered(const char *text, beam_error *error) {
  size_t step, len = strlen(text), used;
  int code = 0;
  for (step = 1; step <= len; step++) {
    beam__answer answer = {0};
    size_t at;
    int result = 0;
    for (at = 0; at < len && !result; at += used)
      result = beam__answer_read(&answer, text + at, len - at < step ? len - at : step, &used);
    CHECK(result != 0);
    memset(error, 0, sizeof *error);
    code = result < 0 ? beam__tunnel_unreadable(&answer, result, "proxy:3128", "far.test:443", error)
                      : beam__tunnel_answered(&answer, "proxy:3128", "far.test:443", error);
    beam__answer_free(&answer);
  }
  return code;
}

static void open_tunnels(void) {
  static const char *const texts[] = {
      "HTTP/1.1 200 Connection established\r\n\r\n",
      "HTTP/1.0 200\r\n\r\n",
      "HTTP/1.1 200 OK\nVia: x\n\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 299\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
  };
  beam_error error;
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++)
    CHECK_INT(answered(texts[i], &error), 0);
}

static void refusals(void) {
  static const struct {
    const char *text;
    int status;
    const char *says;
  } cases[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", 407,
       "credentials"},
      {"HTTP/1.1 403\r\n\r\n", 403, "does not let"},
      {"HTTP/1.0 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", 502, "did not reach"},
      {"HTTP/1.0 500 Unable to connect\r\n\r\n", 500, "did not reach"},
      {"HTTP/1.1 404 No such domain\r\n\r\n", 404, "no such host"},
      {"HTTP/1.1 405 X\r\n\r\n", 405, "opens no tunnels"},
      {"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", 302, "status 302"},
      {"HTTP/1.1 101 Switching\r\n\r\n", 101, "status 101"},
  };
  beam_error error;
  size_t i;
  for (i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_INT(answered(cases[i].text, &error), BEAM_ECONNECT);
    CHECK_INT(error.code, BEAM_ECONNECT);
    CHECK_INT(error.phase, BEAM_PHASE_PROXY);
    CHECK_INT(error.status, cases[i].status);
    CHECK_INT(error.sent, 0);
    CHECK_STR(error.host, "proxy:3128");
    CHECK_CONTAINS(error.message, "the proxy proxy:3128 refused a tunnel to far.test:443 with status");
    CHECK_CONTAINS(error.message, cases[i].says);
  }
}

static void what_cannot_be_read(void) {
  beam_error error;
  CHECK_INT(answered("\x05\xff socks\r\n", &error), BEAM_ECONNECT);
  CHECK_INT(error.phase, BEAM_PHASE_PROXY);
  CHECK_INT(error.status, 0);
  CHECK_CONTAINS(error.message, "proxy:3128");
  CHECK_CONTAINS(error.message, "it is not HTTP/1 (\".");
  CHECK_INT(answered("HTTP/1.1 200 OK\r\n folded\r\n\r\n", &error), BEAM_ECONNECT);
  CHECK_CONTAINS(error.message, "folded");
}

int main(void) {
  RUN(requests);
  RUN(open_tunnels);
  RUN(refusals);
  RUN(what_cannot_be_read);
  return test_end();
}
