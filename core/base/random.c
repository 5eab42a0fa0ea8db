/* A buffer of the system's random bytes for each thread. A forked child inherits a copy of it and would hand out the
 * parent's bytes again: pthread_atfork tells the two apart at no cost per call, where getpid is a system call. (A child
 * of a bare clone(2) that does not exec is not noticed.)
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/random.h"

enum { BUFFER_SIZE = 256 }; /* as much as getentropy gives at once */

static unsigned forks; /* seen by this process since it first drew */
static pthread_once_t watch_forks_once = PTHREAD_ONCE_INIT;

static _Thread_local struct {
  uint8_t bytes[BUFFER_SIZE];
  size_t left; /* at the end of `bytes` */
  unsigned forks;
} buffer;

static void on_fork(void) { forks++; } /* in the child, which has one thread */

static void give_up(const char *why) {
  fprintf(stderr, "libbeam: no random bytes for a WebSocket: %s\n", why);
  abort();
}

static void watch_forks(void) {
  if (pthread_atfork(NULL, NULL, on_fork) != 0)
    give_up("out of memory (pthread_atfork)");
}

/* Only a kernel or a sandbox without getrandom refuses, and OpenSSL does not work there either. Going on would be worse
 * than to end: a mask that can be guessed lets whoever chooses the payload choose the bytes on the wire (RFC 6455
 * section 10.3). */
static void refill(void) {
  if (getentropy(buffer.bytes, BUFFER_SIZE) != 0)
    give_up("the system refuses getrandom");
  buffer.left = BUFFER_SIZE;
  buffer.forks = forks;
}

static size_t take(uint8_t *to, size_t len) {
  size_t taken = len < buffer.left ? len : buffer.left;
  memcpy(to, buffer.bytes + BUFFER_SIZE - buffer.left, taken);
  buffer.left -= taken;
  return taken;
}

void beam__random(void *to, size_t len) {
  size_t done = 0;
  pthread_once(&watch_forks_once, watch_forks);
  while (done < len) {
    if (buffer.left == 0 || buffer.forks != forks)
      refill();
    done += take((uint8_t *)to + done, len - done);
  }
}
