/* The carrier over an accepted connection, by itself: what it writes, holds back, and how it ends. */
#include "core/server/server_harness.h"

static uv_tcp_t listener;
static beam__carrier *carrier;
static int peer; /* the other end */

/* What the holder was told. */
static struct {
  char data[4096];
  size_t len;
  int drained, lost, calls;
  beam_error error; /* code 0: an end in order */
  int pause_at_once;
} told;

static void on_data(void *user, const void *data, size_t len) {
  CHECK(user == &told);
  told.calls++;
  if (told.len + len <= sizeof told.data)
    memcpy(told.data + told.len, data, len);
  told.len += len;
  if (told.pause_at_once)
    carrier->ops->pause(carrier, 1);
}

static void on_drained(void *user) {
  CHECK(user == &told);
  told.drained++;
}

static void on_lost(void *user, const beam_error *error) {
  CHECK(user == &told);
  told.lost++;
  if (error)
    told.error = *error;
}

static const beam__carrier_events events = {.data = on_data, .drained = on_drained, .lost = on_lost};

static void on_connection(uv_stream_t *stream, int status) {
  CHECK_INT(status, 0);
  carrier = beam__carrier_accept(ctx, stream, &events, &told);
}

static void open_pair(void) {
  struct sockaddr_in address;
  int len = sizeof address;
  beam_new(&ctx, NULL);
  memset(&told, 0, sizeof told);
  uv_tcp_init(&ctx->loop, &listener);
  uv_ip4_addr("127.0.0.1", 0, &address);
  CHECK_INT(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0), 0);
  CHECK_INT(uv_listen((uv_stream_t *)&listener, 16, on_connection), 0);
  uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &len);
  carrier = NULL;
  peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK_INT(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
  fcntl(peer, F_SETFL, O_NONBLOCK);
  STEP_UNTIL(carrier);
}

static void close_pair(void) {
  if (peer >= 0)
    close(peer);
  uv_close((uv_handle_t *)&listener, NULL);
  beam_close(ctx);
}

static void end(enum beam__carrier_end how) { carrier->ops->close(carrier, how); }

/* ---- Writing ---- */

/* Writes more than the system takes. */
static size_t write_much(void) {
  static char much[4 << 20];
  CHECK_INT(carrier->ops->write(carrier, much, sizeof much), 0);
  CHECK_INT(carrier->ops->write(carrier, much, sizeof much), 0);
  CHECK(carrier->ops->pending(carrier) > 0);
  return 2 * sizeof much;
}

static void a_write_goes_out_at_once(void) {
  char name[64], told_name[64];
  struct sockaddr_in address;
  socklen_t len = sizeof address;
  open_pair();
  CHECK_INT(carrier->ops->write(carrier, "hello", 5), 0);
  CHECK_INT(recv(peer, answer, 10, 0), 5); /* without a step */
  CHECK_INT(carrier->ops->pending(carrier), 0);
  step_for(10);
  CHECK_INT(told.drained, 0); /* nothing ever waited */
  getsockname(peer, (struct sockaddr *)&address, &len);
  snprintf(name, sizeof name, "127.0.0.1:%u", ntohs(address.sin_port));
  beam__stream_peer(carrier, told_name, sizeof told_name);
  CHECK_STR(told_name, name);
  end(BEAM__END_NOW);
  close_pair();
}

static size_t came(void) {
  static char bytes[1 << 20];
  ssize_t len = recv(peer, bytes, sizeof bytes, 0);
  return len > 0 ? (size_t)len : 0;
}

/* The first write of a turn goes out at once, what follows with the next turn, or when 64 KiB are full. */
static void writes_of_one_turn_join(void) {
  static char piece[1024];
  size_t sent = 0;
  int i;
  open_pair();
  for (i = 0; i < 3; i++)
    CHECK_INT(carrier->ops->write(carrier, "hello", 5), 0);
  CHECK_INT(came(), 5);
  CHECK_INT(carrier->ops->pending(carrier), 10);
  beam_step(ctx, 0);
  CHECK_INT(told.drained, 1);
  CHECK_INT(carrier->ops->pending(carrier), 0);
  CHECK_INT(came(), 10);
  for (i = 0; i < 100; i++)
    CHECK_INT(carrier->ops->write(carrier, piece, sizeof piece), 0);
  sent = 100 * sizeof piece - carrier->ops->pending(carrier);
  CHECK(sent >= 64 * sizeof piece && sent <= 66 * sizeof piece);
  CHECK_INT(came(), sent);
  carrier->ops->close(carrier, BEAM__END_NOW); /* what has joined may leave */
  CHECK_INT(came(), 100 * sizeof piece - sent);
  close_pair();
}

/* Takes what the peer has, and checks that it counts on from *next. */
static size_t take_counting(unsigned char *next) {
  static unsigned char in[65536];
  ssize_t n = recv(peer, in, sizeof in, 0), i;
  CHECK(n > 0 || errno == EAGAIN);
  for (i = 0; i < n; i++)
    if (in[i] != (*next)++ && !CHECK(!told.lost && in[i] == *next - 1))
      abort();
  return n > 0 ? (size_t)n : 0;
}

/* Writes pieces of odd sizes, in two parts each, that count on from *next. */
static size_t write_counting(int pieces, unsigned char *next) {
  static unsigned char piece[9000];
  size_t total = 0, i, j;
  for (i = 0; i < (size_t)pieces; i++) {
    size_t len = 1 + i * 37 % sizeof piece;
    uv_buf_t two[2];
    for (j = 0; j < len; j++)
      piece[j] = (*next)++;
    two[0] = uv_buf_init((char *)piece, (unsigned)(len / 3));
    two[1] = uv_buf_init((char *)piece + len / 3, (unsigned)(len - len / 3));
    CHECK_INT(beam__stream_write(carrier, two, 2), 0);
    total += len;
  }
  return total;
}

/* In order and whole, also what is written when most of what waited has gone; and never does more wait than has not
 * come. */
static void what_waits_is_counted_and_goes_out_in_order(void) {
  size_t total, got = 0;
  unsigned char next_out = 0, next_in = 0;
  int more = 1;
  open_pair();
  total = write_counting(4000, &next_out);
  CHECK(carrier->ops->pending(carrier) > 1000000);
  while (got < total && CHECK(carrier->ops->pending(carrier) <= total - got)) {
    got += take_counting(&next_in);
    beam_step(ctx, 0);
    if (more && carrier->ops->pending(carrier) < 2000000) {
      CHECK(carrier->ops->pending(carrier) > 0);
      total += write_counting(200, &next_out);
      more = 0;
    }
  }
  CHECK_INT(got, total);
  STEP_UNTIL(told.drained);
  CHECK_INT(told.drained, 1);
  CHECK_INT(carrier->ops->pending(carrier), 0);
  end(BEAM__END_NOW);
  close_pair();
}

/* ---- Reading ---- */

static void nothing_comes_while_paused(void) {
  static char flood[1 << 20];
  open_pair();
  carrier->ops->pause(carrier, 1);
  CHECK_INT(say(peer, "hello"), 0);
  step_for(50);
  CHECK_INT(told.calls, 0);
  carrier->ops->pause(carrier, 0);
  STEP_UNTIL(told.len == 5);
  told.pause_at_once = 1;
  send(peer, flood, sizeof flood, MSG_NOSIGNAL);
  step_for(50);
  CHECK_INT(told.calls, 2);
  end(BEAM__END_NOW);
  close_pair();
}

static void early_bytes_come_first(void) {
  open_pair();
  CHECK_INT(send(peer, "late", 4, MSG_NOSIGNAL), 4);
  CHECK_INT(beam__stream_hand_over(carrier, &events, &told, "early ", 6), 0);
  CHECK_INT(told.calls, 0); /* from a step only */
  carrier->ops->pause(carrier, 1);
  step_for(30);
  CHECK_INT(told.calls, 0);
  carrier->ops->pause(carrier, 0);
  STEP_UNTIL(told.len == 10);
  CHECK(memcmp(told.data, "early late", 10) == 0);
  end(BEAM__END_NOW);
  close_pair();
}

static void early_bytes_may_never_be_told(void) {
  open_pair();
  CHECK_INT(beam__stream_hand_over(carrier, &events, &told, "early ", 6), 0);
  end(BEAM__END_NOW);
  step_for(10);
  CHECK_INT(told.calls, 0);
  close_pair();
}

/* ---- The peer ends ---- */

static void an_end_in_order_is_no_error(void) {
  open_pair();
  say(peer, "last words");
  close(peer), peer = -1;
  STEP_UNTIL(told.lost);
  CHECK_INT(told.len, 10);
  CHECK_INT(told.error.code, 0);
  CHECK_INT(carrier->ops->write(carrier, "hello", 5), 0);
  carrier->ops->pause(carrier, 1);
  carrier->ops->pause(carrier, 0);
  step_for(20);
  CHECK_INT(told.lost, 1);
  end(BEAM__END_FLUSH);
  close_pair();
}

static void a_reset_is_an_error(void) {
  open_pair();
  reset_and_close(peer), peer = -1;
  STEP_UNTIL(told.lost);
  CHECK_INT(told.error.code, BEAM_ECLOSED);
  CHECK_INT(told.error.system, ECONNRESET);
  CHECK_CONTAINS(told.error.message, "connection reset by peer");
  end(BEAM__END_NOW);
  close_pair();
}

/* Neither if reading is paused in the middle of it. */
static void a_reset_loses_nothing_that_had_come(void) {
  static char words[90000];
  open_pair();
  told.pause_at_once = 1;
  CHECK_INT(send(peer, words, sizeof words, MSG_NOSIGNAL), sizeof words);
  reset_and_close(peer), peer = -1;
  STEP_UNTIL(told.calls);
  step_for(20);
  CHECK_INT(told.calls, 1);
  CHECK_INT(told.lost, 0);
  told.pause_at_once = 0;
  carrier->ops->pause(carrier, 0);
  STEP_UNTIL(told.lost);
  CHECK_INT(told.len, sizeof words);
  CHECK_INT(told.error.system, ECONNRESET);
  end(BEAM__END_NOW);
  close_pair();
}

/* The write fails; what had been sent before is still told, then the loss, with the write's error. */
static void a_failed_write_loses_nothing_that_had_come(void) {
  int i;
  open_pair();
  CHECK_INT(send(peer, "last words", 10, MSG_NOSIGNAL), 10);
  CHECK_INT(carrier->ops->write(carrier, "unread", 6), 0);
  close(peer), peer = -1; /* with bytes unread: a reset */
  for (i = 0; i < 10; i++)
    CHECK_INT(carrier->ops->write(carrier, "more", 4), 0);
  CHECK_INT(told.lost + told.calls, 0);
  STEP_UNTIL(told.lost);
  CHECK_INT(told.len, 10);
  CHECK_INT(told.lost, 1);
  CHECK_INT(told.error.code, BEAM_ECLOSED);
  CHECK(told.error.system == ECONNRESET || told.error.system == EPIPE);
  end(BEAM__END_NOW);
  close_pair();
}

static void a_failed_write_is_told_while_paused(void) {
  int i;
  open_pair();
  carrier->ops->pause(carrier, 1);
  reset_and_close(peer), peer = -1;
  for (i = 0; i < 3; i++)
    CHECK_INT(carrier->ops->write(carrier, "more", 4), 0);
  CHECK_INT(told.lost, 0);
  STEP_UNTIL(told.lost);
  CHECK(told.error.code == BEAM_ECLOSED && told.calls == 0);
  end(BEAM__END_NOW);
  close_pair();
}

/* A peer that ends its half and is then gone: the system would signal what is written to it now. Nobody ignores SIGPIPE
 * here, so it would end the test. */
static void no_signal_comes_of_a_direct_write(void) {
  int i;
  open_pair();
  carrier->ops->pause(carrier, 1);
  CHECK_INT(carrier->ops->write(carrier, "unread", 6), 0);
  shutdown(peer, SHUT_WR);
  close(peer), peer = -1; /* with bytes unread: a reset */
  for (i = 0; i < 3; i++)
    CHECK_INT(carrier->ops->write(carrier, "more", 4), 0);
  STEP_UNTIL(told.lost);
  end(BEAM__END_NOW);
  close_pair();
}

static void no_signal_comes_of_what_waited(void) {
  open_pair();
  carrier->ops->pause(carrier, 1);
  write_much();
  shutdown(peer, SHUT_WR);
  step_for(10);
  close(peer), peer = -1;
  STEP_UNTIL(told.lost);
  CHECK_INT(told.lost, 1);
  CHECK_INT(told.error.code, BEAM_ECLOSED);
  CHECK_INT(carrier->ops->pending(carrier), 0);
  end(BEAM__END_NOW);
  close_pair();
}

/* Of what the context owns only the buffers are left. */
static int is_gone(void) { return ctx->owned.next->next == &ctx->owned; }

static void no_signal_comes_of_a_flush(void) {
  open_pair();
  write_much();
  shutdown(peer, SHUT_WR);
  STEP_UNTIL(told.lost);
  beam__stream_finish(carrier, 60000);
  CHECK(!is_gone());
  close(peer), peer = -1;
  STEP_UNTIL(is_gone()); /* it waits for nobody */
  close_pair();
}

/* ---- We end ---- */

static size_t hear_all(int *result) {
  size_t got = 0;
  for (answer_len = 0; (*result = hear_once(peer, 1000)) == CAME; answer_len = 0)
    got += answer_len;
  return got;
}

/* The peer's own bytes, which nobody has read, must not turn our end into a reset. How long it took, in nanoseconds. */
static uint64_t flush_and_hear(void) {
  uint64_t start;
  size_t written;
  int result;
  open_pair();
  carrier->ops->pause(carrier, 1);
  say(peer, "never read");
  written = write_much();
  start = uv_hrtime();
  end(BEAM__END_FLUSH);
  say(peer, "nor this");
  CHECK_INT(hear_all(&result), written);
  CHECK_INT(result, ENDED);
  start = uv_hrtime() - start;
  CHECK_INT(told.calls + told.drained + told.lost, 0);
  close_pair();
  return start;
}

/* The end comes with the last byte, not with the deadline of 200 ms: once at least, for the machine may be busy. */
static void flush_writes_all_and_ends_in_order(void) {
  uint64_t took = UINT64_MAX;
  int i;
  for (i = 0; i < 10 && took >= 150000000; i++)
    took = flush_and_hear();
  CHECK(took < 150000000);
}

static void flush_goes_on_for_a_peer_that_ended_its_half(void) {
  size_t written;
  int result;
  open_pair();
  written = write_much();
  end(BEAM__END_FLUSH);
  shutdown(peer, SHUT_WR);
  step_for(20);
  CHECK_INT(hear_all(&result), written);
  CHECK_INT(result, ENDED);
  close_pair();
}

static void flush_is_bounded(void) {
  uint64_t start;
  open_pair();
  write_much();
  start = uv_hrtime();
  end(BEAM__END_FLUSH);
  while (send(peer, "x", 1, MSG_NOSIGNAL) == 1 && uv_hrtime() - start < 2000000000)
    beam_step(ctx, 2); /* until the peer's socket says that nobody is there */
  CHECK(uv_hrtime() - start >= 150000000 && uv_hrtime() - start < 1500000000);
  close_pair();
}

static void now_drops_what_waits(void) {
  size_t written, got;
  int result;
  open_pair();
  written = write_much();
  end(BEAM__END_NOW);
  got = hear_all(&result);
  CHECK(got < written);
  CHECK_INT(result, ENDED);
  CHECK_INT(told.drained + told.lost, 0);
  close_pair();
}

static void reset_resets(void) {
  open_pair();
  end(BEAM__END_RESET);
  CHECK_INT(hear_end(peer), -ECONNRESET);
  close_pair();
}

static void a_reset_drops_what_waits(void) {
  int result;
  open_pair();
  write_much();
  end(BEAM__END_RESET);
  hear_all(&result);
  CHECK_INT(result, -ECONNRESET);
  close_pair();
}

static void the_context_may_be_closed_at_any_time(void) {
  open_pair();
  write_much();
  end(BEAM__END_FLUSH);
  close_pair(); /* while it flushes */
}

int main(void) {
  RUN(a_write_goes_out_at_once);
  RUN(writes_of_one_turn_join);
  RUN(what_waits_is_counted_and_goes_out_in_order);
  RUN(nothing_comes_while_paused);
  RUN(early_bytes_come_first);
  RUN(early_bytes_may_never_be_told);
  RUN(an_end_in_order_is_no_error);
  RUN(a_reset_is_an_error);
  RUN(a_reset_loses_nothing_that_had_come);
  RUN(a_failed_write_loses_nothing_that_had_come);
  RUN(a_failed_write_is_told_while_paused);
  RUN(no_signal_comes_of_a_direct_write);
  RUN(no_signal_comes_of_what_waited);
  RUN(no_signal_comes_of_a_flush);
  RUN(flush_writes_all_and_ends_in_order);
  RUN(flush_goes_on_for_a_peer_that_ended_its_half);
  RUN(flush_is_bounded);
  RUN(now_drops_what_waits);
  RUN(reset_resets);
  RUN(a_reset_drops_what_waits);
  RUN(the_context_may_be_closed_at_any_time);
  return test_end();
}
