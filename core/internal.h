/* What the files of core/ share about a context: its loop, its deferred work, its log. */
#pragma once

#include <stdarg.h>
#include <uv.h>

#include "base/forks.h"
#include "beam-server.h"
#include "beam.h"
#include "loop/again.h"

/* Internal names are hidden in every build, also where nobody passes -fvisibility=hidden (LuaRocks). */
#pragma GCC visibility push(hidden)

/* ---- Lists: intrusive, doubly linked; a node that is in no list points to itself ---- */

typedef struct beam__node {
  struct beam__node *next, *prev;
} beam__node;

static inline void beam__list_init(beam__node *node) { node->next = node->prev = node; }
static inline int beam__list_empty(const beam__node *list) { return list->next == list; }
void beam__list_add(beam__node *list, beam__node *node); /* at the end; it is in no list, and need not be initialised */
void beam__list_remove(beam__node *node);                /* may be in no list, or zeroed */
size_t beam__list_count(const beam__node *list);
#define BEAM__CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* ---- Deferred work ---- */

/* A thing to be done from beam_step, outside of every callback of a library. Zero-initialise, or beam__task_init. */
typedef struct beam__task {
  beam__node node;
  void (*run)(struct beam__task *task);
} beam__task;

void beam__task_init(beam__task *task, void (*run)(beam__task *task));
void beam__task_defer(beam_ctx *ctx, beam__task *task); /* once, however often it is called before it runs */
void beam__task_cancel(beam__task *task);               /* may be in no queue */

/* ---- The context ---- */

/* Something that lives as long as the context at most; `destroy` is called by beam_close, in reverse order of adding,
 * and must remove the node. It may start the closing of uv handles, not finish it. */
typedef struct beam__owned {
  beam__node node;
  void (*destroy)(struct beam__owned *owned);
} beam__owned;

struct beam__lws;          /* carrier/lws.c: made by the first WebSocket */
struct beam__buffers;      /* carrier/stream.c: what sockets are read into */
struct beam__tls_profiles; /* net/tls/profile.c: made by the first wss:// */
struct beam__curl;         /* http/curl.c: made by the first call */
struct beam__kept;         /* http/kept.c: made by the first call that ended well */
struct beam__background;   /* background.c: made by the first job beside the loop */
struct beam__trusts;       /* trust.c: made by the first use of TLS */

struct beam_ctx {
  uv_loop_t loop;
  beam_options options;
  uv_async_t wakeup;             /* keeps the loop alive while a step waits */
  uv_timer_t step_limit;         /* bounds the wait of one step */
  beam__node tasks;              /* beam__task */
  beam__node owned;              /* beam__owned: WebSockets, exchanges, servers, timers */
  unsigned turn;                 /* of the loop, counted; what is called between steps belongs to the last one */
  int stepping;                  /* inside beam_step */
  int closing;                   /* inside beam_close */
  int unfinished;                /* what its libraries have left must not run again: carrier/lws.c */
  unsigned forks;                /* base/forks.h, when it was made */
  int told_foreign;              /* the log was */
  struct beam__pollset *pollset; /* pollset.c: the one descriptor; NULL until asked for */
  beam__again again;             /* loop/again.h */
  struct beam__lws *lws;
  uv_idle_t *needless;           /* libwebsockets starts it after each I/O and has nothing to do in it: stopped; NULL */
  struct beam__buffers *buffers; /* one piece of memory */
  struct beam__tls_profiles *tls;
  struct beam__tls *warm; /* net/tls/connection.c: read or written last; NULL */
  struct beam__curl *curl;
  struct beam__kept *kept;
  struct beam__background *background;
  struct beam__trusts *trusts;
};

/* A context of the parent's, in a forked child: what it holds is shared with the parent, and not to be touched. The log
 * is told, once. */
int beam__tell_foreign(const beam_ctx *ctx); /* 1 */
static inline int beam__is_foreign(const beam_ctx *ctx) { return ctx->forks != beam__forks && beam__tell_foreign(ctx); }
extern const char beam__foreign[];           /* what to say of it */
int beam__descriptors_left(unsigned wanted); /* descriptors.c: 1, or 0 */
void beam__pin_library(void);                /* pin.c: called by beam_new */
void beam__own(beam_ctx *ctx, beam__owned *owned, void (*destroy)(beam__owned *owned));
/* To be called at the end of every public call that may have given the loop something to do. */
void beam__touch(beam_ctx *ctx);
void beam__log(beam_ctx *ctx, enum beam_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* For uv_close: frees the handle's data, in which the handle lies. */
void beam__free_with_handle(uv_handle_t *handle);

/* ---- Errors (error.c) ---- */

/* "connection refused", of an errno; of 0 that the other side ended it. */
const char *beam__system_text(int system, char *to, size_t size);

/* Copies text that a peer may have had a hand in, control characters escaped ("\x1b"), cut to `size`. */
void beam__show(char *to, size_t size, const char *text);
/* Fills *error (if not NULL) and returns `code`. Control characters in the text are escaped; the caller puts no
 * credential into it. */
int beam__error(beam_error *error, int code, enum beam_phase phase, const char *host, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The same for what is wrong before anything has begun: with the caller's options, and for want of memory. */
#define beam__invalid(error, ...) beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, __VA_ARGS__)
#define beam__no_memory(error) beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory")

/* ---- Texts and memory ---- */

static inline int beam__is_given(const char *text) { return text && *text; }

void beam__wipe(void *memory, size_t len); /* overwrites with zeros, not optimised away */
void beam__wipe_free(char *text);          /* wipes and frees a NUL-terminated text; NULL is fine */
char *beam__strdup(const char *text);      /* NULL stays NULL; also NULL when out of memory */
/* The texts one after the other; NULL when out of memory. */
char *beam__join(const char *first, const char *second, const char *third);

#pragma GCC visibility pop
