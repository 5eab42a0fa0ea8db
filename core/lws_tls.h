/* TLS for libwebsockets: SSL_CTXs of our own making, and certificates checked by ourselves.
 *
 * libwebsockets 4.1.6 would load the system's store anew for each virtual host, cut host names at 128 bytes and at the
 * first colon (so that an IPv6 address is checked against nothing), and tell too little of what went wrong. It takes a
 * ready SSL_CTX; everything that matters hangs on that.
 */
#ifndef BEAM_LWS_TLS_H
#define BEAM_LWS_TLS_H

#include <openssl/ssl.h>

#include "lws_context.h"
#include "trust.h"

/* What one TLS handshake must know and what it has to tell. */
typedef struct beam__tls_peer {
  const char *host;            /* name or address that the certificate must be for */
  void (*started)(void *user); /* the handshake begins */
  void *user;
  long verify_code;               /* X509_V_ERR_…; 0: nothing wrong */
  char subject[200], issuer[200]; /* of the certificate that was refused */
  char reason[160];               /* what else went wrong, or "" */
} beam__tls_peer;

/* An SSL_CTX for these options, made or found; files that have changed are read again. `trust`: whom it trusts, ready;
 * NULL for `insecure`. The reference is the caller's: SSL_CTX_free. 0, BEAM_EINVALID (a
 * file does not hold what it should), BEAM_ENO_MEMORY. */
int beam__tls_context(struct beam__lws *lws, const beam_tls *options, const beam__trust *trust, SSL_CTX **context,
                      beam_error *error);
void beam__tls_contexts_free(struct beam__lws *lws);
/* Who speaks on this descriptor; NULL: nobody we know, the handshake then fails (carrier_lws.c). */
beam__tls_peer *beam__tls_peer_find(struct beam__lws *lws, int fd);
/* The handshake's peer is no longer there. `ssl` may be NULL. */
void beam__tls_forget(SSL *ssl);

#endif
