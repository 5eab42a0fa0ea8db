/* curl's multi interface on the context's loop: one connection pool per context, made by the first exchange.
 *
 *   http.c  --beam__transfer-->  curl.c  --curl_multi_socket_action-->  libcurl
 *
 * The pool is bounded twice: BEAM__TRANSFERS_MAX transfers run at a time (further ones wait their turn, in order, and
 * their connect deadline begins when it comes), and as many connections stay open, used or idle. The bound is ours
 * because curl never times out a transfer that waits in its own queue (7.88).
 */
#pragma once

#include <curl/curl.h>

#include "internal.h"
#include "net/url.h"

#pragma GCC visibility push(hidden)

enum { BEAM__TRANSFERS_MAX = 256, BEAM__SPARE_MAX = 64 };
#define BEAM__NEVER UINT64_MAX

typedef struct beam__transfer {
  beam__node node;                                    /* in the queue of those that wait */
  CURL *easy;                                         /* its CURLOPT_PRIVATE is the transfer */
  int running;                                        /* curl has it */
  void (*started)(struct beam__transfer *transfer);   /* its turn came */
  void (*unwatched)(struct beam__transfer *transfer); /* curl, still at it, waits for no socket; while busy */
  beam__node gathering;                               /* in the list of those that have gathered something */
  void (*gathered)(struct beam__transfer *transfer);  /* curl has handed on all that it has for now */
  void (*done)(struct beam__transfer *transfer, CURLcode result); /* curl has let go of it; called from a step */
} beam__transfer;

struct watch; /* curl.c's */

struct beam__curl {
  beam__owned owned;
  beam_ctx *ctx;
  CURLM *multi;
  uv_timer_t timer;
  uint64_t due, armed; /* when curl wants to be called, in the loop's time, and what the timer is set to */
  int changing;        /* curl may yet say otherwise */
  beam__task admit;
  beam__node waiting;   /* beam__transfer */
  beam__node gathering; /* the same, by their other node */
  beam__node watches;   /* of sockets */
  beam__node streams;   /* beam_http, of those on HTTP/2 */
  uint64_t connections; /* of HTTP/2, so far */
  struct watch *by_port[BEAM__TRANSFERS_MAX];
  unsigned running;
  CURL *spare[BEAM__SPARE_MAX]; /* easy handles to use again: making one costs a third of a short call */
  unsigned spare_count;
  beam__url_known url; /* the last one asked for */
  int busy;            /* inside curl, that is in one of its callbacks: it may be told nothing but their return value */
  int starved;         /* memory was out when curl was last inside */
};

/* The context's, made when it is not there; NULL when out of memory. */
struct beam__curl *beam__curl_of(beam_ctx *ctx);
/* Whether its TLS is OpenSSL, that is ours, so that what curl hands out of it may be used. */
int beam__curl_has_openssl(void);
/* An easy handle with every option at its default, but how sockets are closed; NULL when out of memory. */
CURL *beam__curl_easy(struct beam__curl *curl);
/* Gives it back; `whole`: its transfer came to its end, so that it may be used again. */
void beam__curl_easy_end(struct beam__curl *curl, CURL *easy, int whole);
/* Whether something stands unread on a kept connection from this local port, the end of it included; `held`: in its
 * TLS. */
int beam__curl_has_spoken(struct beam__curl *curl, int local_port, int held);
/* Queues it; begins in the next step. */
void beam__transfer_start(struct beam__curl *curl, beam__transfer *transfer);
/* Takes it out of the queue or of curl; `done` is not called any more. Never while busy. */
void beam__transfer_stop(struct beam__curl *curl, beam__transfer *transfer);
/* Ends the pauses that callbacks asked for but for `paused`: CURLPAUSE_RECV, CURLPAUSE_SEND, both or CURLPAUSE_CONT.
 * Calls the write callback, so: from a task only. */
void beam__transfer_resume(struct beam__curl *curl, beam__transfer *transfer, int paused);

#pragma GCC visibility pop
