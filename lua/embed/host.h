/* A host of libbeamhost, as the files of lua/embed share it.
 *
 *   beamhost.h  ->  host.c: calls  ->  P, the state with the module beam  ->  lua/embed/host.lua
 *                   event.c: callbacks   <-      state.c makes it
 */
#pragma once

#include <lua.h>

#include "beamhost.h"

struct beam_host {
  lua_State *L;                      /* P */
  lua_State *running;                /* the coroutine of P that runs: calls from inside a callback go on there */
  int object, step, tick, call, has; /* registry: the host of embed.lua, and its methods that are called often */
  int fd;                            /* readable when there is something to do; -1: not asked for yet */
  int ticks;                         /* each step calls a hook */
  int result;                        /* registry: the text of the last beam_host_call */
  int calls;                         /* calls of this host that are on the stack */
  int callbacks;                     /* callbacks that are */
  int freed;                         /* goes with the last call */
  beam_host_callback *on_event;
  void *event_user;
  void (*log)(void *user, enum beam_log_level level, const char *line);
  void *log_user;
};

/* Protected: (host, options) -> true | nil, err. Opens the libraries and makes the object. */
int state_open(lua_State *L);

/* The table of functions that embed.lua tells the host by. */
void event_push(lua_State *L, beam_host *host);

/* Reads the error at `index`: a table of embed.lua's, or a text that was raised. `error` may be NULL. Returns its code.
 */
int host_error_read(lua_State *L, int index, beam_host_error *error);
/* An error of C's own making. Returns its code. */
int host_error_set(beam_host_error *error, int code, const char *message);
