/* HTTP: requests as they look on the wire, responses right and wrong, and every failure's code, phase and text. */
#include "http_fixture.h"

#define HEADERS(...)                                                                                                   \
  .headers = (const beam_header[]){__VA_ARGS__},                                                                       \
  .header_count = sizeof((const beam_header[]){__VA_ARGS__}) / sizeof(beam_header)

/* ---- Requests ---- */

static void test_defaults_without_a_body(void) {
  struct outcome outcome = get(plain("/echo?a=1&b=%20"));
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.body, "GET /echo?a=1&b=%20 HTTP/1.1\r\n");
  CHECK_CONTAINS(outcome.body, "\r\nAccept: */*\r\n");
  CHECK_CONTAINS(outcome.body, "\r\nAccept-Encoding: gzip, deflate\r\n");
  CHECK_CONTAINS(outcome.body, "\r\nConnection: keep-alive\r\n");
  CHECK_CONTAINS(outcome.body, "\r\nUser-Agent: beam-lua/" BEAM_VERSION "\r\n");
  CHECK(outcome.body && !strstr(outcome.body, "Content-"));
  CHECK_CONTAINS(outcome.headers, "content-type: text/plain\n");
  free(outcome.body);
}

/* Escaped or not, in whatever case, with dots: what stands in the URL is what the server is asked for. */
static void test_the_target_stays_as_it_is(void) {
  struct outcome outcome = get(plain("/echo?%2f=%2F&a=%c3%a9%zz&{b}=[1]|\"'"));
  CHECK_CONTAINS(outcome.body, "GET /echo?%2f=%2F&a=%c3%a9%zz&{b}=[1]|\"' HTTP/1.1\r\n");
  free(outcome.body);
}

static void test_defaults_with_a_body(void) {
  static char body[2000000];
  beam_http_options options = {.url = plain("/echo"), .body = "{\"x\":12}", .body_len = 8};
  struct outcome outcome = call(options);
  CHECK_CONTAINS(outcome.body, "POST /echo HTTP/1.1\r\n");
  CHECK_CONTAINS(outcome.body, "\r\nContent-Type: application/json\r\n");
  CHECK_CONTAINS(outcome.body, "\r\nContent-Length: 8\r\n");
  CHECK_CONTAINS(outcome.body, "\r\n\r\n{\"x\":12}");
  free(outcome.body);
  memset(body, 'x', sizeof body); /* curl would ask for a 100 first, from 1 MiB on or 1 KiB, by version */
  options.body = body;
  options.body_len = sizeof body;
  outcome = call(options);
  CHECK(outcome.body && !strstr(outcome.body, "Expect"));
  CHECK(outcome.len > sizeof body && !memcmp(outcome.body + outcome.len - sizeof body, body, sizeof body));
  free(outcome.body);
}

static void test_headers_replace_defaults(void) {
  beam_http_options options = {.url = plain("/echo"),
                               .body = "a,b",
                               .body_len = 3,
                               HEADERS({"content-type", "text/csv"}, {"ACCEPT", "text/html"}, {"User-Agent", "mine/1"},
                                       {"X-Empty", ""}, {"X-Own", "a"}, {"X-Own", "b"})};
  struct outcome outcome = call(options);
  CHECK_CONTAINS(outcome.body, "content-type: text/csv\r\n");
  CHECK_CONTAINS(outcome.body, "ACCEPT: text/html\r\n");
  CHECK_CONTAINS(outcome.body, "User-Agent: mine/1\r\n");
  CHECK_CONTAINS(outcome.body, "X-Empty:\r\n");
  CHECK_CONTAINS(outcome.body, "X-Own: a\r\nX-Own: b\r\n");
  CHECK(outcome.body && !strstr(outcome.body, "application/json") && !strstr(outcome.body, "*/*"));
  free(outcome.body);
}

static void check_method(const char *method, const char *body, const char *line, const char *also) {
  beam_http_options options = {
      .url = plain("/echo"), .method = method, .body = body, .body_len = body ? strlen(body) : 0};
  struct outcome outcome = call(options);
  CHECK_INT(outcome.status, 200);
  if (strcmp(method, "HEAD") != 0)
    CHECK_CONTAINS(outcome.body, line);
  if (also)
    CHECK_CONTAINS(outcome.body, also);
  else
    CHECK(!outcome.body || !strstr(outcome.body, "Content-"));
  free(outcome.body);
}

static void test_methods(void) {
  check_method("GET", NULL, "GET /echo ", NULL);
  check_method("HEAD", NULL, "", NULL);
  check_method("DELETE", NULL, "DELETE /echo ", NULL);
  check_method("OPTIONS", NULL, "OPTIONS /echo ", NULL);
  check_method("POST", NULL, "POST /echo ", "\r\nContent-Length: 0\r\n");
  check_method("PUT", "{}", "PUT /echo ", "\r\nContent-Length: 2\r\n");
  check_method("PATCH", "{}", "PATCH /echo ", "\r\n\r\n{}");
  check_method("DELETE", "{\"task_ids\":[]}", "DELETE /echo ", "task_ids");
  check_method("GET", "{}", "GET /echo ", "\r\n\r\n{}");
  check_method("PURGE", NULL, "PURGE /echo ", NULL);
  check_method("POST", "", "POST /echo ", "\r\nContent-Length: 0\r\n");
}

static void refused(beam_http_options options, int code, const char *text) {
  struct outcome outcome = {0};
  options.on_event = outcome_take;
  options.user = &outcome;
  CHECK_INT(beam_http_start(ctx, &outcome.http, &options, &outcome.error), code);
  CHECK(!outcome.http);
  CHECK_INT(outcome.error.code, code);
  CHECK_CONTAINS(outcome.error.message, text);
  run_for(1);
  CHECK_INT(outcome.dones, 0);
}

static void test_what_is_refused_at_once(void) {
  const char *url = plain("/echo");
  refused((beam_http_options){.url = url, HEADERS({"X-A", "1\r\nX-B: 2"})}, BEAM_EINVALID, "X-A");
  refused((beam_http_options){.url = url, HEADERS({"X A", "1"})}, BEAM_EINVALID, "");
  refused((beam_http_options){.url = url, HEADERS({"Content-Length", "3"})}, BEAM_EINVALID, "Content-Length");
  refused((beam_http_options){.url = url, HEADERS({"transfer-encoding", "chunked"})}, BEAM_EINVALID,
          "Transfer-Encoding");
  refused((beam_http_options){.url = url, .method = "GET / HTTP/1.1\r\nX:"}, BEAM_EINVALID, "method");
  refused((beam_http_options){.url = url, .method = ""}, BEAM_EINVALID, "method");
  refused((beam_http_options){.url = url, .method = "CONNECT"}, BEAM_EINVALID, "CONNECT");
  refused((beam_http_options){.url = url, .method = "HEAD", .body = "x", .body_len = 1}, BEAM_EINVALID, "HEAD");
  refused((beam_http_options){.url = "ftp://127.0.0.1/"}, BEAM_EINVALID, "");
  refused((beam_http_options){.url = NULL}, BEAM_EINVALID, "url");
  refused((beam_http_options){.url = "http://user:secret@127.0.0.1/"}, BEAM_EINVALID, "");
  refused((beam_http_options){.url = "http://127.0.0.1/a\r\nX: y"}, BEAM_EINVALID, "");
  refused((beam_http_options){.url = url, .tls = {.ca_file = "/nowhere.pem"}}, BEAM_EINVALID, "ca_file");
  refused((beam_http_options){.url = url, .proxy = "socks5://127.0.0.1:1"}, BEAM_EINVALID, "");
}

/* ---- Credentials ---- */

static void check_auth(beam_auth auth, const char *target, const char *header) {
  beam_http_options options = {.url = plain("/echo"), .auth = auth};
  struct outcome outcome = call(options);
  CHECK_CONTAINS(outcome.body, target);
  if (header)
    CHECK_CONTAINS(outcome.body, header);
  else
    CHECK(outcome.body && !strstr(outcome.body, "Authorization"));
  free(outcome.body);
}

static void test_auth_schemes(void) {
  check_auth((beam_auth){BEAM_AUTH_BEARER, NULL, "t0ken", 0}, "GET /echo ", "\r\nAuthorization: Bearer t0ken\r\n");
  check_auth((beam_auth){BEAM_AUTH_BASIC, "id", "secret", 0}, "GET /echo ",
             "\r\nAuthorization: Basic aWQ6c2VjcmV0\r\n");
  check_auth((beam_auth){BEAM_AUTH_RAW, NULL, "raw", 0}, "GET /echo ", "\r\nAuthorization: raw\r\n");
  check_auth((beam_auth){BEAM_AUTH_QUERY, NULL, "a b", 0}, "GET /echo?auth_token=a%20b ", NULL);
  check_auth((beam_auth){BEAM_AUTH_NONE, NULL, NULL, 0}, "GET /echo ", NULL);
}

static void test_auth_rules(void) {
  beam_http_options options = {.url = "http://app.example/", .auth = {BEAM_AUTH_BEARER, NULL, "s3cret", 0}};
  refused(options, BEAM_EAUTH, "");
  options.url = plain("/echo");
  options.auth.secret = "s3cret\r\nX: y";
  refused(options, BEAM_EINVALID, "");
  options.auth.secret = NULL;
  refused(options, BEAM_EAUTH, "");
  options.auth.secret = "s3cret";
  options.proxy = "http://proxy.test:3128";
  refused(options, BEAM_EAUTH, "goes through a proxy");
}

static char logged[8192];

static void keep_line(void *user, enum beam_log_level level, const char *line) {
  (void)user, (void)level;
  if (strlen(logged) + strlen(line) + 2 < sizeof logged)
    strcat(strcat(logged, line), "\n");
}

static void test_no_secret_in_errors_or_log(void) {
  beam_options talkative = {.log = keep_line, .log_level = BEAM_LOG_DEBUG};
  beam_http_options options = {.url = plain("/close"), .auth = {BEAM_AUTH_BEARER, NULL, "s3cret", 0}};
  beam_ctx *before = ctx;
  struct outcome outcome;
  CHECK_INT(beam_new(&ctx, &talkative), 0);
  outcome = call(options);
  CHECK(!strstr(outcome.error.message, "s3cret"));
  options.auth.scheme = BEAM_AUTH_QUERY;
  outcome = call(options);
  CHECK(outcome.error.code && !strstr(outcome.error.message, "s3cret"));
  CHECK(logged[0] && !strstr(logged, "s3cret"));
  beam_close(ctx);
  ctx = before;
}

/* ---- Responses ---- */

static void check_status(const char *path, int status, const char *body) {
  struct outcome outcome = get(plain(path));
  CHECK_INT(outcome.error.code, 0);
  CHECK_INT(outcome.status, status);
  CHECK_INT(outcome.heads + outcome.pieces, 0);
  CHECK_STR(outcome.body ? outcome.body : "", body);
  free(outcome.body);
}

static void test_statuses_are_answers(void) {
  check_status("/status/401?body={\"message\":\"Unauthorized\"}", 401, "{\"message\":\"Unauthorized\"}");
  check_status("/status/404?body=lost&type=text/plain", 404, "lost");
  check_status("/status/429", 429, "");
  check_status("/status/500?body={\"error\":\"traceback\"}", 500, "{\"error\":\"traceback\"}");
  check_status("/status/503", 503, "");
  check_status("/nothing", 204, "");
  check_status("/until-close", 200, "no length");
  check_status("/chunked", 200, "one two three");
}

static void test_redirects_are_not_followed(void) {
  beam_http_options options = {.url = plain("/redirect"), .auth = {BEAM_AUTH_BEARER, NULL, "token", 0}};
  struct outcome outcome = call(options);
  CHECK_INT(outcome.status, 302);
  CHECK_CONTAINS(outcome.headers, "location: /redirected\n");
  CHECK_INT(count_of("/redirected"), 0);
  free(outcome.body);
}

static void test_response_headers(void) {
  struct outcome outcome = get(plain("/folded"));
  CHECK_CONTAINS(outcome.headers, "x-folded: one two\n");
  CHECK_CONTAINS(outcome.headers, "x-empty: \n");
  CHECK_CONTAINS(outcome.headers, "x-twice: 1\nx-twice: 2\n");
  free(outcome.body);
  outcome = get(plain("/interim"));
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.headers, "x-final: 1\n");
  CHECK(!strstr(outcome.headers, "x-early"));
  free(outcome.body);
  outcome = get(plain("/chunked"));
  CHECK(!strstr(outcome.headers, "x-late"));
  free(outcome.body);
}

static void check_coded(const char *path) {
  struct outcome plain_text = get(plain("/text")), outcome = get(plain(path));
  CHECK_INT(outcome.error.code, 0);
  CHECK_INT(outcome.len, plain_text.len);
  CHECK(outcome.body && plain_text.body && !memcmp(outcome.body, plain_text.body, plain_text.len));
  free(outcome.body);
  free(plain_text.body);
}

static void test_content_codings(void) {
  struct outcome outcome;
  beam_http_options options = {HEADERS({"Accept-Encoding", "br"})};
  check_coded("/gzip");
  check_coded("/x-gzip");
  check_coded("/members");
  check_coded("/deflate");
  check_coded("/rawdeflate");
  check_status("/empty-gzip", 200, "");
  options.url = plain("/brotli");
  outcome = call(options); /* asked for by the caller: his to decode */
  CHECK_INT(outcome.status, 200);
  CHECK_INT(outcome.len, 7);
  free(outcome.body);
}

/* What the body would be coded in is nobody's business where there is none. */
static void test_coding_of_no_body(void) {
  struct outcome outcome = call((beam_http_options){.url = plain("/brotli"), .method = "HEAD"});
  CHECK_STR(outcome.error.message, "");
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.headers, "content-encoding: br\n");
  check_status("/no-body/brotli", 304, "");
}

/* ---- Failures ---- */

static void check_failure(struct outcome outcome, int code, enum beam_phase phase, int sent, int status,
                          const char *text) {
  CHECK_INT(outcome.error.code, code);
  CHECK_STR(beam_phase_name(outcome.error.phase), beam_phase_name(phase));
  CHECK_INT(outcome.error.sent, sent);
  CHECK_INT(outcome.error.status, status);
  CHECK_CONTAINS(outcome.error.message, text);
  CHECK(strlen(outcome.error.host) > 0);
  if (test_case_failures)
    printf("# got %s in phase %s: %s\n", beam_error_kind(outcome.error.code), beam_phase_name(outcome.error.phase),
           outcome.error.message);
  free(outcome.body);
}

static void check_broken(const char *path, const char *text) {
  check_failure(get(plain(path)), BEAM_EHTTP, BEAM_PHASE_RESPONSE, 1, 200, text);
}

static void test_broken_responses(void) {
  check_broken("/short", "127.0.0.1:");
  check_broken("/cutchunk", "127.0.0.1:");
  check_broken("/badchunk", "127.0.0.1:");
  check_broken("/conflict", "Content-Length");
  check_broken("/badlength", "Content-Length");
  check_broken("/badline", "a line is no header");
  check_broken("/truncated-gzip", "compressed");
  check_broken("/truncated-deflate", "compressed");
  check_broken("/bad-gzip", "not valid gzip");
  check_broken("/gzip-rubbish-after", "not valid gzip");
  check_broken("/brotli", "\"br\"");
  check_broken("/huge-length", "Content-Length");
}

/* Newer versions of curl (8.14) refuse it themselves, before the head has ended. */
static void test_unasked_transfer_coding(void) {
  struct outcome outcome = get(plain("/transfer-gzip"));
  CHECK_INT(outcome.error.code, BEAM_EHTTP);
  CHECK_CONTAINS(outcome.error.message, "gzip");
  CHECK_INT(outcome.len, 0);
  free(outcome.body);
}

static void test_no_response(void) {
  check_failure(get(plain("/close")), BEAM_EHTTP, BEAM_PHASE_REQUEST, 1, 0,
                "it ended the connection without an answer; if it speaks TLS only: https://");
  check_failure(get(plain("/reset")), BEAM_EHTTP, BEAM_PHASE_REQUEST, 1, 0, "127.0.0.1:");
  check_failure(get(plain("/garbage")), BEAM_EHTTP, BEAM_PHASE_REQUEST, 1, 0, "127.0.0.1:");
  check_failure(get(plain("/cuthead")), BEAM_EHTTP, BEAM_PHASE_RESPONSE, 1, 0, "127.0.0.1:");
}

static void test_bounds(void) {
  beam_http_options options = {.url = plain("/bomb?mib=100")};
  check_failure(call(options), BEAM_ETOO_LARGE, BEAM_PHASE_RESPONSE, 1, 200, "67108864 bytes");
  options.max_body = 1000;
  check_failure(call(options), BEAM_ETOO_LARGE, BEAM_PHASE_RESPONSE, 1, 200, "1000 bytes");
  options.stream = 1;
  options.max_body = 100000;
  check_failure(call(options), BEAM_ETOO_LARGE, BEAM_PHASE_RESPONSE, 1, 200, "100000 bytes");
  options.url = plain("/text");
  options.stream = 0;
  options.max_body = 20999;
  check_failure(call(options), BEAM_ETOO_LARGE, BEAM_PHASE_RESPONSE, 1, 200, "20999 bytes");
  options.max_body = 21000;
  struct outcome fits = call(options);
  CHECK_INT(fits.error.code, 0);
  CHECK_INT(fits.len, 21000);
  free(fits.body);
  check_failure(get(plain("/long-header")), BEAM_ETOO_LARGE, BEAM_PHASE_RESPONSE, 1, 0, "100 KiB");
  check_failure(get(plain("/many-headers")), BEAM_ETOO_LARGE, BEAM_PHASE_RESPONSE, 1, 0, "256 KiB");
}

static void test_no_connection(void) {
  struct outcome outcome = get(url_of("http", "127.0.0.1", "refused", "/"));
  CHECK(outcome.error.system != 0);
  check_failure(outcome, BEAM_ECONNECT, BEAM_PHASE_TCP, 0, 0, "refused");
  check_failure(get("http://no-such-name.invalid/"), BEAM_EDNS, BEAM_PHASE_DNS, 0, 0, "no-such-name.invalid:80");
  check_failure(get(url_of("http", "localhost", "refused", "/")), BEAM_ECONNECT, BEAM_PHASE_TCP, 0, 0, "localhost:");
}

static void test_localhost_asks_nobody(void) {
  struct outcome outcome = get(url_of("http", "localhost", "plain", "/echo")); /* ::1 refuses, 127.0.0.1 takes it */
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.body, "Host: localhost:");
  free(outcome.body);
  outcome = get(url_of("http", "my-app-latest.localhost", "plain", "/echo"));
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.body, "Host: my-app-latest.localhost:");
  free(outcome.body);
}

static void test_deadlines(void) {
  beam_http_options options = {.url = url_of("http", "127.0.0.1", "black_hole", "/"), .connect_timeout_ms = 150};
  uint64_t start = clock_ms();
  check_failure(call(options), BEAM_ETIMEOUT, BEAM_PHASE_TCP, 0, 0, "within 150 ms");
  CHECK(clock_ms() - start >= 140);
  options.url = plain("/silent");
  options.timeout_ms = 200;
  start = clock_ms();
  check_failure(call(options), BEAM_ETIMEOUT, BEAM_PHASE_REQUEST, 1, 0, "within 200 ms");
  CHECK(clock_ms() - start >= 190 && clock_ms() - start < 20000); /* the server would be silent for 30 s */
  options.url = plain("/stall");
  check_failure(call(options), BEAM_ETIMEOUT, BEAM_PHASE_RESPONSE, 1, 200, "within 200 ms");
  options.url = plain("/slow?s=0.4"); /* the connect deadline is over once connected */
  options.timeout_ms = 0;
  struct outcome slow = call(options);
  CHECK_INT(slow.status, 200);
  free(slow.body);
}

/* ---- Proxies, plain ---- */

static const char *proxy_url(const char *credentials, const char *name) {
  static char url[128];
  snprintf(url, sizeof url, "http://%s127.0.0.1:%d", credentials, server_port(name));
  return url;
}

static void test_forward_proxy(void) {
  char far[64];
  beam_http_options options = {.url = far, .proxy = proxy_url("", "proxy")};
  struct outcome outcome;
  int before = count_of("proxied");
  snprintf(far, sizeof far, "http://far.test:%d/echo", server_port("plain"));
  outcome = call(options);
  CHECK_INT(outcome.status, 200);
  CHECK_CONTAINS(outcome.body, "Host: far.test:");
  CHECK_INT(count_of("proxied"), before + 1);
  free(outcome.body);
  options.proxy = proxy_url("", "proxy_auth");
  outcome = call(options);
  CHECK_INT(outcome.status, 407);
  free(outcome.body);
  run_for(50); /* the proxy hangs up after a 407 */
  options.proxy = proxy_url("user:p%40ss@", "proxy_auth");
  outcome = call(options);
  CHECK_STR(outcome.error.message, "");
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
  options.proxy = proxy_url("", "refused");
  outcome = call(options);
  CHECK_STR(outcome.error.host, proxy_url("", "refused") + 7);
  check_failure(outcome, BEAM_ECONNECT, BEAM_PHASE_TCP, 0, 0, "the proxy");
}

/* Exchanges use curl's handles again. */
static void test_nothing_is_left_for_the_next_one(void) {
  char far[64], with_password[128];
  beam_http_options full = {.url = far,
                            .method = "PUT",
                            .auth = {BEAM_AUTH_BEARER, NULL, "s3cret", 1},
                            .proxy = with_password,
                            .body = "a,b",
                            .body_len = 3,
                            HEADERS({"Content-Type", "text/csv"}, {"User-Agent", "mine/1"}, {"X-Own", "a"})};
  struct outcome outcome;
  beam_ctx *outer = ctx;
  int round, proxied;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  snprintf(far, sizeof far, "http://far.test:%d/echo", server_port("plain"));
  snprintf(with_password, sizeof with_password, "%s", proxy_url("user:p%40ss@", "proxy_auth"));
  for (round = 0; round < 3; round++) {
    outcome = call(full);
    CHECK_CONTAINS(outcome.body, "s3cret");
    CHECK_CONTAINS(outcome.body, "Proxy-Authorization: Basic ");
    free(outcome.body);
    outcome = call((beam_http_options){.url = far, .proxy = proxy_url("", "proxy_auth")}); /* on the same connection */
    CHECK_INT(outcome.status, 200);
    CHECK(outcome.body && !strstr(outcome.body, "Proxy-Authorization"));
    free(outcome.body);
    proxied = count_of("proxied");
    outcome = get(plain("/echo"));
    CHECK_STR(outcome.error.message, "");
    CHECK_CONTAINS(outcome.body, "GET /echo HTTP/1.1\r\nHost: 127.0.0.1:");
    CHECK(outcome.body && !strstr(outcome.body, "Authorization") && !strstr(outcome.body, "mine/1") &&
          !strstr(outcome.body, "X-Own") && !strstr(outcome.body, "Content-"));
    free(outcome.body);
    CHECK_INT(count_of("proxied"), proxied);
  }
  beam_close(ctx);
  ctx = outer;
}

static void test_environment_proxy(void) {
  char far[64];
  beam_http_options options = {.url = far};
  struct outcome outcome;
  snprintf(far, sizeof far, "http://far.test:%d/echo", server_port("plain"));
  setenv("http_proxy", proxy_url("", "proxy"), 1);
  outcome = call(options);
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
  outcome = get(plain("/echo")); /* never for loopback */
  CHECK_INT(outcome.status, 200);
  CHECK(outcome.body && !strstr(outcome.body, "GET http"));
  free(outcome.body);
  options.proxy = ""; /* none, whatever the environment says */
  outcome = call(options);
  CHECK_INT(outcome.error.code, BEAM_EDNS);
  options.proxy = NULL;
  setenv("no_proxy", "far.test", 1);
  outcome = call(options);
  CHECK_INT(outcome.error.code, BEAM_EDNS);
  unsetenv("no_proxy");
  unsetenv("http_proxy");
}

int main(void) {
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_defaults_without_a_body);
  RUN(test_the_target_stays_as_it_is);
  RUN(test_defaults_with_a_body);
  RUN(test_headers_replace_defaults);
  RUN(test_methods);
  RUN(test_what_is_refused_at_once);
  RUN(test_auth_schemes);
  RUN(test_auth_rules);
  RUN(test_no_secret_in_errors_or_log);
  RUN(test_statuses_are_answers);
  RUN(test_redirects_are_not_followed);
  RUN(test_response_headers);
  RUN(test_content_codings);
  RUN(test_coding_of_no_body);
  RUN(test_broken_responses);
  RUN(test_unasked_transfer_coding);
  RUN(test_no_response);
  RUN(test_bounds);
  RUN(test_no_connection);
  RUN(test_localhost_asks_nobody);
  RUN(test_deadlines);
  RUN(test_forward_proxy);
  RUN(test_nothing_is_left_for_the_next_one);
  RUN(test_environment_proxy);
  beam_close(ctx);
  server_stop();
  return test_end();
}
