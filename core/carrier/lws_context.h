/* The libwebsockets context of a beam_ctx: one, on the context's own loop, made when the first client WebSocket opens.
 *
 *   carrier_lws.c  ->  lws_context.c  ->  libwebsockets, on ctx->loop
 *                  ->  lws_tls.c      ->  OpenSSL
 *
 * A connection is bound to a virtual host, which stands for what libwebsockets cannot be told per connection: the
 * SSL_CTX and the proxy. They are kept for the next connection, up to a bound.
 */
#ifndef BEAM_LWS_CONTEXT_H
#define BEAM_LWS_CONTEXT_H

#include <libwebsockets.h>

#include "base/bytes.h"
#include "internal.h"

#pragma GCC visibility push(hidden)

enum {
  BEAM__INPUT_SIZE = 65536,                     /* over TLS less than a record (16 KiB) stalls on libuv, 4.1.6 */
  BEAM__SERVICE_SIZE = BEAM__INPUT_SIZE + 1024, /* libwebsockets bounds every read by the size of its own buffer */
  BEAM__LWS_HEAD_MAX = 5120 /* it keeps as much for each connection, for its life: 8 kB are what one may take */
};

struct beam__lws {
  beam__owned owned;
  beam_ctx *ctx;
  struct lws_context *context;
  beam__node carriers; /* all that have not been freed */
  beam__node vhosts;   /* the most recently used at the end */
  beam__node tls;      /* lws_tls.c */
  beam__bytes doomed;  /* struct lws *: to be killed once libwebsockets is not on the stack */
  beam__task reap;     /* kills them */
  beam__task tidy;     /* wipes the request head, with its credentials */
  beam__task finish;   /* the second half of the end */
  unsigned depth;      /* callbacks of libwebsockets on the stack */
  int connecting;      /* inside of beam__lws_connect */
  unsigned destroyed;  /* connections that it has given up so far */
  char *service;       /* its buffer for heads, zero between uses; NULL until the first was put together there */
  size_t requested;    /* the length of the request head that lies there */
  int pipe;            /* its event pipe's descriptor */
  int turns;
  char input[BEAM__INPUT_SIZE]; /* what open connections read into, one after the other */
};

typedef struct beam__vhost beam__vhost;

/* Makes ctx->lws if it is not there. 0, BEAM_EINVALID or BEAM_ENO_MEMORY. */
int beam__lws_ready(beam_ctx *ctx, beam_error *error);
/* The virtual host for these, made or found. `ssl`: an SSL_CTX, NULL for none; `proxy`: "[user:password@]address:port",
 * NULL for none. NULL if there are too many in use, or no memory. */
beam__vhost *beam__lws_vhost(struct beam__lws *lws, void *ssl, const char *proxy);
/* Starts a connection; `info` is complete but for context, vhost and what is the same for all. NULL: failed at once. */
struct lws *beam__lws_connect(struct beam__lws *lws, beam__vhost *vhost, struct lws_client_connect_info *info);
/* Ends a connection without a further event: now, or as soon as libwebsockets is not on the stack. */
void beam__lws_drop(struct beam__lws *lws, struct lws *wsi);
/* To be called for LWS_CALLBACK_WSI_DESTROY. */
void beam__lws_destroyed(struct beam__lws *lws, struct lws *wsi);

/* Every callback of libwebsockets (carrier_lws.c). */
int beam__lws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);
/* Ends the carriers that are left when the context goes (carrier_lws.c). */
void beam__carriers_end(struct beam__lws *lws);

#pragma GCC visibility pop

#endif
