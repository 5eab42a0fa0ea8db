/* A certificate of the local Beam's, with its key, in a file: for servers with TLS, and for whoever trusts them. */
#ifndef TEST_CERTIFICATE_H
#define TEST_CERTIFICATE_H

#include <stdio.h>
#include <stdlib.h>

#include "beam-server.h"

static void write_certificate(const char *path) {
  static char certificate[4096], key[4096];
  FILE *file = fopen(path, "w");
  if (!file || beam_server_certificate(certificate, key, sizeof key))
    abort();
  fprintf(file, "%s%s", certificate, key);
  fclose(file);
}

#endif
