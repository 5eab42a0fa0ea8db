/* A small harness: each C test is a program that prints TAP. CHECKs that fail are counted, not fatal; REQUIRE ends the
 * test. */
#ifndef BEAM_TEST_H
#define BEAM_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_count, test_failures, test_case_failures;

#define CHECK(condition)                                                                                               \
  ((condition) ? 1 : (printf("# %s:%d: failed: %s\n", __FILE__, __LINE__, #condition), test_case_failures++, 0))
#define CHECK_INT(got, want)                                                                                           \
  do {                                                                                                                 \
    long long got_ = (long long)(got), want_ = (long long)(want);                                                      \
    if (got_ != want_ && ++test_case_failures)                                                                         \
      printf("# %s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #got, got_, want_);                           \
  } while (0)
#define CHECK_STR(got, want)                                                                                           \
  do {                                                                                                                 \
    const char *got_ = (got), *want_ = (want);                                                                         \
    if ((!got_ || strcmp(got_, want_)) && ++test_case_failures)                                                        \
      printf("# %s:%d: %s is \"%s\", expected \"%s\"\n", __FILE__, __LINE__, #got, got_ ? got_ : "(null)", want_);     \
  } while (0)
#define CHECK_CONTAINS(got, part)                                                                                      \
  do {                                                                                                                 \
    const char *got_ = (got), *part_ = (part);                                                                         \
    if ((!got_ || !strstr(got_, part_)) && ++test_case_failures)                                                       \
      printf("# %s:%d: %s is \"%s\", lacks \"%s\"\n", __FILE__, __LINE__, #got, got_ ? got_ : "(null)", part_);        \
  } while (0)
#define REQUIRE(condition)                                                                                             \
  do {                                                                                                                 \
    if (!CHECK(condition))                                                                                             \
      return;                                                                                                          \
  } while (0)
#define RUN(function) test_run(#function, function)

static inline void test_run(const char *name, void (*function)(void)) {
  test_case_failures = 0;
  function();
  test_failures += test_case_failures > 0;
  printf("%s %d - %s\n", test_case_failures ? "not ok" : "ok", ++test_count, name);
  fflush(stdout);
}

static inline int test_end(void) {
  printf("1..%d\n", test_count);
  return test_failures > 0;
}

#endif
