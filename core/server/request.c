/* One request: made from its head, answered in one of the four ways of beam-server.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/reply.h"
#include "server/server.h"
#include "websocket/websocket.h"

/* ---- What was asked ---- */

static size_t text_size(const beam__head *head) { return head->method.len + head->target.len + 2 + head->fields.len; }

static void copy_texts(beam_request *request, const beam__head *head) {
  char *to = (char *)&request->headers[head->field_count];
  request->view.method = beam__slice_copy(head->method, &to);
  request->view.target = beam__slice_copy(head->target, &to);
  request->view.headers = request->headers;
  request->view.header_count = head->field_count;
  beam__head_copy(head, request->headers, &to);
}

/* A key that is none leaves a plain request. 0 or BEAM_ENO_MEMORY. */
static int prepare_upgrade(beam_request *request, const beam__request_head *head) {
  char key[BEAM__KEY_SIZE];
  int code;
  if (!head->upgrade || head->key.len != sizeof key - 1)
    return 0;
  memcpy(key, head->key.at, head->key.len);
  key[sizeof key - 1] = '\0';
  code = beam__handshake_accept(key, request->accept);
  request->view.upgrade = code == 0;
  return code == BEAM_ENO_MEMORY ? code : 0;
}

beam_request *beam__request_new(beam__connection *connection, const beam__request_head *head) {
  size_t fields = head->sent.field_count * sizeof(beam_header);
  beam_request *request = calloc(1, sizeof *request + fields + text_size(&head->sent));
  if (!request)
    return NULL;
  request->connection = connection;
  request->keep_alive = head->keep_alive;
  request->minor = head->sent.minor;
  copy_texts(request, &head->sent);
  request->bodiless = strcmp(request->view.method, "HEAD") == 0;
  beam__body_init(&request->decoder, head->chunked, head->content_length);
  if (prepare_upgrade(request, head) == 0)
    return request;
  free(request);
  return NULL;
}

void beam__request_free(beam_request *request) {
  if (!request)
    return;
  beam__bytes_free(&request->body);
  free(request);
}

void beam_request_set_user(beam_request *request, void *user) { request->user = user; }
void *beam_request_user(const beam_request *request) { return request->user; }

/* ---- Writing ---- */

static uv_buf_t piece(const void *data, size_t len) {
  uv_buf_t buf;
  buf.base = (char *)(uintptr_t)data; /* libuv's type knows no const; it is only read */
  buf.len = len;
  return buf;
}

/* A head, and what follows it, in one write. */
static int write_head(beam__connection *connection, const beam__reply *reply, const void *body, size_t body_len) {
  beam__bytes head = {0};
  uv_buf_t pieces[2];
  int code = beam__reply_head(&head, reply);
  pieces[0] = piece(head.at, head.len);
  pieces[1] = piece(body, body_len);
  if (!code)
    code = beam__stream_write(connection->carrier, pieces, body_len ? 2 : 1);
  beam__bytes_free(&head);
  return code;
}

int beam__connection_refuse(beam__connection *connection, int status, const char *error) {
  static const beam_header headers[] = {{"Content-Type", "application/json"}, {"Sec-WebSocket-Version", "13"}};
  beam__bytes body = {0};
  beam__reply reply = {.status = status, .headers = headers, .framing = BEAM__FRAMING_LENGTH};
  reply.header_count = status == 426 ? 2 : 1;
  reply.date = beam__server_date(connection->server);
  if (beam__bytes_format(&body, "{\"error\":\"%s\"}", error) == 0) {
    reply.body_len = body.len;
    write_head(connection, &reply, body.at, body.len);
  }
  beam__bytes_free(&body);
  beam__connection_answered(connection, 0);
  return 0;
}

/* ---- Answers ---- */

static int may_answer(const beam_request *request, int status, const beam_header *headers, size_t count) {
  return !beam__is_foreign(request->connection->ctx) && request->stage == BEAM__STAGE_WAITING && status >= 200 &&
         status <= 999 && !beam__headers_check(headers, count, NULL);
}

static beam__reply begin_reply(beam_request *request, int status, const beam_header *headers, size_t count) {
  beam__reply reply = {.status = status, .headers = headers, .header_count = count};
  if (beam__header_lists(headers, count, "connection", "close"))
    request->keep_alive = 0;
  if (!beam__status_has_body(status))
    request->bodiless = 1;
  reply.date = beam__server_date(request->connection->server);
  return reply;
}

int beam_request_respond(beam_request *request, int status, const beam_header *headers, size_t header_count,
                         const void *body, size_t body_len) {
  beam__reply reply;
  int code;
  if (!may_answer(request, status, headers, header_count))
    return BEAM_EINVALID;
  reply = begin_reply(request, status, headers, header_count);
  reply.framing = beam__status_has_body(status) ? BEAM__FRAMING_LENGTH : BEAM__FRAMING_NONE;
  reply.body_len = body_len;
  reply.keep_alive = request->keep_alive;
  code = write_head(request->connection, &reply, body, request->bodiless ? 0 : body_len);
  if (code)
    return code;
  beam__connection_answered(request->connection, request->keep_alive);
  return 0;
}

/* HTTP/1.0 knows no chunks: there the end of the connection ends the answer. */
int beam_request_stream_begin(beam_request *request, int status, const beam_header *headers, size_t header_count) {
  beam__reply reply;
  int code;
  if (!may_answer(request, status, headers, header_count))
    return BEAM_EINVALID;
  reply = begin_reply(request, status, headers, header_count);
  request->chunked = request->minor > 0 && beam__status_has_body(status);
  if (!request->minor && !request->bodiless)
    request->keep_alive = 0;
  reply.framing = request->chunked ? BEAM__FRAMING_CHUNKED : BEAM__FRAMING_NONE;
  reply.keep_alive = request->keep_alive;
  code = write_head(request->connection, &reply, NULL, 0);
  if (!code)
    request->stage = BEAM__STAGE_STREAMING;
  return code;
}

int beam_request_stream_write(beam_request *request, const void *data, size_t len) {
  beam__carrier *carrier = request->connection->carrier;
  char size[24];
  uv_buf_t pieces[3];
  int code;
  if (request->stage != BEAM__STAGE_STREAMING || beam__is_foreign(request->connection->ctx))
    return BEAM_EINVALID;
  if (request->bodiless || !len) /* an empty chunk would end the answer */
    return 0;
  pieces[0] = piece(size, (size_t)snprintf(size, sizeof size, "%zx\r\n", len));
  pieces[1] = piece(data, len);
  pieces[2] = piece("\r\n", 2);
  code = request->chunked ? beam__stream_write(carrier, pieces, 3) : beam__stream_write(carrier, &pieces[1], 1);
  beam__connection_streams(request->connection, len);
  return code;
}

void beam_request_stream_end(beam_request *request) {
  beam__connection *connection = request->connection;
  if (request->stage != BEAM__STAGE_STREAMING || beam__is_foreign(request->connection->ctx))
    return;
  if (request->chunked && !request->bodiless && connection->carrier->ops->write(connection->carrier, "0\r\n\r\n", 5))
    beam__connection_drop(connection, BEAM__END_RESET); /* no memory: an end that the client notices */
  else
    beam__connection_answered(connection, request->keep_alive);
}

size_t beam_request_pending(const beam_request *request) {
  const beam__carrier *carrier = request->connection->carrier;
  return carrier->ops->pending(carrier);
}

void beam_request_abort(beam_request *request, int reset) {
  if (request->stage != BEAM__STAGE_GONE && !beam__is_foreign(request->connection->ctx))
    beam__connection_drop(request->connection, reset ? BEAM__END_RESET : BEAM__END_FLUSH);
}

/* ---- The upgrade ---- */

static int switch_protocols(beam_request *request, const beam_ws_options *options) {
  beam__carrier *carrier = request->connection->carrier;
  beam__bytes head = {0};
  int code = beam__reply_switch(&head, request->accept, options->headers, options->header_count);
  if (!code)
    code = carrier->ops->write(carrier, head.at, head.len);
  beam__bytes_free(&head);
  return code;
}

int beam_request_accept(beam_request *request, beam_ws **ws, const beam_ws_options *options) {
  beam__connection *connection = request->connection;
  beam_ctx *ctx = connection->ctx;
  beam__carrier *carrier;
  char peer[64];
  int code;
  *ws = NULL;
  if (beam__is_foreign(ctx) || request->stage != BEAM__STAGE_WAITING || !request->view.upgrade ||
      beam__headers_check(options->headers, options->header_count, NULL))
    return BEAM_EINVALID;
  beam__stream_peer(connection->carrier, peer, sizeof peer);
  code = beam__ws_new(ctx, ws, BEAM__SERVER, options, peer);
  if (code)
    return code;
  code = switch_protocols(request, options);
  carrier = code ? NULL : beam__connection_give_away(connection, &beam__ws_carrier_events, *ws);
  if (carrier) {
    beam__ws_attach(*ws, carrier);
    beam__touch(ctx);
    return 0;
  }
  beam_ws_free(*ws);
  *ws = NULL;
  request->keep_alive = 0; /* the 101 may be out: whatever the answer is now, it is the connection's last */
  return BEAM_ENO_MEMORY;
}
