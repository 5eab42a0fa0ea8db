/* Reading is one thing, and may block: no lock is held, nothing of OpenSSL used. Parsing is another: 0.2 ms for each
 * certificate.
 *
 * OpenSSL takes itself down when the process exits, whoever still uses it, and a detached thread would crash in what is
 * left, or at its own end. So it enters OpenSSL for one certificate at a time; exit waits until it is out, and from
 * then on whoever wants to enter stays at the door. A fork waits likewise: its child, which has no such thread, would
 * otherwise wait for ever for a lock that the thread holds.
 */
#include "net/tls/ca_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "internal.h"

enum { PIECE = 64 * 1024, OUT_SECONDS = 5 /* only bounds a defect */ };

/* ---- Threads in OpenSSL; fork, and the end of the process ---- */

static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned inside, barred; /* under the lock */

static void enter(void) {
  pthread_mutex_lock(&lock);
  while (barred)
    pthread_cond_wait(&changed, &lock);
  inside++;
  pthread_mutex_unlock(&lock);
}

static void leave(void) {
  pthread_mutex_lock(&lock);
  inside--;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

/* Holds the lock when it returns. */
static void bar(void) {
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += OUT_SECONDS;
  pthread_mutex_lock(&lock);
  barred++;
  while (inside && pthread_cond_timedwait(&changed, &lock, &limit) == 0)
    continue;
}

static void at_exit(void) {
  bar();
  pthread_mutex_unlock(&lock); /* and barred it stays */
}

static void after_fork_in_parent(void) {
  barred--;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

/* Whoever waits stayed with the parent, and must not be counted here. */
static void after_fork_in_child(void) {
  barred--;
  inside = 0;
  pthread_cond_init(&changed, NULL);
  pthread_mutex_unlock(&lock);
}

/* What is registered last runs first: so OpenSSL must have registered its own before. */
static void prepare(void) {
  OPENSSL_init_ssl(0, NULL);
  atexit(at_exit);
  pthread_atfork(bar, after_fork_in_parent, after_fork_in_child);
}

void beam__ca_file_prepare(void) { pthread_once(&prepared, prepare); }

/* The first SSL_CTX of a process costs a millisecond that no step should have to pay: this one is for nothing else. */
static void warm_up(void) {
  enter();
  SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
  leave();
}

/* ---- Reading ---- */

static int read_piece(int fd, beam__bytes *content) {
  char piece[PIECE];
  ssize_t got;
  do
    got = read(fd, piece, sizeof piece);
  while (got < 0 && errno == EINTR);
  if (got <= 0)
    return (int)got;
  if (content->len + (size_t)got > BEAM__CA_FILE_MAX)
    return errno = EFBIG, -1;
  return beam__bytes_add(content, piece, (size_t)got) ? (errno = ENOMEM, -1) : 1;
}

/* 0, or errno. */
static int read_file(const char *path, beam__bytes *content) {
  int fd = open(path, O_RDONLY | O_CLOEXEC), more, system;
  if (fd < 0)
    return errno;
  while ((more = read_piece(fd, content)) > 0)
    continue;
  system = more < 0 ? errno : 0;
  close(fd);
  return system;
}

/* ---- Parsing ---- */

/* Without this OpenSSL would ask for a password on the terminal, and wait. */
static int no_password(char *to, int size, int writing, void *user) {
  (void)to, (void)size, (void)writing, (void)user;
  return -1;
}

/* 1: one was added; 0: there is none left; -1: it is broken. */
static int add_next(X509_STORE *store, BIO *from) {
  X509 *certificate;
  int added;
  ERR_clear_error();
  certificate = PEM_read_bio_X509_AUX(from, NULL, no_password, NULL);
  if (!certificate)
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -1;
  added = X509_STORE_add_cert(store, certificate) == 1;
  X509_free(certificate);
  return added ? 1 : -1;
}

/* Of memory that ran out OpenSSL tells in many ways, a damaged certificate among them; but malloc leaves ENOMEM. */
static int add_guarded(X509_STORE *store, BIO **from, const beam__bytes *content) {
  int result;
  enter();
  errno = 0;
  if (!*from)
    *from = BIO_new_mem_buf(content->at, (int)content->len);
  result = *from ? add_next(store, *from) : -1;
  if (errno == ENOMEM) /* also of one that was read: it may be without its key */
    result = BEAM_ENO_MEMORY;
  leave();
  return result;
}

static int add_all(X509_STORE *store, BIO **from, const beam__bytes *content, unsigned *count) {
  int result;
  for (*count = 0; (result = add_guarded(store, from, content)) > 0; ++*count)
    continue;
  return result;
}

/* What OpenSSL keeps for each thread goes here, where it is guarded, and not when the thread ends. */
static void let_go(X509_STORE *store, BIO *from) {
  enter();
  BIO_free(from);
  X509_STORE_free(store);
  OPENSSL_thread_stop();
  leave();
}

int beam__ca_file_load(X509_STORE *store, const char *path, char *error, size_t size) {
  beam__bytes content = {0};
  BIO *from = NULL;
  int system, result = 0;
  unsigned count = 0;
  char why[128];
  warm_up();
  system = read_file(path, &content);
  if (!system && content.len)
    result = add_all(store, &from, &content, &count);
  let_go(store, from);
  beam__bytes_free(&content);
  *error = '\0';
  if (system)
    snprintf(error, size, "the CA certificates in %.250s cannot be read: %s", path,
             beam__system_text(system, why, sizeof why));
  else if (result == BEAM_ENO_MEMORY)
    snprintf(error, size, "out of memory for the CA certificates in %.250s", path);
  else if (result < 0)
    snprintf(error, size, "certificate %u of the CA file %.250s is damaged: replace it", count + 1, path);
  else if (!count)
    snprintf(error, size, "there is no certificate in PEM form in the CA file %.250s", path);
  if (!*error)
    return 0;
  return system == ENOMEM || result == BEAM_ENO_MEMORY ? BEAM_ENO_MEMORY : BEAM_EINVALID;
}
