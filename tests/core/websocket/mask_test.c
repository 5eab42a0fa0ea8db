/* Masking at every alignment, and the random bytes it takes: over forks and threads. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "frame_stream.h"
#include "test.h"

enum { SAMPLE = 64, DRAWS = 200000 };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* ---- Masking ---- */

static int masks_right(size_t len, size_t to_offset, size_t from_offset) {
  static uint8_t source[256], target[256];
  size_t at, wrong = 0;
  for (at = 0; at < sizeof source; at++) {
    source[at] = (uint8_t)(at * 7 + 1);
    target[at] = 0xEE;
  }
  beam__mask(target + to_offset, source + from_offset, len, key);
  for (at = 0; at < len; at++)
    wrong += target[to_offset + at] != (source[from_offset + at] ^ key[at % 4]);
  for (at = 0; at < sizeof target; at++) /* nothing beside it is written */
    wrong += (at < to_offset || at >= to_offset + len) && target[at] != 0xEE;
  return wrong == 0;
}

static void at_every_length_and_alignment(void) {
  size_t len, to, from;
  for (len = 0; len <= 80; len++)
    for (to = 0; to < 8; to++)
      for (from = 0; from < 8; from++)
        CHECK(masks_right(len, to, from));
}

static void in_place_and_back(void) {
  uint8_t want[100];
  size_t len, at;
  for (at = 0; at < sizeof want; at++)
    want[at] = (uint8_t)(at * 3);
  for (len = 0; len <= sizeof want; len++) {
    uint8_t *bytes = guarded_copy(want, len);
    beam__mask(bytes, bytes, len, key);
    for (at = 0; at < len; at++)
      CHECK_INT(bytes[at], want[at] ^ key[at % 4]);
    beam__mask(bytes, bytes, len, key);
    CHECK(memcmp(bytes, want, len) == 0);
  }
}

/* ---- Random bytes ---- */

static int is_zero(const uint8_t *bytes, size_t len) {
  while (len > 0 && bytes[len - 1] == 0)
    len--;
  return len == 0;
}

static void keys_differ(void) {
  uint8_t keys[1000][4];
  size_t at, other, same = 0;
  for (at = 0; at < 1000; at++) {
    beam__random(keys[at], 4);
    for (other = 0; other < at; other++)
      same += memcmp(keys[at], keys[other], 4) == 0;
  }
  CHECK(same <= 2); /* by chance 0.0001 */
}

/* More than a buffer at once, and sizes that do not divide it: every byte is written, none twice. */
static void any_amount(void) {
  static uint8_t bytes[5000], more[5000];
  size_t len;
  for (len = 1; len < 300; len += 13) {
    memset(bytes, 0, sizeof bytes);
    beam__random(bytes, len);
    CHECK(len < 16 || !is_zero(bytes + len - 16, 16));
    CHECK(is_zero(bytes + len, sizeof bytes - len));
  }
  beam__random(bytes, sizeof bytes);
  beam__random(more, sizeof more);
  for (len = 0; len + 16 <= sizeof bytes; len += 16)
    CHECK(!is_zero(bytes + len, 16) && memcmp(bytes + len, more + len, 16) != 0);
}

/* The next bytes of a forked child, after `before` has run in it. Returns the child's wait status. */
static int sample_of_child(uint8_t sample[SAMPLE], void (*before)(void)) {
  int ends[2], status = -1;
  ssize_t got;
  pid_t child;
  if (pipe(ends) != 0 || (child = fork()) < 0)
    return -1;
  if (child == 0) {
    if (before)
      before();
    beam__random(sample, SAMPLE);
    _exit(write(ends[1], sample, SAMPLE) == SAMPLE ? 0 : 1);
  }
  close(ends[1]);
  got = read(ends[0], sample, SAMPLE);
  close(ends[0]);
  waitpid(child, &status, 0);
  return status == 0 && got != SAMPLE ? -1 : status;
}

static void forked_processes_share_none(void) {
  uint8_t samples[3][SAMPLE];
  beam__random(samples[0], 4); /* the buffer is filled and mostly unused */
  REQUIRE(sample_of_child(samples[0], NULL) == 0);
  REQUIRE(sample_of_child(samples[1], NULL) == 0);
  beam__random(samples[2], SAMPLE);
  CHECK(memcmp(samples[0], samples[1], 8) != 0);
  CHECK(memcmp(samples[0], samples[2], 8) != 0);
  CHECK(memcmp(samples[1], samples[2], 8) != 0);
}

/* In a child that has drawn bytes of its own: ends it unless its child draws others. */
static void fork_again(void) {
  uint8_t sample[SAMPLE], own[SAMPLE];
  beam__random(own, 4);
  if (sample_of_child(sample, NULL) != 0)
    _exit(2);
  beam__random(own, SAMPLE);
  if (memcmp(sample, own, 8) == 0)
    _exit(3);
}

static void a_fork_of_a_fork_shares_none(void) {
  uint8_t sample[SAMPLE];
  CHECK_INT(sample_of_child(sample, fork_again), 0);
}

static int by_value(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static void *draw(void *values) {
  uint64_t *value = values;
  size_t at;
  for (at = 0; at < DRAWS; at++)
    beam__random(value + at, sizeof *value);
  return NULL;
}

/* Two threads that draw at the same time: with one buffer between them they would meet in it. */
static void threads_share_none(void) {
  static uint64_t values[2 * DRAWS];
  pthread_t threads[2];
  size_t at, same = 0;
  REQUIRE(pthread_create(&threads[0], NULL, draw, values) == 0);
  REQUIRE(pthread_create(&threads[1], NULL, draw, values + DRAWS) == 0);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  qsort(values, 2 * DRAWS, sizeof values[0], by_value);
  for (at = 1; at < 2 * DRAWS; at++)
    same += values[at] == values[at - 1];
  CHECK_INT(same, 0);
}

/* From here on getrandom fails, as in a sandbox that does not know it. */
static void refuse_getrandom(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit(2);
  close(STDERR_FILENO); /* it will complain */
}

static void no_random_bytes_is_the_end(void) {
  uint8_t sample[SAMPLE];
  int status = sample_of_child(sample, refuse_getrandom);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void) {
  RUN(at_every_length_and_alignment);
  RUN(in_place_and_back);
  RUN(keys_differ);
  RUN(any_amount);
  RUN(forked_processes_share_none);
  RUN(a_fork_of_a_fork_shares_none);
  RUN(threads_share_none);
  RUN(no_random_bytes_is_the_end);
  return test_end();
}
