/* Which proxy is taken, from the option and from the environment, and what is refused without a word of its password.
 */
#include "test.h"

#include "internal.h"
#include "net/proxy.h"

static const char *const variables[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                        "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY"};

static void clear_environment(void) {
  size_t i;
  for (i = 0; i < sizeof variables / sizeof *variables; i++)
    unsetenv(variables[i]);
}

static void set(const char *name, const char *value) { setenv(name, value, 1); }

/* `host` NULL: none is taken. */
static void check_choice(const char *choice, const char *url_text, const char *host, unsigned port) {
  beam__url url;
  beam__proxy proxy;
  beam_error error;
  CHECK_INT(beam__url_parse(&url, url_text, NULL), 0);
  if (beam__proxy_choose(&proxy, choice, &url, &error))
    CHECK_STR(error.message, "(no error)");
  if (host) {
    CHECK_STR(proxy.host, host);
    CHECK_INT(proxy.port, port);
  } else if (!CHECK(!proxy.host)) {
    printf("# %s\n", url_text);
  }
  beam__proxy_free(&proxy);
  CHECK(!proxy.host && !proxy.credentials);
  beam__url_free(&url);
}

static void check_refused(const char *choice, const char *why) {
  beam__url url;
  beam__proxy proxy;
  beam_error error;
  CHECK_INT(beam__url_parse(&url, "wss://beam.test/", NULL), 0);
  CHECK_INT(beam__proxy_choose(&proxy, choice, &url, NULL), BEAM_EINVALID);
  CHECK_INT(beam__proxy_choose(&proxy, choice, &url, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, why);
  CHECK(!strstr(error.message, "hunter2"));
  CHECK(!strstr(error.message, "frank"));
  CHECK(!proxy.host && !proxy.credentials);
  beam__url_free(&url);
}

static void takes_the_option(void) {
  clear_environment();
  set("https_proxy", "http://env.test:1");
  check_choice("http://p.test:3128", "wss://beam.test/", "p.test", 3128);
  check_choice("HTTP://P.Test:3128/", "ws://beam.test/", "p.test", 3128);
  check_choice("p.test:3128", "wss://beam.test/", "p.test", 3128);
  check_choice("http://p.test", "wss://beam.test/", "p.test", 1080);
  check_choice("http://[::1]:3128", "wss://beam.test/", "::1", 3128);
  check_choice("http://frank:hunter2@[fe80::1%25eth0]:3128/x?y", "wss://beam.test/", "fe80::1%eth0", 3128);
  check_choice("127.0.0.1:3128", "wss://beam.test/", "127.0.0.1", 3128);
  check_choice("", "wss://beam.test/", NULL, 0);
}

static void the_option_beats_exemptions(void) {
  clear_environment();
  set("no_proxy", "*");
  check_choice("http://p.test:3128", "wss://beam.test/", "p.test", 3128);
  check_choice("http://p.test:3128", "ws://127.0.0.1:80/", "p.test", 3128);
}

static void check_credentials(const char *choice, const char *credentials) {
  beam__url url;
  beam__proxy proxy;
  CHECK_INT(beam__url_parse(&url, "wss://beam.test/", NULL), 0);
  CHECK_INT(beam__proxy_choose(&proxy, choice, &url, NULL), 0);
  if (credentials)
    CHECK_STR(proxy.credentials, credentials);
  else
    CHECK(!proxy.credentials);
  CHECK_STR(proxy.host, "p.test");
  beam__proxy_free(&proxy);
  beam__url_free(&url);
}

static void decodes_credentials(void) {
  clear_environment();
  check_credentials("http://p.test:3128", NULL);
  check_credentials("http://frank:hunter2@p.test:3128", "frank:hunter2");
  check_credentials("frank:hunter2@p.test:3128", "frank:hunter2");
  check_credentials("http://frank@p.test:3128", "frank:");
  check_credentials("http://:hunter2@p.test:3128", ":hunter2");
  check_credentials("http://fr%40nk:h%3Aunt%2Fer%25@p.test:3128", "fr@nk:h:unt/er%");
  set("https_proxy", "http://frank:hunter2@p.test:3128");
  check_credentials(NULL, "frank:hunter2");
}

static void refuses_other_kinds(void) {
  clear_environment();
  check_refused("socks5://frank:hunter2@p.test:1080", "only http:// proxies are supported");
  check_refused("socks5h://p.test", "only http:// proxies are supported");
  check_refused("https://frank:hunter2@p.test", "only http:// proxies are supported");
  check_refused("ftp://p.test", "only http:// proxies are supported");
}

static void refuses_what_is_no_url(void) {
  clear_environment();
  check_refused("http://frank:hunter2@", "the option `proxy`");
  check_refused("http://frank:hunter2@p.test:99999", "host or port");
  check_refused("http://frank:hunter2@p.test:0", "host or port");
  check_refused("http://frank:hunter2@p|q:80", "host or port");
  check_refused("http://frank:hunter2@p test:80", "form http://");
  check_refused("http://", "form http://");
  check_refused("http://frank:hunter2%0d%0aX: y@p.test:80", "");
  check_refused("http://frank:hunter2%00@p.test:80", "control character");
  check_refused("http://fr%3Aank:hunter2@p.test:80", "colon");
}

static void names_the_variable_that_is_wrong(void) {
  clear_environment();
  set("ALL_PROXY", "socks5://frank:hunter2@p.test:1080");
  check_refused(NULL, "ALL_PROXY");
  set("HTTPS_PROXY", "http://frank:hunter2@p.test:99999");
  check_refused(NULL, "HTTPS_PROXY");
}

static void reads_the_environment_as_libcurl(void) {
  clear_environment();
  check_choice(NULL, "wss://beam.test/", NULL, 0);
  set("ALL_PROXY", "http://ALL:1");
  check_choice(NULL, "wss://beam.test/", "all", 1);
  check_choice(NULL, "http://beam.test/", "all", 1);
  set("all_proxy", "http://all.lower:2");
  check_choice(NULL, "https://beam.test/", "all.lower", 2);
  set("HTTPS_PROXY", "http://tls.upper:3");
  check_choice(NULL, "wss://beam.test/", "tls.upper", 3);
  check_choice(NULL, "ws://beam.test/", "all.lower", 2);
  set("https_proxy", "http://tls.lower:4");
  check_choice(NULL, "https://beam.test/", "tls.lower", 4);
  set("HTTP_PROXY", "http://cgi:5"); /* what a CGI visitor can set: never read */
  check_choice(NULL, "http://beam.test/", "all.lower", 2);
  set("http_proxy", "http://plain.lower:6");
  check_choice(NULL, "ws://beam.test/", "plain.lower", 6);
}

static void counts_an_empty_variable_as_unset(void) {
  clear_environment();
  set("https_proxy", "");
  check_choice(NULL, "wss://beam.test/", NULL, 0);
  set("HTTPS_PROXY", "http://p.test:3");
  check_choice(NULL, "wss://beam.test/", "p.test", 3);
  set("no_proxy", "");
  set("NO_PROXY", "beam.test");
  check_choice(NULL, "wss://beam.test/", NULL, 0);
}

static void never_proxies_loopback_by_itself(void) {
  clear_environment();
  set("all_proxy", "http://p.test:3");
  check_choice(NULL, "ws://127.0.0.1/", NULL, 0);
  check_choice(NULL, "ws://[::1]/", NULL, 0);
  check_choice(NULL, "wss://localhost/", NULL, 0);
  check_choice(NULL, "http://echo.localhost/", NULL, 0);
  check_choice(NULL, "http://localhost.beam.test/", "p.test", 3);
}

static void check_exempt(const char *list, const char *host, int exempt) {
  char url_text[300];
  clear_environment();
  set("https_proxy", "http://p.test:3");
  set("no_proxy", list);
  snprintf(url_text, sizeof url_text, "wss://%s/", host);
  check_choice(NULL, url_text, exempt ? NULL : "p.test", 3);
}

static void exempts_names(void) {
  check_exempt("beam.test", "beam.test", 1);
  check_exempt("beam.test", "Echo.BEAM.test:8443", 1);
  check_exempt("BEAM.test", "beam.test", 1);
  check_exempt(".beam.test", "beam.test", 1);
  check_exempt(".beam.test", "a.b.beam.test", 1);
  check_exempt("beam.test.", "beam.test", 1);
  check_exempt("beam.test", "beam.test.", 1);
  check_exempt("beam.test", "sunbeam.test", 0);
  check_exempt(".beam.test", "sunbeam.test", 0);
  check_exempt("beam.test", "beam.test.evil.test", 0);
  check_exempt("eam.test", "beam.test", 0);
  check_exempt("a.beam.test", "beam.test", 0);
  check_exempt(".", "beam.test", 0);
  check_exempt(",,", "beam.test", 0);
}

static void exempts_by_list(void) {
  check_exempt("a.test,beam.test", "beam.test", 1);
  check_exempt("a.test , beam.test , b.test", "beam.test", 1);
  check_exempt("a.test beam.test", "beam.test", 1);
  check_exempt("*", "beam.test", 1);
  check_exempt("a.test, *", "beam.test", 1);
  check_exempt("*.test", "beam.test", 0); /* as libcurl: the only wildcard is a single * */
  check_exempt("beam.test:8443", "beam.test", 1);
}

static void exempts_addresses(void) {
  check_exempt("10.0.0.1", "10.0.0.1", 1);
  check_exempt("10.0.0.1:80", "10.0.0.1:8080", 1);
  check_exempt("0.0.1", "10.0.0.1", 0);
  check_exempt("10.0.0.1", "10.0.0.10", 0);
  check_exempt("10.0.0.0/8", "10.9.8.7", 1);
  check_exempt("10.0.0.0/8", "11.0.0.1", 0);
  check_exempt("10.0.0.0/15", "10.1.2.3", 1);
  check_exempt("10.0.0.0/15", "10.2.2.3", 0);
  check_exempt("0.0.0.0/0", "10.2.2.3", 1);
  check_exempt("10.0.0.0/33", "10.0.0.0", 0);
  check_exempt("10.0.0.0/", "10.0.0.1", 0);
  check_exempt("10.0.0.0/x", "10.0.0.1", 0);
  check_exempt("10.0.0.0/-1", "10.0.0.1", 0);
  check_exempt("10.0.0.0/8", "beam.test", 0);
  check_exempt("2001:db8::1", "[2001:DB8:0::1]", 1);
  check_exempt("[2001:db8::1]", "[2001:db8::1]:8443", 1);
  check_exempt("[2001:db8::1]:80", "[2001:db8::1]:8443", 1);
  check_exempt("2001:db8::/32", "[2001:db8:7::1]", 1);
  check_exempt("2001:db8::/32", "[2001:db9::1]", 0);
  check_exempt("2001:db8::1", "[2001:db8::2]", 0);
}

static void passes_over_overlong_items(void) {
  char list[1100];
  memset(list, 'a', 1000);
  strcpy(list + 1000, ",beam.test");
  check_exempt(list, "beam.test", 1);
  check_exempt(list, "other.test", 0);
}

int main(void) {
  RUN(takes_the_option);
  RUN(the_option_beats_exemptions);
  RUN(decodes_credentials);
  RUN(refuses_other_kinds);
  RUN(refuses_what_is_no_url);
  RUN(names_the_variable_that_is_wrong);
  RUN(reads_the_environment_as_libcurl);
  RUN(counts_an_empty_variable_as_unset);
  RUN(never_proxies_loopback_by_itself);
  RUN(exempts_names);
  RUN(exempts_by_list);
  RUN(exempts_addresses);
  RUN(passes_over_overlong_items);
  return test_end();
}
