/* TLS as a machine: what came in, what is to go out; no I/O. Certificates are checked against the host that is asked
 * for, sessions resumed.
 *
 *   carrier/stream.c  ->  connection.c  ->  OpenSSL
 *
 * Records to be sent are appended to the bytes that it was made with. Whoever has put bytes in reads until MORE.
 */
#pragma once

#include "base/bytes.h"
#include "net/tls/profile.h"

#pragma GCC visibility push(hidden)

typedef struct beam__tls beam__tls;

enum beam__tls_result {
  BEAM__TLS_MORE,    /* all is used: more is needed */
  BEAM__TLS_SECURED, /* the handshake is over, once; it may be written */
  BEAM__TLS_DATA,
  BEAM__TLS_END,   /* the peer's close_notify */
  BEAM__TLS_FAILED /* see beam__tls_failure */
};

/* A client's, for the certificate of `host`; `peer` is "host:port", by which sessions are kept and errors name it.
 * `out` must outlive it. NULL: out of memory. */
beam__tls *beam__tls_client(beam__tls_profile *profile, const char *host, const char *peer, beam__bytes *out);
/* verify.c: this certificate (NULL: not known) is not good, for an X509_V_ERR_… */
void beam__tls_refused(beam__tls *tls, long verify_code, const X509 *certificate);
/* A server's; `peer` is the client's address, for errors. */
beam__tls *beam__tls_server(beam__tls_profile *profile, const char *peer, beam__bytes *out);
void beam__tls_free(beam__tls *tls); /* NULL is fine */
/* Begins the handshake; a server waits for the client. */
int beam__tls_start(beam__tls *tls); /* 0, or BEAM_ENO_MEMORY */
/* What came, which is the caller's and stays where it is until it was read. */
void beam__tls_put(beam__tls *tls, const void *bytes, size_t len);
/* Decodes into `to` as much as there is and fits. */
enum beam__tls_result beam__tls_read(beam__tls *tls, void *to, size_t size, size_t *len);
/* 0: another reading would say MORE. */
int beam__tls_has_more(const beam__tls *tls);
/* 0 or BEAM_ENO_MEMORY. Only once it is secured. */
int beam__tls_write(beam__tls *tls, const void *data, size_t len);
/* Says that nothing more will be written. */
void beam__tls_finish(beam__tls *tls);
/* Gives back the memory for records, 33 kB, unless one is half read; the next reading or writing makes it anew. Of the
 * connections of a beam_ctx only the one that was read or written last keeps it: that is most of what a connection
 * takes, and to make it anew for each message costs more than a short one. */
void beam__tls_rest(beam__tls *tls);
int beam__tls_has_failed(const beam__tls *tls);
/* Fills a BEAM_ETLS error with what failed in the handshake or after it; `system`: the errno of a connection that ended
 * meanwhile, or 0. */
void beam__tls_failure(const beam__tls *tls, int system, beam_error *error);

/* OpenSSL has a session for later (profile.c). */
int beam__tls_on_session(SSL *ssl, SSL_SESSION *session);

#pragma GCC visibility pop
