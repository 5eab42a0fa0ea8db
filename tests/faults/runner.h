/* FAULT_EVERY=n: each n-th allocation. FAULT_SCENE=part of a name. FAULT_AT=n: that one. FAULT_FROM=n: from there on.
 * FAULT_PART=i/n: of those the i-th of n shares, so that some can run beside each other. FAULT_ALOUD=1: errors of other
 * kinds are shown with what had failed.
 *
 * Runs a scene once for each fault, in processes that are forked from one that is ready; what it ended with is counted.
 * Some runs share a process, which is what takes the time, and what one of them leaves must not be felt by those after
 * it. If anything goes wrong there, each of them has a process of its own; and a crash, a hang or an operation that did
 * not end exactly once is told with the stack of what had failed and of where it went wrong, and whose code that is. */
#ifndef BEAM_FAULT_RUNNER_H
#define BEAM_FAULT_RUNNER_H

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "beam.h"
#include "fault.h"

enum { FEW = 200 /* allocations: every one of them in any case */ };
enum { HANG_SECONDS = 60, CRASH_FRAMES = 48, KINDS_MAX = 24, KNOWN_MAX = 64, TOGETHER = 16 };

typedef struct outcome { /* of one run; filled by the scene */
  char kind[24];         /* "unharmed", "no_memory", another kind of error */
  char wrong[256];       /* not empty: what was promised and did not hold */
  char message[512];     /* of the error */
} outcome;

typedef struct scene {
  const char *name;
  void (*play)(outcome *to); /* from beam_new to beam_close */
  int arms_itself;           /* it calls arm_now when what may not fail is done */
  int is_alone;              /* in a process in which nothing else was played */
} scene;

typedef struct frame { /* found where it happened: what was loaded there need not be loaded here */
  char module[160];
  char symbol[96];
  unsigned long offset;
} frame;

static struct shared {
  fault_state fault;
  outcome outcome;
  int finished, signal;
  frame at, crash[CRASH_FRAMES], failed[FAULT_FRAMES]; /* the instruction, and the stacks as they were found */
  int crash_count, failed_count;
  char kinds[TOGETHER][24]; /* of those that were played in one process */
  int played;
} * shared;

static fault_use_function *fault_use_;

/* ---- In the process that runs ---- */

static void name_frame(frame *to, void *address) {
  Dl_info info;
  if (!dladdr(address, &info) || !info.dli_fname)
    return;
  snprintf(to->module, sizeof to->module, "%s", info.dli_fname);
  snprintf(to->symbol, sizeof to->symbol, "%s", info.dli_sname ? info.dli_sname : "?");
  to->offset = (unsigned long)((char *)address - (char *)info.dli_fbase);
}

static int name_frames(frame *to, void **frames, int count) {
  int i;
  for (i = 0; i < count; i++)
    name_frame(&to[i], frames[i]);
  return count;
}

/* At once, for what is loaded now may be unloaded later. */
static void on_first(void **frames, int count) { shared->failed_count = name_frames(shared->failed, frames, count); }

/* Where the stack is so broken that it cannot be followed, the instruction is known. */
static void on_crash(int signal_number, siginfo_t *info, void *context) {
  void *frames[CRASH_FRAMES];
  (void)info;
  shared->fault.kind = FAULT_NONE;
  if (shared->signal)
    _exit(98);
  shared->signal = signal_number;
#ifdef REG_RIP
  name_frame(&shared->at, (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]);
#else
  (void)context;
#endif
  shared->crash_count = name_frames(shared->crash, frames, backtrace(frames, CRASH_FRAMES));
  _exit(99);
}

static void catch_crashes(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
  static char stack[65536];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  size_t i;
  sigaltstack(&other, NULL);
  for (i = 0; i < sizeof signals / sizeof *signals; i++)
    sigaction(signals[i], &action, NULL);
}

static void arm(int kind, unsigned long first, unsigned long last) {
  shared->fault.count = shared->fault.failed = 0;
  shared->fault.first = first;
  shared->fault.last = last;
  shared->fault.on_first = on_first;
  shared->fault.kind = kind;
}

static int armed_kind;

static void arm_now(void) { shared->fault.kind = armed_kind; }

/* Errors of the process, AddressSanitizer's too, go to a file that is shown if it went wrong. */
static const char *errors_file(void) {
  static char path[64]; /* found before the first child is there */
  if (!*path)
    snprintf(path, sizeof path, "/tmp/beam-faults-%d", (int)getpid());
  return path;
}

/* Some of the runs of a scene. */
struct faults {
  unsigned long first, step, at_once; /* at_once: how many fail, one after the other; 0: all from there on */
  int count;
};

static unsigned long first_of(const struct faults *f, int which) { return f->first + (unsigned long)which * f->step; }

static unsigned long last_of(const struct faults *f, int which) {
  return f->at_once ? first_of(f, which) + f->at_once - 1 : (unsigned long)-1;
}

static void (*before_play)(void); /* in the child; NULL: nothing */

static void begin_child(void) {
  int errors = open(errors_file(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(errors, 2);
  close(errors);
  catch_crashes();
  fault_use_(&shared->fault);
  if (before_play)
    before_play();
}

static void play_once(const scene *s, int kind, unsigned long first, unsigned long last) {
  memset(&shared->outcome, 0, sizeof shared->outcome);
  shared->failed_count = 0;
  alarm(HANG_SECONDS);
  armed_kind = kind;
  arm(s->arms_itself ? FAULT_NONE : kind, first, last);
  s->play(&shared->outcome);
  shared->fault.kind = FAULT_NONE;
}

static void run_child(const scene *s, int kind, unsigned long first, unsigned long last) {
  begin_child();
  play_once(s, kind, first, last);
  shared->finished = 1;
  _exit(0);
}

static int is_unharmed(void) { return !*shared->outcome.wrong && strcmp(shared->outcome.kind, "unharmed") == 0; }

/* Those runs, and at the end one in which nothing fails. */
static void run_children(const scene *s, const struct faults *f) {
  begin_child();
  while (shared->played < f->count) {
    play_once(s, FAULT_MEMORY, first_of(f, shared->played), last_of(f, shared->played));
    if (*shared->outcome.wrong)
      _exit(1);
    snprintf(shared->kinds[shared->played++], sizeof shared->kinds[0], "%s",
             shared->fault.failed ? shared->outcome.kind : "not reached");
  }
  play_once(s, FAULT_NONE, 0, 0);
  shared->finished = is_unharmed();
  _exit(0);
}

/* ---- Whose it is ---- */

static const char *module_name(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

static void show_frame(const frame *at) {
  char command[400], line[512] = "";
  FILE *tool;
  snprintf(command, sizeof command, "addr2line -Cfpe '%s' 0x%lx 2>/dev/null",
           strchr(at->module, '/') ? at->module : "/proc/self/exe", at->offset ? at->offset - 1 : 0);
  tool = popen(command, "r");
  if (!tool || !fgets(line, sizeof line, tool) || strstr(line, "?? at") || strstr(line, " at ??"))
    snprintf(line, sizeof line, "%s\n", at->symbol); /* the nearest name that it gives away */
  if (tool)
    pclose(tool);
  printf("#     %s: %s", module_name(at->module), line);
}

static void show_stack(const char *title, const frame *frames, int count) {
  int i;
  printf("#   %s:\n", title);
  for (i = 0; i < count && i < 24; i++)
    show_frame(&frames[i]);
}

static int is_system(const char *path) {
  static const char *const parts[] = {"libc.so",  "libasan",    "libubsan", "faults.so",
                                      "ld-linux", "libpthread", "vdso",     "libgcc_s"};
  size_t i;
  for (i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strstr(path, parts[i]))
      return 1;
  return !*path;
}

/* Only libwebsockets unloads anything: its part for libuv, when its context ends. */
#define UNLOADED "libwebsockets' part that is unloaded"

/* The innermost that is neither of the system nor, before the signal came through the C library, the handler above. */
static const char *owner_of_crash(void) {
  int i = 0;
  if (!*shared->at.module)
    return UNLOADED;
  if (!is_system(shared->at.module))
    return module_name(shared->at.module);
  while (i < shared->crash_count && !strstr(shared->crash[i].module, "libc.so"))
    i++;
  for (; i < shared->crash_count; i++)
    if (!is_system(shared->crash[i].module))
      return module_name(shared->crash[i].module);
  return "libasan"; /* of the tests alone: it has no answer to memory that runs out when a thread starts */
}

static void show_errors(void) {
  char line[512];
  FILE *file = fopen(errors_file(), "r");
  int lines = 0;
  while (file && fgets(line, sizeof line, file) && lines++ < 40)
    printf("#   | %s", line);
  if (file)
    fclose(file);
}

/* ---- Counting ---- */

typedef struct tally {
  struct {
    char name[256];
    int count;
  } kinds[KINDS_MAX];
  int runs, bad, libraries; /* of the bad, those that are a library's */
  int felt;                 /* times that runs left something behind which those after them felt */
} tally;

static void count_kind(tally *t, const char *name) {
  int i;
  for (i = 0; i < KINDS_MAX - 1 && *t->kinds[i].name && strcmp(t->kinds[i].name, name) != 0; i++)
    ;
  snprintf(t->kinds[i].name, sizeof t->kinds[i].name, "%s", name);
  t->kinds[i].count++;
}

static void show_tally(const tally *t) {
  int i;
  for (i = 0; i < KINDS_MAX && *t->kinds[i].name; i++)
    printf("%s%s %d", i ? ", " : "", t->kinds[i].name, t->kinds[i].count);
}

/* What went wrong in one place is shown whole once: a stack takes longer to name than twenty runs. */
static int is_known(const char *what, const char *whose) {
  static char known[KNOWN_MAX][512];
  static int count;
  char place[512];
  int i;
  snprintf(place, sizeof place, "%s %s %s+%lx", what, whose, shared->at.module, shared->at.offset);
  for (i = 0; i < count; i++)
    if (strcmp(known[i], place) == 0)
      return 1;
  if (count < KNOWN_MAX)
    memcpy(known[count++], place, sizeof place);
  return 0;
}

static void show_wrong(void) {
  if (shared->failed_count)
    show_stack("what failed", shared->failed, shared->failed_count);
  if (shared->signal)
    show_frame(&shared->at);
  if (shared->crash_count)
    show_stack("where it went wrong", shared->crash, shared->crash_count);
  show_errors();
}

static unsigned long only_at;
static int aloud; /* each run whose error is another than no_memory is shown, too */

/* 0: held; 1: ours; 2: a library's. */
static int judge(const scene *s, tally *t, unsigned long first, unsigned long last, int status) {
  const char *own = module_name(program_invocation_name), *whose;
  char what[300];
  if (shared->finished && !*shared->outcome.wrong) {
    count_kind(t, shared->fault.failed || before_play ? shared->outcome.kind : "not reached");
    if (aloud && shared->fault.failed && strcmp(shared->outcome.kind, "unharmed") != 0 &&
        strcmp(shared->outcome.kind, "no_memory") != 0) {
      printf("# %s, %lu to %lu: %s: %s\n", s->name, first, last, shared->outcome.kind, shared->outcome.message);
      show_stack("what failed", shared->failed, shared->failed_count);
    }
    return 0;
  }
  whose = owner_of_crash();
  if (shared->finished)
    snprintf(what, sizeof what, "%s", shared->outcome.wrong), whose = own;
  else if (shared->signal == SIGALRM)
    snprintf(what, sizeof what, "a hang");
  else if (shared->signal)
    snprintf(what, sizeof what, "%s", strsignal(shared->signal));
  else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) /* past our handler: a check of its own failed */
    snprintf(what, sizeof what, "aborted"), whose = "libasan";
  else
    snprintf(what, sizeof what, "exit status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)),
        whose = own;
  count_kind(t, "BAD");
  printf("# %s, %lu to %lu: %s, in %s\n", s->name, first, last, what, whose);
  if (only_at || !is_known(what, whose))
    show_wrong();
  fflush(stdout);
  t->bad++;
  if (strncmp(whose, "lib", 3) != 0)
    return 1;
  t->libraries++;
  return 2;
}

static unsigned long run_once(const scene *s, tally *t, int kind, unsigned long first, unsigned long last) {
  int status;
  pid_t child;
  memset(shared, 0, sizeof *shared);
  fflush(stdout);
  child = fork();
  if (child == 0)
    run_child(s, kind, first, last);
  waitpid(child, &status, 0);
  t->runs++;
  judge(s, t, first, last, status);
  return shared->fault.count;
}

static void run_each(const scene *s, tally *t, const struct faults *f) {
  int i;
  for (i = 0; i < f->count; i++)
    run_once(s, t, FAULT_MEMORY, first_of(f, i), last_of(f, i));
}

/* What went wrong among others, and not by itself. */
static void tell_of_others(const scene *s, tally *t, const struct faults *f, const struct shared *together,
                           int status) {
  memcpy(shared, together, sizeof *shared);
  if (!WIFEXITED(status) || WEXITSTATUS(status) || *shared->outcome.wrong) {
    printf("# %s, from %lu on, among others only:\n", s->name, f->first);
    judge(s, t, first_of(f, shared->played), last_of(f, shared->played), status);
  } else {
    printf("# %s, from %lu on: felt afterwards: %s: %s\n", s->name, f->first, shared->outcome.kind,
           shared->outcome.message);
    t->felt++;
  }
}

static void run_together(const scene *s, tally *t, const struct faults *f) {
  static struct shared together;
  int status, i, bad = t->bad;
  pid_t child;
  memset(shared, 0, sizeof *shared);
  fflush(stdout);
  child = fork();
  if (child == 0)
    run_children(s, f);
  waitpid(child, &status, 0);
  t->runs += shared->finished ? f->count : 0;
  for (i = 0; shared->finished && i < f->count; i++)
    count_kind(t, shared->kinds[i]);
  if (shared->finished)
    return;
  memcpy(&together, shared, sizeof together);
  run_each(s, t, f);
  if (t->bad == bad)
    tell_of_others(s, t, f, &together, status);
}

/* ---- Each allocation ---- */

static unsigned long every = 401, at_once = 1; /* how many fail, one after the other */
static unsigned long from = 1, part, parts = 1;
static const char *wanted_scene;

/* The first, or all from there on, then the second, … `fold`: how many fewer of them. */
static inline int fail_each(const scene *s, int from_there_on, unsigned long fold) {
  tally t = {0};
  unsigned long at, total = run_once(s, &t, FAULT_MEMORY, 0, 0);
  unsigned long step = total < FEW ? 1 : every * fold;
  int held = is_unharmed() && !t.bad;
  struct faults f = {from + part * step, step * parts, from_there_on ? 0 : at_once, 0};
  if (!held)
    printf("# %s does not hold without a fault: %s %s\n", s->name, shared->outcome.message, shared->outcome.wrong);
  memset(&t, 0, sizeof t);
  if (only_at)
    run_each(s, &t, &(struct faults){only_at, 1, f.at_once, 1});
  for (at = f.first; !only_at && at <= total + 3; at = f.first += f.step * (unsigned long)f.count) {
    unsigned long rest = (total + 3 - at) / f.step + 1;
    f.count = rest < TOGETHER ? (int)rest : TOGETHER;
    (s->is_alone || aloud ? run_each : run_together)(s, &t, &f);
  }
  printf("# %s%s: %lu allocations, %d runs: ", s->name, from_there_on ? ", all from there on" : "", total, t.runs);
  show_tally(&t);
  printf(t.felt ? ", felt afterwards %d times\n" : "\n", t.felt);
  fflush(stdout);
  return held && t.bad == t.libraries;
}

static int wants(const scene *s) { return !wanted_scene || strstr(s->name, wanted_scene); }

static void read_wishes(void) {
  const char *text = getenv("FAULT_EVERY"), *share = getenv("FAULT_PART");
  wanted_scene = getenv("FAULT_SCENE");
  aloud = getenv("FAULT_ALOUD") != NULL;
  only_at = getenv("FAULT_AT") ? strtoul(getenv("FAULT_AT"), NULL, 10) : 0;
  from = getenv("FAULT_FROM") ? strtoul(getenv("FAULT_FROM"), NULL, 10) : 1;
  if (share && sscanf(share, "%lu/%lu", &part, &parts) == 2 && part >= 1 && part <= parts)
    part--;
  else
    part = 0, parts = 1;
  every = text && atoi(text) > 0 ? strtoul(text, NULL, 10) : only_at ? 1 : every;
}

/* ---- Beginning ---- */

/* The program again, with the faults before the C library. */
static void begin_faults(char **arguments) {
  void *symbol = dlsym(RTLD_DEFAULT, "fault_use");
  void *frames[4];
  if (!symbol && !getenv("BEAM_FAULTS")) {
    const char *asan = getenv("ASAN_OPTIONS");
    const char *light = getenv("FAULT_AT") ? ""
                                           : ":malloc_context_size=1:max_malloc_fill_size=64:quarantine_size_mb=1"
                                             ":thread_local_quarantine_size_kb=64"; /* a third of the time */
    char options[512];
    snprintf(options, sizeof options,
             "%s:verify_asan_link_order=0:detect_leaks=0:abort_on_error=1:handle_segv=0:handle_abort=0:handle_sigfpe=0:"
             "handle_sigbus=0:handle_sigill=0:allocator_may_return_null=1:fast_unwind_on_malloc=1%s",
             asan ? asan : "", light);
    setenv("ASAN_OPTIONS", options, 1);
    setenv("LD_PRELOAD", "build/tests/faults/faults.so", 1);
    setenv("BEAM_FAULTS", "1", 1);
    execv("/proc/self/exe", arguments);
  }
  if (!symbol) {
    printf("Bail out! build/tests/faults/faults.so is not loaded\n");
    exit(1);
  }
  read_wishes();
  memcpy(&fault_use_, &symbol, sizeof fault_use_);
  unsetenv("LD_PRELOAD"); /* what is started from here has no faults */
  backtrace(frames, 4);   /* loads what it needs */
  errors_file();
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    exit(1);
}

static void end_faults(void) { unlink(errors_file()); }

#endif
