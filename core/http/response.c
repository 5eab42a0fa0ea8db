#include "http/response.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "net/http1/header.h"

enum { LENGTH_DIGITS_MAX = 18 };

const char beam__response_unreadable[] =
    "a header of the response cannot be read: its Content-Length conflicts or is no number, or a line is no header";

/* ---- The head ---- */

/* Without its line end and the white space around it. */
static beam__slice content_of(const char *line, size_t len) {
  while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
    len--;
  return beam__slice_trim((beam__slice){line, len});
}

/* A line that begins with a space goes on with the value before it (RFC 9112 section 5.2). */
static int add_folded(beam__response *response, const char *line, size_t len) {
  beam__slice more = content_of(line, len);
  if (!response->text_count)
    return 0;
  response->text.at[response->text.len - 1] = ' ';
  return beam__bytes_add_text(&response->text, more.at, more.len);
}

static int add_field(beam__response *response, const char *line, size_t len) {
  const char *colon = memchr(line, ':', len);
  size_t start = response->text.len;
  beam__slice value;
  char *at;
  if (!colon || colon == line)
    return BEAM_EHTTP; /* newer versions of curl (8.22) refuse such a line, older ones hand it on */
  value = content_of(colon + 1, len - (size_t)(colon + 1 - line));
  if (beam__bytes_add_text(&response->text, line, (size_t)(colon - line)) ||
      beam__bytes_add_text(&response->text, value.at, value.len))
    return BEAM_ENO_MEMORY;
  for (at = response->text.at + start; *at; at++)
    *at = beam__ascii_lower(*at);
  response->text_count++;
  return 0;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200" */
static int status_of(const char *line, size_t len) {
  const char *at = memchr(line, ' ', len), *end = line + len;
  int status = 0;
  for (; at && at < end && *at == ' '; at++)
    ;
  for (; at && at < end && status < 1000 && beam__ascii_is_digit(*at); at++)
    status = status * 10 + (*at - '0');
  return status;
}

static void begin_head(beam__response *response, int status) {
  response->current = status;
  response->text.len = response->text_count = 0;
}

/* Of one that is beyond 63 bits curl (7.88) takes no notice. */
static int is_number(const char *text) {
  size_t zeros = strspn(text, "0"), digits = strspn(text + zeros, "0123456789");
  return zeros + digits > 0 && digits <= LENGTH_DIGITS_MAX && !text[zeros + digits];
}

/* curl (7.88) takes the last of several lengths: a way to smuggle one response inside another (RFC 9112 section 6.3).
 */
static int lengths_agree(const beam__response *response) {
  const char *first = NULL;
  size_t i;
  for (i = 0; i < response->header_count; i++) {
    if (strcmp(response->headers[i].name, "content-length") != 0)
      continue;
    if (!is_number(response->headers[i].value) || (first && strcmp(first, response->headers[i].value) != 0))
      return 0;
    first = response->headers[i].value;
  }
  return 1;
}

static int reserve_headers(beam__response *response) {
  size_t wanted = response->text_count < 16 ? 16 : response->text_count;
  if (wanted <= response->header_size)
    return 0;
  free(response->headers);
  response->header_size = 0;
  response->headers = calloc(wanted, sizeof *response->headers);
  if (!response->headers)
    return BEAM_ENO_MEMORY;
  response->header_size = wanted;
  return 0;
}

static int end_head(beam__response *response, const char **why) {
  char *at = response->text.at;
  size_t i;
  if (response->current < 200)
    return 0;
  if (reserve_headers(response))
    return *why = "out of memory", BEAM_ENO_MEMORY;
  for (i = 0; i < response->text_count; i++) {
    response->headers[i].name = at;
    at += strlen(at) + 1;
    response->headers[i].value = at;
    at += strlen(at) + 1;
  }
  response->header_count = response->text_count;
  response->status = response->current;
  if (!lengths_agree(response))
    return *why = beam__response_unreadable, BEAM_EHTTP;
  return 1;
}

int beam__response_line(beam__response *response, const char *line, size_t len, const char **why) {
  int failed;
  if (response->status)
    return 0;
  if (len > 5 && !memcmp(line, "HTTP/", 5)) {
    begin_head(response, status_of(line, len));
    return 0;
  }
  if (len == 0 || line[0] == '\r' || line[0] == '\n')
    return end_head(response, why);
  if (response->text.len + len > BEAM__RESPONSE_HEAD_MAX)
    return *why = "the response's headers are larger than 256 KiB", BEAM_ETOO_LARGE;
  failed = line[0] == ' ' || line[0] == '\t' ? add_folded(response, line, len) : add_field(response, line, len);
  if (failed)
    *why = failed == BEAM_EHTTP ? beam__response_unreadable : "out of memory";
  return failed;
}

/* ---- Memory ---- */

void beam__response_forget(beam__response *response) {
  response->header_count = response->text_count = response->text.len = response->body.len = 0;
  response->status = response->current = 0;
}

void beam__response_shrink(beam__response *response, size_t size) {
  if (response->header_size * sizeof *response->headers > size) {
    free(response->headers);
    response->headers = NULL;
    response->header_size = 0;
  }
  if (response->text.size > size)
    beam__bytes_free(&response->text);
  if (response->body.size > size)
    beam__bytes_free(&response->body);
}

void beam__response_free(beam__response *response) {
  free(response->headers);
  beam__bytes_free(&response->text);
  beam__bytes_free(&response->body);
  memset(response, 0, sizeof *response);
}
