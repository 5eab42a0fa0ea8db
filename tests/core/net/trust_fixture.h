/* Files with CA certificates, who waits for them, and processes that end meanwhile. */
#ifndef BEAM_TRUST_FIXTURE_H
#define BEAM_TRUST_FIXTURE_H

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/loop/background_fixture.h"
#include "net/tls/trust.h"

enum { BUNDLE = 150 /* certificates, as in a system's */, PATHS = 8 };

static char folder[64];

static inline const char *path(const char *name) {
  static char paths[PATHS][128];
  static int turn;
  char *to = paths[turn = (turn + 1) % PATHS];
  snprintf(to, sizeof paths[0], "%s/%s", folder, name);
  return to;
}

/* ---- Files ---- */

static inline X509 *make_certificate(EVP_PKEY *key, int number) {
  X509 *certificate = X509_new();
  X509_NAME *name = X509_get_subject_name(certificate);
  char common[32];
  snprintf(common, sizeof common, "Test Root %d", number);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), number + 1);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400L);
  X509_set_pubkey(certificate, key);
  if (!X509_sign(certificate, key, EVP_sha256()))
    abort();
  return certificate;
}

/* Certificates from `first` on. */
static inline void write_certificates(const char *name, int first, int count) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  FILE *file = fopen(path(name), "w");
  int i;
  if (!file || !key)
    abort();
  fprintf(file, "Text between certificates is a comment.\n");
  for (i = 0; i < count; i++) {
    X509 *certificate = make_certificate(key, first + i);
    if (!PEM_write_X509(file, certificate))
      abort();
    X509_free(certificate);
  }
  fclose(file);
  EVP_PKEY_free(key);
}

static inline void set_up(void) {
  pid_t child;
  strcpy(folder, "/tmp/beam-trust-test-XXXXXX");
  if (!mkdtemp(folder) || mkfifo(path("slow.pem"), 0600) || mkfifo(path("mute.pem"), 0600))
    abort();
  child = fork();
  if (child == 0) { /* so that this process has not used OpenSSL yet */
    write_certificates("one.pem", 0, 1);
    write_certificates("bundle.pem", 0, BUNDLE);
    _exit(0);
  }
  if (child < 0 || waitpid(child, NULL, 0) != child)
    abort();
}

static inline void tear_down(void) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", folder);
  if (system(command))
    abort();
}

/* ---- Who waits ---- */

typedef struct asker {
  beam__trust_waiter waiter;
  beam__trust *trust;
  atomic_int done;
  struct asker *forgets; /* in `done` */
} asker;

static inline void on_done(void *user) {
  asker *who = user;
  who->done++;
  CHECK(beam__trust_state(who->trust) != BEAM__TRUST_LOADING);
  if (who->forgets) {
    beam__trust_forget(&who->forgets->waiter);
    beam__trust_release(who->forgets->trust);
  }
}

static inline void ask(beam_ctx *ctx, asker *who, const char *name) {
  memset(who, 0, sizeof *who);
  who->trust = beam__trust_of(ctx, path(name));
  if (!who->trust)
    abort();
  if (beam__trust_state(who->trust) == BEAM__TRUST_LOADING)
    beam__trust_await(who->trust, &who->waiter, on_done, who);
}

static inline void leave(asker *who) {
  beam__trust_forget(&who->waiter);
  beam__trust_release(who->trust);
}

/* ---- Processes ---- */

static inline int status_of(pid_t child) {
  int status = 0;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif
