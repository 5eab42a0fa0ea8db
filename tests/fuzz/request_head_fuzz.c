/* Whatever the bytes: the parser says the same of them whole and byte by byte, never takes what is not there, and once
 * it has refused keeps to it; the body decoder gives the same body however it is cut. */
#include <stdlib.h>
#include <string.h>

#include "server/body.h"
#include "server/head.h"

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

static void check_head(const beam__request_head *head, int taken, const char *bytes) {
  size_t i;
  HOLDS(head->method.len && head->target.len && head->field_count <= BEAM__FIELDS_MAX);
  HOLDS(!(head->chunked && head->content_length) && !(head->upgrade && head->chunked));
  check_slice(head->method, bytes, (size_t)taken);
  check_slice(head->target, bytes, (size_t)taken);
  for (i = 0; i < head->field_count; i++) {
    check_slice(head->fields[i].name, bytes, (size_t)taken);
    check_slice(head->fields[i].value, bytes, (size_t)taken);
  }
}

/* A copy of exactly `len` bytes, so that the sanitizer sees a read behind them. */
static int parse(beam__request_head *head, const char *bytes, size_t len, size_t seen, char **copy) {
  int result;
  *copy = malloc(len ? len : 1);
  memcpy(*copy, bytes, len);
  result = beam__request_head_parse(head, *copy, len, seen);
  HOLDS(result <= (int)len && (result >= 0 || head->error));
  return result;
}

static int parse_bytewise(const char *bytes, size_t len) {
  beam__request_head head;
  size_t have;
  int result = 0;
  for (have = 1; have <= len && !result; have++) {
    char *copy;
    result = parse(&head, bytes, have, have - 1, &copy);
    free(copy);
  }
  return result;
}

static void fuzz_head(const char *bytes, size_t len) {
  beam__request_head head;
  char *copy;
  int whole = parse(&head, bytes, len, 0, &copy), bytewise;
  if (whole > 0)
    check_head(&head, whole, copy);
  free(copy);
  bytewise = parse_bytewise(bytes, len < 2048 ? len : 2048);
  if (bytewise > 0 || (whole > 0 && whole <= 2048))
    HOLDS(bytewise == whole);
  if (bytewise < 0)
    HOLDS(whole < 0);
}

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
  fuzz_head(bytes + 2, size - 2);
  fuzz_body(data[0] & 1, data[1], bytes + 2, size - 2, 1 + data[0] / 2);
  return 0;
}
