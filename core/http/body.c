/* What curl reads of a response: the head line by line, the body decoded, bounded, and held back while paused. */
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "net/http1/header.h"
#include "net/url.h"

enum {
  PIECE = 16 * 1024, /* bytes decoded at a time, and that curl (7.88) hands on at most */
  GATHERED_MAX = 64 * 1024
};

/* ---- The body ---- */

/* Of a stream in haste several pieces are told as one, for each event costs its reader more than the bytes do; none
 * waits for longer than curl goes on handing on what it has. */
static int gather(beam_http *http, const void *data, size_t len) {
  if (beam__bytes_add(&http->response.body, data, len))
    return BEAM_ENO_MEMORY;
  if (http->response.body.len > GATHERED_MAX - PIECE)
    beam__http_tell_gathered(http);
  else if (beam__list_empty(&http->transfer.gathering))
    beam__list_add(&http->ctx->curl->gathering, &http->transfer.gathering);
  return 0;
}

void beam__http_tell_gathered(beam_http *http) {
  size_t len = http->response.body.len;
  beam__list_remove(&http->transfer.gathering);
  http->response.body.len = 0;
  if (len)
    beam__http_deliver(http, BEAM_HTTP_DATA, http->response.body.at, len);
}

static int take_decoded(beam_http *http, const void *data, size_t len) {
  http->received += len;
  if (http->max_body && http->received > http->max_body)
    return beam__http_fail(http, BEAM_ETOO_LARGE,
                           "the response of %s is larger than %zu bytes: raise max_body, or stream it", http->peer,
                           http->max_body);
  if (http->stream && !http->decoder.count && len <= PIECE) {
    if (!gather(http, data, len))
      return http->freed ? -1 : 0;
  } else if (http->stream) {
    beam__http_tell_gathered(http);
    beam__http_deliver(http, BEAM_HTTP_DATA, data, len);
    return http->freed ? -1 : 0;
  } else if (!beam__bytes_add(&http->response.body, data, len)) {
    return 0;
  }
  return beam__http_fail(http, BEAM_ENO_MEMORY, "out of memory for the response of %s", http->peer);
}

/* Stopped in the middle of decoding: the rest is kept as it came, at most one write of curl's. */
static int hold(beam_http *http, const unsigned char *data, size_t len) {
  unsigned char *rest = malloc(len + 1);
  if (!rest)
    return beam__http_fail(http, BEAM_ENO_MEMORY, "out of memory for the response of %s", http->peer);
  memcpy(rest, data, len);
  http->held = rest;
  http->held_len = len;
  http->holding = 1;
  return 0;
}

static int fail_decoding(beam_http *http, int code) {
  if (code == BEAM_ENO_MEMORY)
    return beam__http_fail(http, code, "out of memory for the response of %s", http->peer);
  return beam__http_fail(http, code, "the body of %s's response is not valid %s", http->peer,
                         http->decoder.stages[0].coding == BEAM__GZIP ? "gzip" : "deflate");
}

static int is_tired(const beam_http *http) { return http->decoder.work >= BEAM__DECODE_AT_ONCE; }

static int take_coded(beam_http *http, const unsigned char *data, size_t len) {
  unsigned char piece[PIECE];
  http->decoder.work = 0;
  for (;;) {
    size_t made = sizeof piece;
    int failed;
    if (is_tired(http))
      beam__task_defer(http->ctx, &http->task);
    if (http->paused || is_tired(http))
      return hold(http, data, len);
    failed = beam__decode_piece(&http->decoder, &data, &len, piece, &made);
    if (made && take_decoded(http, piece, made))
      return -1;
    if (failed)
      return fail_decoding(http, failed);
    if (!made && !is_tired(http))
      return 0;
  }
}

int beam__http_take_held(beam_http *http) {
  unsigned char *data = http->held;
  int failed;
  http->held = NULL;
  http->holding = 0;
  failed = take_coded(http, data, http->held_len);
  free(data);
  return failed;
}

static size_t on_body(char *data, size_t size, size_t count, void *user) {
  beam_http *http = user;
  size_t len = size * count;
  int failed;
  if (http->freed)
    return len + 1;
  if (http->paused || http->holding) {
    http->curl_paused = 1;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (http->decoder.count)
    failed = take_coded(http, (const unsigned char *)data, len);
  else
    failed = take_decoded(http, data, len);
  http->taken += len;
  return failed ? len + 1 : len; /* anything but `len` ends the transfer */
}

/* curl (7.88) also takes a head that broke off after its first line for a whole response. */
void beam__http_check_end(beam_http *http) {
  if (http->error.code)
    return;
  beam__http_answered(http);
  if (!http->response.status)
    beam__http_fail(http, BEAM_EHTTP, "the response of %s ended in the middle of its headers", http->peer);
  else if (beam__decoder_truncated(&http->decoder))
    beam__http_fail(http, BEAM_EHTTP, "the response of %s ended in the middle of its compressed body", http->peer);
}

/* ---- The head ---- */

static int fail_coding(beam_http *http, const char *what, beam__slice refused) {
  if (!refused.len)
    return beam__http_fail(http, BEAM_EHTTP, "%s answered with more than %d content codings, one in the other",
                           http->peer, (int)BEAM__CODINGS_MAX);
  return beam__http_fail(http, BEAM_EHTTP, "%s answered with the %s coding \"%.*s\", which was not asked for",
                         http->peer, what, refused.len < 60 ? (int)refused.len : 60, refused.at);
}

/* RFC 9112 section 6.3: whatever its headers say. */
static int has_body(const beam_http *http) {
  return !http->wants_head && http->response.status != 204 && http->response.status != 304;
}

/* A coding that the caller asked for himself he also gets as it is. Of the transfer's curl (7.88) would hand on what it
 * does not undo. */
static int choose_coding(beam_http *http) {
  beam__slice refused = beam__transfer_coding(http->response.headers, http->response.header_count);
  if (!has_body(http))
    return 0;
  if (refused.len)
    return fail_coding(http, "transfer", refused);
  if (!beam__decoder_choose(&http->decoder, http->response.headers, http->response.header_count, &refused) ||
      http->own_accept_encoding)
    return 0;
  return fail_coding(http, "content", refused);
}

static size_t on_head_line(char *line, size_t size, size_t count, void *user) {
  beam_http *http = user;
  size_t len = size * count;
  const char *why = "";
  int result;
  if (http->freed)
    return len + 1;
  result = beam__response_line(&http->response, line, len, &why);
  if (result == 0)
    return len;
  beam__http_answered(http);
  if (result < 0) {
    beam__http_fail(http, result, "%s: %s", http->peer, why);
    return len + 1;
  }
  if (choose_coding(http))
    return len + 1;
  beam__http_upload_answered(http);
  if (http->stream)
    beam__http_deliver(http, BEAM_HTTP_HEADERS, NULL, 0);
  return http->freed ? len + 1 : len;
}

int beam__http_watch_response(beam_http *http) {
  CURL *easy = http->transfer.easy;
  return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head_line) ||
         curl_easy_setopt(easy, CURLOPT_HEADERDATA, http) || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) ||
         curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
}
