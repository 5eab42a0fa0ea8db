/* What the tests of threads share: a clock, a wait for the last thread. */
#ifndef BEAM_BACKGROUND_FIXTURE_H
#define BEAM_BACKGROUND_FIXTURE_H

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "test.h"

enum { DEADLINE_MS = 60000, AT_ONCE_MS = 100 }; /* of the thread's own time, for the latter */

static inline double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What this thread has worked: a busy machine adds nothing to it. */
static inline double worked_ms(void) {
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static inline int threads(void) {
  DIR *tasks = opendir("/proc/self/task");
  int count = 0;
  if (!tasks)
    return usleep(200000), 0;
  while (readdir(tasks))
    count++;
  closedir(tasks);
  return count;
}

static int threads_before;

static inline void *do_nothing(void *argument) { return argument; }

/* After a first thread, with which ThreadSanitizer starts one of its own. */
static inline void count_threads(void) {
  pthread_t first;
  if (pthread_create(&first, NULL, do_nothing, NULL) || pthread_join(first, NULL))
    abort();
  usleep(50000);
  threads_before = threads();
}

/* Waits for what is still running, so that the leak check sees every thread's last free. */
static inline void settle(void) {
  int i;
  for (i = 0; i < DEADLINE_MS / 5 && threads() > threads_before; i++)
    usleep(5000);
  CHECK(threads() <= threads_before);
}

static inline beam_ctx *new_context(void) {
  beam_ctx *ctx;
  if (beam_new(&ctx, NULL))
    abort();
  return ctx;
}

static inline void step_until(beam_ctx *ctx, const atomic_int *counter, int wanted) {
  double end = now_ms() + DEADLINE_MS;
  while (*counter < wanted && now_ms() < end)
    beam_step(ctx, 100);
  CHECK_INT(*counter, wanted);
}

static inline void step_for(beam_ctx *ctx, int ms) {
  double end = now_ms() + ms;
  while (now_ms() < end)
    beam_step(ctx, 10);
}

/* As a frame would: the most that a step worked, until *counter is `wanted`. */
static inline double most_work_until(beam_ctx *ctx, const atomic_int *counter, int wanted) {
  double most = 0, end = now_ms() + DEADLINE_MS;
  while (*counter < wanted && now_ms() < end) {
    double before = worked_ms(), worked;
    beam_step(ctx, 0);
    worked = worked_ms() - before;
    most = worked > most ? worked : most;
    usleep(500);
  }
  CHECK_INT(*counter, wanted);
  return most;
}

#endif
