/* RFC 9112 section 6, RFC 9110 sections 7.8 and 10.1.1, RFC 6455 section 4.2.1. */
#include "server/request_head.h"

#include <string.h>

#include "base/ascii.h"

enum { DONE = 1 };

static int refuse(beam__request_head *head, int status, const char *error) {
  head->sent.error = error;
  return -status;
}

/* What is said by fields that may stand anywhere in the head, until all of them are read. */
typedef struct meaning {
  unsigned hosts, lengths, codings, keys;
  int close, keep_alive, upgrade, websocket, version_sent, version_13;
} meaning;

static int read_content_length(beam__request_head *head, meaning *m, beam__slice value) {
  uint64_t length = 0;
  size_t i;
  if (m->lengths++)
    return refuse(head, 400, "more than one Content-Length");
  for (i = 0; i < value.len; i++) {
    uint64_t digit = (uint64_t)(value.at[i] - '0');
    if (!beam__ascii_is_digit(value.at[i]) || length > (UINT64_MAX - digit) / 10)
      return refuse(head, 400, "Content-Length is not a number that can be counted to");
    length = length * 10 + digit;
  }
  head->content_length = length;
  return i ? DONE : refuse(head, 400, "Content-Length is empty");
}

static int read_transfer_encoding(beam__request_head *head, meaning *m, beam__slice value) {
  if (m->codings++ || !beam__slice_is(value, "chunked"))
    return refuse(head, 501, "the only Transfer-Encoding understood is chunked");
  head->chunked = 1;
  return DONE;
}

static int read_connection(beam__request_head *head, meaning *m, beam__slice value) {
  (void)head;
  m->close |= beam__slice_lists(value, "close");
  m->keep_alive |= beam__slice_lists(value, "keep-alive");
  m->upgrade |= beam__slice_lists(value, "upgrade");
  return DONE;
}

static int read_expect(beam__request_head *head, meaning *m, beam__slice value) {
  (void)m;
  if (!beam__slice_is(value, "100-continue"))
    return refuse(head, 417, "the only Expect understood is 100-continue");
  head->expect_continue = head->sent.minor > 0;
  return DONE;
}

static int read_host(beam__request_head *head, meaning *m, beam__slice value) {
  (void)value;
  return m->hosts++ ? refuse(head, 400, "more than one Host header") : DONE;
}

static int read_upgrade(beam__request_head *head, meaning *m, beam__slice value) {
  (void)head;
  m->websocket |= beam__slice_lists(value, "websocket");
  return DONE;
}

static int read_version_header(beam__request_head *head, meaning *m, beam__slice value) {
  (void)head;
  m->version_sent = 1;
  m->version_13 |= beam__slice_is(value, "13");
  return DONE;
}

static int read_key(beam__request_head *head, meaning *m, beam__slice value) {
  m->keys++;
  head->key = value;
  return DONE;
}

static const struct {
  const char *name;
  int (*read)(beam__request_head *head, meaning *m, beam__slice value);
} readers[] = {
    {"content-length", read_content_length},
    {"transfer-encoding", read_transfer_encoding},
    {"connection", read_connection},
    {"expect", read_expect},
    {"host", read_host},
    {"upgrade", read_upgrade},
    {"sec-websocket-key", read_key},
    {"sec-websocket-version", read_version_header},
};

static int understand_field(beam__request_head *head, meaning *m, const beam__field *field) {
  size_t i;
  for (i = 0; i < sizeof readers / sizeof *readers; i++)
    if (beam__slice_is(field->name, readers[i].name))
      return readers[i].read(head, m, field->value);
  return DONE;
}

/* RFC 6455 section 4.2.1. What is not quite an upgrade is a plain request; only a wrong version has an answer of its
 * own (section 4.4). */
static int understand_upgrade(beam__request_head *head, const meaning *m) {
  if (!m->upgrade || !m->websocket || !head->sent.minor || !beam__slice_is(head->sent.method, "GET"))
    return DONE;
  if (m->version_sent && !m->version_13)
    return refuse(head, 426, "the only Sec-WebSocket-Version spoken here is 13");
  head->upgrade = m->version_13 && m->keys == 1 && !head->chunked && !head->content_length;
  return DONE;
}

/* The fields first, then what they mean together. */
static int understand_fields(beam__request_head *head, meaning *m) {
  beam__slice rest = head->sent.fields;
  beam__field field;
  int result = DONE;
  while (result == DONE && beam__head_next(&rest, &field))
    result = understand_field(head, m, &field);
  return result;
}

static int understand(beam__request_head *head) {
  meaning m = {0};
  int result = understand_fields(head, &m);
  if (result != DONE)
    return result;
  if (m.lengths && m.codings)
    return refuse(head, 400, "both Content-Length and Transfer-Encoding");
  if (head->chunked && !head->sent.minor)
    return refuse(head, 400, "Transfer-Encoding in an HTTP/1.0 request");
  if (!m.hosts && head->sent.minor)
    return refuse(head, 400, "no Host header");
  head->keep_alive = !m.close && (head->sent.minor || m.keep_alive);
  return understand_upgrade(head, &m);
}

int beam__request_head_parse(beam__request_head *head, const char *bytes, size_t len, size_t seen) {
  int taken, result;
  memset(head, 0, sizeof *head);
  taken = beam__head_parse(&head->sent, BEAM__HEAD_REQUEST, bytes, len, seen);
  result = taken > 0 ? understand(head) : taken;
  return result == DONE ? taken : result;
}
