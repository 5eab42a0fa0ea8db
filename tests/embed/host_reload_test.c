/* A thousand scripts, one after the other, on one connection with numbered messages both ways: each takes over what the
 * one before had counted. Nothing is lost, doubled or out of order, and the memory stays what it was. */
#include "host_fixture.h"

enum { RELOADS = 1000, BAD_EVERY = 25, FLAT_FROM = 200 /* by then every pool has its size */ };

/* Its version, %d, is in each message that it sends or sees. */
static const char script[] =
    "local version, state = %d, { seen = 0, sent = 0, wrong = 0 }\n"
    "local junk = {} for i = 1, 200 do junk[i] = ('x'):rep(i) end\n"
    "local hooks = {}\n"
    "function hooks.outgoing(m) state.sent = state.sent + 1 m.sent = state.sent m.sent_by = version return m end\n"
    "function hooks.incoming(m) m.came_to = version return m end\n"
    "function hooks.message(m)\n"
    "  state.seen = state.seen + 1\n"
    "  if m.number ~= state.seen or m.sent ~= state.seen or m.sent_by > version then state.wrong = state.wrong + 1 "
    "end\n"
    "end\n"
    "function hooks.save() return state end\n"
    "function hooks.restore(s) state = s end\n"
    "function hooks.state() return state end\n"
    "return hooks";

static struct notes notes;
static int sent, seen, wrong;

static void count(struct notes *from, beam_host *host, const beam_host_event *event) {
  char expected[40];
  (void)host;
  from->text[0] = '\0';
  if (event->type != BEAM_HOST_MESSAGE)
    return;
  seen++;
  snprintf(expected, sizeof expected, "\"number\":%d,", seen);
  wrong += !strstr(event->data, expected) && !(expected[strlen(expected) - 1] = '}', strstr(event->data, expected));
}

static void send_some(beam_host *host, int messages) {
  char text[64];
  while (messages-- > 0) {
    snprintf(text, sizeof text, "{\"number\":%d}", ++sent);
    CHECK_INT(send_text(host, text), 0);
  }
}

static int load_version(beam_host *host, int version) {
  char text[sizeof script + 16];
  snprintf(text, sizeof text, script, version);
  return version == 1 ? load(host, text, NULL) : reload(host, text, NULL);
}

/* Those that do not compile, do not start, do not take over. */
static void refuse_bad_one(beam_host *host, int round) {
  static const char *const bad[] = {"return {", "error 'not today'", "return { restore = function() error 'no' end }",
                                    "while true do end"};
  CHECK_INT(reload(host, bad[round / BAD_EVERY % 4], NULL), BEAM_HOST_ESCRIPT);
}

size_t __sanitizer_get_current_allocated_bytes(void); /* of AddressSanitizer, whose header gcc does not bring */

/* What this process has allocated, the policy state, the script's, libbeam: the least that was seen, for garbage goes
 * when the policy state's collector comes to it, and how much there is at one moment says where that stands. */
static void note_heap(size_t *least) {
  size_t now = __sanitizer_get_current_allocated_bytes();
  if (!*least || now < *least)
    *least = now;
}

static void thousand_reloads_in_a_numbered_stream(void) {
  beam_host *host = new_host(&notes, "echo");
  beam_host_result result;
  beam_host_figures figures;
  size_t after_some = 0, at_end = 0;
  char expected[64];
  notes.more = count;
  REQUIRE(!load_version(host, 1));
  REQUIRE(wait_for(host, &notes, BEAM_HOST_OPEN, 1));
  for (int version = 2; version <= RELOADS + 1; version++) {
    send_some(host, 1 + version % 5);
    beam_host_step(host, version % 3 ? 0 : 2);
    CHECK_INT(load_version(host, version), 0);
    if (version % BAD_EVERY == 0)
      refuse_bad_one(host, version);
    if (version > FLAT_FROM / 2 && version <= FLAT_FROM)
      note_heap(&after_some);
    if (version > RELOADS / 2)
      note_heap(&at_end);
  }
  CHECK(wait_for(host, &notes, BEAM_HOST_MESSAGE, sent));
  CHECK(after_some > 100 << 10 && at_end < after_some + after_some / 16);
  CHECK_INT(seen, sent);
  CHECK_INT(wrong, 0);
  snprintf(expected, sizeof expected, "\"seen\":%d", sent);
  CHECK_INT(beam_host_call(host, "state", NULL, 0, &result, NULL), 0);
  CHECK_CONTAINS(result.data, expected);
  CHECK_CONTAINS(result.data, "\"wrong\":0");
  CHECK_INT(beam_host_stats(host, &figures), 0);
  CHECK_INT(figures.reloads, RELOADS);
  CHECK_INT(figures.attempts, 1);
  CHECK_INT(figures.failures, 0);
  printf("# %d messages, heap %zu KiB up to %d reloads, %zu KiB up to %d\n", sent, after_some >> 10, FLAT_FROM,
         at_end >> 10, RELOADS);
  beam_host_free(host);
}

int main(void) {
  unsetenv("BEAM_TOKEN");
  if (!start_server()) {
    printf("not ok - the local Beam did not start\n");
    return 1;
  }
  RUN(thousand_reloads_in_a_numbered_stream);
  stop_server();
  return test_end();
}
