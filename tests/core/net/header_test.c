/* Headers: which may be sent, how they are found, and what their lists hold. */
#include "net/http1/header.h"
#include "test.h"

static void check_header(const char *name, const char *value, const char *why) {
  beam_header headers[2] = {{"X-Good", "yes"}, {NULL, NULL}};
  beam_error error;
  headers[1].name = name;
  headers[1].value = value;
  if (!why) {
    CHECK_INT(beam__headers_check(headers, 2, &error), 0);
    return;
  }
  CHECK_INT(beam__headers_check(headers, 2, &error), BEAM_EINVALID);
  CHECK_CONTAINS(error.message, why);
  CHECK(!strstr(error.message, "hunter2"));
}

static void checks_headers(void) {
  check_header("X-Token!#$%&'*+-.^_`|~09", "hunter2 \t \xc3\xa9", NULL);
  check_header("x", "", NULL);
  check_header("", "hunter2", "name of header 2");
  check_header(NULL, "hunter2", "name of header 2");
  check_header("X:Y", "hunter2", "name of header 2");
  check_header("X Y", "hunter2", "name of header 2");
  check_header("X\r\nY", "hunter2", "name of header 2");
  check_header("X\xc3\xa9", "hunter2", "name of header 2");
  check_header("X-Evil", "hunter2\r\nY: z", "the value of \"X-Evil\"");
  check_header("X-Evil", "hunter2\n", "the value of \"X-Evil\"");
  check_header("X-Evil", "\x7f", "the value of \"X-Evil\"");
  check_header("X-Evil", "\x01", "the value of \"X-Evil\"");
  check_header("X-Evil", NULL, "the value of \"X-Evil\"");
  CHECK_INT(beam__headers_check(NULL, 0, NULL), 0);
}

static void finds_headers(void) {
  static const beam_header headers[] = {{"Content-Type", "a"}, {"X", "first"}, {"x", "second"}};
  CHECK_STR(beam__header_find(headers, 3, "content-type"), "a");
  CHECK_STR(beam__header_find(headers, 3, "X"), "first");
  CHECK(!beam__header_find(headers, 3, "y"));
  CHECK(!beam__header_find(NULL, 0, "y"));
}

static void lists(void) {
  static const beam_header headers[] = {{"Connection", " , keep-alive,,"},
                                        {"X", "upgrade"},
                                        {"connection", "foo ,\tUPGRADE , "},
                                        {"Empty", ""},
                                        {"eMPTY", " ,\t, "}};
  CHECK(beam__header_lists(headers, 5, "CONNECTION", "upgrade"));
  CHECK(beam__header_lists(headers, 5, "connection", "Keep-Alive"));
  CHECK(!beam__header_lists(headers, 5, "connection", "upgrad"));
  CHECK(!beam__header_lists(headers, 5, "connection", "upgrades"));
  CHECK(!beam__header_lists(headers, 5, "connection", ""));
  CHECK(!beam__header_lists(headers, 5, "Upgrade", "upgrade"));
  CHECK_INT(beam__header_count(headers, 5, "CONNECTION"), 2);
  CHECK(!beam__header_is_empty(headers, 5, "Connection"));
  CHECK(beam__header_is_empty(headers, 5, "empty"));
  CHECK(beam__header_is_empty(headers, 5, "none"));
}

int main(void) {
  RUN(checks_headers);
  RUN(finds_headers);
  RUN(lists);
  return test_end();
}
