/* A buffer of the system's random bytes for each thread. A forked child inherits a copy of it and would hand out the
 * parent's bytes again: base/forks.h tells the two apart.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/forks.h"
#include "base/random.h"

enum { BUFFER_SIZE = 256 }; /* as much as getentropy gives at once */

static _Thread_local struct {
  uint8_t bytes[BUFFER_SIZE];
  size_t left; /* at the end of `bytes` */
  unsigned forks;
} buffer;

/* Only a kernel or a sandbox without getrandom refuses, and OpenSSL does not work there either. Going on would be worse
 * than to end: a mask that can be guessed lets whoever chooses the payload choose the bytes on the wire (RFC 6455
 * section 10.3). */
static void refill(void) {
  beam__watch_forks();
  if (getentropy(buffer.bytes, BUFFER_SIZE) != 0) {
    fprintf(stderr, "libbeam: no random bytes for a WebSocket: the system refuses getrandom\n");
    abort();
  }
  buffer.left = BUFFER_SIZE;
  buffer.forks = beam__forks;
}

static size_t take(uint8_t *to, size_t len) {
  size_t taken = len < buffer.left ? len : buffer.left;
  memcpy(to, buffer.bytes + BUFFER_SIZE - buffer.left, taken);
  buffer.left -= taken;
  return taken;
}

void beam__random(void *to, size_t len) {
  size_t done = 0;
  while (done < len) {
    if (buffer.left == 0 || buffer.forks != beam__forks)
      refill();
    done += take((uint8_t *)to + done, len - done);
  }
}
