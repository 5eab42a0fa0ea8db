/* A request body that is pushed in pieces: queued here as it comes, taken by curl when the socket has room. When the
 * queue is empty curl is told to wait, and told to go on by a task after the next write.
 *
 * An answer with a status of 300 or more may come before all of the body has left. Nothing more is sent then, and what
 * is the answer is waited for:
 *  - curl (7.88) itself stops sending, unless the answer says "Connection: close". Then it goes on asking here. An end
 *    would make a chunked body look whole, and one of a given length fail (8.14): so sending pauses until curl has the
 *    answer.
 *  - It waits for ever for a body whose sending is paused: a pause of ours is ended by hand, by an end that fails or
 *    does not, with the answer whole.
 *  - It fails if it sends to a server that has gone meanwhile, and then never reads what that server had answered: so
 *    before it gets the next piece it gets to read what has come. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/http.h"

enum { KEPT_MAX = 1 << 20 }; /* of an answer, by curl */

/* ---- The queue ---- */

static size_t queued(const beam__upload *upload) { return upload->queue.len - upload->taken; }

static int queue(beam__upload *upload, const void *data, size_t len) {
  if (upload->taken >= upload->queue.len / 2) {
    beam__bytes_skip(&upload->queue, upload->taken);
    upload->taken = 0;
  }
  return beam__bytes_add(&upload->queue, data, len);
}

static void take(beam__upload *upload, char *to, size_t len) {
  memcpy(to, upload->queue.at + upload->taken, len);
  upload->taken += len;
}

/* ---- What curl asks for ---- */

static size_t wait_for_more(beam_http *http) {
  http->upload.paused = 1;
  return CURL_READFUNC_PAUSE;
}

/* Something to read: it may be an answer, and the last thing that the server says. */
static int has_answer(const beam_http *http) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  char byte;
  return !http->response.current &&
         curl_easy_getinfo(http->transfer.easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK &&
         socket != CURL_SOCKET_BAD && recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* While a reader pauses, curl (8.14) goes on reading with each piece that it sends, and keeps what comes, however much
 * that is: so sending waits for the reader, too, as it would with the sockets full. */
static int keeps_too_much(const beam_http *http) {
  curl_off_t came = 0;
  if (http->curl_paused)
    curl_easy_getinfo(http->transfer.easy, CURLINFO_SIZE_DOWNLOAD_T, &came);
  return came > 0 && (uint64_t)came > http->taken + KEPT_MAX;
}

static size_t on_read(char *to, size_t size, size_t count, void *user) {
  beam_http *http = user;
  beam__upload *upload = &http->upload;
  size_t room = size * count, len = queued(upload) < room ? queued(upload) : room;
  upload->asked = 1;
  if (http->freed)
    return CURL_READFUNC_ABORT;
  if (upload->over)
    return upload->unwatched ? 0 : wait_for_more(http);
  if (!upload->looked && has_answer(http)) {
    upload->looked = 1; /* once in a row: in TLS it may be no answer, and stay unread */
    beam__task_defer(http->ctx, &http->task);
    return wait_for_more(http);
  }
  upload->looked = 0;
  if (keeps_too_much(http))
    return wait_for_more(http);
  if (!len)
    return upload->ended ? 0 : wait_for_more(http);
  take(upload, to, len);
  if (!queued(upload) && !upload->ended)
    beam__http_deliver(http, BEAM_HTTP_DRAINED, NULL, 0);
  return http->freed ? CURL_READFUNC_ABORT : len;
}

/* ---- Its end before its time ---- */

void beam__http_upload_answered(beam_http *http) {
  beam__upload *upload = &http->upload;
  if (!upload->wanted || http->response.status < 300)
    return;
  upload->over = 1;
  beam__bytes_free(&upload->queue);
  upload->taken = 0;
  if (upload->paused)
    beam__task_defer(http->ctx, &http->task);
}

void beam__http_upload_unwatched(beam_http *http) {
  if (!http->upload.over || !http->upload.paused || http->curl_paused)
    return;
  http->upload.unwatched = 1;
  beam__task_defer(http->ctx, &http->task);
}

/* ---- Calls ---- */

static void go_on(beam_http *http) {
  if (http->upload.paused)
    beam__task_defer(http->ctx, &http->task);
}

int beam_http_write(beam_http *http, const void *data, size_t len) {
  beam__upload *upload = &http->upload;
  if (!upload->wanted || beam__is_foreign(http->ctx))
    return BEAM_EINVALID;
  if (http->done || upload->over || upload->ended)
    return BEAM_ECLOSED;
  if (upload->size && len > upload->size - upload->accepted)
    return BEAM_EINVALID;
  if (queue(upload, data, len))
    return BEAM_ENO_MEMORY;
  upload->accepted += len;
  go_on(http);
  return 0;
}

int beam_http_write_end(beam_http *http) {
  beam__upload *upload = &http->upload;
  if (!upload->wanted || beam__is_foreign(http->ctx))
    return BEAM_EINVALID;
  if (http->done || upload->over)
    return BEAM_ECLOSED;
  if (upload->size && upload->accepted < upload->size)
    return BEAM_EINVALID;
  upload->ended = 1;
  go_on(http);
  return 0;
}

size_t beam_http_pending(const beam_http *http) { return queued(&http->upload); }

int beam__http_set_upload(beam_http *http, uint64_t size) {
  CURL *easy = http->transfer.easy;
  curl_off_t length = size ? (curl_off_t)size : -1; /* -1: chunked */
  http->upload.wanted = 1;
  http->upload.size = size;
  return curl_easy_setopt(easy, CURLOPT_POST, 1L) || curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, length) ||
         curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read) || curl_easy_setopt(easy, CURLOPT_READDATA, http);
}
