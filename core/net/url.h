/* URLs: what may go on the wire, and where it goes. Pure. */
#pragma once

#include "beam.h"

#pragma GCC visibility push(hidden)

typedef struct beam__url {
  int tls;             /* wss:// or https:// */
  char *host;          /* lower case, without brackets */
  unsigned port;       /* given, or 80 and 443 */
  char *target;        /* path and query, at least "/" */
  char authority[272]; /* "host:port" for messages; an IPv6 address in brackets */
} beam__url;

/* Splits ws, wss, http and https URLs. BEAM_EINVALID with a text that repeats no more of the URL than its host: user
 * and password in it, spaces, control characters, no host, a port out of range, over 2,000 bytes (libwebsockets cuts
 * longer ones). */
int beam__url_parse(beam__url *url, const char *text, beam_error *error);

typedef struct beam__url_known { /* zero-initialise */
  char *text;
  beam__url url;
} beam__url_known;

/* The same with what the one before it came to: many calls go to one URL. One with a query is not kept: that may hold a
 * token. */
int beam__url_parse_again(beam__url_known *known, beam__url *url, const char *text, beam_error *error);
void beam__url_forget(beam__url_known *known);
void beam__url_free(beam__url *url); /* wipes the target, which may hold a token; zeroed is fine */
/* The Host header's value: without the port where it is the scheme's own. Writes up to `size` bytes. */
void beam__url_host_header(const beam__url *url, char *to, size_t size);
/* 127.0.0.0/8, ::1, localhost and *.localhost (RFC 6761). */
int beam__host_is_loopback(const char *host);

#pragma GCC visibility pop
