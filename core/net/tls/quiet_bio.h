/* TLS without SIGPIPE: OpenSSL's own socket BIO writes with write(), which kills the process when the peer is gone,
 * unless the program ignores the signal. That is the program's to decide, not a library's.
 */
#ifndef BEAM_QUIET_BIO_H
#define BEAM_QUIET_BIO_H

#include <openssl/ssl.h>

#pragma GCC visibility push(hidden)

/* From now on `ssl` writes to its socket with MSG_NOSIGNAL. Where memory is short it stays as it was. */
void beam__quiet_bio_use(SSL *ssl);

#pragma GCC visibility pop

#endif
