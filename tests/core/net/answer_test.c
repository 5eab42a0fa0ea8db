/* Answers: what a client takes of HTTP/1 and what it does not, whole, cut at every place and byte by byte, always so
 * that the input ends at an unreadable page; and the interim ones before them. */
#include "net/http1/answer.h"
#include "net/http1/head.h"
#include "page.h"
#include "test.h"

/* ---- One head ---- */

static int parse(beam__head *head, const char *text, size_t len) {
  return beam__head_parse(head, BEAM__HEAD_ANSWER, at_page(text, len), len, 0);
}

static int parse_bytewise(beam__head *head, const char *text, size_t len) {
  size_t have;
  int result = 0;
  for (have = 1; have <= len && !result; have++)
    result = beam__head_parse(head, BEAM__HEAD_ANSWER, at_page(text, have), have, have - 1);
  return result;
}

/* Every beginning wants more; the whole is taken, and not what follows it. */
static void good(beam__head *head, const char *text) {
  size_t len = strlen(text), cut;
  char longer[1024];
  for (cut = 0; cut < len; cut++)
    CHECK_INT(parse(head, text, cut), 0);
  CHECK_INT(parse_bytewise(head, text, len), len);
  snprintf(longer, sizeof longer, "%s\x81\x05hello\r\n\r\n", text);
  CHECK_INT(parse(head, longer, strlen(longer)), len);
  CHECK_INT(parse(head, text, len), len);
}

static void bad(const char *text, size_t len, const char *error) {
  beam__head head;
  size_t cut;
  int refused = 0;
  for (cut = 0; cut <= len; cut++) {
    int result = parse(&head, text, cut);
    CHECK(result < 0 || (!result && !refused));
    refused = result < 0;
  }
  CHECK(refused);
  CHECK_CONTAINS(head.error, error);
  CHECK(parse_bytewise(&head, text, len) < 0);
}

#define BAD(text, error) bad(text, sizeof text - 1, error)

static int slice_is(beam__slice slice, const char *text) {
  return slice.len == strlen(text) && (!slice.len || memcmp(slice.at, text, slice.len) == 0);
}

static void status_lines(void) {
  beam__head head;
  good(&head, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
  CHECK_INT(head.status, 101);
  CHECK_INT(head.minor, 1);
  good(&head, "HTTP/1.0 200 \r\n\r\n");
  CHECK_INT(head.status, 200);
  CHECK_INT(head.minor, 0);
  good(&head, "HTTP/1.1 204\r\n\r\n");
  CHECK_INT(head.status, 204);
  good(&head, "HTTP/1.1  \t 599   two  words \r\n\r\n");
  CHECK_INT(head.status, 599);
  good(&head, "HTTP/1.1 407 \xc3\x84rger\r\n\r\n");
  good(&head, "\r\n\nHTTP/1.1 200 OK\r\n\r\n");
  CHECK_INT(head.status, 200);
}

static void lines_that_end_in_lf_only(void) {
  beam__head head;
  beam__slice rest;
  beam__field field;
  good(&head, "HTTP/1.1 200 OK\nA:b\nC: d \r\nE:\n\n");
  CHECK_INT(head.field_count, 3);
  rest = head.fields;
  REQUIRE(CHECK(beam__head_next(&rest, &field)));
  CHECK(slice_is(field.name, "A") && slice_is(field.value, "b"));
  REQUIRE(CHECK(beam__head_next(&rest, &field)));
  CHECK(slice_is(field.name, "C") && slice_is(field.value, "d"));
  REQUIRE(CHECK(beam__head_next(&rest, &field)));
  CHECK(slice_is(field.name, "E") && slice_is(field.value, ""));
  CHECK(!beam__head_next(&rest, &field));
  good(&head, "HTTP/1.1 200\n\n");
}

static void values_are_taken_as_they_are(void) {
  beam__head head;
  beam__slice rest;
  beam__field field;
  good(&head, "HTTP/1.1 200 OK\r\nX:\t a:b \x1b[31m\xff\x7f \t\r\n\r\n");
  rest = head.fields;
  REQUIRE(CHECK(beam__head_next(&rest, &field)));
  CHECK(slice_is(field.value, "a:b \x1b[31m\xff\x7f"));
}

static void what_is_no_answer(void) {
  BAD("SSH-2.0-OpenSSH_9.2p1\r\n", "not HTTP/1");
  BAD("\x15\x03\x01", "not HTTP/1");
  BAD("HTTP/2 200\r\n\r\n", "not HTTP/1");
  BAD("http/1.1 200 OK\r\n\r\n", "not HTTP/1");
  BAD("HTTP/1.x 200 OK\r\n\r\n", "not HTTP/1");
  BAD("HTTP/1.1\r\n\r\n", "not HTTP/1");
  BAD("HTTP/1.1200 OK\r\n\r\n", "not HTTP/1");
  BAD("HTTP/1.1 2000 OK\r\n\r\n", "three digits");
  BAD("HTTP/1.1 20 OK\r\n\r\n", "three digits");
  BAD("HTTP/1.1 099 OK\r\n\r\n", "three digits");
  BAD("HTTP/1.1 \r\n\r\n", "three digits");
  BAD("HTTP/1.1 2x0 OK\r\n\r\n", "three digits");
  BAD("\n\n\n\n\n\n\n\n\nHTTP", "empty lines");
}

static void what_no_head_may_have(void) {
#define WITH(line) "HTTP/1.1 101 S\r\nA: b\r\n" line "\r\nC: d\r\n\r\n"
  BAD(WITH(" folded"), "folded");
  BAD(WITH("\tfolded: x"), "folded");
  BAD("HTTP/1.1 101 S\r\n first: x\r\n\r\n", "folded");
  BAD(WITH("X : y"), "space stands before a colon");
  BAD(WITH("X\t: y"), "space stands before a colon");
  BAD(WITH("no colon"), "space stands before a colon");
  BAD(WITH("nocolon"), "no colon");
  BAD(WITH(": y"), "name is not valid");
  BAD(WITH("X(: y"), "name is not valid");
  BAD(WITH("\xc3\xa4: y"), "name is not valid");
  BAD(WITH("X\0: y"), "NUL");
  BAD(WITH("X: a\0b"), "NUL");
  BAD("HTTP/1.1 200 O\0K\r\n\r\n", "NUL");
  BAD(WITH("X: a\rb"), "CR");
  BAD("HTTP/1.1 200 OK\rX: y\r\n\r\n", "CR");
  BAD("HTTP/1.1 200 OK\r\n\rX\n", "CR");
}

/* ---- Pieces of it ---- */

/* Feeds `step` bytes at a time; what is not used of a piece is counted in *left. */
static int feed(beam__answer *answer, const char *text, size_t len, size_t step, size_t *left) {
  size_t at = 0, used = 0;
  int result = 0;
  memset(answer, 0, sizeof *answer);
  while (at < len && !result) {
    size_t piece = len - at < step ? len - at : step;
    result = beam__answer_read(answer, at_page(text + at, piece), piece, &used);
    CHECK(used <= piece);
    if (result == 0)
      CHECK_INT(used, piece);
    at += used;
  }
  *left = len - at;
  return result;
}

static void read_in_any_pieces(const char *text, int status, size_t count, size_t left) {
  size_t step, len = strlen(text), unused;
  for (step = 1; step <= len; step++) {
    beam__answer answer;
    CHECK_INT(feed(&answer, text, len, step, &unused), 1);
    CHECK_INT(unused, left);
    CHECK_INT(answer.status, status);
    CHECK_INT(answer.header_count, count);
    if (count)
      CHECK_STR(beam__header_find(answer.headers, count, "last"), "x");
    beam__answer_free(&answer);
  }
}

static void answers_in_pieces(void) {
  static const char mixed[] = "HTTP/1.1 200 OK\r\nX-One: 1\r\nX-oNe:\r\nIMAGE: I\r\n\r\n";
  beam__answer answer;
  size_t left;
  read_in_any_pieces("HTTP/1.1 200 OK\r\nX-One: 1\r\nLAST: x\r\n\r\n", 200, 2, 0);
  read_in_any_pieces("HTTP/1.1 101\r\nLast:x\r\n\r\n\x81\x02hi", 101, 1, 4);
  read_in_any_pieces("HTTP/1.1 401\n\nHTTP/1.1 200 OK\r\n\r\n", 401, 0, 19);
  CHECK_INT(feed(&answer, mixed, sizeof mixed - 1, sizeof mixed, &left), 1);
  REQUIRE(CHECK(answer.header_count == 3));
  CHECK_STR(answer.headers[0].name, "x-one");
  CHECK_STR(answer.headers[0].value, "1");
  CHECK_STR(answer.headers[1].name, "x-one");
  CHECK_STR(answer.headers[1].value, "");
  CHECK_STR(answer.headers[2].name, "image");
  CHECK_STR(answer.headers[2].value, "I");
  beam__answer_free(&answer);
}

static void interim_answers_are_passed_over(void) {
#define EARLY "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
  read_in_any_pieces("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 S\r\nLast: x\r\n\r\nxyz", 101, 1, 3);
  read_in_any_pieces(EARLY EARLY "HTTP/1.1 199\n\nHTTP/1.1 401 No\r\nLast: x\r\n\r\n{", 401, 1, 1);
}

static int after_interim(int count, beam__answer *answer) {
  char text[8192] = "";
  size_t left;
  int i;
  for (i = 0; i < count; i++)
    strcat(text, "HTTP/1.1 102 Processing\r\n\r\n");
  strcat(text, "HTTP/1.1 200 OK\r\n\r\n");
  return feed(answer, text, strlen(text), 7, &left);
}

static void interim_answers_are_bounded(void) {
  beam__answer answer;
  CHECK_INT(after_interim(BEAM__INTERIM_MAX, &answer), 1);
  CHECK_INT(answer.status, 200);
  beam__answer_free(&answer);
  CHECK_INT(after_interim(BEAM__INTERIM_MAX + 1, &answer), BEAM_EPROTOCOL);
  CHECK_CONTAINS(answer.error, "interim");
  beam__answer_free(&answer);
}

static void what_cannot_be_read_is_shown(void) {
  static const char text[] = "\x1b[31m\xff\x7fSSH-2.0\tx\r\nmore";
  beam__answer answer;
  char shown[64];
  size_t left;
  CHECK_INT(feed(&answer, text, sizeof text - 1, sizeof text, &left), BEAM_EPROTOCOL);
  beam__answer_shown(&answer, shown, sizeof shown);
  CHECK_STR(shown, ".[31m..SSH-2.0.x");
  beam__answer_shown(&answer, shown, 5);
  CHECK_STR(shown, ".[31");
  beam__answer_free(&answer);
}

/* ---- Bounds ---- */

/* A head of exactly `len` bytes, and 100 more. */
static char *head_of(size_t len) {
  static const char start[] = "HTTP/1.1 101 S\r\nX: ";
  char *text = malloc(len + 100);
  memset(text, 'x', len + 100);
  memcpy(text, start, sizeof start - 1);
  memcpy(text + len - 4, "\r\n\r\n", 4);
  return text;
}

static void long_heads(void) {
  static const size_t steps[] = {1, 1000, 16384, 65535, 65536, 65636};
  char *most = head_of(BEAM__ANSWER_HEAD_MAX), *over = head_of(BEAM__ANSWER_HEAD_MAX + 1);
  size_t i, left;
  for (i = 0; i < sizeof steps / sizeof *steps; i++) {
    beam__answer answer;
    CHECK_INT(feed(&answer, most, BEAM__ANSWER_HEAD_MAX + 100, steps[i], &left), 1);
    CHECK_INT(left, 100);
    CHECK_INT(strlen(answer.headers[0].value), BEAM__ANSWER_HEAD_MAX - 19 - 4);
    CHECK(answer.came.at == NULL); /* the buffer is gone once it is read */
    beam__answer_free(&answer);
    CHECK_INT(feed(&answer, over, BEAM__ANSWER_HEAD_MAX + 101, steps[i], &left), BEAM_ETOO_LARGE);
    CHECK_CONTAINS(answer.error, "64 KiB");
    CHECK(answer.came.len <= BEAM__ANSWER_HEAD_MAX);
    beam__answer_free(&answer);
  }
  free(most);
  free(over);
}

static int with_fields(size_t count, beam__answer *answer) {
  char *text = malloc(32 + count * 5), *to = text;
  size_t i, left;
  int result;
  to += sprintf(to, "HTTP/1.1 200\n");
  for (i = 0; i < count; i++)
    to += sprintf(to, "A:b\n");
  to += sprintf(to, "\n");
  result = feed(answer, text, (size_t)(to - text), 1000, &left);
  free(text);
  return result;
}

static void many_fields(void) {
  beam__answer answer;
  CHECK_INT(with_fields(BEAM__ANSWER_FIELDS_MAX, &answer), 1);
  CHECK_INT(answer.header_count, BEAM__ANSWER_FIELDS_MAX);
  beam__answer_free(&answer);
  CHECK_INT(with_fields(BEAM__ANSWER_FIELDS_MAX + 1, &answer), BEAM_ETOO_LARGE);
  CHECK_CONTAINS(answer.error, "2,000");
  beam__answer_free(&answer);
}

int main(void) {
  make_page();
  RUN(status_lines);
  RUN(lines_that_end_in_lf_only);
  RUN(values_are_taken_as_they_are);
  RUN(what_is_no_answer);
  RUN(what_no_head_may_have);
  RUN(answers_in_pieces);
  RUN(interim_answers_are_passed_over);
  RUN(interim_answers_are_bounded);
  RUN(what_cannot_be_read_is_shown);
  RUN(long_heads);
  RUN(many_fields);
  return test_end();
}
