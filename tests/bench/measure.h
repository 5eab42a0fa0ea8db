/* What the benchmarks share: a clock, percentiles, the heap. */
#ifndef BEAM_MEASURE_H
#define BEAM_MEASURE_H

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline double now(void) { return seconds_of(CLOCK_MONOTONIC); }
static inline double cpu_time(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

/* What a benchmark prints that does `count` things: how many, the seconds since `started` and those of the processor.
 */
static inline void print_since(long count, double started, double started_cpu) {
  printf("%ld %.6f %.6f\n", count, now() - started, cpu_time() - started_cpu);
}

static inline int by_size(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

/* Sorts `values`; `share` 0.5 is the median. */
static inline double percentile(double *values, size_t count, double share) {
  qsort(values, count, sizeof *values, by_size);
  return values[(size_t)((double)(count - 1) * share)];
}

/* What of it is in memory: pages that were reserved and never touched do not count. */
static inline size_t resident_bytes(void) {
  size_t total = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file) {
    if (fscanf(file, "%zu %zu", &total, &resident) != 2)
      resident = 0;
    fclose(file);
  }
  return resident * 4096;
}

static inline size_t heap_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

#endif
