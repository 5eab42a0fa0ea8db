/* Is it the server that was asked for? Its certificate is checked against whom the profile trusts, and the host's name.
 */
#pragma once

#include <openssl/ssl.h>

#pragma GCC visibility push(hidden)

/* `required`: the certificate has to be good; beam__tls_refused is told of one that is not. Returns 0 where there is no
 * memory for it. */
int beam__tls_verify(SSL *ssl, const char *host, int required);

#pragma GCC visibility pop
