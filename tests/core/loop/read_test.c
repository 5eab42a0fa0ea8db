/* Reads beside the connections: pipes, files, ends, errors, and what ends before it comes. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "beam.h"
#include "test.h"

struct seen {
  int calls, system_error;
  size_t len;
  char data[64];
};

static void on_done(void *user, const char *data, size_t len, int system_error) {
  struct seen *seen = user;
  seen->calls++;
  seen->len = len;
  seen->system_error = system_error;
  if (len && len < sizeof seen->data)
    memcpy(seen->data, data, len);
}

/* Steps until `calls` have come, for up to a second. */
static void step_until(beam_ctx *ctx, const struct seen *seen, int calls) {
  int tries;
  for (tries = 0; tries < 100 && seen->calls < calls; tries++)
    beam_step(ctx, 10);
}

static void read_once(beam_ctx *ctx, int fd, struct seen *seen) {
  beam_read *reading;
  int calls = seen->calls;
  CHECK_INT(beam_read_start(ctx, &reading, fd, on_done, seen), 0);
  step_until(ctx, seen, calls + 1);
  CHECK_INT(seen->calls, calls + 1);
}

static void a_pipe(void) {
  struct seen seen = {0};
  beam_ctx *ctx;
  beam_read *reading;
  int ends[2];
  REQUIRE(beam_new(&ctx, NULL) == 0 && pipe(ends) == 0);
  CHECK_INT(beam_read_start(ctx, &reading, ends[0], on_done, &seen), 0);
  beam_step(ctx, 20);
  CHECK_INT(seen.calls, 0);
  CHECK_INT(write(ends[1], "hello", 5), 5);
  step_until(ctx, &seen, 1);
  CHECK_INT(seen.calls, 1);
  CHECK_STR(seen.data, "hello");
  CHECK_INT(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
  close(ends[1]);
  read_once(ctx, ends[0], &seen);
  CHECK_INT(seen.len, 0);
  CHECK_INT(seen.system_error, 0);
  close(ends[0]);
  beam_close(ctx);
}

static void a_file(void) {
  struct seen seen = {0};
  char path[] = "/tmp/beam-read-XXXXXX";
  beam_ctx *ctx;
  int fd = mkstemp(path);
  REQUIRE(fd >= 0 && beam_new(&ctx, NULL) == 0);
  unlink(path);
  CHECK_INT(write(fd, "from a file", 11), 11);
  lseek(fd, 0, SEEK_SET);
  read_once(ctx, fd, &seen);
  CHECK_STR(seen.data, "from a file");
  read_once(ctx, fd, &seen);
  CHECK_INT(seen.len, 0);
  close(fd);
  beam_close(ctx);
}

static void what_cannot_be_read(void) {
  struct seen seen = {0};
  beam_ctx *ctx;
  beam_read *reading, *second;
  int folder = open("/", O_RDONLY), ends[2];
  REQUIRE(folder >= 0 && pipe(ends) == 0 && beam_new(&ctx, NULL) == 0);
  read_once(ctx, folder, &seen);
  CHECK_INT(seen.system_error, EISDIR);
  CHECK_INT(beam_read_start(ctx, &reading, 1 << 19, on_done, &seen), BEAM_EINVALID);
  CHECK(reading == NULL);
  CHECK_INT(beam_read_start(ctx, &reading, ends[0], on_done, &seen), 0);
  beam_step(ctx, 0);
  CHECK_INT(beam_read_start(ctx, &second, ends[0], on_done, &seen), BEAM_EINVALID);
  beam_read_stop(reading);
  close(folder), close(ends[0]), close(ends[1]);
  beam_close(ctx);
}

static void what_ends_before(void) {
  struct seen seen = {0};
  beam_ctx *ctx;
  beam_read *reading, *other;
  int ends[2], file = open("/dev/null", O_RDONLY);
  REQUIRE(file >= 0 && pipe(ends) == 0 && beam_new(&ctx, NULL) == 0);
  CHECK_INT(write(ends[1], "x", 1), 1);
  CHECK_INT(beam_read_start(ctx, &reading, ends[0], on_done, &seen), 0);
  beam_read_stop(reading);
  beam_read_stop(NULL);
  beam_step(ctx, 20);
  CHECK_INT(seen.calls, 0);
  CHECK_INT(beam_read_start(ctx, &reading, ends[0], on_done, &seen), 0);
  CHECK_INT(beam_read_start(ctx, &other, file, on_done, &seen), 0);
  beam_close(ctx); /* with both pending */
  CHECK_INT(seen.calls, 0);
  close(file), close(ends[0]), close(ends[1]);
}

int main(void) {
  RUN(a_pipe);
  RUN(a_file);
  RUN(what_cannot_be_read);
  RUN(what_ends_before);
  return test_end();
}
