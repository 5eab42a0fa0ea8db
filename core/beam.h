/* libbeam: the transport of Beam's client. Event loop, WebSocket, HTTP, auth and TLS; no Lua, no policy.
 *
 *   your program  ->  beam.h  ->  libuv, libwebsockets, libcurl  ->  Beam
 *
 * Rules that hold for every call:
 *  1. A context and all that belongs to it is used from one thread; only beam_wakeup may be called from another.
 *  2. No call blocks, but beam_step with a time-out.
 *  3. Events are dispatched from beam_step only, never from inside another call.
 *  4. If a call returns an error, its callback never fires. Otherwise there is exactly one terminal event.
 *  5. What an event points to is valid until the callback returns. What is passed in is copied, unless it says
 * otherwise.
 *  6. Every call may be made from inside a callback, except beam_step and beam_close.
 *  7. A context belongs to the process that made it. In a forked child nothing of it can be used: calls give
 * BEAM_EINVALID and say so, those that free or close do nothing, and the parent loses nothing. The child makes one of
 * its own. What it inherits stays open in it until it ends or execs.
 */
#ifndef BEAM_H
#define BEAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BEAM_VERSION "0.1.0"

/* BEAM_PRIVATE: for a program or module that compiles libbeam into itself; it then exports nothing of it. */
#if defined(__GNUC__) && defined(BEAM_PRIVATE)
#define BEAM_API __attribute__((visibility("hidden")))
#elif defined(__GNUC__)
#define BEAM_API __attribute__((visibility("default")))
#else
#define BEAM_API
#endif

/* The version of the library that is loaded, e.g. "0.1.0"; static. */
BEAM_API const char *beam_version(void);
/* The libraries underneath and their versions, "libuv 1.44.2, …", as snprintf writes it. */
BEAM_API int beam_libraries(char *text, size_t size);
/* The file of certificates that TLS trusts if no other is given: SSL_CERT_FILE, else the system's; NULL: there is none.
 * Static, or the environment's. */
BEAM_API const char *beam_ca_bundle(void);

/* ---- Errors ---- */

/* name, value, the `kind` that Lua sees, what it means */
#define BEAM_ERROR_MAP(X)                                                                                              \
  X(DNS, -1, "dns", "the host name could not be resolved")                                                             \
  X(CONNECT, -2, "connect", "no TCP connection could be made")                                                         \
  X(TLS, -3, "tls", "the TLS handshake or the certificate check failed")                                               \
  X(HANDSHAKE, -4, "handshake", "the server did not accept the WebSocket upgrade")                                     \
  X(HTTP, -5, "http", "the HTTP exchange failed")                                                                      \
  X(TIMEOUT, -6, "timeout", "a deadline passed")                                                                       \
  X(CLOSED, -7, "closed", "the connection is closed")                                                                  \
  X(PROTOCOL, -8, "protocol", "the peer broke the protocol")                                                           \
  X(TOO_LARGE, -9, "too_large", "a bound was exceeded")                                                                \
  X(AUTH, -10, "auth", "credentials may not be sent this way")                                                         \
  X(CANCELED, -11, "canceled", "canceled by the caller")                                                               \
  X(NO_MEMORY, -12, "no_memory", "out of memory")                                                                      \
  X(INVALID, -13, "invalid", "an argument is not valid")

enum beam_error_code {
#define X(name, value, kind, text) BEAM_E##name = (value),
  BEAM_ERROR_MAP(X)
#undef X
};

/* Where in its life a connection or a call stands. name, text */
#define BEAM_PHASE_MAP(X)                                                                                              \
  X(NONE, "none")         /* not started */                                                                            \
  X(DNS, "dns")           /* the name is being resolved */                                                             \
  X(TCP, "tcp")           /* addresses are being tried */                                                              \
  X(PROXY, "proxy")       /* the proxy has been asked for a tunnel */                                                  \
  X(TLS, "tls")           /* TLS handshake */                                                                          \
  X(UPGRADE, "upgrade")   /* the upgrade is sent, its answer awaited: minutes, on a cold start (docs/wire.md 5) */     \
  X(OPEN, "open")         /* messages flow */                                                                          \
  X(CLOSING, "closing")   /* a close frame is sent, the peer's awaited */                                              \
  X(CLOSED, "closed")     /* over */                                                                                   \
  X(REQUEST, "request")   /* HTTP: the request is being sent or its answer awaited */                                  \
  X(RESPONSE, "response") /* HTTP: the response is being read */

enum beam_phase {
#define X(name, text) BEAM_PHASE_##name,
  BEAM_PHASE_MAP(X)
#undef X
};

/* What went wrong, for people and for policy. A value: copy it freely. Never holds a credential. */
typedef struct beam_error {
  int code;              /* BEAM_E…, 0: no error */
  enum beam_phase phase; /* where it happened */
  int status;            /* HTTP status, where one was received; else 0 */
  int system;            /* errno, where the system said one; else 0 */
  int sent;              /* 1: some of the request may have reached the peer (HTTP, upgrade) */
  char host[272];        /* "name:port" that was being talked to, or "" */
  char message[512];     /* one sentence: what failed, where, what to do about it */
} beam_error;

/* "dns" for BEAM_EDNS and so on; "unknown" for any other value; static. */
BEAM_API const char *beam_error_kind(int code);
/* "tls" for BEAM_PHASE_TLS and so on; static. */
BEAM_API const char *beam_phase_name(enum beam_phase phase);

/* ---- Signatures ---- */

enum { BEAM_HMAC_SIZE = 32 };

/* HMAC-SHA256 of `data` under `key`, which may be empty. Returns 0, BEAM_EINVALID for a key beyond 2 GiB, or
 * BEAM_ENO_MEMORY. No context is needed. */
BEAM_API int beam_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                              uint8_t digest[BEAM_HMAC_SIZE]);
/* Whether `size` bytes are the same; how long that takes does not tell where they differ. */
BEAM_API int beam_same_bytes(const void *a, const void *b, size_t size);

/* ---- Context and loop ---- */

typedef struct beam_ctx beam_ctx;

enum beam_log_level { BEAM_LOG_ERROR, BEAM_LOG_WARNING, BEAM_LOG_INFO, BEAM_LOG_DEBUG };

typedef struct beam_options { /* zero-initialise; every field may stay 0 */
  /* Called from within calls and steps with one line without a newline; must not call back into the context. */
  void (*log)(void *user, enum beam_log_level level, const char *line);
  enum beam_log_level log_level; /* the most talkative level wanted; 0: errors only */
  void *user;                    /* handed to `log` */
  unsigned connections;          /* connections to size tables for; 0: as many as the process may open */
} beam_options;

/* Makes a context with its own loop. Create it after a fork, never before. `options` may be NULL.
 * BEAM_ENO_MEMORY, or BEAM_EINVALID where the system refuses a loop; *ctx is then NULL. */
BEAM_API int beam_new(beam_ctx **ctx, const beam_options *options);
/* Does what is due; waits for up to timeout_ms for the first thing to do (0: not at all, negative: without limit).
 * May return early with nothing done. 0, or BEAM_EINVALID when called from inside a callback. */
BEAM_API int beam_step(beam_ctx *ctx, int timeout_ms);
/* The first part of beam_step(ctx, 0), for a host that wants to use what came before the rest is done. 1: beam_step
 * must be called before the host waits; 0: nothing is left; or BEAM_EINVALID. */
BEAM_API int beam_turn(beam_ctx *ctx);
/* One descriptor, owned by the context, that is readable when beam_step has something to do, timers included.
 * Level-triggered: readable -> beam_step(ctx, 0). Negative BEAM_E… if the system has none left. */
BEAM_API int beam_fd(beam_ctx *ctx);
/* Ends the wait of a beam_step in progress, or makes the next one return at once. From any thread, and from a signal
 * handler. */
BEAM_API void beam_wakeup(beam_ctx *ctx);
/* The loop's monotonic clock in milliseconds, as of the last step. */
BEAM_API uint64_t beam_now(const beam_ctx *ctx);
/* Ends all that belongs to the context and frees it: open WebSockets send close code 1001 as far as the socket takes it
 * at once, no further event fires, and every pointer obtained from the context is invalid. NULL is fine. */
BEAM_API void beam_close(beam_ctx *ctx);

/* ---- Timers ---- */

typedef struct beam_timer beam_timer;

/* Calls `fire(user)` once after `ms` milliseconds (of the loop's clock, which counts whole ones), then frees the timer:
 * the pointer is invalid after that. */
BEAM_API int beam_timer_start(beam_ctx *ctx, beam_timer **timer, uint64_t ms, void (*fire)(void *user), void *user);
/* Stops and frees a timer that has not fired. NULL is fine. */
BEAM_API void beam_timer_stop(beam_timer *timer);

/* ---- Reading beside the connections ---- */

typedef struct beam_read beam_read;

/* Reads once from a descriptor that is the caller's, standard input for example, when there is something to read: calls
 * `done` with what came, then frees the read. `len` 0: its end, or `system_error`, an errno. `data` is valid until
 * `done` returns. The descriptor may be a pipe, a terminal, a socket or a file, and is left blocking. BEAM_EINVALID:
 * not open, or being read already. */
BEAM_API int beam_read_start(beam_ctx *ctx, beam_read **read, int fd,
                             void (*done)(void *user, const char *data, size_t len, int system_error), void *user);
/* Stops and frees a read that has not come to its end. NULL is fine. */
BEAM_API void beam_read_stop(beam_read *read);

/* ---- What every connection can be told ---- */

typedef struct beam_header { /* name and value hold no CR, LF or NUL: BEAM_EINVALID otherwise */
  const char *name;
  const char *value;
} beam_header;

enum beam_auth_scheme {
  BEAM_AUTH_NONE,
  BEAM_AUTH_BEARER, /* Authorization: Bearer <secret> */
  BEAM_AUTH_BASIC,  /* Authorization: Basic base64(id:secret); the id holds no colon (RFC 7617) */
  BEAM_AUTH_RAW,    /* Authorization: <secret> */
  BEAM_AUTH_QUERY   /* ?auth_token=<secret>: leaks into access logs; only by explicit choice (docs/wire.md section 3) */
};

/* Credentials are refused (BEAM_EAUTH) over plain ws:// or http:// to a host that is not loopback, unless `plaintext`;
 * they are never carried across a redirect, never logged, and wiped when no longer needed. */
typedef struct beam_auth {
  enum beam_auth_scheme scheme;
  const char *id;     /* BASIC: client id */
  const char *secret; /* token, or BASIC: client secret */
  int plaintext;      /* 1: `insecure_auth`, send over an unencrypted connection to anyone */
} beam_auth;

typedef struct beam_tls {
  const char *ca_file;   /* PEM bundle instead of the system's store; read beside the loop, once until it changes */
  const char *cert_file; /* client certificate (PEM), with key_file */
  const char *key_file;
  int insecure;               /* 1: no verification at all; logged as a warning */
  const char *key_passphrase; /* of an encrypted key_file, up to 1,023 bytes; wiped when no longer needed */
} beam_tls;

/* ---- WebSocket ---- */

typedef struct beam_ws beam_ws;

enum beam_ws_event_type {
  BEAM_WS_PHASE,   /* `phase` was entered */
  BEAM_WS_OPEN,    /* 101 received: `status`, `headers` */
  BEAM_WS_MESSAGE, /* `data`, `binary`; a fragment if asked for: `first` and `final` say which */
  BEAM_WS_PING,    /* `data`; already answered */
  BEAM_WS_PONG,    /* `data` */
  BEAM_WS_DRAINED, /* what waited to be written has been handed to the system */
  BEAM_WS_CLOSED   /* terminal. `code`, `reason`: the peer's close frame (1005: none in it; 1006: no frame came);
                      `error`: NULL after a close handshake; for a rejected upgrade `status`, `headers`, body in `data` */
};

typedef struct beam_ws_event {
  enum beam_ws_event_type type;
  enum beam_phase phase;
  const char *data; /* `len` bytes, not NUL-terminated */
  size_t len;
  int binary, first, final;
  int status;
  const beam_header *headers; /* names in lower case */
  size_t header_count;
  int code;
  const char *reason; /* NUL-terminated UTF-8 */
  const beam_error *error;
} beam_ws_event;

typedef struct beam_ws_options { /* zero-initialise; only `url` and `on_event` are needed */
  const char *url;               /* ws:// or wss:// (http:// and https:// mean the same); no user:password@ in it */
  const beam_header *headers;    /* further request headers */
  size_t header_count;
  beam_auth auth;
  beam_tls tls;
  const char *proxy; /* "http://[user:password@]host:port"; "": none; NULL: https_proxy, http_proxy, no_proxy */
  unsigned connect_timeout_ms; /* DNS, TCP and TLS together; 0: 10,000 */
  unsigned upgrade_timeout_ms; /* from the upgrade sent to its answer; 0: 960,000, longer than Beam's cold start */
  unsigned close_timeout_ms;   /* for the peer's close frame; 0: 2,000 */
  unsigned silence_timeout_ms; /* what is sent is to be confirmed by the peer's system within this, or the connection is
                                  lost (TCP_USER_TIMEOUT); 0: the system's patience, a quarter of an hour or so */
  size_t max_message;          /* bytes; 0: 16 MiB. A longer message is answered with close code 1009 */
  int fragments;               /* 1: hand on fragments as they come instead of whole messages */
  void (*on_event)(void *user, beam_ws *ws, const beam_ws_event *event);
  void *user;
} beam_ws_options;

/* Starts a connection. On failure *error says why (BEAM_EINVALID, BEAM_EAUTH, BEAM_ENO_MEMORY). `error` may be NULL. */
BEAM_API int beam_ws_open(beam_ctx *ctx, beam_ws **ws, const beam_ws_options *options, beam_error *error);
/* Queues one message, copied; text must be UTF-8. 0, BEAM_ECLOSED unless open, BEAM_EINVALID for bad UTF-8. There is no
 * bound here: watch beam_ws_pending. The first of a turn goes out at once, what follows by the end of the next step
 * at the latest. */
BEAM_API int beam_ws_send_text(beam_ws *ws, const char *data, size_t len);
BEAM_API int beam_ws_send_binary(beam_ws *ws, const void *data, size_t len);
/* Sends a ping with up to 125 bytes. 0, BEAM_ECLOSED, BEAM_EINVALID. */
BEAM_API int beam_ws_ping(beam_ws *ws, const void *data, size_t len);
/* Starts the close handshake; before open it abandons the attempt. `code` 1000, 1001, 1003, 1007-1014 or 3000-4999, or
 * 0 for none; `reason` UTF-8 of up to 123 bytes, or NULL. The terminal event follows. 0, also when already closing;
 * BEAM_EINVALID. A pause ends with it: else the peer's close frame could not be read. */
BEAM_API int beam_ws_close(beam_ws *ws, int code, const char *reason);
/* Stops reading from the socket (TCP then holds the sender back), and starts again. What was read already may still
 * come while the step lasts; the codec holds it back otherwise. */
BEAM_API void beam_ws_pause(beam_ws *ws);
BEAM_API void beam_ws_resume(beam_ws *ws);
/* Bytes accepted by send and not yet taken by the system. */
BEAM_API size_t beam_ws_pending(const beam_ws *ws);

/* Bytes of a connection so far, to be compared with an earlier answer: what grows, or falls in the case of
 * `unacknowledged`, is life, also in the middle of a message. */
typedef struct beam_progress {
  uint64_t received;       /* from the network */
  uint64_t sent;           /* taken by the system */
  uint64_t unacknowledged; /* of these, not yet confirmed by the peer's system; 0 where ours does not say */
  uint64_t unfinished;     /* of the payload of a message that has begun to come and is not whole */
  unsigned unanswered_ms;  /* for how long the peer's system has confirmed nothing though there is something to confirm;
                            * 0: there is nothing, or ours does not say. A peer that reads nothing confirms that. */
} beam_progress;

/* All 0 where there is no connection, or no more. Two system calls. */
BEAM_API void beam_ws_progress(const beam_ws *ws, beam_progress *progress);
BEAM_API enum beam_phase beam_ws_phase(const beam_ws *ws);
/* Gives the WebSocket back: no event fires any more. One that is open sends close code 1001 first, as far as the socket
 * takes it at once. Valid in every phase; NULL is fine. */
BEAM_API void beam_ws_free(beam_ws *ws);

/* ---- HTTP ---- */

typedef struct beam_http beam_http;

enum beam_http_event_type {
  BEAM_HTTP_HEADERS, /* streamed only: `status`, `headers` */
  BEAM_HTTP_DATA,    /* streamed only: `data`, decoded */
  BEAM_HTTP_DRAINED, /* upload only: all that was written has been taken: time to write more */
  BEAM_HTTP_DONE     /* terminal. `error`, or NULL and `status`, `headers` and, unless streamed, the body in `data` */
};

/* Seconds; 0 for what did not happen, as over a connection that was open. */
typedef struct beam_http_times {
  double
      queued; /* before the request went, without the next three: for its turn, CA certificates, another's connection */
  double dns, tcp, tls;
  double wait;  /* from the request sent to the first byte of the answer */
  double body;  /* from there to its end */
  double total; /* from beam_http_start to the end: the sum of the others, if the exchange succeeded */
} beam_http_times;

typedef struct beam_http_event {
  enum beam_http_event_type type;
  int status;
  const beam_header *headers; /* names in lower case */
  size_t header_count;
  const char *data; /* `len` bytes, not NUL-terminated */
  size_t len;
  const beam_error *error;      /* with what had come until then: `status` and `headers` may be set beside it */
  const beam_http_times *times; /* done only */
} beam_http_event;

typedef struct beam_http_options { /* zero-initialise; only `url` and `on_event` are needed */
  const char *method;              /* NULL: POST with a body, GET without */
  const char *url;                 /* http:// or https:// (ws:// and wss:// mean the same) */
  const beam_header *headers;      /* a header given here replaces the default of that name */
  size_t header_count;
  beam_auth auth;
  beam_tls tls;
  const char *proxy; /* as for a WebSocket */
  const void *body;  /* NULL: none. Copied. Sent as application/json unless a header says otherwise */
  size_t body_len;
  int upload;                  /* 1: the body is not here, it is pushed with beam_http_write */
  uint64_t body_size;          /* upload: its length; 0: not known, it is sent chunked */
  unsigned connect_timeout_ms; /* DNS, TCP and TLS together; 0: 10,000 */
  unsigned timeout_ms;         /* the whole exchange; 0: no limit */
  size_t max_body;             /* bytes after decoding; 0: 64 MiB whole, no limit streamed */
  int stream;                  /* 1: hand on the response as it comes */
  void (*on_event)(void *user, beam_http *http, const beam_http_event *event);
  void *user;
} beam_http_options;

/* Starts an exchange. Redirects are not followed: a 3xx is an answer. gzip and deflate are decoded; the headers stay as
 * they came. Up to 256 run at a time, further ones wait their turn: connect_timeout_ms begins with it. Nothing
 * is sent again when a kept connection proves dead after sending: that is an error. On failure *error says why. */
BEAM_API int beam_http_start(beam_ctx *ctx, beam_http **http, const beam_http_options *options, beam_error *error);
/* The same request once more, from the beginning: one that has ended with an answer, in its terminal event or later.
 * What was handed on of the answer before is invalid then. BEAM_EINVALID: it has not ended, or failed, or is an upload.
 */
BEAM_API int beam_http_again(beam_http *http);
/* Queues the next piece of an upload, copied. There is no bound here: watch beam_http_pending. BEAM_ECLOSED: nothing
 * more is wanted, for the answer is there (one of 300 or more may come early; it is told as any other) or the end was
 * told; BEAM_EINVALID: more than body_size, or no upload. */
BEAM_API int beam_http_write(beam_http *http, const void *data, size_t len);
/* The upload is whole. BEAM_EINVALID: it is shorter than body_size, or no upload; BEAM_ECLOSED as above. */
BEAM_API int beam_http_write_end(beam_http *http);
/* Bytes written and not yet taken. */
BEAM_API size_t beam_http_pending(const beam_http *http);
/* Stops reading a streamed response, and starts again. */
BEAM_API void beam_http_pause(beam_http *http);
BEAM_API void beam_http_resume(beam_http *http);
/* Gives the exchange back, cancelling it if it still runs: no event fires any more. NULL is fine. */
BEAM_API void beam_http_free(beam_http *http);

#ifdef __cplusplus
}
#endif
#endif
