/* The server side of libbeam: a small HTTP/1.1 and WebSocket server on the same loop, for the local Beam.
 *
 * It is made to imitate Beam's gateway, its faults included: the answer to an upgrade may be given minutes later, a
 * connection may be reset or left silent. It listens for developers and tests on loopback, and is no server for the
 * open Internet. The rules at the head of beam.h hold here too.
 */
#ifndef BEAM_SERVER_H
#define BEAM_SERVER_H

#include "beam.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct beam_server beam_server;
typedef struct beam_request beam_request;

/* What was asked; valid until the callback that brought it returns. */
typedef struct beam_request_view {
  const char *method;
  const char *target;         /* as sent: path and query, not decoded */
  const beam_header *headers; /* names in lower case */
  size_t header_count;
  const char *body; /* whole, `body_len` bytes */
  size_t body_len;
  int upgrade; /* 1: asks for a WebSocket, and correctly: beam_request_accept may be used */
} beam_request_view;

typedef struct beam_server_options { /* zero-initialise; only `on_request` is needed */
  const char *host;                  /* numeric address; NULL: 127.0.0.1 */
  unsigned port;                     /* 0: a free one */
  /* cert_file (with its chain) and key_file, PEM, with key_passphrase where it is encrypted: TLS is spoken (1.2 or
   * later, HTTP/1.1). Neither: plain. The rest of it is not looked at. */
  beam_tls tls;
  /* Limits; 0: the default. */
  size_t max_body;          /* bytes of a request body, 64 MiB; more is answered with 413 */
  size_t max_head;          /* bytes of a request's head, 16 KiB, which is the most; more is answered with 431 */
  size_t max_connections;   /* 10,000, and what the process may open less 64; those that became WebSockets do not count.
                               When all are taken, the oldest that asks for nothing gives way; else the next one waits */
  unsigned head_timeout_ms; /* from connecting, or from a head's first byte, to its end, 30 s; then 408 */
  unsigned body_timeout_ms; /* for each 16 KiB of a body and for its end, 30 s; then 408 */
  unsigned idle_timeout_ms; /* between requests, and for an answer, whole or in pieces, that the client does not take,
                               75 s */
  /* A request is there. It is answered now or later by exactly one of: respond, stream_begin, accept, abort. A
   * malformed request is answered with 400 and does not come here. */
  void (*on_request)(void *user, beam_request *request, const beam_request_view *view);
  /* The client left before an answer was complete: the request is invalid when this returns. May be NULL. */
  void (*on_gone)(void *user, beam_request *request);
  void *user;
} beam_server_options;

/* BEAM_ECONNECT: the address cannot be listened on; BEAM_EINVALID; *error says why. */
BEAM_API int beam_server_listen(beam_ctx *ctx, beam_server **server, const beam_server_options *options,
                                beam_error *error);
/* A certificate for localhost, *.localhost, 127.0.0.1 and ::1 and its key, made and signed by itself for 825 days, as
 * PEM with a NUL; both have room for `size` bytes, of which 4,096 are enough. 0 or BEAM_ENO_MEMORY. */
BEAM_API int beam_server_certificate(char *certificate, char *key, size_t size);
/* The port that is listened on. */
BEAM_API unsigned beam_server_port(const beam_server *server);
/* Stops listening, aborts what is unanswered (no further event), and frees. WebSockets that were accepted live on: they
 * belong to who accepted them. NULL is fine. */
BEAM_API void beam_server_close(beam_server *server);

/* Where the caller keeps what it knows of a request; NULL at first. */
BEAM_API void beam_request_set_user(beam_request *request, void *user);
BEAM_API void *beam_request_user(const beam_request *request);

/* Answers whole, with Content-Length; the request is invalid afterwards. 0, or BEAM_EINVALID for a header with CR, LF
 * or NUL, or BEAM_ENO_MEMORY (the request then still waits for its answer, or to be aborted). */
BEAM_API int beam_request_respond(beam_request *request, int status, const beam_header *headers, size_t header_count,
                                  const void *body, size_t body_len);
/* Answers in pieces (chunked): begin, any number of writes, end. The request is invalid after end. */
BEAM_API int beam_request_stream_begin(beam_request *request, int status, const beam_header *headers,
                                       size_t header_count);
BEAM_API int beam_request_stream_write(beam_request *request, const void *data, size_t len);
BEAM_API void beam_request_stream_end(beam_request *request);
/* Bytes of a streamed answer that the system has not taken yet. */
BEAM_API size_t beam_request_pending(const beam_request *request);
/* Ends the connection without an answer: with a TCP reset if `reset`, else with an orderly TCP close. */
BEAM_API void beam_request_abort(beam_request *request, int reset);
/* Answers an upgrade with 101 and makes the server's end of a WebSocket; the request is invalid afterwards. Of the
 * options only headers (added to the 101), close_timeout_ms, max_message, fragments, on_event and user are read. It
 * starts in BEAM_PHASE_OPEN without an OPEN event. BEAM_EINVALID if the request is no upgrade. */
BEAM_API int beam_request_accept(beam_request *request, beam_ws **ws, const beam_ws_options *options);

/* Ends a WebSocket without a close frame: with a TCP reset if `reset`, else with a TCP close. For faults on demand, on
 * either side. The terminal event follows (1006). */
BEAM_API void beam_ws_abort(beam_ws *ws, int reset);

#ifdef __cplusplus
}
#endif
#endif
