/* The request parser and the body decoder, each input fed whole, cut at every place, and byte by byte, and always so
 * that it ends at an unreadable page: reading one byte too far ends the test. */
#include "net/http1/body.h"
#include "page.h"
#include "server/request_head.h"
#include "test.h"

/* ---- Heads ---- */

static int parse(beam__request_head *head, const char *text, size_t len) {
  return beam__request_head_parse(head, at_page(text, len), len, 0);
}

/* As a server does it: more and more bytes, and how many were seen. */
static int parse_bytewise(beam__request_head *head, const char *text, size_t len) {
  size_t have, seen = 0;
  for (have = 1; have <= len; have++) {
    int result = beam__request_head_parse(head, at_page(text, have), have, seen);
    if (result)
      return result;
    seen = have;
  }
  return 0;
}

/* Every beginning of a good head wants more; the whole is taken, and not what follows it. */
static void good_head(beam__request_head *head, const char *text) {
  size_t len = strlen(text), cut;
  char longer[8192];
  for (cut = 0; cut < len; cut++)
    CHECK_INT(parse(head, text, cut), 0);
  CHECK_INT(parse_bytewise(head, text, len), len);
  snprintf(longer, sizeof longer, "%sGET / HTTP/1.1\r\n", text);
  CHECK_INT(parse(head, longer, strlen(longer)), len);
  CHECK_INT(parse(head, text, len), len);
}

/* Refused with this status and text, at some cut and at each later one. */
static void bad_head(const char *text, int status, const char *error) {
  beam__request_head head;
  size_t len = strlen(text), cut;
  int refused = 0;
  for (cut = 0; cut <= len; cut++) {
    int result = parse(&head, text, cut);
    if (refused || result)
      CHECK_INT(result, -status);
    refused |= result < 0;
  }
  CHECK(refused);
  CHECK_CONTAINS(head.sent.error, error);
  CHECK_INT(parse_bytewise(&head, text, len), parse(&head, text, len));
}

static int slice_is(beam__slice slice, const char *text) {
  return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

static void heads_are_split(void) {
  beam__request_head head;
  beam__slice rest;
  beam__field fields[5];
  good_head(&head, "POST /a/b?c=%20d HTTP/1.1\r\nHost: x:1\r\nX-Empty:\r\nX-Blank: \t \r\nX-Two:  a b \r\n\r\n");
  CHECK(slice_is(head.sent.method, "POST"));
  CHECK(slice_is(head.sent.target, "/a/b?c=%20d"));
  CHECK_INT(head.sent.minor, 1);
  CHECK_INT(head.sent.field_count, 4);
  rest = head.sent.fields;
  REQUIRE(CHECK(beam__head_next(&rest, &fields[0]) && beam__head_next(&rest, &fields[1]) &&
                beam__head_next(&rest, &fields[2]) && beam__head_next(&rest, &fields[3])));
  CHECK(!beam__head_next(&rest, &fields[4]));
  CHECK(slice_is(fields[0].name, "Host") && slice_is(fields[0].value, "x:1"));
  CHECK(slice_is(fields[1].name, "X-Empty") && fields[1].value.len == 0);
  CHECK_INT(fields[2].value.len, 0);
  CHECK(slice_is(fields[3].value, "a b"));
  good_head(&head, "\r\n\r\nGET http://a/ HTTP/1.0\r\n\r\n");
  CHECK_INT(head.sent.minor, 0);
  CHECK_INT(head.sent.field_count, 0);
  good_head(&head, "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\nX: \xff\t\xc3\r\n\r\n");
}

static void lines_are_strict(void) {
  bad_head("G{T / HTTP/1.1\r\n\r\n", 400, "method");
  bad_head(" GET / HTTP/1.1\r\n\r\n", 400, "method");
  bad_head("\x16\x03\x01\x02", 400, "method");
  bad_head("\nGET / HTTP/1.1\r\n\r\n", 400, "method");
  bad_head("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET", 400, "empty lines");
  bad_head("GET  / HTTP/1.1\r\n\r\n", 400, "target");
  bad_head("GET /\x01 HTTP/1.1\r\n\r\n", 400, "target");
  bad_head("GET /\r\n\r\n", 400, "target");
  bad_head("GET / http/1.1\r\n\r\n", 400, "version");
  bad_head("GET / HTTP/1.x\r\n\r\n", 400, "version");
  bad_head("GET / HTTP/1.1 \r\n\r\n", 400, "CR LF");
  bad_head("GET / HTTP/1.1\nHost: a\n\n", 400, "CR LF");
  bad_head("GET / HTTP/1.11\r\n\r\n", 400, "CR LF");
  bad_head("GET / HTTP/2.0\r\n\r\n", 505, "HTTP/1.1");
  bad_head("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1");
  bad_head("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "header name");
  bad_head("GET / HTTP/1.1\r\n: a\r\n\r\n", 400, "header name");
  bad_head("GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "header name");
  bad_head("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400, "header name");
  bad_head("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400, "CR LF");
  bad_head("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400, "CR LF");
  bad_head("GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", 400, "CR LF");
}

static void a_nul_is_refused(void) {
  static const char text[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
  beam__request_head head;
  CHECK_INT(parse(&head, text, sizeof text - 1), -400);
}

static void lengths_are_strict(void) {
  beam__request_head head;
#define WITH(field) "POST / HTTP/1.1\r\nHost: a\r\n" field "\r\n\r\n"
  good_head(&head, WITH("Content-Length: 0"));
  good_head(&head, WITH("content-length:  18446744073709551615 "));
  CHECK(head.content_length == UINT64_MAX);
  good_head(&head, WITH("Transfer-Encoding: Chunked"));
  CHECK(head.chunked);
  bad_head(WITH("Content-Length: 18446744073709551616"), 400, "Content-Length");
  bad_head(WITH("Content-Length: 99999999999999999999999"), 400, "Content-Length");
  bad_head(WITH("Content-Length: +1"), 400, "Content-Length");
  bad_head(WITH("Content-Length: -1"), 400, "Content-Length");
  bad_head(WITH("Content-Length: 0x1"), 400, "Content-Length");
  bad_head(WITH("Content-Length: 1 2"), 400, "Content-Length");
  bad_head(WITH("Content-Length: 5, 5"), 400, "Content-Length");
  bad_head(WITH("Content-Length:"), 400, "Content-Length is empty");
  bad_head(WITH("Content-Length: 5\r\nContent-Length: 6"), 400, "more than one");
  bad_head(WITH("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400, "both");
  bad_head(WITH("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400, "both");
  bad_head(WITH("Transfer-Encoding: gzip, chunked"), 501, "chunked");
  bad_head(WITH("Transfer-Encoding: xchunked"), 501, "chunked");
  bad_head(WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 501, "chunked");
  bad_head("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "1.0");
}

static void connections_are_understood(void) {
  beam__request_head head;
  good_head(&head, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(head.keep_alive && !head.expect_continue && !head.upgrade);
  good_head(&head, "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close ,bar\r\n\r\n");
  CHECK(!head.keep_alive);
  good_head(&head, "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n");
  CHECK(head.keep_alive);
  good_head(&head, "GET / HTTP/1.0\r\n\r\n");
  CHECK(!head.keep_alive);
  good_head(&head, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  CHECK(head.keep_alive);
  good_head(&head, WITH("Expect: 100-Continue"));
  CHECK(head.expect_continue);
  bad_head(WITH("Expect: 200-ok"), 417, "100-continue");
  bad_head("GET / HTTP/1.1\r\n\r\n", 400, "no Host");
  bad_head("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host");
}

#define UPGRADE(connection, upgrade, version, key) "GET / HTTP/1.1\r\nHost: a\r\n" connection upgrade version key "\r\n"
#define C "Connection: keep-alive, Upgrade\r\n"
#define U "Upgrade: WebSocket\r\n"
#define V "Sec-WebSocket-Version: 13\r\n"
#define K "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void upgrades_are_understood(void) {
  beam__request_head head;
  good_head(&head, UPGRADE(C, U, V, K));
  CHECK(head.upgrade && slice_is(head.key, "dGhlIHNhbXBsZSBub25jZQ=="));
  good_head(&head, UPGRADE("Connection: close\r\nconnection: ,UPGRADE\r\n", "Upgrade: h2c\r\n" U, V, K));
  CHECK(head.upgrade && !head.keep_alive);
  good_head(&head, UPGRADE("", U, V, K));
  CHECK(!head.upgrade);
  good_head(&head, UPGRADE(C, "Upgrade: h2c\r\n", V, K));
  CHECK(!head.upgrade);
  good_head(&head, UPGRADE(C, U, "", K));
  CHECK(!head.upgrade);
  good_head(&head, UPGRADE(C, U, V, ""));
  CHECK(!head.upgrade);
  good_head(&head, UPGRADE(C, U, V, K K));
  CHECK(!head.upgrade);
  good_head(&head, UPGRADE(C, U, V, K "Content-Length: 1\r\n"));
  CHECK(!head.upgrade);
  good_head(&head, "POST / HTTP/1.1\r\nHost: a\r\n" C U V K "\r\n");
  CHECK(!head.upgrade);
  good_head(&head, "GET / HTTP/1.0\r\n" C U V K "\r\n");
  CHECK(!head.upgrade);
  bad_head(UPGRADE(C, U, "Sec-WebSocket-Version: 8\r\n", K), 426, "13");
}

/* A head of exactly `len` bytes. */
static char *head_of(size_t len) {
  static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  char *text = malloc(len + 1);
  memset(text, 'x', len);
  memcpy(text, start, sizeof start - 1);
  memcpy(text + len - 4, "\r\n\r\n", 5);
  return text;
}

static void heads_are_bounded(void) {
  beam__request_head head;
  char *most = head_of(BEAM__REQUEST_HEAD_MAX), *over = head_of(BEAM__REQUEST_HEAD_MAX + 1);
  char many[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";
  int i;
  CHECK_INT(parse(&head, most, BEAM__REQUEST_HEAD_MAX), BEAM__REQUEST_HEAD_MAX);
  CHECK_INT(parse(&head, most, BEAM__REQUEST_HEAD_MAX - 1), 0);
  CHECK_INT(parse(&head, over, BEAM__REQUEST_HEAD_MAX + 1), -431);
  CHECK_INT(parse(&head, over, BEAM__REQUEST_HEAD_MAX), -431);
  CHECK_INT(parse_bytewise(&head, over, BEAM__REQUEST_HEAD_MAX + 1), -431);
  for (i = 0; i < BEAM__REQUEST_FIELDS_MAX; i++)
    strcat(many, "A: b\r\n");
  CHECK_INT(parse(&head, many, strlen(many)), -431);
  CHECK_CONTAINS(head.sent.error, "100");
  free(most);
  free(over);
}

/* ---- Bodies ---- */

typedef struct decoded {
  char bytes[512];
  size_t len, used;
  enum beam__body_result result;
  const char *error;
} decoded;

/* Feeds `step` bytes at a time. */
static decoded decode(int chunked, uint64_t length, const char *text, size_t len, size_t step) {
  decoded out = {.result = BEAM__BODY_MORE};
  beam__body body;
  beam__body_init(&body, chunked, length);
  do {
    size_t have = len - out.used < step ? len - out.used : step, used, data_len;
    const char *data;
    out.result = beam__body_decode(&body, at_page(text + out.used, have), have, &used, &data, &data_len);
    if (data_len)
      memcpy(out.bytes + out.len, data, data_len);
    out.len += data_len;
    out.used += used;
  } while (out.result == BEAM__BODY_DATA || (out.result == BEAM__BODY_MORE && out.used < len));
  out.error = body.error;
  return out;
}

static void good_body(int chunked, uint64_t length, const char *text, const char *want, size_t used) {
  size_t step, len = strlen(text);
  for (step = 1; step <= len + 1; step++) {
    decoded out = decode(chunked, length, text, len, step);
    CHECK_INT(out.result, BEAM__BODY_END);
    CHECK_INT(out.used, used);
    out.bytes[out.len] = '\0';
    CHECK_STR(out.bytes, want);
  }
}

static void bad_body(const char *text, const char *error) {
  size_t step, len = strlen(text);
  for (step = 1; step <= len; step++) {
    decoded out = decode(1, 0, text, len, step);
    CHECK_INT(out.result, BEAM__BODY_BAD);
    CHECK_CONTAINS(out.error, error);
  }
}

static void bodies_by_length(void) {
  good_body(0, 0, "", "", 0);
  good_body(0, 0, "GET", "", 0);
  good_body(0, 5, "helloGET", "hello", 5);
  CHECK_INT(decode(0, 6, "hello", 5, 5).result, BEAM__BODY_MORE);
}

static void bodies_in_chunks(void) {
  good_body(1, 0, "0\r\n\r\nGET", "", 5);
  good_body(1, 0, "5\r\nhello\r\n0\r\n\r\nGET", "hello", 15);
  good_body(1, 0, "3\r\nhel\r\n02;a=b;c=\"d\"\r\nlo\r\n000 ;x\r\nA: b\r\nC:d\r\n\r\nG", "hello", 47);
  good_body(1, 0, "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 35);
  good_body(1, 0, "5 \t\r\nhello\r\n0 ; x\r\n\r\nG", "hello", 21);
  bad_body("5 5\r\nhello\r\n", "size");
  bad_body("5\t;\x01\r\n", "size");
  bad_body("\r\n", "size");
  bad_body("g\r\n", "size");
  bad_body("-1\r\n", "size");
  bad_body("0x5\r\n", "size");
  bad_body("5 \nhello", "size");
  bad_body("5\nhello", "size");
  bad_body("5\r\nhelloX\r\n", "CR LF");
  bad_body("5\r\nhello\n0", "CR LF");
  bad_body("5\r\rhello", "CR LF");
  bad_body("1000000000000000\r\n", "size");
  bad_body("0\r\nA: b\n\r\n", "trailer");
  bad_body("0\r\n\rX", "CR LF");
}

static void chunk_extras_are_bounded(void) {
  enum { LONG = 40000 };
  char *text = malloc(LONG);
  memset(text, 'x', LONG);
  memcpy(text, "1;", 2);
  CHECK_INT(decode(1, 0, text, LONG, LONG).result, BEAM__BODY_BAD);
  memcpy(text, "0\r\n", 3);
  CHECK_INT(decode(1, 0, text, LONG, 1000).result, BEAM__BODY_BAD);
  free(text);
}

int main(void) {
  make_page();
  RUN(heads_are_split);
  RUN(lines_are_strict);
  RUN(a_nul_is_refused);
  RUN(lengths_are_strict);
  RUN(connections_are_understood);
  RUN(upgrades_are_understood);
  RUN(heads_are_bounded);
  RUN(bodies_by_length);
  RUN(bodies_in_chunks);
  RUN(chunk_extras_are_bounded);
  return test_end();
}
