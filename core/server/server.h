/* What the files of the HTTP server share.
 *
 *   server.c       listens, owns the connections, tells the date
 *   connection.c   one connection: reads, takes one request after the other, keeps time
 *   request.c      one request: what was asked, and its answer
 */
#pragma once

#include <time.h>

#include "base/bytes.h"
#include "carrier/server.h"
#include "internal.h"
#include "net/http1/body.h"
#include "server/request_head.h"
#include "websocket/handshake.h"

#pragma GCC visibility push(hidden)

enum {
  BEAM__CONNECTIONS_MAX = 10000,  /* those that became WebSockets do not count */
  BEAM__DESCRIPTORS_SPARED = 64,  /* of those that the process may open */
  BEAM__UNREAD_MAX = 65536,       /* bytes of later requests that are read ahead while one waits for its answer */
  BEAM__HEAD_TIMEOUT_MS = 30000,  /* from the first byte of a head, or from connecting, to its end */
  BEAM__BODY_TIMEOUT_MS = 30000,  /* for each BEAM__BODY_STEP of a body, and for its end */
  BEAM__BODY_STEP = 16384,        /* bytes */
  BEAM__IDLE_TIMEOUT_MS = 75000,  /* between requests, and for an answer that does not move */
  BEAM__LINGER_TIMEOUT_MS = 2000, /* for the client to end the connection after the last answer */
};

typedef struct beam__connection beam__connection;

struct beam_server {
  beam__owned owned;
  beam_ctx *ctx;
  beam_server_options options;
  uv_tcp_t listener;
  uv_timer_t retry;       /* for memory, to accept the one that waits */
  int handles;            /* of libuv's, that are not closed */
  beam__tls_profile *tls; /* NULL: in plain */
  beam__node connections;
  size_t connection_count, connections_max;
  int waiting; /* a client waits to be accepted, until a connection ends */
  unsigned head_timeout_ms, body_timeout_ms, idle_timeout_ms, linger_timeout_ms;
  time_t date_at; /* the second of `date` */
  char date[32];
};

/* The Date header's value, RFC 9110 section 5.6.7; valid until the next call. */
const char *beam__server_date(beam_server *server);
/* A connection of the server has ended or become a WebSocket: the next may come. */
void beam__server_left(beam_server *server);

/* ---- One connection ---- */

/* What the deadline is for. */
enum beam__timing {
  BEAM__TIMING_NONE,  /* there is none: a request waits for its answer */
  BEAM__TIMING_HEAD,  /* a head has begun */
  BEAM__TIMING_BODY,  /* a body is coming */
  BEAM__TIMING_WRITE, /* the client takes an answer */
  BEAM__TIMING_IDLE   /* nothing goes on */
};

struct beam__connection {
  beam__node node; /* in server->connections */
  beam_server *server;
  beam_ctx *ctx;
  beam__carrier *carrier; /* NULL once it is given back or away: the connection is then only waiting to be freed */
  beam_request *request;  /* the one that is read or waits for its answer */
  beam_request *answered; /* by its own callback, which may still look at it */
  beam__task resume;      /* goes on after an answer that was given outside of `pump` */
  const char *at;         /* what is to be taken: `left` bytes, in `unread` or in the read buffer */
  size_t left;
  size_t head_seen; /* how much of the head at `at` was looked at */
  beam__bytes unread;
  uv_timer_t deadline;
  enum beam__timing timing;
  size_t streamed;   /* bytes of answers in pieces, so far */
  size_t stalled_at; /* how far an answer, or the body, was when the deadline was set */
  unsigned pumping : 1;
  unsigned calling : 1; /* inside on_request */
  unsigned ending : 1;  /* the last answer is given */
};

/* Accepts what waits at the listener. 0; BEAM_ECLOSED: none waits; or BEAM_ENO_MEMORY: perhaps it still waits. */
int beam__connection_accept(beam_server *server);
/* Asks for nothing and waits for nothing: it may be dropped. */
int beam__connection_is_idle(const beam__connection *connection);
/* So many bytes of an answer were added. */
void beam__connection_streams(beam__connection *connection, size_t len);
/* The current request has had its answer. */
void beam__connection_answered(beam__connection *connection, int keep_alive);
/* Gives the carrier back and lets the connection go, without a further event. */
void beam__connection_drop(beam__connection *connection, enum beam__carrier_end end);
/* Hands the carrier on with what was read too far, and lets the connection go. NULL: no memory, nothing has changed. */
beam__carrier *beam__connection_give_away(beam__connection *connection, const beam__carrier_events *events, void *user);

/* ---- One request ---- */

enum beam__stage {
  BEAM__STAGE_BODY,      /* the body is being read: nobody knows of the request yet */
  BEAM__STAGE_WAITING,   /* for its answer */
  BEAM__STAGE_STREAMING, /* the head of the answer is sent */
  BEAM__STAGE_GONE       /* the client has left: inside on_gone */
};

struct beam_request {
  beam__connection *connection;
  void *user;
  beam_request_view view;
  beam__bytes body;
  beam__body decoder;
  enum beam__stage stage;
  int keep_alive;
  int bodiless; /* the answer has no body: HEAD, or a status without one */
  int chunked;  /* the streamed answer */
  unsigned minor;
  char accept[BEAM__ACCEPT_SIZE];
  beam_header headers[]; /* and the texts behind them */
};

/* What the head asks for. NULL: no memory. */
beam_request *beam__request_new(beam__connection *connection, const beam__request_head *head);
void beam__request_free(beam_request *request); /* NULL is fine */
/* Refuses what the client sends with a JSON body {"error": …}, and ends the connection. Returns 0: there is nothing
 * more to be taken. */
int beam__connection_refuse(beam__connection *connection, int status, const char *error);

#pragma GCC visibility pop
