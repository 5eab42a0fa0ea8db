/* Whom a TLS connection trusts and as whom it appears, as an SSL_CTX: one for each trust, client certificate and key
 * (by what is in them), kept for the next connection up to a bound, together with the sessions that were made in it.
 */
#pragma once

#include "net/tls/files.h"
#include "net/tls/session.h"
#include "net/tls/trust.h"

#pragma GCC visibility push(hidden)

typedef struct beam__tls_profile { /* counted */
  beam__node node;
  beam_ctx *ctx;
  unsigned references;
  SSL_CTX *ssl;
  beam__sessions sessions;
  struct beam__tls_identity {
    unsigned trust;                           /* its id; 0: nobody is asked for a certificate */
    unsigned char shown[BEAM__IDENTITY_SIZE]; /* of the client certificate, its key and the key's passphrase */
  } identity;
} beam__tls_profile;

void beam__tls_profile_release(beam__tls_profile *profile); /* NULL is fine */

/* A server's, of its own: it shows the certificate of `files` and asks for none. 0, BEAM_EINVALID (a file does not hold
 * what it should), BEAM_ENO_MEMORY. */
int beam__tls_profile_serve(beam_ctx *ctx, beam__tls_profile **profile, const beam_tls *files, beam_error *error);

/* What one connection needs, from the call that opens it to its handshake. */
typedef struct beam__tls_needs { /* zero-initialise */
  beam_tls files;                /* its client certificate, copied; not the CA file */
  beam__trust *trust;            /* NULL: none is needed */
  beam__trust_waiter waiter;
  beam__tls_profile *profile; /* NULL: not made yet */
} beam__tls_needs;

/* The CA certificates begin to be read. `options` were checked (verify.h). 0, BEAM_EINVALID or BEAM_ENO_MEMORY; to be
 * released in any case. */
int beam__tls_needs_start(beam_ctx *ctx, beam__tls_needs *needs, const beam_tls *options, beam_error *error);
/* 1: calls `ready(user)` from a step when they have been read. 0: they have, or none are needed. */
int beam__tls_needs_await(beam__tls_needs *needs, void (*ready)(void *user), void *user);
/* Once they have been read: makes the profile, or finds it. 0, BEAM_EINVALID (a file does not hold what it should),
 * BEAM_ENO_MEMORY. */
int beam__tls_needs_make(beam_ctx *ctx, beam__tls_needs *needs, beam_error *error);
/* In an owned thing's `destroy` at the latest. They are zero again. */
void beam__tls_needs_release(beam__tls_needs *needs);

#pragma GCC visibility pop
