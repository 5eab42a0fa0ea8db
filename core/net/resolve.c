/* DNS beside the loop. getaddrinfo blocks for seconds and cannot be cancelled, and uv_getaddrinfo holds the loop open
 * while it runs: so each look-up is a job of background.c.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/background.h"
#include "net/resolve.h"
#include "net/url.h"

enum { ERROR_SIZE = 256 };

typedef int (*resolve_function)(const char *host, const char *service, const struct addrinfo *hints,
                                struct addrinfo **result);

static resolve_function resolve_with = getaddrinfo;

void beam__lookup_use(resolve_function resolve) { resolve_with = resolve ? resolve : getaddrinfo; }

struct beam__lookup {
  beam__job job;
  void (*done)(void *user, const beam__addresses *addresses, const char *error);
  void *user;
  resolve_function resolve;
  int code, system; /* getaddrinfo's result, and errno for EAI_SYSTEM */
  int starved;      /* no thread could be started */
  beam__addresses addresses;
  char service[8];
  char host[]; /* NUL-terminated */
};

/* ---- Answers as addresses and as text ---- */

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

/* `system`: why there was no thread, or 0. */
static void describe(char text[ERROR_SIZE], const beam__lookup *lookup, int system) {
  char why[128];
  if (system)
    snprintf(text, ERROR_SIZE, "no thread could be started for the look-up: %s",
             beam__system_text(system, why, sizeof why));
  else if (lookup->code == EAI_SYSTEM && lookup->system) /* some services of names leave no errno */
    snprintf(text, ERROR_SIZE, "%s", beam__system_text(lookup->system, why, sizeof why));
  else
    snprintf(text, ERROR_SIZE, "%s%s", gai_strerror(lookup->code), advice(lookup->code));
}

/* ---- The job ---- */

static void ask(beam__lookup *lookup, resolve_function resolve, int flags) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags}, *found = NULL;
  lookup->code = resolve(lookup->host, lookup->service, &hints, &found);
  lookup->system = errno;
  if (lookup->code)
    return;
  interleave(&lookup->addresses, found);
  if (found)
    freeaddrinfo(found);
  if (!lookup->addresses.count)
    lookup->code = EAI_NONAME;
}

static void run(beam__job *job) {
  beam__lookup *lookup = (beam__lookup *)job;
  ask(lookup, lookup->resolve, 0);
}

static void done(beam__job *job, int system) {
  beam__lookup *lookup = (beam__lookup *)job;
  char error[ERROR_SIZE];
  lookup->starved = system != 0;
  if (system || lookup->code) {
    describe(error, lookup, system);
    lookup->done(lookup->user, NULL, error);
  } else {
    lookup->done(lookup->user, &lookup->addresses, NULL);
  }
}

static void dispose(beam__job *job) { free(job); }

static const beam__job_ops ops = {BEAM__LOOKUPS, run, done, dispose};

/* ---- What needs no asking ---- */

/* getaddrinfo with AI_NUMERICHOST only reads the text: dotted forms of IPv4, IPv6 with a zone. */
static int answers_itself(beam__lookup *lookup, unsigned port) {
  beam__addresses *addresses = &lookup->addresses;
  ask(lookup, getaddrinfo, AI_NUMERICHOST);
  if (!lookup->code)
    return 1;
  if (!beam__host_is_loopback(lookup->host))
    return 0;
  uv_ip6_addr("::1", (int)port, (struct sockaddr_in6 *)&addresses->list[0]); /* RFC 6761 section 6.3 */
  uv_ip4_addr("127.0.0.1", (int)port, (struct sockaddr_in *)&addresses->list[1]);
  addresses->count = 2;
  lookup->code = 0;
  return 1;
}

/* ---- Look-ups ---- */

int beam__lookup_start(beam_ctx *ctx, beam__lookup **out, const char *host, unsigned port,
                       void (*on_done)(void *user, const beam__addresses *addresses, const char *error), void *user) {
  size_t size = strlen(host) + 1;
  beam__lookup *lookup = calloc(1, sizeof *lookup + size);
  int code;
  *out = NULL;
  if (!lookup)
    return BEAM_ENO_MEMORY;
  lookup->done = on_done;
  lookup->user = user;
  lookup->resolve = resolve_with;
  snprintf(lookup->service, sizeof lookup->service, "%u", port);
  memcpy(lookup->host, host, size);
  code =
      answers_itself(lookup, port) ? beam__job_skip(ctx, &lookup->job, &ops) : beam__job_start(ctx, &lookup->job, &ops);
  if (code)
    free(lookup);
  else
    *out = lookup;
  return code;
}

int beam__lookup_code(const beam__lookup *lookup) {
  int short_of_memory = lookup->code == EAI_MEMORY || (lookup->code == EAI_SYSTEM && lookup->system == ENOMEM);
  return lookup->starved || short_of_memory ? BEAM_ENO_MEMORY : BEAM_EDNS;
}

void beam__lookup_cancel(beam__lookup *lookup) {
  if (lookup)
    beam__job_drop(&lookup->job);
}
