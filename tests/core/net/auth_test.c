/* Credentials: the headers on the wire, when they are refused, and that no refusal holds a secret. */
#include "test.h"

#include "internal.h"
#include "net/auth.h"

static beam__url parse(const char *text) {
  beam__url url;
  if (beam__url_parse(&url, text, NULL))
    abort();
  return url;
}

static void check_header(enum beam_auth_scheme scheme, const char *id, const char *secret, const char *expected) {
  beam_auth auth = {scheme, id, secret, 0};
  int failed = 1;
  char *value = beam__auth_header(&auth, &failed);
  CHECK_INT(failed, 0);
  if (expected)
    CHECK_STR(value, expected);
  else
    CHECK(!value);
  beam__wipe_free(value);
}

static void writes_headers(void) {
  check_header(BEAM_AUTH_BEARER, NULL, "abc.DEF-1", "Bearer abc.DEF-1");
  check_header(BEAM_AUTH_RAW, NULL, "Custom x y", "Custom x y");
  check_header(BEAM_AUTH_NONE, NULL, "hunter2", NULL);
  check_header(BEAM_AUTH_QUERY, NULL, "hunter2", NULL);
  check_header(BEAM_AUTH_BASIC, "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="); /* RFC 7617 */
  check_header(BEAM_AUTH_BASIC, "test", "123\xc2\xa3", "Basic dGVzdDoxMjPCow==");                /* RFC 7617 */
  check_header(BEAM_AUTH_BASIC, "a", "b:c", "Basic YTpiOmM=");
}

static void encodes_base64(void) { /* RFC 4648 section 10 */
  static const char *const pairs[][2] = {{"", "Basic "},
                                         {"f", "Basic Zg=="},
                                         {"fo", "Basic Zm8="},
                                         {"foo", "Basic Zm9v"},
                                         {"foob", "Basic Zm9vYg=="},
                                         {"fooba", "Basic Zm9vYmE="},
                                         {"foobar", "Basic Zm9vYmFy"},
                                         {"\xff\xfe:", "Basic //46"}};
  size_t i;
  for (i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    char *value = beam__auth_basic(pairs[i][0]);
    CHECK_STR(value, pairs[i][1]);
    free(value);
  }
}

static void check_query(const char *url_text, const char *secret, const char *target) {
  beam_auth auth = {BEAM_AUTH_QUERY, NULL, secret, 0};
  beam__url url = parse(url_text);
  CHECK_INT(beam__auth_check(&auth, &url, NULL), 0);
  CHECK_INT(beam__auth_query(&auth, &url), 0);
  CHECK_STR(url.target, target);
  beam__url_free(&url);
}

static void adds_the_query(void) {
  check_query("wss://h", "abc-._~19", "/?auth_token=abc-._~19");
  check_query("wss://h/a?b=c", "x y&=+/%#\xc3\xa9", "/a?b=c&auth_token=x%20y%26%3D%2B%2F%25%23%C3%A9");
}

static void leaves_other_schemes_targets_alone(void) {
  beam_auth auth = {BEAM_AUTH_BEARER, NULL, "abc", 0};
  beam__url url = parse("wss://h/a");
  CHECK_INT(beam__auth_query(&auth, &url), 0);
  CHECK_STR(url.target, "/a");
  beam__url_free(&url);
}

static void check_refused(beam_auth auth, const char *url_text, int code, const char *why) {
  beam__url url = parse(url_text);
  beam_error error;
  CHECK_INT(beam__auth_check(&auth, &url, &error), code);
  CHECK_INT(beam__auth_check(&auth, &url, NULL), code);
  CHECK_INT(error.code, code);
  CHECK_CONTAINS(error.message, why);
  CHECK_STR(error.host, url.authority);
  CHECK_CONTAINS(error.message, url.authority);
  CHECK(!strstr(error.message, "hunter2"));
  CHECK(!strstr(error.message, "my-client"));
  beam__url_free(&url);
}

static void refuses_a_missing_secret(void) {
  static const enum beam_auth_scheme schemes[] = {BEAM_AUTH_BEARER, BEAM_AUTH_RAW, BEAM_AUTH_QUERY};
  size_t i;
  for (i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    check_refused((beam_auth){schemes[i], NULL, NULL, 0}, "wss://h:7/x", BEAM_EAUTH, "set BEAM_TOKEN");
    check_refused((beam_auth){schemes[i], NULL, "", 0}, "wss://h:7/x", BEAM_EAUTH, "set BEAM_TOKEN");
  }
  check_refused((beam_auth){BEAM_AUTH_BASIC, NULL, "hunter2", 0}, "wss://h", BEAM_EAUTH, "BEAM_CLIENT_ID");
  check_refused((beam_auth){BEAM_AUTH_BASIC, "", "hunter2", 0}, "wss://h", BEAM_EAUTH, "BEAM_CLIENT_ID");
  check_refused((beam_auth){BEAM_AUTH_BASIC, "my-client", "", 0}, "wss://h", BEAM_EAUTH, "BEAM_CLIENT_SECRET");
}

static void refuses_what_would_break_a_line(void) {
  static const char *const secrets[] = {"hunter2\n", "hunter2\r\nX: y", "\thunter2", "hunter2\x7f", "hunter2\x01"};
  size_t i;
  int scheme;
  for (i = 0; i < sizeof secrets / sizeof *secrets; i++)
    for (scheme = BEAM_AUTH_BEARER; scheme <= BEAM_AUTH_QUERY; scheme++)
      check_refused((beam_auth){(enum beam_auth_scheme)scheme, "my-client", secrets[i], 0}, "wss://h", BEAM_EINVALID,
                    "control character");
  check_refused((beam_auth){BEAM_AUTH_BASIC, "my-client\n", "hunter2", 0}, "wss://h", BEAM_EINVALID, "client id");
  check_refused((beam_auth){BEAM_AUTH_BASIC, "my-client:x", "hunter2", 0}, "wss://h", BEAM_EINVALID, "colon");
  check_refused((beam_auth){BEAM_AUTH_BEARER, NULL, "Bearer hunter2", 0}, "wss://h", BEAM_EINVALID, "without");
  check_refused((beam_auth){(enum beam_auth_scheme)99, NULL, "hunter2", 0}, "wss://h", BEAM_EINVALID, "scheme");
}

static void check_plaintext(const char *url_text, int plaintext, int allowed) {
  int scheme;
  for (scheme = BEAM_AUTH_BEARER; scheme <= BEAM_AUTH_QUERY; scheme++) {
    beam_auth auth = {(enum beam_auth_scheme)scheme, "my-client", "hunter2", plaintext};
    beam__url url = parse(url_text);
    if (allowed)
      CHECK_INT(beam__auth_check(&auth, &url, NULL), 0);
    else
      check_refused(auth, url_text, BEAM_EAUTH, "not encrypted");
    beam__url_free(&url);
  }
}

static void keeps_secrets_off_plain_text(void) {
  check_plaintext("ws://beam.test/", 0, 0);
  check_plaintext("http://beam.test/", 0, 0);
  check_plaintext("http://10.0.0.1/", 0, 0);
  check_plaintext("ws://[fe80::1%25lo]/", 0, 0);
  check_plaintext("ws://127.0.0.1.beam.test/", 0, 0);
  check_plaintext("ws://localhost.beam.test/", 0, 0);
  check_plaintext("ws://beam.test/", 1, 1);
  check_plaintext("wss://beam.test/", 0, 1);
  check_plaintext("https://beam.test/", 0, 1);
  check_plaintext("ws://localhost:1994/", 0, 1);
  check_plaintext("http://a.localhost:1994/", 0, 1);
  check_plaintext("ws://127.0.0.1:1994/", 0, 1);
  check_plaintext("ws://[::1]:1994/", 0, 1);
}

static void check_proxied(const char *url_text, enum beam_auth_scheme scheme, int plaintext, const char *proxy_host,
                          int code) {
  beam_auth auth = {scheme, "my-client", "hunter2", plaintext};
  beam__url url = parse(url_text);
  beam_error error;
  CHECK_INT(beam__auth_check(&auth, &url, NULL), 0);
  CHECK_INT(beam__auth_check_proxy(&auth, &url, proxy_host, &error), code);
  if (code) {
    CHECK_CONTAINS(error.message, "goes through a proxy");
    CHECK(!strstr(error.message, "hunter2"));
  }
  beam__url_free(&url);
}

static void keeps_secrets_off_plain_text_to_a_proxy(void) {
  check_proxied("http://localhost:1994/", BEAM_AUTH_BEARER, 0, "p.test", BEAM_EAUTH);
  check_proxied("ws://127.0.0.1/", BEAM_AUTH_QUERY, 0, "10.0.0.1", BEAM_EAUTH);
  check_proxied("http://localhost:1994/", BEAM_AUTH_BEARER, 0, NULL, 0);
  check_proxied("http://localhost:1994/", BEAM_AUTH_BEARER, 0, "::1", 0);
  check_proxied("http://localhost:1994/", BEAM_AUTH_BEARER, 1, "p.test", 0);
  check_proxied("http://localhost:1994/", BEAM_AUTH_NONE, 0, "p.test", 0);
  check_proxied("https://beam.test/", BEAM_AUTH_BEARER, 0, "p.test", 0);
}

static void sends_nothing_without_a_scheme(void) {
  beam_auth auth = {BEAM_AUTH_NONE, NULL, NULL, 0};
  beam__url url = parse("ws://beam.test/");
  CHECK_INT(beam__auth_check(&auth, &url, NULL), 0);
  beam__url_free(&url);
}

static void bounds_the_query(void) {
  char token[2001];
  beam_auth auth = {BEAM_AUTH_QUERY, NULL, token, 0};
  beam__url url = parse("wss://h/x");
  memset(token, 'a', sizeof token);
  token[2000 - strlen("/x?auth_token=")] = '\0';
  CHECK_INT(beam__auth_check(&auth, &url, NULL), 0);
  CHECK_INT(beam__auth_query(&auth, &url), 0);
  CHECK_INT(strlen(url.target), 2000);
  beam__url_free(&url);
  strcat(token, "a");
  check_refused(auth, "wss://h/x", BEAM_EINVALID, "2,000");
}

int main(void) {
  RUN(writes_headers);
  RUN(encodes_base64);
  RUN(adds_the_query);
  RUN(leaves_other_schemes_targets_alone);
  RUN(refuses_a_missing_secret);
  RUN(refuses_what_would_break_a_line);
  RUN(keeps_secrets_off_plain_text);
  RUN(keeps_secrets_off_plain_text_to_a_proxy);
  RUN(sends_nothing_without_a_scheme);
  RUN(bounds_the_query);
  return test_end();
}
