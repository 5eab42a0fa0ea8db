/* DNS beside the loop. getaddrinfo blocks for seconds and cannot be cancelled, and uv_getaddrinfo holds the loop open
 * while it runs: so each look-up has a detached thread of its own.
 *
 *   beam__lookup   the caller's handle: lives in the context's thread, ends with `done`, cancel or beam_close
 *   question       what is asked: handed from queue to thread to answers, owned by one of them at a time
 *   beam__mailbox  where threads leave answers: shared, freed by the last of the context and its threads
 *
 * A thread touches its question, the mailbox's locked part and nothing else; once the mailbox is shut its answer goes
 * nowhere.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve.h"
#include "url.h"

enum {
  THREADS_MAX = 64,        /* per context; more look-ups wait for one to end */
  STACK_SIZE = 512 * 1024, /* name service modules put their buffers there */
  ERROR_SIZE = 256
};

typedef int (*resolve_function)(const char *host, const char *service, const struct addrinfo *hints,
                                struct addrinfo **result);

static resolve_function resolve_with = getaddrinfo;

void beam__lookup_use(resolve_function resolve) { resolve_with = resolve ? resolve : getaddrinfo; }

typedef struct question {
  beam__node node; /* in `waiting` or `answers` */
  struct beam__mailbox *mailbox;
  beam__lookup *lookup; /* who asked; NULL once cancelled. Of the context's thread only, like the next */
  int started;          /* a thread has it or had it */
  resolve_function resolve;
  int code, system; /* getaddrinfo's result, and errno for EAI_SYSTEM */
  beam__addresses addresses;
  char service[8];
  char host[]; /* NUL-terminated */
} question;

struct beam__lookup {
  beam__task task;    /* calls `done` */
  beam__node node;    /* in the mailbox's `lookups` */
  question *question; /* while it is asked */
  int finishing;      /* inside `done` */
  void (*done)(void *user, const beam__addresses *addresses, const char *error);
  void *user;
  beam__addresses addresses;
  char error[ERROR_SIZE]; /* "": none */
};

struct beam__mailbox {
  beam__owned owned;
  beam_ctx *ctx;
  uv_async_t arrived;
  beam__node lookups; /* all that are not done */
  beam__node waiting; /* questions for which there is no thread yet */
  unsigned threads;   /* in flight, as the context's thread counts them */
  pthread_mutex_t lock;
  /* Under the lock: */
  beam__node answers;
  int shut;
  unsigned holders; /* the context, and each thread in flight */
};

/* ---- Answers as addresses and as text ---- */

static void set_port(struct sockaddr_storage *address, unsigned port) {
  if (address->ss_family == AF_INET6)
    ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
  else
    ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
}

static int is_known(const beam__addresses *addresses, const struct addrinfo *info) {
  size_t i;
  for (i = 0; i < addresses->count; i++)
    if (memcmp(&addresses->list[i], info->ai_addr, info->ai_addrlen) == 0)
      return 1;
  return 0;
}

/* The next of `family` from `info` on that is not in the list yet. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family, const beam__addresses *known) {
  while (info && (info->ai_family != family || info->ai_addrlen > sizeof *known->list || is_known(known, info)))
    info = info->ai_next;
  return info;
}

/* RFC 8305 section 4: the system's order (RFC 6724) within a family, and families in turn, so that a broken one costs
 * one attempt; the family of the system's first choice leads. */
static void interleave(beam__addresses *addresses, const struct addrinfo *info) {
  int family = info && info->ai_family == AF_INET ? AF_INET : AF_INET6;
  const struct addrinfo *next;
  memset(addresses, 0, sizeof *addresses);
  while (addresses->count < BEAM__ADDRESSES_MAX) {
    int other = family == AF_INET ? AF_INET6 : AF_INET;
    next = next_of(info, family, addresses);
    if (!next && !(next = next_of(info, other, addresses)))
      break;
    memcpy(&addresses->list[addresses->count++], next->ai_addr, next->ai_addrlen);
    family = next->ai_family == AF_INET ? AF_INET6 : AF_INET;
  }
}

/* What to do about it, for the errors that have a remedy. */
static const char *advice(int code) {
  switch (code) {
  case EAI_NONAME:
    return "; check the spelling of the host name";
  case EAI_AGAIN:
    return "; check the network and the name server (/etc/resolv.conf), then try again";
  case EAI_FAIL:
    return "; the name server refused or failed, try another one";
#ifdef EAI_NODATA
  case EAI_NODATA:
    return "; the name exists, but has neither an IPv6 nor an IPv4 address";
#endif
  default:
    return "";
  }
}

static void describe(char text[ERROR_SIZE], const question *asked) {
  char system[128]; /* uv_strerror leaks for a number it does not know */
  uv_strerror_r(uv_translate_sys_error(asked->system), system, sizeof system);
  if (!asked->started)
    snprintf(text, ERROR_SIZE, "no thread could be started for the look-up: %s", system);
  else if (asked->code == EAI_SYSTEM)
    snprintf(text, ERROR_SIZE, "%s", system);
  else
    snprintf(text, ERROR_SIZE, "%s%s", gai_strerror(asked->code), advice(asked->code));
}

/* ---- The thread ---- */

static void release(struct beam__mailbox *mailbox) {
  unsigned left;
  pthread_mutex_lock(&mailbox->lock);
  left = --mailbox->holders;
  pthread_mutex_unlock(&mailbox->lock);
  if (left)
    return;
  pthread_mutex_destroy(&mailbox->lock);
  free(mailbox);
}

static void ask(question *asked) {
  struct addrinfo hints, *found = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  asked->code = asked->resolve(asked->host, asked->service, &hints, &found);
  asked->system = errno;
  if (asked->code)
    return;
  interleave(&asked->addresses, found);
  if (found)
    freeaddrinfo(found);
  if (!asked->addresses.count)
    asked->code = EAI_NONAME;
}

static void *run_thread(void *argument) {
  question *asked = argument;
  struct beam__mailbox *mailbox = asked->mailbox;
  ask(asked);
  pthread_mutex_lock(&mailbox->lock);
  if (mailbox->shut) {
    free(asked);
  } else {
    beam__list_add(&mailbox->answers, &asked->node);
    uv_async_send(&mailbox->arrived);
  }
  pthread_mutex_unlock(&mailbox->lock);
  release(mailbox);
  return NULL;
}

/* All signals blocked: they are for the host's own threads. */
static int start_thread(question *asked) {
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  int failed;
  if ((failed = pthread_attr_init(&attributes)))
    return failed;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  failed = pthread_create(&thread, &attributes, run_thread, asked);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return failed;
}

/* ---- The mailbox ---- */

static void answer(struct beam__mailbox *mailbox, question *asked) {
  beam__lookup *lookup = asked->lookup;
  if (lookup) {
    lookup->question = NULL;
    lookup->addresses = asked->addresses;
    if (asked->code)
      describe(lookup->error, asked);
    beam__task_defer(mailbox->ctx, &lookup->task);
  }
  free(asked);
}

/* The thread holds the mailbox from here on, so that the context may end before it. */
static int hand_over(struct beam__mailbox *mailbox, question *asked) {
  int failed;
  pthread_mutex_lock(&mailbox->lock);
  mailbox->holders++;
  pthread_mutex_unlock(&mailbox->lock);
  asked->started = 1;
  if ((failed = start_thread(asked)) == 0) {
    mailbox->threads++;
    return 0;
  }
  asked->started = 0;
  release(mailbox); /* never the last: the context holds it */
  return failed;
}

/* Where the system has no thread left, a question waits for one of ours to end, or fails if there is none. */
static void start_waiting(struct beam__mailbox *mailbox) {
  while (mailbox->threads < THREADS_MAX && !beam__list_empty(&mailbox->waiting)) {
    question *asked = BEAM__CONTAINER(mailbox->waiting.next, question, node);
    int failed;
    beam__list_remove(&asked->node);
    if ((failed = hand_over(mailbox, asked)) == 0)
      continue;
    if (mailbox->threads) {
      beam__list_add(mailbox->waiting.next, &asked->node); /* back to the front */
      return;
    }
    asked->code = EAI_SYSTEM;
    asked->system = failed;
    answer(mailbox, asked);
  }
}

static void on_arrived(uv_async_t *async) {
  struct beam__mailbox *mailbox = async->data;
  beam__node taken;
  beam__list_init(&taken);
  pthread_mutex_lock(&mailbox->lock);
  while (!beam__list_empty(&mailbox->answers)) {
    beam__node *node = mailbox->answers.next;
    beam__list_remove(node);
    beam__list_add(&taken, node);
  }
  pthread_mutex_unlock(&mailbox->lock);
  while (!beam__list_empty(&taken)) {
    question *asked = BEAM__CONTAINER(taken.next, question, node);
    beam__list_remove(&asked->node);
    mailbox->threads--;
    answer(mailbox, asked);
  }
  start_waiting(mailbox);
}

static void free_questions(beam__node *list) {
  while (!beam__list_empty(list)) {
    question *asked = BEAM__CONTAINER(list->next, question, node);
    beam__list_remove(&asked->node);
    free(asked);
  }
}

static void on_closed(uv_handle_t *handle) { release(handle->data); }

/* Called last of all that the context owns (see mailbox_of), so nobody is left to cancel a look-up. */
static void destroy_mailbox(beam__owned *owned) {
  struct beam__mailbox *mailbox = BEAM__CONTAINER(owned, struct beam__mailbox, owned);
  while (!beam__list_empty(&mailbox->lookups))
    beam__lookup_cancel(BEAM__CONTAINER(mailbox->lookups.next, beam__lookup, node));
  pthread_mutex_lock(&mailbox->lock);
  mailbox->shut = 1;
  free_questions(&mailbox->answers);
  pthread_mutex_unlock(&mailbox->lock);
  mailbox->ctx->mailbox = NULL;
  uv_close((uv_handle_t *)&mailbox->arrived, on_closed);
}

static struct beam__mailbox *mailbox_new(beam_ctx *ctx) {
  struct beam__mailbox *mailbox = calloc(1, sizeof *mailbox);
  if (!mailbox)
    return NULL;
  if (pthread_mutex_init(&mailbox->lock, NULL)) {
    free(mailbox);
    return NULL;
  }
  if (uv_async_init(&ctx->loop, &mailbox->arrived, on_arrived)) {
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
    return NULL;
  }
  mailbox->arrived.data = mailbox;
  mailbox->ctx = ctx;
  mailbox->holders = 1;
  beam__list_init(&mailbox->lookups);
  beam__list_init(&mailbox->waiting);
  beam__list_init(&mailbox->answers);
  return mailbox;
}

/* Made by the first look-up. It goes to the front of what the context owns: what asks must be destroyed before it. */
static struct beam__mailbox *mailbox_of(beam_ctx *ctx) {
  struct beam__mailbox *mailbox = ctx->mailbox;
  if (mailbox || !(mailbox = mailbox_new(ctx)))
    return mailbox;
  beam__own(ctx, &mailbox->owned, destroy_mailbox);
  beam__list_remove(&mailbox->owned.node);
  beam__list_add(ctx->owned.next, &mailbox->owned.node);
  return ctx->mailbox = mailbox;
}

/* ---- Look-ups ---- */

static void finish(beam__task *task) {
  beam__lookup *lookup = BEAM__CONTAINER(task, beam__lookup, task);
  beam__list_remove(&lookup->node);
  lookup->finishing = 1;
  lookup->done(lookup->user, *lookup->error ? NULL : &lookup->addresses, *lookup->error ? lookup->error : NULL);
  free(lookup);
}

static void add_address(beam__addresses *addresses, int family, const char *text, unsigned port) {
  struct sockaddr_storage *address = &addresses->list[addresses->count++];
  address->ss_family = (sa_family_t)family;
  set_port(address, port);
  inet_pton(family, text,
            family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)address)->sin6_addr
                               : (void *)&((struct sockaddr_in *)address)->sin_addr);
}

/* getaddrinfo with AI_NUMERICHOST only reads the text: dotted forms of IPv4, IPv6 with a zone. */
static int is_numeric(beam__addresses *addresses, const char *host, const char *service) {
  struct addrinfo hints, *found = NULL;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  if (getaddrinfo(host, service, &hints, &found))
    return 0;
  interleave(addresses, found);
  freeaddrinfo(found);
  return 1;
}

static int answers_itself(beam__lookup *lookup, const char *host, unsigned port) {
  char service[8];
  snprintf(service, sizeof service, "%u", port);
  if (is_numeric(&lookup->addresses, host, service))
    return 1;
  if (!beam__host_is_loopback(host))
    return 0;
  add_address(&lookup->addresses, AF_INET6, "::1", port); /* RFC 6761 section 6.3 */
  add_address(&lookup->addresses, AF_INET, "127.0.0.1", port);
  return 1;
}

static question *question_new(struct beam__mailbox *mailbox, beam__lookup *lookup, const char *host, unsigned port) {
  size_t size = strlen(host) + 1;
  question *asked = calloc(1, sizeof *asked + size);
  if (!asked)
    return NULL;
  beam__list_init(&asked->node);
  asked->mailbox = mailbox;
  asked->lookup = lookup;
  asked->resolve = resolve_with;
  snprintf(asked->service, sizeof asked->service, "%u", port);
  memcpy(asked->host, host, size);
  return asked;
}

int beam__lookup_start(beam_ctx *ctx, beam__lookup **out, const char *host, unsigned port,
                       void (*done)(void *user, const beam__addresses *addresses, const char *error), void *user) {
  struct beam__mailbox *mailbox = ctx->closing ? NULL : mailbox_of(ctx);
  beam__lookup *lookup = mailbox ? calloc(1, sizeof *lookup) : NULL;
  *out = NULL;
  if (!lookup)
    return BEAM_ENO_MEMORY;
  beam__task_init(&lookup->task, finish);
  lookup->done = done;
  lookup->user = user;
  beam__list_init(&lookup->node);
  if (answers_itself(lookup, host, port)) {
    beam__task_defer(ctx, &lookup->task);
  } else if ((lookup->question = question_new(mailbox, lookup, host, port))) {
    beam__list_add(&mailbox->waiting, &lookup->question->node);
  } else {
    free(lookup);
    return BEAM_ENO_MEMORY;
  }
  beam__list_add(&mailbox->lookups, &lookup->node);
  *out = lookup;
  start_waiting(mailbox);
  beam__touch(ctx);
  return 0;
}

/* A question that waits is taken back; one that a thread or the mailbox holds only forgets who asked. */
void beam__lookup_cancel(beam__lookup *lookup) {
  question *asked;
  if (!lookup || lookup->finishing)
    return;
  asked = lookup->question;
  if (asked && asked->started) {
    asked->lookup = NULL;
  } else if (asked) {
    beam__list_remove(&asked->node);
    free(asked);
  }
  beam__task_cancel(&lookup->task);
  beam__list_remove(&lookup->node);
  free(lookup);
}
