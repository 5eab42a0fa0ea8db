/* The request head: first its lines (RFC 9112 sections 2 to 5), then what its fields mean (RFC 9112 section 6, RFC 9110
 * sections 7.8 and 10.1.1, RFC 6455 section 4.2.1). */
#include "server/head.h"

#include <string.h>
#include <strings.h>

/* ---- Characters ---- */

/* RFC 9110 section 5.6.2: letters, digits and !#$%&'*+-.^_`|~ */
static const char token_characters[128] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1,  ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
    ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1,  ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,
    ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1,  ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1,
    ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1,  ['^'] = 1, ['_'] = 1, ['`'] = 1, ['a'] = 1,
    ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1,  ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1,
    ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1,  ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1,
    ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['|'] = 1,  ['~'] = 1,
};

static int is_token_character(char c) { return (unsigned char)c < 128 && token_characters[(unsigned char)c]; }
static int is_target_character(char c) { return (unsigned char)c > ' ' && c != 0x7f; }
static int is_value_character(char c) { return ((unsigned char)c >= ' ' && c != 0x7f) || c == '\t'; }
static int is_blank(char c) { return c == ' ' || c == '\t'; }

int beam__is_token(const char *text, size_t len) {
  size_t i;
  for (i = 0; i < len; i++)
    if (!is_token_character(text[i]))
      return 0;
  return len > 0;
}

int beam__slice_is(beam__slice slice, const char *text) {
  return slice.len == strlen(text) && strncasecmp(slice.at, text, slice.len) == 0;
}

static beam__slice trim(beam__slice slice) {
  while (slice.len && is_blank(slice.at[slice.len - 1]))
    slice.len--;
  while (slice.len && is_blank(*slice.at))
    slice.at++, slice.len--;
  return slice;
}

int beam__slice_lists(beam__slice slice, const char *token) {
  while (slice.len) {
    const char *comma = memchr(slice.at, ',', slice.len);
    size_t len = comma ? (size_t)(comma - slice.at) : slice.len;
    if (beam__slice_is(trim((beam__slice){slice.at, len}), token))
      return 1;
    len += comma != NULL;
    slice.at += len;
    slice.len -= len;
  }
  return 0;
}

/* ---- Lines. Each reader moves the cursor past what it read, or returns 0 for more, or minus a status ---- */

typedef struct cursor {
  const char *at, *end;
  beam__request_head *head;
} cursor;

enum { DONE = 1, EMPTY_LINES_MAX = 8 };

static int refuse(beam__request_head *head, int status, const char *error) {
  head->error = error;
  return -status;
}

/* Reads characters of one kind, at least one, up to `stop`, and the stop. */
static int read_until(cursor *c, char stop, int (*allowed)(char), beam__slice *slice, const char *error) {
  const char *start = c->at;
  for (; c->at < c->end; c->at++) {
    if (*c->at == stop && c->at > start) {
      *slice = (beam__slice){start, (size_t)(c->at++ - start)};
      return DONE;
    }
    if (!allowed(*c->at))
      break;
  }
  return c->at == c->end ? 0 : refuse(c->head, 400, error);
}

static int read_text(cursor *c, const char *text, int status, const char *error) {
  for (; *text; text++, c->at++) {
    if (c->at == c->end)
      return 0;
    if (*c->at != *text)
      return refuse(c->head, status, error);
  }
  return DONE;
}

static int read_end_of_line(cursor *c) { return read_text(c, "\r\n", 400, "a line does not end in CR LF"); }

static int read_version(cursor *c) {
  int result = read_text(c, "HTTP/", 400, "the request line does not end in an HTTP version");
  if (result == DONE)
    result = read_text(c, "1.", 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  if (result != DONE || c->at == c->end)
    return result == DONE ? 0 : result;
  if (*c->at < '0' || *c->at > '9')
    return refuse(c->head, 400, "the request line does not end in an HTTP version");
  c->head->minor = (unsigned)(*c->at++ - '0');
  return read_end_of_line(c);
}

static int read_request_line(cursor *c) {
  beam__request_head *head = c->head;
  int result = read_until(c, ' ', is_token_character, &head->method, "the request does not start with a method");
  if (result == DONE)
    result = read_until(c, ' ', is_target_character, &head->target, "the request target is not valid");
  return result == DONE ? read_version(c) : result;
}

static int read_value(cursor *c, beam__slice *value) {
  const char *start = c->at;
  while (c->at < c->end && is_value_character(*c->at))
    c->at++;
  *value = trim((beam__slice){start, (size_t)(c->at - start)});
  return read_end_of_line(c);
}

static int read_field(cursor *c) {
  beam__request_head *head = c->head;
  beam__field field;
  int result = read_until(c, ':', is_token_character, &field.name, "a header name is not valid");
  if (result == DONE)
    result = read_value(c, &field.value);
  if (result != DONE)
    return result;
  if (head->field_count == BEAM__FIELDS_MAX)
    return refuse(head, 431, "more than 100 request headers");
  head->fields[head->field_count++] = field;
  return DONE;
}

static int read_fields(cursor *c) {
  while (c->at < c->end && *c->at != '\r') {
    int result = read_field(c);
    if (result != DONE)
      return result;
  }
  return read_end_of_line(c);
}

/* RFC 9112 section 2.2: a few empty lines before the request line are ignored. */
static int skip_empty_lines(cursor *c) {
  unsigned lines = 0;
  while (c->at < c->end && *c->at == '\r') {
    int result = read_end_of_line(c);
    if (result != DONE)
      return result;
    if (++lines > EMPTY_LINES_MAX)
      return refuse(c->head, 400, "empty lines in place of a request");
  }
  return c->at < c->end ? DONE : 0;
}

/* ---- Meaning ---- */

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
    if (value.at[i] < '0' || value.at[i] > '9' || length > (UINT64_MAX - digit) / 10)
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
  head->expect_continue = head->minor > 0;
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
  if (!m->upgrade || !m->websocket || !head->minor || !beam__slice_is(head->method, "GET"))
    return DONE;
  if (m->version_sent && !m->version_13)
    return refuse(head, 426, "the only Sec-WebSocket-Version spoken here is 13");
  head->upgrade = m->version_13 && m->keys == 1 && !head->chunked && !head->content_length;
  return DONE;
}

static int understand(beam__request_head *head) {
  meaning m = {0};
  size_t i;
  for (i = 0; i < head->field_count; i++) {
    int result = understand_field(head, &m, &head->fields[i]);
    if (result != DONE)
      return result;
  }
  if (m.lengths && m.codings)
    return refuse(head, 400, "both Content-Length and Transfer-Encoding");
  if (head->chunked && !head->minor)
    return refuse(head, 400, "Transfer-Encoding in an HTTP/1.0 request");
  if (!m.hosts && head->minor)
    return refuse(head, 400, "no Host header");
  head->keep_alive = !m.close && (head->minor || m.keep_alive);
  return understand_upgrade(head, &m);
}

/* ---- The whole ---- */

static int read_head(cursor *c) {
  int result = skip_empty_lines(c);
  if (result == DONE)
    result = read_request_line(c);
  if (result == DONE)
    result = read_fields(c);
  return result == DONE ? understand(c->head) : result;
}

/* A head that comes byte by byte is parsed again at the end of each line only. */
static int has_new_line(const char *bytes, size_t len, size_t seen) {
  return !seen || (seen < len && memchr(bytes + seen, '\n', len - seen));
}

int beam__request_head_parse(beam__request_head *head, const char *bytes, size_t len, size_t seen) {
  size_t bounded = len < BEAM__HEAD_MAX ? len : BEAM__HEAD_MAX;
  cursor c;
  int result = 0;
  memset(head, 0, offsetof(beam__request_head, fields));
  memset(&head->field_count, 0, sizeof *head - offsetof(beam__request_head, field_count));
  c = (cursor){bytes, bytes + bounded, head};
  if (has_new_line(bytes, bounded, seen))
    result = read_head(&c);
  if (result == DONE)
    return (int)(c.at - bytes);
  if (result == 0 && len >= BEAM__HEAD_MAX)
    return refuse(head, 431, "the request head is longer than 16 KiB");
  return result;
}
