/* A process that ends at each moment of a session, of a call and of a stream, in each way that it can: it ends at once,
 * with the status it chose. The server and the proxy are the parent's. Each seventh pair; make callbacks: each. */
#include <netdb.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "certificate.h"
#include "core/callbacks/scenes.h"
#include "net/resolve.h"

enum { STATUS = 7, END_SECONDS = 10, MOMENTS_MAX = 64, RUNS_MAX = 20 };

/* What AddressSanitizer calls a leak is, in a process that ends in the middle, what it had in its hands. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) { return 1; }

/* ---- Ways to end ---- */

static void close_at_exit(void) { beam_close(w.ctx); }

static void by_exit(void) { exit(STATUS); }
static void at_once(void) { _exit(STATUS); }

static void by_quick_exit(void) { quick_exit(STATUS); }

static void *exit_elsewhere(void *unused) {
  (void)unused;
  exit(STATUS);
}

static void from_another_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, exit_elsewhere, NULL) == 0)
    pthread_join(thread, NULL); /* this one stays where it is, in the middle of an event */
}

static const struct way {
  const char *name;
  void (*end)(void);
  int closes; /* the context is closed by a function of atexit: not from inside a callback (rule 6), so outside of the
                 step */
} ways[] = {{"exit", by_exit, 0},
            {"_exit", at_once, 0},
            {"quick_exit", by_quick_exit, 0},
            {"exit in another thread", from_another_thread, 0},
            {"exit, closing the context", by_exit, 1}};

enum { WAYS = sizeof ways / sizeof *ways };

/* ---- Moments ---- */

static const char *moment; /* the event at which it ends; NULL: they are noted */
static const struct way *way;
static int reached;

static struct {
  char names[MOMENTS_MAX][128];
  int count;
} * moments; /* shared with the child that notes them */

static void at_event(const char *event, party *whose) {
  int i;
  (void)whose;
  if (!moment) {
    for (i = 0; i < moments->count && strcmp(moments->names[i], event) != 0; i++)
      ;
    if (i == moments->count && i < MOMENTS_MAX)
      snprintf(moments->names[moments->count++], 128, "%s", event);
  } else if (!reached && strcmp(event, moment) == 0) {
    reached = 1;
    if (!way->closes)
      way->end();
  }
}

/* In the child: its own context, the parent's server. */
static void play(const scene *s) {
  bite = at_event;
  if (beam_new(&w.ctx, NULL))
    _exit(1);
  if (way && way->closes)
    atexit(close_at_exit);
  s->play();
  STEP_UNTIL(reached || w.self->ended);
  if (reached)
    way->end();
}

static int status_of(pid_t child) {
  int status = -1;
  long long end = now_ms() + END_SECONDS * 1000;
  while (now_ms() < end) {
    beam_step(w.ctx, 1);
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return -1;
}

static pid_t play_in_child(const scene *s) {
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child)
    return child;
  play(s);
  _exit(0);
}

static int tried, held, number, every = 7;

/* Which events come hangs on what comes together: a moment that does not come is waited for in another run. */
static int ends(const scene *s) {
  int status, runs = 0;
  do
    status = status_of(play_in_child(s));
  while (status == 0 && ++runs < RUNS_MAX);
  if (status != STATUS)
    printf("# %s; %s; %s: %s, status %d\n", s->name, moment, way->name, status == 0 ? "did not come" : "ended", status);
  return status == STATUS;
}

static void end_at_each_moment(const scene *s) {
  int i, k, status;
  moment = NULL;
  way = NULL;
  moments->count = 0;
  status = status_of(play_in_child(s));
  if (status != 0)
    printf("# %s: status %d where nothing ends it\n", s->name, status);
  CHECK_INT(status, 0);
  CHECK(moments->count > 0);
  for (i = 0; i < moments->count; i++)
    for (k = 0; k < WAYS; k++) {
      if (number++ % every)
        continue;
      moment = moments->names[i];
      way = &ways[k];
      tried++;
      held += ends(s);
    }
}

static void nobody_bites(const char *event, party *whose) { (void)event, (void)whose; }

static void at_each_moment(void) {
  int i;
  bite = nobody_bites;
  for (i = 0; i < SCENES; i++) {
    const scene *s = &scenes[i];
    if (s->play == play_fragments || s->play == play_leave) /* these look at the server, which is elsewhere here */
      continue;
    if (beam_new(&w.ctx, NULL) || !listen_at(&w.server, 0, s->secure))
      abort();
    w.port = beam_server_port(w.server);
    end_at_each_moment(s);
    beam_close(w.ctx);
    w.server = NULL;
    w.party_count = 0;
  }
  printf("# %d ends tried, %d held\n", tried, held);
  CHECK_INT(held, tried);
}

/* ---- While a look-up hangs in its thread ---- */

static int hang(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  (void)host, (void)service, (void)hints, (void)result;
  sleep(60);
  return EAI_AGAIN;
}

static void during_a_lookup(void) {
  int k;
  if (beam_new(&w.ctx, NULL))
    abort();
  for (k = 0; k < WAYS; k++) {
    pid_t child;
    way = &ways[k];
    fflush(stdout);
    child = fork();
    if (child == 0) {
      beam__lookup_use(hang);
      bite = nobody_bites;
      if (beam_new(&w.ctx, NULL))
        _exit(1);
      if (way->closes)
        atexit(close_at_exit);
      open_ws(party_new("self"), (beam_ws_options){.url = "ws://somewhere.example/"});
      beam_step(w.ctx, 0);
      beam_step(w.ctx, 20);
      way->end();
    }
    CHECK_INT(status_of(child), STATUS);
  }
  beam_close(w.ctx);
}

int main(void) {
  if (getenv("BITE_EVERY"))
    every = atoi(getenv("BITE_EVERY"));
  moments = mmap(NULL, sizeof *moments, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  snprintf(w.ca_file, sizeof w.ca_file, "/tmp/beam-exit-%d.pem", (int)getpid());
  write_certificate(w.ca_file);
  proxy_start(&w.proxy);
  RUN(at_each_moment);
  RUN(during_a_lookup);
  proxy_stop(&w.proxy);
  unlink(w.ca_file);
  return test_end();
}
