/* What the tests of look-ups share: a name server in a function, whoever asks it, and a wait for its last thread. */
#ifndef BEAM_RESOLVE_FIXTURE_H
#define BEAM_RESOLVE_FIXTURE_H

#include "core/loop/background_fixture.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>

#include "net/resolve.h"

/* ---- A name server in a function: the gate holds answers back, `numeric` is what they hold ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int gate_open, asked, inside, inside_max, signals_blocked;
static int fail_with, fail_errno;
static const char *const *numeric; /* ends with NULL */

static void set_gate(int open) {
  pthread_mutex_lock(&lock);
  gate_open = open;
  pthread_cond_broadcast(&opened);
  pthread_mutex_unlock(&lock);
}

static int value_of(const int *counter) {
  int value;
  pthread_mutex_lock(&lock);
  value = *counter;
  pthread_mutex_unlock(&lock);
  return value;
}

static void pass_gate(void) {
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  pthread_mutex_lock(&lock);
  asked++;
  signals_blocked = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
  if (++inside > inside_max)
    inside_max = inside;
  while (!gate_open)
    pthread_cond_wait(&opened, &lock);
  inside--;
  pthread_mutex_unlock(&lock);
}

/* The lists that getaddrinfo makes of single addresses, in one: freeaddrinfo takes them so. */
static int answer_numeric(const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  struct addrinfo numeric_hints = *hints, **end = result;
  const char *const *text;
  *result = NULL;
  numeric_hints.ai_flags |= AI_NUMERICHOST;
  for (text = numeric; *text; text++) {
    if (getaddrinfo(*text, service, &numeric_hints, end))
      abort();
    while (*end)
      end = &(*end)->ai_next;
  }
  return 0;
}

static int resolve_gated(const char *host, const char *service, const struct addrinfo *hints,
                         struct addrinfo **result) {
  int code;
  (void)host;
  pass_gate();
  pthread_mutex_lock(&lock);
  code = fail_with ? fail_with : answer_numeric(service, hints, result);
  errno = fail_errno;
  pthread_mutex_unlock(&lock);
  return code;
}

static void reset(void) {
  static const char *const one[] = {"192.0.2.1", NULL};
  beam__lookup_use(resolve_gated);
  set_gate(1);
  pthread_mutex_lock(&lock);
  asked = inside = inside_max = signals_blocked = fail_with = fail_errno = 0;
  numeric = one;
  pthread_mutex_unlock(&lock);
}

/* Lets what is still asked end, so that the leak check sees every thread's last free. */
static void open_and_settle(void) {
  set_gate(1);
  settle();
}

/* ---- Who asks ---- */

typedef struct asker {
  beam_ctx *ctx;
  beam__lookup *lookup, *cancel_inside;
  atomic_int done;
  int failed, again;
  beam__addresses addresses;
  char error[256];
} asker;

static void on_done(void *user, const beam__addresses *addresses, const char *error) {
  asker *who = user;
  CHECK(!addresses != !error);
  who->done++;
  who->failed = !addresses;
  if (addresses)
    who->addresses = *addresses;
  snprintf(who->error, sizeof who->error, "%s", error ? error : "");
  beam__lookup_cancel(who->cancel_inside);
  if (who->again && who->again--)
    CHECK_INT(beam__lookup_start(who->ctx, &who->lookup, "again.test", 1, on_done, who), 0);
}

static void ask(beam_ctx *ctx, asker *who, const char *host, unsigned port) {
  memset(who, 0, sizeof *who);
  who->ctx = ctx;
  CHECK_INT(beam__lookup_start(ctx, &who->lookup, host, port, on_done, who), 0);
  CHECK(who->lookup != NULL);
  CHECK_INT(who->done, 0);
}

/* "[::1]:80 127.0.0.1:80" */
static const char *show(const beam__addresses *addresses) {
  static char text[BEAM__ADDRESSES_MAX * 64];
  char host[64], service[16];
  size_t i, len = 0;
  for (*text = '\0', i = 0; i < addresses->count; i++) {
    const struct sockaddr *address = (const struct sockaddr *)&addresses->list[i];
    int v6 = address->sa_family == AF_INET6;
    getnameinfo(address, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), host, sizeof host, service,
                sizeof service, NI_NUMERICHOST | NI_NUMERICSERV);
    len += (size_t)snprintf(text + len, sizeof text - len, v6 ? "%s[%s]:%s" : "%s%s:%s", i ? " " : "", host, service);
  }
  return text;
}

static void check_answer(const char *host, unsigned port, const char *expected) {
  beam_ctx *ctx = new_context();
  asker who;
  ask(ctx, &who, host, port);
  step_until(ctx, &who.done, 1);
  CHECK_STR(who.error, "");
  CHECK_STR(show(&who.addresses), expected);
  beam_close(ctx);
}

#endif
