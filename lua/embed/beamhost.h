/* libbeamhost: connection scripts in Lua inside a C program. Lua, the module beam and libbeam are in it; what a script
 * may do is bounded.
 *
 *   your program  ->  beamhost.h  ->  a connection script, a realtime connection  ->  libbeam  ->  Beam
 *
 * Rules that hold for every call (docs/hosts/embedding.md):
 *  1. A host is used from one thread at a time. Hosts know nothing of each other: each may live in a thread of its own.
 *  2. No call blocks, but beam_host_step with a time-out.
 *  3. What is passed in is copied. What an event or an error points to is valid until the callback returns, the result
 *     of beam_host_call until the next call of it.
 *  4. If a call returns an error, no event tells it again. Otherwise what goes wrong is told by BEAM_HOST_ERROR.
 *  5. Events and log lines come from within calls of this host. Every call may be made from inside the callbacks,
 * except beam_host_step, _load… and _reload… (BEAM_EINVALID); a host that is freed there goes when the call that is
 * under way returns.
 *  6. A script that fails, or goes over its budget, takes neither the host nor the connection down.
 */
#ifndef BEAMHOST_H
#define BEAMHOST_H

#include <stddef.h>
#include <stdint.h>

#include "beam.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct beam_host beam_host;

/* ---- Errors: those of beam.h, and ---- */

/* name, value, kind, what it means */
#define BEAM_HOST_ERROR_MAP(X)                                                                                         \
  X(SCRIPT, -101, "script", "the script could not be loaded, failed, or went over its budget")                         \
  X(TRANSFORM, -102, "transform", "the hook `incoming` or `outgoing` failed; this message was dropped")                \
  X(QUEUE_FULL, -103, "queue_full", "too much waits to be sent")                                                       \
  X(JSON, -104, "json", "a text is not JSON, or a value cannot be written as JSON")                                    \
  X(CONFIG, -105, "config", "Beam's configuration on this machine is not usable")                                      \
  X(FILE, -106, "file", "a file could not be read")

enum beam_host_error_code {
#define X(name, value, kind, text) BEAM_HOST_E##name = (value),
  BEAM_HOST_ERROR_MAP(X)
#undef X
};

/* What went wrong. A value: copy it freely. Never holds a credential. */
typedef struct beam_host_error {
  int code;           /* BEAM_E… or BEAM_HOST_E…, 0: no error */
  int status;         /* HTTP status of a refused connection; else 0 */
  int close_code;     /* of a connection that was closed; else 0 */
  int line;           /* of the script; 0: not known */
  char kind[16];      /* "script", "tls": the code in words */
  char hook[32];      /* "message", "load"; "" if none was concerned */
  char file[256];     /* of the script */
  char limit[16];     /* "memory", "instructions", "time": the budget that was used up; else "" */
  char message[1024]; /* one line: hook, file, line, what happened */
} beam_host_error;

/* ---- Events ---- */

enum beam_host_event_type {
  BEAM_HOST_PHASE, /* `phase`: dns tcp proxy tls queued open ready waiting closing closed; waiting: `error` says why */
  BEAM_HOST_OPEN,  /* the connection is open; `again`: it had been before */
  BEAM_HOST_MESSAGE, /* `data`, as the hook `incoming` left it: JSON, other text, or (`binary`) bytes */
  BEAM_HOST_EMIT,    /* the script called beam.emit(name, value): `name`, and the value as JSON in `data` */
  BEAM_HOST_ERROR,   /* `error`: a hook failed, and the default policy went on; the message it failed on in `data` */
  BEAM_HOST_CLOSED   /* the connection has ended for good; `error` says why. A reload of the script begins anew */
};

typedef struct beam_host_event {
  enum beam_host_event_type type;
  const char *phase, *name; /* NUL-terminated */
  const char *data;         /* `len` bytes, and a NUL that is not counted */
  size_t len;
  int binary, again;
  const beam_host_error *error; /* NULL but where it is named above */
} beam_host_event;

typedef void beam_host_callback(void *user, beam_host *host, const beam_host_event *event);

/* ---- Life ---- */

typedef struct beam_host_options { /* zero-initialise; every field may stay 0 */
  const char *target;              /* a name, an id, a URL; NULL: the script's hook `connect` says it */
  const char *token;               /* NULL: as for `beam.realtime` from the environment or Beam's own file; "": none */
  const char *gateway;             /* default https://app.beam.cloud */
  const char *ca_file;             /* PEM bundle instead of the system's store */
  const char *config;              /* JSON that the script reads by beam.config() */
  size_t memory;                   /* bytes of the script's state, at least 256 KiB; 0: 64 MiB, SIZE_MAX: no limit */
  int64_t instructions;            /* for a load, a hook, a call; 0: 10,000,000, negative: no limit */
  double seconds;                  /* of wall time for the same; 0: 1, negative: no limit */
  double tick;                     /* seconds between calls of the hook `tick`; 0: with each step */
  double step_seconds;      /* a step ends after so long, between two hooks, and goes on in the next; 0: no bound */
  const char *const *allow; /* what the script has beside the safe subset ("os.getenv", …), ended by NULL */
  int lax;                  /* 1: undeclared globals of the script are no error */
  int insecure_auth;        /* 1: the token may go unencrypted to hosts that are not loopback */
  /* One line without a newline, of the script's print and beam.log (BEAM_LOG_INFO) or of the transport. NULL: errors
   * and warnings go to stderr. */
  void (*log)(void *user, enum beam_log_level level, const char *line);
  void *user; /* handed to `log` */
} beam_host_options;

/* Makes a host; after a fork, never before. `options` and `error` may be NULL. *host is NULL on failure: BEAM_EINVALID,
 * BEAM_HOST_ECONFIG, BEAM_ENO_MEMORY. */
BEAM_API int beam_host_new(beam_host **host, const beam_host_options *options, beam_host_error *error);
/* Events go to `callback` from now on; NULL: to nobody. Errors that nobody is told go to the log. */
BEAM_API void beam_host_on(beam_host *host, beam_host_callback *callback, void *user);
/* Loads the script and starts the connection; where that fails nothing is started, and it may be tried again. Text, no
 * bytecode. `name` is what errors call it ("chat.lua"). BEAM_EINVALID if there is a script already: reload it. */
BEAM_API int beam_host_load_file(beam_host *host, const char *path, beam_host_error *error);
BEAM_API int beam_host_load_string(beam_host *host, const char *text, size_t len, const char *name,
                                   beam_host_error *error);
/* Between two messages another script takes over; the connection stays. The new one is loaded, and given by `restore`
 * what `save` of the old one returned. If it fails in that, the old one goes on. `path` NULL: the file it was loaded
 * from. */
BEAM_API int beam_host_reload_file(beam_host *host, const char *path, beam_host_error *error);
BEAM_API int beam_host_reload_string(beam_host *host, const char *text, size_t len, const char *name,
                                     beam_host_error *error);
/* Starts to close the connection: what waits is sent, then the close frame. BEAM_HOST_CLOSED follows. `code` as for
 * beam_ws_close, `reason` up to 123 bytes or NULL. */
BEAM_API int beam_host_close(beam_host *host, int code, const char *reason);
/* Ends all at once and frees it; an open connection sends close code 1001. No further event. NULL is fine. */
BEAM_API void beam_host_free(beam_host *host);

/* ---- Running ---- */

/* Does what is due; waits for up to timeout_ms for the first thing to do (0: not at all, negative: without limit). May
 * return early. 0, BEAM_EINVALID inside a callback, BEAM_ENO_MEMORY. */
BEAM_API int beam_host_step(beam_host *host, int timeout_ms);
/* One descriptor, owned by the host, that is readable when beam_host_step has something to do, timers included.
 * Negative BEAM_E… if the system has none left. */
BEAM_API int beam_host_fd(beam_host *host);

/* ---- Talking ---- */

/* Sends a JSON text, or any other text in UTF-8, through the hook `outgoing`; while the connection is not open it waits
 * in a queue. BEAM_ECLOSED, BEAM_HOST_EQUEUE_FULL, BEAM_HOST_ETRANSFORM, BEAM_EINVALID; `error` may be NULL. */
BEAM_API int beam_host_send(beam_host *host, const char *text, size_t len, beam_host_error *error);
BEAM_API int beam_host_send_binary(beam_host *host, const void *data, size_t len, beam_host_error *error);

typedef struct beam_host_result {
  const char *data; /* JSON, `len` bytes and a NUL; "null" if the function returned nothing; NULL on failure, or if the
                       host was freed meanwhile */
  size_t len;
} beam_host_result;

/* Calls a function of the script's table, which need not be a hook, with one value as JSON, or with none if `json` is
 * NULL. `result` and `error` may be NULL. BEAM_EINVALID if it has no such function. */
BEAM_API int beam_host_call(beam_host *host, const char *function, const char *json, size_t len,
                            beam_host_result *result, beam_host_error *error);
/* 1: the script has such a function or hook. */
BEAM_API int beam_host_has(beam_host *host, const char *function);

/* ---- Figures ---- */

typedef struct beam_host_figures {
  const char *state; /* none connecting open waiting closing closed; static */
  uint64_t attempts, reconnects, sent, received, queued, unknown;
  uint64_t reloads, failures; /* takeovers; hooks that failed */
  size_t memory, peak;        /* bytes of the script's state: now, and at most */
} beam_host_figures;

BEAM_API int beam_host_stats(beam_host *host, beam_host_figures *figures);

#ifdef __cplusplus
}
#endif
#endif
