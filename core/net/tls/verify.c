/* The chain is OpenSSL's to follow, in the store of the profile (trust.c); calls have curl ask it (http/connect.c). */
#include "net/tls/verify.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "net/tls/connection.h"

enum { HOST_SIZE = 256 };

/* The root's dot is no part of the name in a certificate, nor in the SNI (RFC 6066 section 3). */
static void without_dot(char name[HOST_SIZE], const char *host) {
  size_t len = strlen(host);
  snprintf(name, HOST_SIZE, "%.*s", (int)(len > 1 && host[len - 1] == '.' ? len - 1 : len), host);
}

/* An address is not named in the SNI. */
static int expect(SSL *ssl, const char *host) {
  X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
  char name[HOST_SIZE];
  without_dot(name, host);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, name))
    return 1;
  return SSL_set_tlsext_host_name(ssl, name) && X509_VERIFY_PARAM_set1_host(param, name, 0);
}

/* Called for each certificate; the first that is refused is the one to be told of. */
static int on_certificate(int valid, X509_STORE_CTX *store) {
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  if (!valid)
    beam__tls_refused(SSL_get_app_data(ssl), X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store));
  return valid;
}

int beam__tls_verify(SSL *ssl, const char *host, int required) {
  if (!expect(ssl, host))
    return 0;
  if (required)
    SSL_set_verify(ssl, SSL_VERIFY_PEER, on_certificate);
  return 1;
}
