/* Inside nginx (lua-nginx-module): our one descriptor wakes a light thread. Called by LuaJIT's ffi from
 * beam/driver/nginx/descriptor.lua; no Lua here.
 *
 *   nginx/descriptor.c  nginx's own event loop watches the descriptor: nothing else runs, nothing is copied
 *   nginx/states.c      whether each request has a Lua state of its own
 *   nginx/waker.c       a thread polls it and writes to a socket that nginx reads: needs nothing that nginx does not
 * promise
 *
 * Nothing of nginx is linked. What is needed of it is looked up when it is used, so that beam.core loads anywhere.
 */
#pragma once

#include "export.h"

#pragma GCC visibility push(hidden)

/* ---- Watched by nginx ---- */

struct beam_nginx_watch {
  int pending;       /* 1: the semaphore was posted, 2: the asker; whoever waited sets this to 0 before the step */
  unsigned unserved; /* events since then */
  void *connection;  /* ngx_connection_t; NULL once given up */
  void *semaphore;   /* ngx_http_lua_sema_t; not ours */
  void *asker;       /* another, to be posted in its place while somebody waits for it; NULL: none */
};

/* What does not fit in the fields that we use of an ngx_connection_t which ngx_get_connection has just made for `fd`,
 * or NULL; static. Reads only. */
BINDING_API const char *beam_nginx_mismatch(const void *connection, int fd);
/* From now on posts the semaphore when `fd` is readable, once until `pending` is 0 again. `watch` and the semaphore
 * must live until beam_nginx_unwatch. Returns NULL, or why it cannot be done (static); then nothing is held. */
BINDING_API const char *beam_nginx_watch(struct beam_nginx_watch *watch, int fd, void *semaphore);
BINDING_API void beam_nginx_unwatch(struct beam_nginx_watch *watch);

/* How many timers keep this worker from ending once it was told to (those in nginx's tree that are not cancelable), or
 * -1 if that cannot be known. */
BINDING_API int beam_nginx_timers(void);

/* ---- States (nginx/states.c) ---- */

/* How many Lua states of this process and subsystem (stream, or http) have had an event loop. */
BINDING_API unsigned beam_nginx_states(int stream);
/* One more; returns how many there were before. The first is woken whenever another comes, until it leaves. */
BINDING_API unsigned beam_nginx_enter(int stream, void (*wake)(void *argument), void *argument);
BINDING_API void beam_nginx_leave(int stream, void *argument);

/* ---- The waker ---- */

struct beam_nginx_waker;

/* Makes a unix socket that waits for one connection. NULL: errno says why. */
BINDING_API struct beam_nginx_waker *beam_nginx_waker_new(int fd);
BINDING_API const char *beam_nginx_waker_path(const struct beam_nginx_waker *waker);
/* To be called once somebody has connected: the socket's name goes, the thread starts. 0, or errno. */
BINDING_API int beam_nginx_waker_start(struct beam_nginx_waker *waker);
/* The thread has written a byte and polls no more until this is called, which may be done at any time. */
BINDING_API void beam_nginx_waker_resume(struct beam_nginx_waker *waker);
BINDING_API void beam_nginx_waker_free(struct beam_nginx_waker *waker);

#pragma GCC visibility pop
