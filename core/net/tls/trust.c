/* The trusts of a context: those in use by their references, the last few kept for the next connection. */
#include "net/tls/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "loop/background.h"
#include "net/tls/ca_file.h"

enum { KEPT_MAX = 16, ERROR_SIZE = 400 };

struct beam__trusts {
  beam__owned owned;
  beam_ctx *ctx;
  beam__node kept; /* the most recently used at the end; each holds a reference */
  unsigned last_id;
};

typedef struct load { /* a beam__job */
  beam__job job;
  beam__trust *trust; /* of the context's thread */
  X509_STORE *store;  /* a reference of its own, for the trust may go first; NULL once it ran */
  int code;
  char error[ERROR_SIZE];
  char path[]; /* NUL-terminated */
} load;

struct beam__trust {
  beam__node node; /* in `kept` */
  unsigned references, id;
  enum beam__trust_state state;
  load *load; /* NULL: over */
  beam__node waiters;
  X509_STORE *store;
  struct stat file; /* only what is compared */
  int code;         /* of the failure */
  char error[ERROR_SIZE];
  char path[]; /* NUL-terminated */
};

/* ---- References ---- */

void beam__trust_release(beam__trust *trust) {
  if (!trust || --trust->references)
    return;
  beam__job_drop(trust->load ? &trust->load->job : NULL);
  X509_STORE_free(trust->store);
  free(trust);
}

static void keep_no_longer(beam__trust *trust) {
  if (beam__list_empty(&trust->node))
    return;
  beam__list_remove(&trust->node);
  beam__trust_release(trust);
}

/* ---- Loading ---- */

static void run(beam__job *job) {
  load *loading = (load *)job;
  loading->code = beam__ca_file_load(loading->store, loading->path, loading->error, sizeof loading->error);
  loading->store = NULL;
}

static void tell(beam__trust *trust) {
  beam__node due;
  beam__list_init(&due);
  while (!beam__list_empty(&trust->waiters)) {
    beam__node *node = trust->waiters.next;
    beam__list_remove(node);
    beam__list_add(&due, node);
  }
  while (!beam__list_empty(&due)) {
    beam__trust_waiter *waiter = BEAM__CONTAINER(due.next, beam__trust_waiter, node);
    beam__list_remove(&waiter->node);
    waiter->done(waiter->user);
  }
}

/* One that failed is not kept: the next connection tries again. */
static void done(beam__job *job, int system) {
  load *loading = (load *)job;
  beam__trust *trust = loading->trust;
  char why[128];
  trust->code = system ? BEAM_ENO_MEMORY : loading->code;
  if (system)
    snprintf(loading->error, sizeof loading->error, "no thread could be started to read the CA file %.250s: %s",
             trust->path, beam__system_text(system, why, sizeof why));
  memcpy(trust->error, loading->error, sizeof trust->error);
  trust->state = *trust->error ? BEAM__TRUST_FAILED : BEAM__TRUST_READY;
  trust->load = NULL;
  trust->references++;
  if (trust->state == BEAM__TRUST_FAILED)
    keep_no_longer(trust);
  tell(trust);
  beam__trust_release(trust);
}

static void dispose(beam__job *job) {
  X509_STORE_free(((load *)job)->store); /* only of one that never ran, so on the context's thread */
  free(job);
}

static const beam__job_ops ops = {BEAM__FILES, run, done, dispose};

static int start_load(beam_ctx *ctx, beam__trust *trust) {
  size_t size = strlen(trust->path) + 1;
  load *loading = calloc(1, sizeof *loading + size);
  if (!loading)
    return BEAM_ENO_MEMORY;
  X509_STORE_up_ref(trust->store);
  loading->store = trust->store;
  loading->trust = trust;
  memcpy(loading->path, trust->path, size);
  trust->load = loading;
  if (beam__job_start(ctx, &loading->job, &ops) == 0)
    return 0;
  trust->load = NULL;
  dispose(&loading->job);
  return BEAM_ENO_MEMORY;
}

/* ---- The context's trusts ---- */

static void destroy(beam__owned *owned) {
  struct beam__trusts *trusts = BEAM__CONTAINER(owned, struct beam__trusts, owned);
  while (!beam__list_empty(&trusts->kept))
    keep_no_longer(BEAM__CONTAINER(trusts->kept.next, beam__trust, node));
  trusts->ctx->trusts = NULL;
  free(trusts);
}

static struct beam__trusts *trusts_of(beam_ctx *ctx) {
  struct beam__trusts *trusts = ctx->trusts;
  if (trusts || ctx->closing)
    return trusts;
  trusts = calloc(1, sizeof *trusts);
  if (!trusts)
    return NULL;
  if (beam__own_with_jobs(ctx, &trusts->owned, destroy)) {
    free(trusts);
    return NULL;
  }
  beam__ca_file_prepare();
  beam__list_init(&trusts->kept);
  trusts->ctx = ctx;
  return ctx->trusts = trusts;
}

static int is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What was kept of a file that has changed since goes. */
static beam__trust *find(struct beam__trusts *trusts, const char *path, const struct stat *file) {
  beam__node *node, *next;
  for (node = trusts->kept.next; node != &trusts->kept; node = next) {
    beam__trust *trust = BEAM__CONTAINER(node, beam__trust, node);
    next = node->next;
    if (strcmp(trust->path, path) != 0)
      continue;
    if (is_same(&trust->file, file))
      return trust;
    keep_no_longer(trust);
  }
  return NULL;
}

static beam__trust *find_ready(beam_ctx *ctx, const char *ca_file) {
  struct stat file = {0};
  beam__trust *trust;
  if (!ctx->trusts || stat(ca_file, &file))
    return NULL;
  trust = find(ctx->trusts, ca_file, &file);
  return trust && trust->state == BEAM__TRUST_READY ? trust : NULL;
}

int beam__trust_is_ready(beam_ctx *ctx, const char *ca_file) { return find_ready(ctx, ca_file) != NULL; }

beam__trust *beam__trust_if_ready(beam_ctx *ctx, const char *ca_file) {
  beam__trust *trust = find_ready(ctx, ca_file);
  if (trust)
    trust->references++;
  return trust;
}

/* As curl has it: a certificate in the CA file is trusted also if its issuer is not in it. */
static X509_STORE *make_store(void) {
  X509_STORE *store = X509_STORE_new();
  if (store)
    X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

static beam__trust *make(struct beam__trusts *trusts, const char *path, const struct stat *file) {
  size_t size = strlen(path) + 1;
  beam__trust *trust = calloc(1, sizeof *trust + size);
  if (!trust)
    return NULL;
  memcpy(trust->path, path, size);
  trust->file = *file;
  trust->references = 1;
  trust->id = ++trusts->last_id;
  beam__list_init(&trust->node);
  beam__list_init(&trust->waiters);
  trust->store = make_store();
  if (trust->store && start_load(trusts->ctx, trust) == 0)
    return trust;
  beam__trust_release(trust);
  return NULL;
}

beam__trust *beam__trust_of(beam_ctx *ctx, const char *ca_file) {
  struct beam__trusts *trusts = trusts_of(ctx);
  struct stat file = {0};
  beam__trust *trust;
  if (!trusts)
    return NULL;
  (void)stat(ca_file, &file); /* what is wrong with it the load will say */
  trust = find(trusts, ca_file, &file);
  if (!trust) {
    trust = make(trusts, ca_file, &file);
    if (!trust)
      return NULL;
    if (beam__list_count(&trusts->kept) == KEPT_MAX)
      keep_no_longer(BEAM__CONTAINER(trusts->kept.next, beam__trust, node));
  }
  beam__list_remove(&trust->node);
  beam__list_add(&trusts->kept, &trust->node);
  trust->references++;
  return trust;
}

/* ---- What its holders ask ---- */

enum beam__trust_state beam__trust_state(const beam__trust *trust) { return trust->state; }

X509_STORE *beam__trust_store(const beam__trust *trust) { return trust->store; }

unsigned beam__trust_id(const beam__trust *trust) { return trust->id; }

int beam__trust_code(const beam__trust *trust) { return trust->code; }

const char *beam__trust_error(const beam__trust *trust) { return trust->error; }

void beam__trust_await(beam__trust *trust, beam__trust_waiter *waiter, void (*on_done)(void *user), void *user) {
  waiter->done = on_done;
  waiter->user = user;
  beam__list_add(&trust->waiters, &waiter->node);
}

void beam__trust_forget(beam__trust_waiter *waiter) { beam__list_remove(&waiter->node); }
