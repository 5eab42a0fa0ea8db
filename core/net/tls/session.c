#include "net/tls/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SESSIONS_MAX = 64 };

typedef struct entry {
  beam__node node; /* the newest at the end */
  SSL_SESSION *session;
  time_t kept; /* since when */
  char peer[]; /* NUL-terminated */
} entry;

void beam__sessions_init(beam__sessions *sessions) {
  beam__list_init(&sessions->list);
  sessions->count = 0;
}

/* The reference is the caller's. */
static SSL_SESSION *take_out(beam__sessions *sessions, entry *old) {
  SSL_SESSION *session = old->session;
  beam__list_remove(&old->node);
  sessions->count--;
  free(old);
  return session;
}

static void drop_oldest(beam__sessions *sessions) {
  SSL_SESSION_free(take_out(sessions, BEAM__CONTAINER(sessions->list.next, entry, node)));
}

void beam__sessions_free(beam__sessions *sessions) {
  while (sessions->count)
    drop_oldest(sessions);
}

void beam__session_keep(beam__sessions *sessions, const char *peer, SSL_SESSION *session) {
  size_t size = strlen(peer) + 1;
  entry *made = SSL_SESSION_is_resumable(session) ? malloc(sizeof *made + size) : NULL;
  if (!made)
    return;
  if (sessions->count == SESSIONS_MAX)
    drop_oldest(sessions);
  memcpy(made->peer, peer, size);
  SSL_SESSION_up_ref(session);
  made->session = session;
  made->kept = time(NULL);
  beam__list_add(&sessions->list, &made->node);
  sessions->count++;
}

/* A certificate that has expired since is not taken on a ticket's word. */
static int is_fresh(const entry *kept) {
  X509 *certificate = SSL_SESSION_get0_peer(kept->session);
  if (time(NULL) - kept->kept >= (time_t)SSL_SESSION_get_timeout(kept->session))
    return 0;
  return !certificate || X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

static entry *find(beam__sessions *sessions, const char *peer) {
  beam__node *node;
  for (node = sessions->list.prev; node != &sessions->list; node = node->prev)
    if (strcmp(BEAM__CONTAINER(node, entry, node)->peer, peer) == 0)
      return BEAM__CONTAINER(node, entry, node);
  return NULL;
}

SSL_SESSION *beam__session_take(beam__sessions *sessions, const char *peer) {
  entry *found;
  while ((found = find(sessions, peer))) {
    int fresh = is_fresh(found);
    SSL_SESSION *session = take_out(sessions, found);
    if (fresh)
      return session;
    SSL_SESSION_free(session);
  }
  return NULL;
}
