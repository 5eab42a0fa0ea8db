/* What libbeam stands on, for a person who asks what is installed: versions that are loaded, not those it was built
 * with. */
#include <curl/curl.h>
#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>
#include <zlib.h>

#include "beam.h"

/* "OpenSSL 3.0.17 1 Jul 2025" -> its length without the date */
static int without_date(const char *text) {
  int spaces = 0, i = 0;
  while (text[i] && (text[i] != ' ' || ++spaces < 2))
    i++;
  return i;
}

int beam_libraries(char *text, size_t size) {
  const char *ssl = OpenSSL_version(OPENSSL_VERSION), *lws = lws_get_library_version(); /* "4.1.6-" and a commit */
  return snprintf(text, size, "libuv %s, libwebsockets %.*s, libcurl %s, %.*s, zlib %s", uv_version_string(),
                  (int)strcspn(lws, "-"), lws, curl_version_info(CURLVERSION_NOW)->version, without_date(ssl), ssl,
                  zlibVersion());
}
