/* Answers are put together here: status line, the caller's headers, and those that are the server's to say. */
#include "server/reply.h"

#include <string.h>

#include "base/ascii.h"
#include "net/http1/header.h"

static const char *reason_phrase(int status) {
  static const struct {
    int status;
    const char *phrase;
  } phrases[] = {
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Content Too Large"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  size_t i;
  for (i = 0; i < sizeof phrases / sizeof *phrases; i++)
    if (phrases[i].status == status)
      return phrases[i].phrase;
  return ""; /* a reason phrase may be empty, RFC 9112 section 4 */
}

/* ---- What the caller's headers may and do say ---- */

int beam__status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

static int is_ours(const char *name) {
  return beam__ascii_same(name, "connection") || beam__ascii_same(name, "content-length") ||
         beam__ascii_same(name, "transfer-encoding") || beam__ascii_same(name, "upgrade");
}

/* ---- Bytes ---- */

static int add_text(beam__bytes *to, const char *text) { return beam__bytes_add(to, text, strlen(text)); }

static int add_header(beam__bytes *to, const char *name, const char *value) {
  return add_text(to, name) || add_text(to, ": ") || add_text(to, value) || add_text(to, "\r\n");
}

static int add_headers(beam__bytes *to, const beam_header *headers, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (!is_ours(headers[i].name) && add_header(to, headers[i].name, headers[i].value))
      return BEAM_ENO_MEMORY;
  return 0;
}

static int add_framing(beam__bytes *to, const beam__reply *reply) {
  if (reply->framing == BEAM__FRAMING_CHUNKED)
    return add_text(to, "Transfer-Encoding: chunked\r\n");
  if (reply->framing == BEAM__FRAMING_LENGTH)
    return beam__bytes_format(to, "Content-Length: %zu\r\n", reply->body_len);
  return 0;
}

int beam__reply_head(beam__bytes *to, const beam__reply *reply) {
  if (beam__bytes_format(to, "HTTP/1.1 %03d %s\r\n", reply->status, reason_phrase(reply->status)) ||
      (!beam__header_find(reply->headers, reply->header_count, "date") && add_header(to, "Date", reply->date)) ||
      add_headers(to, reply->headers, reply->header_count) || add_framing(to, reply) ||
      add_text(to, reply->keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n"))
    return BEAM_ENO_MEMORY;
  return 0;
}

int beam__reply_switch(beam__bytes *to, const char *accept, const beam_header *headers, size_t header_count) {
  if (add_text(to, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n") ||
      add_header(to, "Sec-WebSocket-Accept", accept) || add_headers(to, headers, header_count) || add_text(to, "\r\n"))
    return BEAM_ENO_MEMORY;
  return 0;
}
