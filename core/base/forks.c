#include "base/forks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

unsigned beam__forks; /* since the first watch */
static pthread_once_t watch_once = PTHREAD_ONCE_INIT;

static void on_fork(void) { beam__forks++; } /* in the child, which has one thread */

/* A child that is taken for its parent would hand out the parent's random bytes, and speak on its connections. */
static void watch(void) {
  if (pthread_atfork(NULL, NULL, on_fork) == 0)
    return;
  fprintf(stderr, "libbeam: out of memory (pthread_atfork)\n");
  abort();
}

void beam__watch_forks(void) { pthread_once(&watch_once, watch); }
