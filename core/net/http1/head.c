/* Each reader moves the cursor past what it read, or returns 0 for more, or minus a status. What was read is split once
 * more when its fields are asked for, so that nothing but the bytes themselves needs room.
 */
#include "net/http1/head.h"

#include <string.h>

#include "base/ascii.h"

enum { DONE = 1, EMPTY_LINES_MAX = 8 };

static const struct rules {
  size_t head_max, fields_max;
  int tolerant;
  const char *too_long, *too_many;
} rules_of[] = {
    [BEAM__HEAD_REQUEST] = {BEAM__REQUEST_HEAD_MAX, BEAM__REQUEST_FIELDS_MAX, 0,
                            "the request head is longer than 16 KiB", "more than 100 request headers"},
    [BEAM__HEAD_ANSWER] = {BEAM__ANSWER_HEAD_MAX, BEAM__ANSWER_FIELDS_MAX, 1, "its head is longer than 64 KiB",
                           "its head has more than 2,000 headers"},
};

typedef struct cursor {
  const char *at, *end;
  beam__head *head;
  const struct rules *rules;
} cursor;

static int refuse(cursor *c, int status, const char *error) {
  c->head->error = error;
  return -status;
}

static int is_target_character(char c) { return (unsigned char)c > ' ' && c != 0x7f; }

/* RFC 9110 section 5.5: other control characters are no danger where a value is only looked at. */
static int may_stand_in_value(const cursor *c) {
  if (c->rules->tolerant)
    return *c->at && *c->at != '\r' && *c->at != '\n';
  return !beam__ascii_is_control(*c->at) || *c->at == '\t';
}

/* ---- Pieces of a line ---- */

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
  return c->at == c->end ? 0 : refuse(c, 400, error);
}

static int read_text(cursor *c, const char *text, int status, const char *error) {
  for (; *text; text++, c->at++) {
    if (c->at == c->end)
      return 0;
    if (*c->at != *text)
      return refuse(c, status, error);
  }
  return DONE;
}

static int at_end_of_line(const cursor *c) { return *c->at == '\r' || (c->rules->tolerant && *c->at == '\n'); }

static int read_end_of_line(cursor *c) {
  if (!c->rules->tolerant)
    return read_text(c, "\r\n", 400, "a line does not end in CR LF");
  if (c->at < c->end && *c->at != '\r')
    return read_text(c, "\n", 400, "there is a NUL in its head");
  return read_text(c, "\r\n", 400, "a CR in its head is not followed by LF");
}

/* The rest of the line, whatever it says. */
static int read_line(cursor *c, beam__slice *line) {
  const char *start = c->at;
  while (c->at < c->end && may_stand_in_value(c))
    c->at++;
  *line = (beam__slice){start, (size_t)(c->at - start)};
  return read_end_of_line(c);
}

/* ---- The first line ---- */

static int read_minor(cursor *c, const char *error) {
  if (c->at == c->end)
    return 0;
  if (!beam__ascii_is_digit(*c->at))
    return refuse(c, 400, error);
  c->head->minor = (unsigned)(*c->at++ - '0');
  return DONE;
}

static int read_version(cursor *c) {
  static const char wrong[] = "the request line does not end in an HTTP version";
  int result = read_text(c, "HTTP/", 400, wrong);
  if (result == DONE)
    result = read_text(c, "1.", 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  if (result == DONE)
    result = read_minor(c, wrong);
  return result == DONE ? read_end_of_line(c) : result;
}

static int read_request_line(cursor *c) {
  beam__head *head = c->head;
  int result = read_until(c, ' ', beam__is_token_character, &head->method, "the request does not start with a method");
  if (result == DONE)
    result = read_until(c, ' ', is_target_character, &head->target, "the request target is not valid");
  return result == DONE ? read_version(c) : result;
}

static int read_status(cursor *c) {
  static const char wrong[] = "its first line has no status of three digits";
  int digits;
  while (c->at < c->end && beam__is_blank(*c->at))
    c->at++;
  for (digits = 0; digits < 3; digits++, c->at++) {
    if (c->at == c->end)
      return 0;
    if (!beam__ascii_is_digit(*c->at) || (!digits && *c->at == '0'))
      return refuse(c, 400, wrong);
    c->head->status = c->head->status * 10 + (*c->at - '0');
  }
  if (c->at == c->end)
    return 0;
  return beam__is_blank(*c->at) || at_end_of_line(c) ? DONE : refuse(c, 400, wrong);
}

static int read_status_line(cursor *c) {
  static const char wrong[] = "it is not HTTP/1";
  beam__slice reason;
  int result = read_text(c, "HTTP/1.", 400, wrong);
  if (result == DONE)
    result = read_minor(c, wrong);
  if (result == DONE && c->at < c->end && !beam__is_blank(*c->at))
    return refuse(c, 400, wrong);
  if (result == DONE)
    result = read_status(c);
  return result == DONE ? read_line(c, &reason) : result;
}

/* ---- Fields ---- */

/* What stands at the cursor in place of a character of a name, or of the colon behind it. */
static const char *wrong_name(const cursor *c, const char *line) {
  if (!c->rules->tolerant)
    return "a header name is not valid";
  if (!*c->at)
    return "there is a NUL in its head";
  if (beam__is_blank(*c->at))
    return c->at == line ? "a header in it is folded: a line begins with a space" : "a space stands before a colon";
  return *c->at == '\r' || *c->at == '\n' ? "a line in its head has no colon" : "a header name is not valid";
}

static int read_name(cursor *c) {
  const char *line = c->at;
  while (c->at < c->end && beam__is_token_character(*c->at))
    c->at++;
  if (c->at == c->end)
    return 0;
  if (*c->at != ':' || c->at == line)
    return refuse(c, 400, wrong_name(c, line));
  c->at++;
  return DONE;
}

static int read_field(cursor *c) {
  beam__slice value;
  int result = read_name(c);
  if (result == DONE)
    result = read_line(c, &value);
  if (result == DONE && c->head->field_count++ == c->rules->fields_max)
    return refuse(c, 431, c->rules->too_many);
  return result;
}

static int read_fields(cursor *c) {
  const char *start = c->at;
  while (c->at < c->end && !at_end_of_line(c)) {
    int result = read_field(c);
    if (result != DONE)
      return result;
  }
  c->head->fields = (beam__slice){start, (size_t)(c->at - start)};
  return read_end_of_line(c);
}

/* ---- The whole ---- */

/* RFC 9112 section 2.2: a few empty lines before the first are ignored. */
static int skip_empty_lines(cursor *c) {
  unsigned lines = 0;
  while (c->at < c->end && at_end_of_line(c)) {
    int result = read_end_of_line(c);
    if (result != DONE)
      return result;
    if (++lines > EMPTY_LINES_MAX)
      return refuse(c, 400, c->rules->tolerant ? "it begins with empty lines" : "empty lines in place of a request");
  }
  return c->at < c->end ? DONE : 0;
}

static int read_head(cursor *c) {
  int result = skip_empty_lines(c);
  if (result == DONE)
    result = c->rules->tolerant ? read_status_line(c) : read_request_line(c);
  return result == DONE ? read_fields(c) : result;
}

/* A head that comes byte by byte is parsed again at the end of each line only. */
static int has_new_line(const char *bytes, size_t len, size_t seen) {
  return !seen || (seen < len && memchr(bytes + seen, '\n', len - seen));
}

int beam__head_parse(beam__head *head, enum beam__head_kind kind, const char *bytes, size_t len, size_t seen) {
  const struct rules *rules = &rules_of[kind];
  size_t bounded = len < rules->head_max ? len : rules->head_max;
  /* cppcheck-suppress ctuuninitvar ; it is filled here */
  cursor c = {bytes, bytes + bounded, head, rules};
  int result = 0;
  memset(head, 0, sizeof *head);
  if (has_new_line(bytes, bounded, seen))
    result = read_head(&c);
  if (result == DONE)
    return (int)(c.at - bytes);
  if (result == 0 && len >= rules->head_max)
    return refuse(&c, 431, rules->too_long);
  return result;
}

int beam__head_next(beam__slice *rest, beam__field *field) {
  const char *end = rest->at + rest->len, *line = rest->at, *colon, *line_end;
  if (!rest->len)
    return 0;
  colon = memchr(line, ':', rest->len);
  line_end = memchr(colon, '\n', (size_t)(end - colon));
  rest->at = line_end + 1;
  rest->len = (size_t)(end - rest->at);
  if (line_end[-1] == '\r')
    line_end--;
  field->name = (beam__slice){line, (size_t)(colon - line)};
  field->value = beam__slice_trim((beam__slice){colon + 1, (size_t)(line_end - colon - 1)});
  return 1;
}

void beam__head_copy(const beam__head *head, beam_header *headers, char **to) {
  beam__slice rest = head->fields;
  beam__field field;
  for (; beam__head_next(&rest, &field); headers++) {
    headers->name = beam__slice_lower(field.name, to);
    headers->value = beam__slice_copy(field.value, to);
  }
}
