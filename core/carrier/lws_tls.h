/* TLS for libwebsockets: SSL_CTXs of our own making, and certificates checked by ourselves.
 *
 * libwebsockets 4.1.6 would load the system's store anew for each virtual host, cut host names at 128 bytes and at the
 * first colon (so that an IPv6 address is checked against nothing), and tell too little of what went wrong. It takes a
 * ready SSL_CTX; everything that matters hangs on that.
 */
#ifndef BEAM_LWS_TLS_H
#define BEAM_LWS_TLS_H

#include <openssl/ssl.h>

#include "carrier/lws_context.h"
#include "net/tls/trust.h"

#pragma GCC visibility push(hidden)

/* What one TLS handshake must know and what it has to tell. */
typedef struct beam__tls_peer {
  const char *host;            /* name or address that the certificate must be for */
  void (*started)(void *user); /* the handshake begins */
  void *user;
  long verify_code;               /* X509_V_ERR_…; 0: nothing wrong */
  char subject[200], issuer[200]; /* of the certificate that was refused */
  char reason[160];               /* what else went wrong, or "" */
} beam__tls_peer;

/* What one connection needs for TLS, from the call that opens it to its handshake. */
typedef struct beam__tls_needs { /* zero-initialise */
  beam_tls files;                /* its client certificate, copied; not the CA file */
  beam__trust *trust;            /* NULL: none is needed */
  beam__trust_waiter waiter;
  SSL_CTX *context; /* NULL: not made yet */
} beam__tls_needs;

/* The CA certificates begin to be read. `options` were checked (tls.h). 0, BEAM_EINVALID or BEAM_ENO_MEMORY; to be
 * released in any case. */
int beam__tls_needs_start(beam_ctx *ctx, beam__tls_needs *needs, const beam_tls *options, beam_error *error);
/* 1: calls `ready(user)` from a step when they have been read. 0: they have, or none are needed. */
int beam__tls_needs_await(beam__tls_needs *needs, void (*ready)(void *user), void *user);
/* Once they have been read: makes the context, or finds one; files that have changed are read again. 0, BEAM_EINVALID
 * (a file does not hold what it should), BEAM_ENO_MEMORY. */
int beam__tls_needs_make(struct beam__lws *lws, beam__tls_needs *needs, beam_error *error);
void beam__tls_needs_release(beam__tls_needs *needs);
void beam__tls_contexts_free(struct beam__lws *lws);
/* Who speaks on this descriptor; NULL: nobody we know, the handshake then fails (carrier_lws.c). */
beam__tls_peer *beam__tls_peer_find(struct beam__lws *lws, int fd);
/* The handshake's peer is no longer there. `ssl` may be NULL. */
void beam__tls_forget(SSL *ssl);

#pragma GCC visibility pop

#endif
