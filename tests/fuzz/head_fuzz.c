/* Whatever the bytes: the parser says the same of them whole and byte by byte, of a request and of an answer, never
 * takes what is not there, and once it has refused keeps to it; an answer is the same however it is cut, and so is a
 * body. What the answer of a proxy and that of a WebSocket's server mean is said in one line, whatever they are. */
#include <stdlib.h>
#include <string.h>

#include "net/http1/answer.h"
#include "net/http1/body.h"
#include "net/tunnel.h"
#include "server/request_head.h"
#include "websocket/handshake.h"

#define HOLDS(condition)                                                                                               \
  do {                                                                                                                 \
    if (!(condition))                                                                                                  \
      abort();                                                                                                         \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_slice(beam__slice slice, const char *bytes, size_t len) {
  HOLDS(slice.at >= bytes && slice.at + slice.len <= bytes + len);
  HOLDS(!memchr(slice.at, '\r', slice.len) && !memchr(slice.at, '\n', slice.len) && !memchr(slice.at, 0, slice.len));
}

static void check_fields(const beam__head *head, const char *bytes, size_t len) {
  beam__slice rest = head->fields;
  beam__field field;
  size_t count = 0;
  for (; beam__head_next(&rest, &field); count++) {
    check_slice(field.name, bytes, len);
    check_slice(field.value, bytes, len);
    HOLDS(beam__is_token(field.name.at, field.name.len));
  }
  HOLDS(count == head->field_count);
}

static void check_request(const beam__request_head *head, const char *bytes, size_t len) {
  HOLDS(head->sent.method.len && head->sent.target.len && head->sent.field_count <= BEAM__REQUEST_FIELDS_MAX);
  HOLDS(!(head->chunked && head->content_length) && !(head->upgrade && head->chunked));
  check_slice(head->sent.method, bytes, len);
  check_slice(head->sent.target, bytes, len);
  check_fields(&head->sent, bytes, len);
}

/* A copy of exactly `len` bytes, so that the sanitizer sees a read behind them. */
static char *copy_of(const char *bytes, size_t len) { return memcpy(malloc(len ? len : 1), bytes, len); }

static int parse_request(const char *bytes, size_t len, size_t seen) {
  beam__request_head head;
  char *copy = copy_of(bytes, len);
  int result = beam__request_head_parse(&head, copy, len, seen);
  HOLDS(result <= (int)len && (result >= 0 || head.sent.error));
  if (result > 0)
    check_request(&head, copy, (size_t)result);
  free(copy);
  return result;
}

static int parse_answer(const char *bytes, size_t len, size_t seen) {
  beam__head head;
  char *copy = copy_of(bytes, len);
  int result = beam__head_parse(&head, BEAM__HEAD_ANSWER, copy, len, seen);
  HOLDS(result <= (int)len && (result >= 0 || head.error));
  if (result > 0) {
    HOLDS(head.status >= 100 && head.status <= 999);
    check_fields(&head, copy, (size_t)result);
  }
  free(copy);
  return result;
}

static void fuzz_head(int (*parse)(const char *bytes, size_t len, size_t seen), const char *bytes, size_t len) {
  int whole = parse(bytes, len, 0), bytewise = 0;
  size_t have;
  for (have = 1; have <= len && have <= 2048 && !bytewise; have++)
    bytewise = parse(bytes, have, have - 1);
  if (bytewise > 0 || (whole > 0 && whole <= 2048))
    HOLDS(bytewise == whole);
  if (bytewise < 0)
    HOLDS(whole < 0);
}

/* ---- An answer in pieces, after its interim ones ---- */

static void check_error(int code, const beam_error *error) {
  HOLDS(code < 0 && code == error->code && *error->message && memchr(error->message, 0, sizeof error->message));
  HOLDS(!strpbrk(error->message, "\r\n"));
}

static void check_meaning(const beam__answer *answer, int result) {
  beam_error error;
  int code;
  if (result < 0) {
    code = beam__tunnel_unreadable(answer, result, "proxy:1", "host:2", &error);
    check_error(code, &error);
    code = beam__handshake_unreadable(answer, result, "host:2", &error);
    check_error(code, &error);
  } else if (result == 1) {
    code = beam__tunnel_answered(answer, "proxy:1", "host:2", &error);
    HOLDS((code == 0) == (answer->status >= 200 && answer->status < 300));
    if (code)
      check_error(code, &error);
    code = beam__handshake_agrees(answer, "dGhlIHNhbXBsZSBub25jZQ==", "a, b", "host:2", &error);
    HOLDS(code || answer->status == 101);
    if (code)
      check_error(code, &error);
    if (answer->status != 101) {
      beam__handshake_refused(answer, "host:2", &error);
      check_error(error.code, &error);
    }
  }
}

typedef struct told {
  int result, status;
  size_t used, headers;
} told;

static told read_answer(const char *bytes, size_t len, size_t step) {
  beam__answer answer = {0};
  told out = {0};
  size_t i, used = 0;
  while (out.used < len && !out.result) {
    size_t have = len - out.used < step ? len - out.used : step;
    char *copy = copy_of(bytes + out.used, have), shown[32];
    out.result = beam__answer_read(&answer, copy, have, &used);
    HOLDS(used <= have && (out.result || used == have));
    HOLDS(out.result >= 0 || answer.error);
    beam__answer_shown(&answer, shown, sizeof shown);
    out.used += used;
    free(copy);
  }
  for (i = 0; i < answer.header_count; i++)
    HOLDS(beam__is_token(answer.headers[i].name, strlen(answer.headers[i].name)));
  check_meaning(&answer, out.result);
  out.status = answer.status;
  out.headers = answer.header_count;
  beam__answer_free(&answer);
  return out;
}

static void fuzz_answer(const char *bytes, size_t len, size_t step) {
  told whole = read_answer(bytes, len, len + 1), cut = read_answer(bytes, len, step);
  if (whole.result == 1 || cut.result == 1)
    HOLDS(whole.result == cut.result && whole.used == cut.used && whole.status == cut.status &&
          whole.headers == cut.headers);
  if (cut.result < 0)
    HOLDS(whole.result < 0);
}

/* ---- Bodies ---- */

typedef struct sum {
  uint64_t hash, len, used;
  enum beam__body_result result;
} sum;

static sum decode(int chunked, uint64_t length, const char *bytes, size_t len, size_t step) {
  sum out = {1469598103934665603u, 0, 0, BEAM__BODY_MORE};
  beam__body body;
  beam__body_init(&body, chunked, length);
  do {
    size_t have = len - out.used < step ? len - out.used : step, used, data_len, i;
    const char *data;
    out.result = beam__body_decode(&body, bytes + out.used, have, &used, &data, &data_len);
    HOLDS(used <= have && data_len <= used);
    for (i = 0; i < data_len; i++)
      out.hash = (out.hash ^ (uint8_t)data[i]) * 1099511628211u;
    out.len += data_len;
    out.used += used;
  } while (out.result == BEAM__BODY_DATA || (out.result == BEAM__BODY_MORE && out.used < len));
  return out;
}

static void fuzz_body(int chunked, uint64_t length, const char *bytes, size_t len, size_t step) {
  sum whole = decode(chunked, length, bytes, len, len + 1), cut = decode(chunked, length, bytes, len, step);
  HOLDS(whole.result == cut.result && whole.len == cut.len && whole.hash == cut.hash);
  HOLDS(whole.used == cut.used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *bytes = (const char *)data;
  if (size < 2)
    return 0;
  fuzz_head(parse_request, bytes + 2, size - 2);
  fuzz_head(parse_answer, bytes + 2, size - 2);
  fuzz_answer(bytes + 2, size - 2, 1 + data[1] / 4);
  fuzz_body(data[0] & 1, data[1], bytes + 2, size - 2, 1 + data[0] / 2);
  return 0;
}
