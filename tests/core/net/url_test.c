/* URLs: what is split how, and what is refused with which words. */
#include "test.h"

#include "internal.h"
#include "net/url.h"

static void check_parse(const char *text, int tls, const char *host, unsigned port, const char *target) {
  beam__url url;
  beam_error error;
  int code = beam__url_parse(&url, text, &error);
  CHECK_INT(code, 0);
  if (code) {
    printf("# %s: %s\n", text, error.message);
    return;
  }
  CHECK_INT(url.tls, tls);
  CHECK_STR(url.host, host);
  CHECK_INT(url.port, port);
  CHECK_STR(url.target, target);
  beam__url_free(&url);
  CHECK(!url.host && !url.target);
}

static void check_refused(const char *text, const char *why) {
  beam__url url;
  beam_error error;
  CHECK_INT(beam__url_parse(&url, text, &error), BEAM_EINVALID);
  CHECK_INT(error.code, BEAM_EINVALID);
  CHECK_CONTAINS(error.message, why);
  CHECK(!strstr(error.message, "hunter2"));
  CHECK(!url.host && !url.target);
  CHECK_INT(beam__url_parse(&url, text, NULL), BEAM_EINVALID);
}

static void splits_the_four_schemes(void) {
  check_parse("ws://beam.test", 0, "beam.test", 80, "/");
  check_parse("wss://beam.test/", 1, "beam.test", 443, "/");
  check_parse("http://beam.test/a/b?c=d&e", 0, "beam.test", 80, "/a/b?c=d&e");
  check_parse("HTTPS://Echo-7A7db8c-V2.App.Beam.Cloud:8443/X", 1, "echo-7a7db8c-v2.app.beam.cloud", 8443, "/X");
  check_parse("ws://beam.test?auth=x", 0, "beam.test", 80, "/?auth=x");
}

static void splits_addresses(void) {
  check_parse("ws://127.0.0.1:1994/asgi/echo", 0, "127.0.0.1", 1994, "/asgi/echo");
  check_parse("ws://[::1]:1994/", 0, "::1", 1994, "/");
  check_parse("wss://[2001:DB8::1]", 1, "2001:db8::1", 443, "/");
  check_parse("ws://[fe80::1%25eth0]:81/", 0, "fe80::1%eth0", 81, "/");
  check_parse("ws://[fe80::1%eth0]/", 0, "fe80::1%eth0", 80, "/");
}

static void takes_ports(void) {
  check_parse("ws://h:1/", 0, "h", 1, "/");
  check_parse("ws://h:65535/", 0, "h", 65535, "/");
  check_parse("wss://h:/x", 1, "h", 443, "/x");
  check_refused("ws://h:0/", "1 to 65535");
  check_refused("ws://h:65536/", "1 to 65535");
  check_refused("ws://h:99999999999999999999/", "1 to 65535");
  check_refused("ws://h:-1/", "1 to 65535");
  check_refused("ws://h:80x/", "1 to 65535");
}

static void encodes_what_is_not_ascii(void) {
  check_parse("ws://h/\xc3\xa9?\xc3\xbc=1", 0, "h", 80, "/%c3%a9?%c3%bc=1");
  check_parse("ws://h/a%20b%0d%0a?c=%00", 0, "h", 80, "/a%20b%0d%0a?c=%00");
}

/* As a client is to resolve them (RFC 3986 section 5.2.4), and nothing else of it. */
static void resolves_dots(void) {
  check_parse("http://h/a/../b/./c", 0, "h", 80, "/b/c");
  check_parse("http://h/a/b/..", 0, "h", 80, "/a/");
  check_parse("http://h/../../a", 0, "h", 80, "/a");
  check_parse("http://h/.", 0, "h", 80, "/");
  check_parse("http://h/..?../x", 0, "h", 80, "/?../x");
  check_parse("http://h/a/...//./.b/..c/", 0, "h", 80, "/a/...//.b/..c/");
  check_parse("http://h//../a", 0, "h", 80, "/a");
  check_parse("http://h?a=/../b", 0, "h", 80, "/?a=/../b");
}

static void leaves_what_is_escaped(void) {
  check_parse("http://h/%2e%2E/%2f%2F?%c3%A9&%zz%", 0, "h", 80, "/%2e%2E/%2f%2F?%c3%A9&%zz%");
  check_parse("http://h/{a}|[b]^`\"<>", 0, "h", 80, "/{a}|[b]^`\"<>");
}

static void treats_fragments_by_scheme(void) {
  check_parse("https://h/a?b#c", 1, "h", 443, "/a?b");
  check_refused("wss://h/a?token=hunter2#c", "#fragment");
}

static void refuses_credentials(void) {
  check_refused("wss://me:hunter2@beam.test/", "credentials");
  check_refused("wss://hunter2@beam.test/", "credentials");
  check_refused("wss://a@b:hunter2@beam.test/", "credentials");
  check_refused("wss://:hunter2@beam.test/", "credentials");
}

static void refuses_other_schemes(void) {
  check_refused("ftp://h/hunter2", "does not start with wss://");
  check_refused("file:///etc/passwd", "does not start with wss://");
  check_refused("beam.test/hunter2", "does not start with wss://");
  check_refused("//beam.test/", "does not start with wss://");
  check_refused("ws:/h/", "does not start with wss://");
  check_refused("wss:h", "does not start with wss://");
}

static void refuses_a_missing_host(void) {
  check_refused("ws:///hunter2", "no host");
  check_refused("ws://:80/hunter2", "no host");
  check_refused("ws://", "no host");
  check_refused("ws://?hunter2", "");
}

static void refuses_odd_hosts(void) {
  check_refused("ws://a|b/hunter2", "character that no host name has");
  check_refused("ws://a%20b/", "character that no host name has");
  check_refused("ws://a%00b/", "character that no host name has");
  check_refused("ws://a%0d%0ab/", "character that no host name has");
  check_refused("ws://b\xc3\xbc"
                "cher.test/",
                "xn--");
  check_refused("ws://[::1/", "");
  check_refused("ws://[zz::1]/", "no IPv6 address");
  check_refused("ws://[1::2::3]/", "no IPv6 address");
  check_refused("ws://::1/", "");
  check_refused("ws://[fe80::1%25a b]/", "space");
  check_refused("ws://[fe80::1%25e%0d]/", "character that no host name has");
}

static void refuses_what_would_break_a_line(void) {
  check_refused(NULL, "empty");
  check_refused("", "empty");
  check_refused("ws://h/a b?hunter2", "space");
  check_refused(" ws://h/", "space");
  check_refused("ws://h/\r\nX-Evil: hunter2", "line break");
  check_refused("ws://h/\n", "line break");
  check_refused("ws://h\t/", "line break");
  check_refused("ws://h/\x7f", "line break");
  check_refused("ws://h\\@evil.test/hunter2", "backslash");
}

static void bounds_the_length(void) {
  char text[2100];
  memset(text, 'a', sizeof text);
  memcpy(text, "ws://h/", 7);
  text[2000] = '\0';
  {
    beam__url url;
    CHECK_INT(beam__url_parse(&url, text, NULL), 0);
    beam__url_free(&url);
  }
  text[2000] = 'a', text[2001] = '\0';
  check_refused(text, "longer than 2,000");
  memset(text + 7, '\xc3', 1000);
  text[1007] = '\0';
  check_refused(text, "percent-encoded");
  memset(text, 'a', sizeof text);
  memcpy(text, "ws://", 5);
  text[300] = '\0';
  check_refused(text, "253");
}

static void check_again(beam__url_known *known, const char *text, const char *host, const char *target, int kept) {
  beam__url url;
  CHECK_INT(beam__url_parse_again(known, &url, text, NULL), 0);
  CHECK_STR(url.host, host);
  CHECK_STR(url.target, target);
  CHECK_INT(known->text != NULL, kept);
  url.target[0] = '!'; /* the caller's own */
  beam__url_free(&url);
}

static void knows_the_last_one_again(void) {
  beam__url_known known = {0};
  beam__url url;
  check_again(&known, "http://a.test/x", "a.test", "/x", 1);
  check_again(&known, "http://a.test/x", "a.test", "/x", 1);
  check_again(&known, "http://b.test/x", "b.test", "/x", 1);
  check_again(&known, "http://b.test/xy", "b.test", "/xy", 1);
  CHECK_INT(beam__url_parse_again(&known, &url, "http://b.test:0/", NULL), BEAM_EINVALID);
  CHECK(!url.host && !known.text);
  check_again(&known, "http://b.test/xy", "b.test", "/xy", 1);
  check_again(&known, "http://b.test/?auth_token=hunter2", "b.test", "/?auth_token=hunter2", 0);
  check_again(&known, "http://a.test/x", "a.test", "/x", 1);
  beam__url_forget(&known);
  beam__url_forget(&known);
}

static void check_names(const char *text, const char *authority, const char *host_header) {
  beam__url url;
  char header[300];
  CHECK_INT(beam__url_parse(&url, text, NULL), 0);
  beam__url_host_header(&url, header, sizeof header);
  CHECK_STR(url.authority, authority);
  CHECK_STR(header, host_header);
  beam__url_free(&url);
}

static void names_host_and_port(void) {
  char shorter[4];
  beam__url url;
  check_names("ws://h/", "h:80", "h");
  check_names("wss://h:443/", "h:443", "h");
  check_names("wss://h:80/", "h:80", "h:80");
  check_names("ws://h:443/", "h:443", "h:443");
  check_names("wss://[::1]/", "[::1]:443", "[::1]");
  check_names("wss://[::1]:1994/", "[::1]:1994", "[::1]:1994");
  check_names("ws://[fe80::1%25eth0]:81/", "[fe80::1%eth0]:81", "[fe80::1]:81");
  CHECK_INT(beam__url_parse(&url, "ws://long.test/", NULL), 0);
  beam__url_host_header(&url, shorter, sizeof shorter);
  CHECK_STR(shorter, "lon");
  beam__url_free(&url);
}

static void knows_loopback(void) {
  static const char *const inside[] = {"127.0.0.1", "127.255.0.9",   "::1",       "localhost",
                                       "LocalHost", "a.b.localhost", "localhost."};
  static const char *const outside[] = {"128.0.0.1",
                                        "127.0.0.1.evil.test",
                                        "127.1.evil.test",
                                        "::2",
                                        "localhost.test",
                                        "notlocalhost",
                                        ".localhost",
                                        "10.0.0.1",
                                        "0.0.0.0",
                                        "::",
                                        ""};
  size_t i;
  for (i = 0; i < sizeof inside / sizeof *inside; i++)
    CHECK(beam__host_is_loopback(inside[i]) || (printf("# %s\n", inside[i]), 0));
  for (i = 0; i < sizeof outside / sizeof *outside; i++)
    CHECK(!beam__host_is_loopback(outside[i]) || (printf("# %s\n", outside[i]), 0));
}

/* A host that libcurl writes out ("127.1") must be judged as what it connects to. */
static void judges_short_addresses_as_written_out(void) {
  check_parse("ws://127.1/", 0, "127.0.0.1", 80, "/");
  check_parse("ws://0x7f000001/", 0, "127.0.0.1", 80, "/");
}

int main(void) {
  RUN(splits_the_four_schemes);
  RUN(splits_addresses);
  RUN(takes_ports);
  RUN(encodes_what_is_not_ascii);
  RUN(resolves_dots);
  RUN(leaves_what_is_escaped);
  RUN(treats_fragments_by_scheme);
  RUN(refuses_credentials);
  RUN(refuses_other_schemes);
  RUN(refuses_a_missing_host);
  RUN(refuses_odd_hosts);
  RUN(refuses_what_would_break_a_line);
  RUN(bounds_the_length);
  RUN(knows_the_last_one_again);
  RUN(names_host_and_port);
  RUN(knows_loopback);
  RUN(judges_short_addresses_as_written_out);
  return test_end();
}
