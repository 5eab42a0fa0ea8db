/* What both transports share of TLS: errors that say which certificate was refused, and why. */
#pragma once

#include <openssl/x509.h>

#include "beam.h"

#pragma GCC visibility push(hidden)

/* Subject and issuer of a certificate, each as "CN=…,O=…" (RFC 2253), for the error below. */
void beam__tls_names(const X509 *certificate, char *subject, size_t subject_size, char *issuer, size_t issuer_size);
/* Fills a BEAM_ETLS error from an X509_V_ERR_… code: reason, the certificate's subject and issuer ("" if not known),
 * what to do. Used by the WebSocket and by HTTP, so that both say the same. */
int beam__tls_verify_error(beam_error *error, const char *host, long verify_code, const char *subject,
                           const char *issuer);
/* Fills a BEAM_ETLS error for a handshake that failed in another way; `reason` as OpenSSL gives it ("wrong version
 * number"), or the system. What a person can do about it is added where it is known. */
int beam__tls_handshake_error(beam_error *error, const char *host, const char *reason);

#pragma GCC visibility pop
