/* What the three files of the client's carrier share; see carrier_lws.h. */
#ifndef BEAM_LWS_CARRIER_H
#define BEAM_LWS_CARRIER_H

#include "carrier/carrier_lws.h"
#include "carrier/lws_context.h"
#include "carrier/lws_tls.h"
#include "net/connect.h"
#include "net/resolve.h"

#pragma GCC visibility push(hidden)

struct beam__lws_carrier;

/* One connection of libwebsockets, which points back here. */
typedef struct beam__lws_link {
  struct beam__lws_carrier *carrier;
  struct lws *wsi; /* NULL: none, or gone */
  size_t index;    /* of the address */
} beam__lws_link;

typedef struct beam__opening beam__opening; /* lws_opening.c */

typedef struct beam__lws_carrier {
  beam__carrier base;
  beam__node node; /* in the context's list */
  beam_ctx *ctx;
  struct beam__lws *lws;
  const beam__carrier_events *events;
  void *user;
  beam__task task;
  beam_timer *deadline;
  beam__opening *opening; /* NULL once it is open */
  beam__lws_link link;    /* the connection, once TCP stands */
  beam__bytes out;        /* what libwebsockets has not been given, from out_at */
  size_t out_at;
  uint64_t bytes_in, bytes_out; /* so far, once it is open */
  size_t chunk;                 /* the bytes of which it has kept some back; 0: none */
  int system;                   /* errno of what ended the connection */
  enum beam_phase phase;        /* while it opens */
  uint8_t closed;               /* by its holder: no event any more */
  uint8_t over;                 /* the terminal event was sent */
  uint8_t paused;
  uint8_t readable; /* libwebsockets said so, and waits for us to read */
  uint8_t broken;   /* writing failed: what can be read is, then it ends */
} beam__lws_carrier;

/* May events be sent? */
static inline int beam__lws_live(const beam__lws_carrier *carrier) { return !carrier->closed && !carrier->over; }
/* The connection is no longer ours: forgotten, or ended without an event. */
void beam__lws_unlink(beam__lws_link *link);
void beam__lws_end_link(struct beam__lws *lws, beam__lws_link *link);
/* The terminal event `lost`. */
void beam__lws_lost(beam__lws_carrier *carrier, const beam_error *error);

/* ---- lws_opening.c ---- */

int beam__opening_new(beam__lws_carrier *carrier, beam__lws_request *request, beam_error *error);
void beam__opening_start(beam__lws_carrier *carrier);
void beam__opening_free(beam__lws_carrier *carrier); /* ends its attempts */
beam__tls_peer *beam__opening_tls(beam__lws_carrier *carrier, int fd);
/* What libwebsockets calls while it opens */
void beam__opening_tcp(beam__lws_link *link, struct lws *wsi);
int beam__opening_head(beam__lws_carrier *carrier, char **end, size_t room); /* -1: the request is not sent */
void beam__opening_answer(beam__lws_carrier *carrier);
void beam__opening_body(beam__lws_carrier *carrier, const void *data, size_t len);
void beam__opening_body_end(beam__lws_carrier *carrier);
void beam__opening_failed(beam__lws_link *link);

/* ---- lws_stream.c ---- */

int beam__stream_write(beam__carrier *base, const void *data, size_t len);
size_t beam__stream_pending(const beam__carrier *base);
void beam__stream_progress(const beam__carrier *base, beam_progress *progress);
void beam__stream_pause(beam__carrier *base, int paused);
/* Writes what waits, as far as the socket takes it. */
void beam__stream_drain(beam__lws_carrier *carrier);
/* -1: the connection is to be ended. */
int beam__stream_read(beam__lws_carrier *carrier);
/* Hands on what has come by the end of a connection that is already lost, and finds out what ended it. */
void beam__stream_read_rest(beam__lws_carrier *carrier, struct lws *wsi);

#pragma GCC visibility pop

#endif
