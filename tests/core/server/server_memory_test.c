/* Memory that runs out while a request waits for its answer: who knows of it is told that it is over. */
#include <dlfcn.h>

#include "server_harness.h"

static int memory_is_out;

/* What buffers grow by. */
__attribute__((visibility("default"))) void *realloc(void *old, size_t size) {
  static void *(*real)(void *, size_t);
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "realloc");
  if (!memory_is_out)
    return real(old, size);
  errno = ENOMEM;
  return NULL;
}

static void check_told(const char *before, const char *meanwhile) {
  int fd;
  start_server(0);
  fd = dial_and_hold("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
  say(fd, before);
  step_for(20);
  memory_is_out = 1;
  say(fd, meanwhile);
  STEP_UNTIL(gone_count == 1);
  memory_is_out = 0;
  CHECK(last_gone == held[0]);
  step_for(0);
  CHECK_INT(gone_count, 1);
  close(fd);
  stop_server();
}

static void what_comes_next_cannot_be_kept(void) { check_told("", "GET /"); }

static void nor_what_comes_after_it(void) {
  static char more[20000];
  memset(more, 'x', sizeof more - 1);
  check_told("GET /", more);
}

int main(void) {
  RUN(what_comes_next_cannot_be_kept);
  RUN(nor_what_comes_after_it);
  return test_end();
}
