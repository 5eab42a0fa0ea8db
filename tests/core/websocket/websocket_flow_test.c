/* Reading paused, writing that waits, both at once; and a WebSocket given back at any moment, a thousand times. */
#include <sys/syscall.h>

#include "websocket_fixture.h"

enum { MIB = 1024 * 1024 };

static peer echo;

/* In place of libc's: a descriptor that is closed twice may be somebody else's the second time. */
static int closed_twice;

int close(int fd) {
  int result = (int)syscall(SYS_close, fd);
  if (result && errno == EBADF)
    __atomic_add_fetch(&closed_twice, 1, __ATOMIC_SEQ_CST);
  return result;
}

static int go_on;

static void wait_until_told(void) {
  while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
    sleep_ms(1);
}

static void tell(int value) { __atomic_store_n(&go_on, value, __ATOMIC_SEQ_CST); }

static void open_at(client *c, unsigned port, beam_ws_options options) {
  client_start(c);
  CHECK_INT(client_open(c, port, "/", options), 0);
  CHECK(wait_for(c, &c->opened, 1));
}

/* ---- Pause ---- */

static void pause_at_first(client *c, const beam_ws_event *event) {
  if (event->type == BEAM_WS_MESSAGE && c->messages == 1)
    beam_ws_pause(c->ws);
}

static void serve_three(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  wait_until_told();
  write_all(fd,
            "\x81\x03"
            "one"
            "\x81\x03"
            "two"
            "\x81\x05"
            "three",
            5 + 5 + 7);
  read_close(fd);
}

/* Three messages in one packet: the first one's callback pauses, and the others wait. */
static void test_pause_in_a_callback(void) {
  peer p;
  client c;
  tell(0);
  peer_start(&p, serve_three);
  open_at(&c, p.port, (beam_ws_options){0});
  c.hook = pause_at_first;
  tell(1);
  CHECK(wait_for(&c, &c.messages, 1));
  step_for(&c, 50);
  CHECK_INT(c.messages, 1);
  beam_ws_resume(c.ws);
  CHECK_INT(c.messages, 1); /* not from inside the call */
  CHECK(wait_for(&c, &c.messages, 3));
  CHECK_STR(c.last, "three");
  client_end(&c);
  peer_stop(&p);
}

static void serve_three_and_close(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  wait_until_told();
  write_all(fd,
            "\x81\x03"
            "one"
            "\x81\x03"
            "two"
            "\x88\x02\x0b\xb8",
            5 + 5 + 4);
}

/* The end is told after what came before it, however long that is held back. */
static void test_end_waits_for_what_is_held(void) {
  peer p;
  client c;
  tell(0);
  peer_start(&p, serve_three_and_close);
  open_at(&c, p.port, (beam_ws_options){0});
  c.hook = pause_at_first;
  tell(1);
  CHECK(wait_for(&c, &c.messages, 1));
  step_for(&c, 100);
  CHECK_INT(c.messages, 1);
  CHECK_INT(c.closed, 0);
  beam_ws_resume(c.ws);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.messages, 2);
  CHECK_INT(c.code, 3000);
  CHECK_INT(c.failed, 0);
  client_end(&c);
  peer_stop(&p);
}

static size_t flooded;

static void serve_flood(int fd, const char *target) {
  char *data = calloc(1, MIB);
  (void)target;
  peer_accept_upgrade(fd, "");
  while (write_frame(fd, 0x82, data, MIB) == 0)
    __atomic_add_fetch(&flooded, MIB, __ATOMIC_SEQ_CST);
  free(data);
}

/* TCP holds the sender back: what it gets rid of is what fits into the sockets' buffers. */
static void pause_and_abort_at_first(client *c, const beam_ws_event *event) {
  pause_at_first(c, event);
  if (event->type == BEAM_WS_MESSAGE)
    beam_ws_abort(c->ws, 0);
}

/* Nobody goes on reading after that: what the callback's packet holds besides must not keep the end back. */
static void test_pause_and_abort_in_a_callback(void) {
  peer p;
  client c;
  tell(0);
  peer_start(&p, serve_three);
  open_at(&c, p.port, (beam_ws_options){0});
  c.hook = pause_and_abort_at_first;
  tell(1);
  CHECK(wait_for(&c, &c.messages, 1));
  step_for(&c, 50);
  CHECK_INT(c.closed, 1);
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.messages, 1);
  client_end(&c);
  peer_stop(&p);
}

static void test_pause_holds_the_sender_back(void) {
  peer p;
  client c;
  int seen;
  size_t stuck;
  flooded = 0;
  peer_start(&p, serve_flood);
  open_at(&c, p.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.messages, 3));
  beam_ws_pause(c.ws);
  step_for(&c, 100);
  seen = c.messages;
  do {
    stuck = __atomic_load_n(&flooded, __ATOMIC_SEQ_CST);
    sleep_ms(300);
  } while (stuck != __atomic_load_n(&flooded, __ATOMIC_SEQ_CST));
  step_for(&c, 200);
  CHECK_INT(c.messages, seen);
  CHECK_INT(__atomic_load_n(&flooded, __ATOMIC_SEQ_CST), stuck);
  beam_ws_resume(c.ws);
  CHECK(wait_for(&c, &c.messages, seen + 50));
  client_end(&c);
  peer_stop(&p);
}

static unsigned long long cpu_us(void) {
  struct timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return (unsigned long long)used.tv_sec * 1000000 + (unsigned long long)used.tv_nsec / 1000;
}

/* Paused, with bytes to read and bytes to write: writing goes on, and nothing spins. */
static void test_writing_while_paused(void) {
  client c;
  unsigned long long used;
  char *data = calloc(1, MIB);
  open_at(&c, echo.port, (beam_ws_options){0});
  beam_ws_pause(c.ws);
  CHECK_INT(beam_ws_send_binary(c.ws, data, MIB), 0);
  step_for(&c, 100);
  used = cpu_us();
  for (int i = 0; i < 10; i++)
    beam_step(c.ctx, 20);
  CHECK(cpu_us() - used < 50000);
  CHECK_INT(c.messages, 0);
  beam_ws_resume(c.ws);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_INT(beam_ws_pending(c.ws), 0);
  client_end(&c);
  free(data);
}

/* ---- Pending ---- */

static size_t taken;

static void serve_slow_reader(int fd, const char *target) {
  frame f;
  (void)target;
  peer_accept_upgrade(fd, "");
  wait_until_told();
  while (read_frame(fd, &f) == 0) {
    taken += f.len;
    free(f.data);
  }
}

static void test_pending(void) {
  peer p;
  client c;
  char *data = calloc(32, MIB);
  tell(0);
  taken = 0;
  peer_start(&p, serve_slow_reader);
  open_at(&c, p.port, (beam_ws_options){0});
  CHECK_INT(beam_ws_pending(c.ws), 0);
  CHECK_INT(beam_ws_send_text(c.ws, "small", 5), 0);
  CHECK_INT(beam_ws_pending(c.ws), 0);
  CHECK_INT(beam_ws_send_binary(c.ws, data, 32 * MIB), 0);
  CHECK(beam_ws_pending(c.ws) > 8 * MIB && beam_ws_pending(c.ws) <= 32 * MIB + 14);
  step_for(&c, 50);
  CHECK_INT(c.drained, 0);
  tell(1);
  CHECK(wait_for(&c, &c.drained, 1));
  CHECK_INT(beam_ws_pending(c.ws), 0);
  step_for(&c, 50);
  CHECK_INT(c.drained, 1);
  client_end(&c);
  peer_stop(&p);
  free(data);
}

/* ---- Progress ---- */

/* Half a message; the rest, and reading, when told. */
static void serve_half(int fd, const char *target) {
  char *data = calloc(1, MIB);
  unsigned char head[10];
  frame f;
  (void)target;
  peer_accept_upgrade(fd, "");
  write_all(fd, head, frame_head(head, 0x82, MIB));
  write_all(fd, data, MIB / 2);
  wait_until_told();
  while (read_frame(fd, &f) == 0 && f.len < MIB)
    free(f.data);
  free(f.data);
  write_all(fd, data, MIB - MIB / 2);
  read_close(fd);
  free(data);
}

static beam_progress progress_of(const client *c) {
  beam_progress progress;
  memset(&progress, 0xFF, sizeof progress);
  beam_ws_progress(c->ws, &progress);
  return progress;
}

static void wait_for_bytes(client *c, uint64_t received) {
  long long end = now_ms() + DEADLINE_MS;
  while (progress_of(c).received < received && now_ms() < end)
    beam_step(c->ctx, 20);
}

static void test_progress(void) {
  peer p;
  client c;
  beam_progress before, after;
  char *data = calloc(16, MIB);
  tell(0);
  peer_start(&p, serve_half);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  before = progress_of(&c);
  CHECK_INT(before.received + before.sent + before.unacknowledged, 0);
  CHECK(wait_for(&c, &c.opened, 1));
  before = progress_of(&c);
  wait_for_bytes(&c, MIB / 2);
  after = progress_of(&c);
  CHECK(after.received >= MIB / 2);
  CHECK_INT(after.unfinished, MIB / 2);
  CHECK_INT(c.messages, 0);
  CHECK_INT(after.sent, before.sent);
  CHECK_INT(after.unacknowledged, 0);
  CHECK_INT(beam_ws_send_binary(c.ws, data, 16 * MIB), 0);
  after = progress_of(&c);
  CHECK(after.sent - before.sent > 0);
  CHECK_INT(after.sent - before.sent + beam_ws_pending(c.ws), 16 * MIB + 14);
  CHECK(after.unacknowledged > 0 && after.unacknowledged <= after.sent);
  tell(1);
  CHECK(wait_for(&c, &c.messages, 1));
  after = progress_of(&c);
  CHECK_INT(after.sent - before.sent, 16 * MIB + 14);
  CHECK_INT(after.unacknowledged, 0);
  CHECK(after.received - before.received >= MIB / 2);
  beam_ws_abort(c.ws, 0);
  after = progress_of(&c);
  CHECK_INT(after.received + after.sent + after.unacknowledged, 0);
  client_end(&c);
  peer_stop(&p);
  free(data);
}

/* ---- A peer that pings and does not read ---- */

enum { PINGS = 120000 };

static int pings_sent;

static void *ping_on(void *argument) {
  uint8_t ping[2 + 125] = {0x89, 125};
  int fd = *(int *)argument, at;
  for (at = 0; at < PINGS && write_all(fd, ping, sizeof ping) == 0; at++)
    __atomic_add_fetch(&pings_sent, 1, __ATOMIC_SEQ_CST);
  write_all(fd, "\x89\x04last", 6);
  return NULL;
}

static int last_pong_came(int fd) {
  frame f;
  int found = 0;
  while (!found && read_frame(fd, &f) == 0) {
    found = f.len == 4 && memcmp(f.data, "last", 4) == 0;
    free(f.data);
  }
  return found;
}

static int last_answered;

static void serve_pings(int fd, const char *target) {
  pthread_t pinging;
  (void)target;
  peer_accept_upgrade(fd, "");
  pthread_create(&pinging, NULL, ping_on, &fd);
  wait_until_told();
  __atomic_store_n(&last_answered, last_pong_came(fd), __ATOMIC_SEQ_CST);
  pthread_join(pinging, NULL);
  write_message(fd, "after");
  read_close(fd);
}

/* The answers are bounded, the peer is held back; once it reads, its newest ping is answered. */
static void test_pings_that_nobody_reads(void) {
  peer p;
  client c;
  int stuck;
  tell(0);
  pings_sent = last_answered = 0;
  peer_start(&p, serve_pings);
  open_at(&c, p.port, (beam_ws_options){0});
  do {
    stuck = __atomic_load_n(&pings_sent, __ATOMIC_SEQ_CST);
    step_for(&c, 500);
  } while (stuck != __atomic_load_n(&pings_sent, __ATOMIC_SEQ_CST));
  CHECK(stuck < PINGS);
  CHECK(beam_ws_pending(c.ws) > 0 && beam_ws_pending(c.ws) < MIB / 4);
  tell(1);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_STR(c.last, "after");
  CHECK_INT(__atomic_load_n(&last_answered, __ATOMIC_SEQ_CST), 1);
  client_end(&c);
  peer_stop(&p);
}

/* Held back, it can still be closed. */
static void test_close_while_pinged(void) {
  peer p;
  client c;
  tell(0);
  peer_start(&p, serve_pings);
  open_at(&c, p.port, (beam_ws_options){.close_timeout_ms = 500});
  step_for(&c, 500);
  CHECK_INT(beam_ws_close(c.ws, 1000, NULL), 0);
  tell(1);
  CHECK(wait_for(&c, &c.closed, 1));
  client_end(&c);
  peer_stop(&p);
}

/* ---- Both directions at once ---- */

typedef struct flood {
  int fd, stop;
} flood;

static void *flood_out(void *argument) {
  flood *f = argument;
  char *data = calloc(1, MIB);
  while (!__atomic_load_n(&f->stop, __ATOMIC_SEQ_CST) && write_frame(f->fd, 0x82, data, MIB) == 0)
    ;
  free(data);
  return NULL;
}

static int arrived;

/* Sends without a pause until one large message has arrived, which it begins to read when told. */
static void serve_steady_stream(int fd, const char *target) {
  flood stream = {fd, 0};
  pthread_t thread;
  frame f;
  (void)target;
  peer_accept_upgrade(fd, "");
  pthread_create(&thread, NULL, flood_out, &stream);
  wait_until_told();
  if (read_frame(fd, &f) == 0) {
    arrived = f.len == 32 * MIB;
    free(f.data);
  }
  __atomic_store_n(&stream.stop, 1, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  write_message(fd, "got it");
  write_close(fd, 1000, "");
  read_close(fd);
}

/* libwebsockets serves POLLIN before POLLOUT. Here there is always more to read, for as many steps as are looked at:
 * what waits to be written must leave all the same. */
static void test_reads_do_not_starve_writes(void) {
  peer p;
  client c;
  int i, steps;
  size_t waiting;
  char *data = calloc(32, MIB);
  arrived = 0;
  tell(0);
  peer_start(&p, serve_steady_stream);
  open_at(&c, p.port, (beam_ws_options){0});
  CHECK(wait_for(&c, &c.messages, 10));
  CHECK_INT(beam_ws_send_binary(c.ws, data, 32 * MIB), 0);
  waiting = beam_ws_pending(c.ws);
  CHECK(waiting > MIB);
  tell(1);
  for (i = 0; i < 20 && beam_ws_pending(c.ws) == waiting; i++) {
    sleep_ms(300); /* the peer has read what was sent, and what it sends is stuck: much to read, room to write */
    for (steps = 0; steps < 5; steps++)
      beam_step(c.ctx, 0);
  }
  CHECK(beam_ws_pending(c.ws) < waiting);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(arrived, 1);
  CHECK_STR(c.last, "got it");
  CHECK_INT(c.failed, 0);
  client_end(&c);
  peer_stop(&p);
  free(data);
}

/* ---- Given back in every phase, from outside and from inside ---- */

static enum beam_phase free_at;

static void free_in_phase(client *c, const beam_ws_event *event) {
  if (event->type != BEAM_WS_PHASE || event->phase != free_at)
    return;
  beam_ws_free(c->ws);
  c->ws = NULL;
}

static void free_on_event(client *c, const beam_ws_event *event) {
  (void)event;
  beam_ws_free(c->ws);
  c->ws = NULL;
}

static void free_at_open(client *c, const beam_ws_event *event) {
  if (event->type == BEAM_WS_OPEN)
    free_on_event(c, event);
}

static void free_at_message(client *c, const beam_ws_event *event) {
  if (event->type == BEAM_WS_OPEN)
    beam_ws_send_text(c->ws, "x", 1);
  if (event->type == BEAM_WS_MESSAGE)
    free_on_event(c, event);
}

static void free_at_close(client *c, const beam_ws_event *event) {
  if (event->type == BEAM_WS_OPEN)
    beam_ws_close(c->ws, 1000, NULL);
  if (event->type == BEAM_WS_CLOSED)
    free_on_event(c, event);
}

static void run_with(void (*hook)(client *c, const beam_ws_event *event), unsigned port) {
  client c;
  client_start(&c);
  c.hook = hook;
  CHECK_INT(client_open(&c, port, "/", (beam_ws_options){0}), 0);
  for (int i = 0; i < 6000 && c.ws; i++)
    beam_step(c.ctx, 10);
  CHECK(!c.ws);
  step_for(&c, 20);
  beam_close(c.ctx);
}

static void test_free_inside_events(void) {
  static const enum beam_phase phases[] = {BEAM_PHASE_DNS, BEAM_PHASE_TCP, BEAM_PHASE_UPGRADE, BEAM_PHASE_OPEN};
  size_t i;
  for (i = 0; i < sizeof phases / sizeof *phases; i++) {
    free_at = phases[i];
    run_with(free_in_phase, echo.port);
  }
  run_with(free_at_open, echo.port);
  run_with(free_at_message, echo.port);
  run_with(free_at_close, echo.port);
  run_with(free_on_event, 1);
  free_at = BEAM_PHASE_CLOSED;
  run_with(free_in_phase, 1);
}

/* How the client's life ends: by close (then its event must come), by free, or with the context. */
static void end_after_steps(unsigned port, int steps, int way) {
  client c;
  int i;
  client_start(&c);
  CHECK_INT(client_open(&c, port, "/", (beam_ws_options){.close_timeout_ms = 100}), 0);
  for (i = 0; i < steps; i++)
    beam_step(c.ctx, 0);
  if (way == 0) {
    CHECK_INT(beam_ws_close(c.ws, 1000, NULL), 0);
    CHECK(wait_for(&c, &c.closed, 1));
    CHECK(c.error.code == BEAM_ECANCELED || c.code == 1000 || c.error.code == BEAM_ECONNECT);
  }
  if (way == 1)
    beam_ws_free(c.ws);
  beam_close(c.ctx);
}

static void test_end_at_any_step(void) {
  int steps, way;
  for (steps = 0; steps < 12; steps++)
    for (way = 0; way < 3; way++) {
      end_after_steps(echo.port, steps, way);
      end_after_steps(1, steps, way); /* refused */
    }
}

/* ---- A thousand lives ---- */

static void one_life(void) {
  client c;
  client_start(&c);
  client_open(&c, echo.port, "/", (beam_ws_options){0});
  if (!wait_for(&c, &c.opened, 1))
    abort();
  beam_ws_send_text(c.ws, "x", 1);
  wait_for(&c, &c.messages, 1);
  beam_ws_close(c.ws, 1000, NULL);
  wait_for(&c, &c.closed, 1);
  CHECK_INT(c.code, 1000);
  client_end(&c);
}

/* LeakSanitizer looks for memory. */
static void test_a_thousand_lives(void) {
  int i, descriptors;
  for (i = 0; i < 20; i++)
    one_life();
  descriptors = descriptors_at_rest();
  closed_twice = 0;
  for (i = 0; i < 1000; i++)
    one_life();
  check_descriptors(descriptors);
  CHECK_INT(closed_twice, 0);
}

static void test_many_on_one_context(void) {
  enum { COUNT = 50 };
  static client all[COUNT];
  beam_ctx *ctx;
  int i, descriptors;
  descriptors = descriptors_at_rest();
  CHECK_INT(beam_new(&ctx, NULL), 0);
  for (i = 0; i < COUNT; i++) {
    memset(&all[i], 0, sizeof all[i]);
    all[i].ctx = ctx;
    CHECK_INT(client_open(&all[i], echo.port, "/", (beam_ws_options){0}), 0);
  }
  for (i = 0; i < COUNT; i++) {
    CHECK(wait_for(&all[i], &all[i].opened, 1));
    beam_ws_send_text(all[i].ws, "x", 1);
  }
  for (i = 0; i < COUNT; i++)
    CHECK(wait_for(&all[i], &all[i].messages, 1));
  for (i = 0; i < COUNT; i += 2)
    beam_ws_free(all[i].ws);
  step_for(&all[0], 20);
  beam_close(ctx);
  check_descriptors(descriptors);
}

int main(void) {
  peer_start(&echo, serve_echo);
  RUN(test_pause_in_a_callback);
  RUN(test_pause_and_abort_in_a_callback);
  RUN(test_end_waits_for_what_is_held);
  RUN(test_pause_holds_the_sender_back);
  RUN(test_writing_while_paused);
  RUN(test_pending);
  RUN(test_progress);
  RUN(test_pings_that_nobody_reads);
  RUN(test_close_while_pinged);
  RUN(test_reads_do_not_starve_writes);
  RUN(test_free_inside_events);
  RUN(test_end_at_any_step);
  RUN(test_many_on_one_context);
  RUN(test_a_thousand_lives);
  peer_stop(&echo);
  return test_end();
}
