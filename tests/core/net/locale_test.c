/* What is read and written is that of the C locale under a Turkish one, which is made here: there tolower('I') is no
 * 'i', and half is 0,5. */
#include <ctype.h>
#include <locale.h>
#include <unistd.h>

#include "base/decimal.h"
#include "http/coding/decode.h"
#include "http/response.h"
#include "net/proxy.h"
#include "server/request_head.h"
#include "test.h"
#include "websocket/handshake.h"

static char folder[] = "/tmp/beam-locale-XXXXXX";

/* The locales of the tests' own folder are the only ones that setlocale finds then. */
static int become_turkish(void) {
  char command[128];
  if (!mkdtemp(folder))
    return 0;
  snprintf(command, sizeof command, "localedef -i tr_TR -f ISO-8859-9 %s/tr_TR", folder);
  return system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 && setlocale(LC_ALL, "tr_TR");
}

static void remove_folder(void) {
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", folder);
  CHECK_INT(system(command), 0);
}

static void the_locale_is_turkish(void) {
  char half[8];
  CHECK(become_turkish()); /* the package `locales` has what it is made of */
  CHECK(tolower('I') != 'i');
  snprintf(half, sizeof half, "%.1f", 0.5);
  CHECK_STR(half, "0,5");
}

static void headers_are_found(void) {
  static const beam_header headers[] = {{"X-TASK-ID", "1"}, {"CONNECTION", "UPGRADE"}};
  CHECK_STR(beam__header_find(headers, 2, "x-task-id"), "1");
  CHECK(beam__header_lists(headers, 2, "connection", "upgrade"));
}

static void an_upgrade_in_capitals_is_agreed_to(void) {
  static const char text[] =
      "HTTP/1.1 101 S\r\nUPGRADE: WEBSOCKET\r\nCONNECTION: KEEP-ALIVE, UPGRADE\r\nX-TASK-ID: I\r\n"
      "SEC-WEBSOCKET-ACCEPT: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSEC-WEBSOCKET-PROTOCOL: I\r\n\r\n";
  beam__answer answer = {0};
  beam_error error = {0};
  size_t used;
  CHECK_INT(beam__answer_read(&answer, text, sizeof text - 1, &used), 1);
  CHECK_INT(beam__handshake_agrees(&answer, "dGhlIHNhbXBsZSBub25jZQ==", "i", "a:1", &error), 0);
  CHECK_STR(error.message, "");
  CHECK_STR(answer.headers[2].name, "x-task-id");
  beam__answer_free(&answer);
}

static void requests_are_understood(void) {
  static const char text[] = "POST / HTTP/1.1\r\nHOST: a\r\nCONTENT-LENGTH: 5\r\nCONNECTION: CLOSE\r\n\r\n";
  beam__request_head head;
  CHECK_INT(beam__request_head_parse(&head, text, sizeof text - 1, 0), sizeof text - 1);
  CHECK_INT(head.content_length, 5);
  CHECK(!head.keep_alive);
}

static void codings_are_known(void) {
  static const beam_header headers[] = {{"content-encoding", "IDENTITY, GZIP, DEFLATE"}};
  beam__decoder decoder = {0};
  beam__slice refused;
  CHECK_INT(beam__decoder_choose(&decoder, headers, 1, &refused), 0);
  CHECK_INT(decoder.count, 2);
  beam__decoder_free(&decoder);
}

static void responses_are_read(void) {
  static const char *const lines[] = {"HTTP/1.1 200 OK\r\n", "X-TASK-ID: I\r\n", "\r\n"};
  beam__response response = {0};
  const char *why = "";
  size_t i;
  for (i = 0; i < 3; i++)
    CHECK_INT(beam__response_line(&response, lines[i], strlen(lines[i]), &why), i == 2);
  CHECK_STR(why, "");
  REQUIRE(CHECK(response.header_count == 1));
  CHECK_STR(response.headers[0].name, "x-task-id");
  CHECK_STR(response.headers[0].value, "I");
  beam__response_free(&response);
}

static void addresses_are_understood(void) {
  beam__url url;
  beam__proxy proxy;
  CHECK_INT(beam__url_parse(&url, "HTTPS://APP.BEAM.CLOUD/I", NULL), 0);
  CHECK_STR(url.host, "app.beam.cloud");
  CHECK_STR(url.target, "/I");
  beam__url_free(&url);
  CHECK_INT(beam__url_parse(&url, "WS://IMAGE.TEST/", NULL), 0);
  CHECK_STR(url.host, "image.test");
  setenv("http_proxy", "HTTP://proxy.test:1", 1);
  setenv("no_proxy", "IMAGE.TEST", 1);
  CHECK_INT(beam__proxy_choose(&proxy, NULL, &url, NULL), 0);
  CHECK(!proxy.host);
  setenv("no_proxy", "other.test", 1);
  CHECK_INT(beam__proxy_choose(&proxy, NULL, &url, NULL), 0);
  CHECK_STR(proxy.host, "proxy.test");
  beam__proxy_free(&proxy);
  beam__url_free(&url);
}

static void numbers_have_points(void) {
  static const double values[] = {0.5, 1e-7, 123456.789, 1e300};
  static const char *const texts[] = {"0.5", "1e-07", "123456.789", "1e+300"};
  size_t i;
  for (i = 0; i < 4; i++) {
    char text[BEAM__DECIMAL_SIZE + 1];
    text[beam__decimal_write(values[i], text)] = '\0';
    CHECK_STR(text, texts[i]);
    CHECK(beam__decimal_read(text, strlen(text)) == values[i]);
  }
  CHECK(beam__decimal_read("0.3333333333333333333333333333", 30) == 1.0 / 3);
}

int main(void) {
  RUN(the_locale_is_turkish);
  RUN(headers_are_found);
  RUN(an_upgrade_in_capitals_is_agreed_to);
  RUN(requests_are_understood);
  RUN(codings_are_known);
  RUN(responses_are_read);
  RUN(addresses_are_understood);
  RUN(numbers_have_points);
  RUN(remove_folder);
  return test_end();
}
