/* Calls to the same place use what the one before them has set up: each must look on the wire as the first one of its
 * kind, whatever came before it, and nothing of its credentials may stay. */
#include "http/http.h"
#include "http_fixture.h"

static unsigned seed = 17;

static unsigned draw(unsigned below) {
  seed = seed * 1103515245u + 12345u;
  return (seed >> 16) % below;
}

#define COUNT(list) ((unsigned)(sizeof(list) / sizeof *(list)))

static char long_body[20000];

/* One of some thousand kinds of call, of which many share a URL, a method or a form. */
static beam_http_options any_call(void) {
  static const char *const methods[] = {NULL, NULL, "GET", "POST", "PUT", "DELETE", "HEAD"};
  static const char *const bodies[] = {NULL, "", "{\"x\":12}", "{}", long_body};
  static const beam_header own[] = {{"X-Own", "mine"}}, typed[] = {{"content-type", "text/csv"}, {"User-Agent", "me"}};
  static const beam_header coded[] = {{"Accept-Encoding", "br"}}, named[] = {{"Authorization", "Bearer own"}};
  static const struct {
    const beam_header *list;
    size_t count;
  } headers[] = {{NULL, 0}, {NULL, 0}, {own, 1}, {typed, 2}, {coded, 1}, {named, 1}};
  static const beam_auth auths[] = {{.scheme = BEAM_AUTH_NONE},
                                    {.scheme = BEAM_AUTH_BEARER, .secret = "first-token"},
                                    {.scheme = BEAM_AUTH_BEARER, .secret = "second-token-which-is-longer"},
                                    {.scheme = BEAM_AUTH_BASIC, .id = "id", .secret = "first-secret"},
                                    {.scheme = BEAM_AUTH_QUERY, .secret = "in-the-query"}};
  beam_http_options options = {0};
  unsigned which = draw(COUNT(headers));
  options.url = draw(8) ? plain("/echo") : plain(draw(2) ? "/echo?a=%2f" : "/echo#part");
  options.method = methods[draw(COUNT(methods))];
  options.body = bodies[draw(COUNT(bodies))];
  options.body_len = options.body ? strlen(options.body) : 0;
  if (options.method && !strcmp(options.method, "HEAD"))
    options.body = NULL, options.body_len = 0;
  options.headers = headers[which].list;
  options.header_count = headers[which].count;
  options.auth = auths[draw(COUNT(auths))];
  if (!draw(10))
    options.stream = 1;
  if (!draw(10))
    options.connect_timeout_ms = PATIENCE_MS;
  return options;
}

static struct outcome call_alone(beam_http_options options) {
  beam_ctx *outer = ctx;
  struct outcome outcome;
  CHECK_INT(beam_new(&ctx, NULL), 0);
  outcome = call(options);
  beam_close(ctx);
  ctx = outer;
  return outcome;
}

static void test_each_as_if_it_were_the_first(void) {
  int i;
  memset(long_body, 'x', sizeof long_body - 1);
  for (i = 0; i < 300; i++) {
    beam_http_options options = any_call();
    struct outcome alone = call_alone(options), after = call(options);
    CHECK_INT(after.status, 200);
    CHECK_INT(alone.status, 200);
    CHECK_INT(after.error.code, 0);
    CHECK_INT(after.len, alone.len);
    CHECK(after.len == alone.len && (!alone.len || !memcmp(after.body, alone.body, alone.len)));
    CHECK_STR(after.headers, alone.headers);
    free(after.body);
    free(alone.body);
  }
}

/* The same exchange, at the same place in memory. */
static int is_used_again(beam_http_options first, beam_http_options second) {
  static struct outcome outcomes[2];
  beam_http *used[2];
  int i;
  memset(outcomes, 0, sizeof outcomes);
  for (i = 0; i < 2; i++) {
    beam_http_options options = i ? second : first;
    options.on_event = outcome_take;
    options.user = &outcomes[i];
    CHECK_INT(beam_http_start(ctx, &used[i], &options, NULL), 0);
    CHECK(run_until(&outcomes[i].dones, 1, PATIENCE_MS));
    beam_http_free(used[i]);
    free(outcomes[i].body);
  }
  return used[0] == used[1];
}

static void test_what_is_used_again(void) {
  beam_http_options first = {.url = plain("/echo"), .body = "{}", .body_len = 2}, second = first;
  CHECK(is_used_again(first, second));
  second.body = "{\"x\":1}";
  second.body_len = 7;
  second.auth.scheme = BEAM_AUTH_BEARER;
  second.auth.secret = "token";
  CHECK(is_used_again(first, second));
  second.method = "PUT";
  CHECK(!is_used_again(first, second));
}

static void test_what_knows_a_secret_is_not(void) {
  beam_http_options options = {.url = plain("/echo")};
  options.auth.scheme = BEAM_AUTH_QUERY;
  options.auth.secret = "in-the-query";
  CHECK(!is_used_again(options, options));
  memset(&options.auth, 0, sizeof options.auth);
  options.url = plain("/echo?token=1");
  CHECK(!is_used_again(options, options));
}

static void test_no_credentials_stay(void) {
  beam_http_options options = {.url = plain("/echo"), .on_event = outcome_take};
  struct outcome outcome = {0};
  beam_http *http;
  options.auth.scheme = BEAM_AUTH_BEARER;
  options.auth.secret = "first-token";
  options.user = &outcome;
  CHECK_INT(beam_http_start(ctx, &http, &options, NULL), 0);
  CHECK(run_until(&outcome.dones, 1, PATIENCE_MS));
  CHECK_CONTAINS(outcome.body, "Authorization: Bearer first-token\r\n");
  beam_http_free(http);
  CHECK(http->lines.size > 0 && !http->lines.list); /* it lies ready */
  CHECK(!memmem(http->lines.memory, http->lines.size, "token", 5));
  free(outcome.body);
}

/* One that failed, and one that was given up, leave nothing to the next. */
static void test_after_a_failure(void) {
  beam_http_options broken = {.url = plain("/reset"), .body = "{}", .body_len = 2}, good = {.url = plain("/echo")};
  struct outcome outcome = call(broken);
  beam_http *http;
  CHECK(outcome.error.code);
  free(outcome.body);
  good.on_event = outcome_take;
  good.user = &outcome;
  memset(&outcome, 0, sizeof outcome);
  CHECK_INT(beam_http_start(ctx, &http, &good, NULL), 0);
  beam_http_free(http);
  run_for(20);
  CHECK_INT(outcome.dones, 0);
  outcome = get(plain("/echo"));
  CHECK_INT(outcome.status, 200);
  free(outcome.body);
}

int main(void) {
  server_start();
  if (beam_new(&ctx, NULL))
    return 1;
  RUN(test_each_as_if_it_were_the_first);
  RUN(test_what_is_used_again);
  RUN(test_what_knows_a_secret_is_not);
  RUN(test_no_credentials_stay);
  RUN(test_after_a_failure);
  beam_close(ctx);
  server_stop();
  return test_end();
}
