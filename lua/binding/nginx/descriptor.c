/* nginx's own event loop watches our descriptor.
 *
 * That goes beyond what nginx promises to modules which were not compiled for it: so the fields below, the same since
 * nginx 1.15, are compared with what a new connection must hold before anything is written, and with what adding it to
 * the loop must change. If anything differs, the waker (nginx/waker.c) does the work. */
#include "nginx/nginx.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__linux__)
#include <sys/epoll.h>
enum { READ_EVENT = EPOLLIN | EPOLLRDHUP }; /* NGX_READ_EVENT where nginx knows epoll */
#else
enum { READ_EVENT = 0 };
#endif

enum {
  BIT_WRITE = 1 << 0,
  BIT_ACTIVE = 1 << 3,
  BIT_TIMER_SET = 1 << 11,
  BIT_CHANNEL = 1 << 17,
  BIT_CANCELABLE = 1 << 19
};
enum { TIMERS_DEPTH = 64 };   /* a red-black tree of this depth would not fit into the memory */
enum { UNSERVED_MAX = 1000 }; /* nobody waits for the semaphore any more: then nginx must not be kept busy for it */
enum { TOLD_NOBODY, TOLD_KEEPER, TOLD_ASKER };
#define INVALID_INDEX ((uintptr_t)0xd0d0d0d0)

struct timer { /* ngx_rbtree_node_t */
  uintptr_t key;
  struct timer *left, *right, *parent;
};

struct timers { /* the head of ngx_rbtree_t */
  struct timer *root, *sentinel;
};

struct event { /* the head of ngx_event_t */
  void *data;
  unsigned bits;
  int available;
  void (*handler)(struct event *event);
  uintptr_t index;
  void *log;
  struct timer timer;
};

struct connection { /* the head of ngx_connection_t */
  void *data;
  struct event *read, *write;
  int fd;
};

struct actions { /* the head of ngx_event_actions_t */
  intptr_t (*add)(struct event *event, intptr_t what, uintptr_t flags);
  intptr_t (*del)(struct event *event, intptr_t what, uintptr_t flags);
};

static struct {
  struct connection *(*get_connection)(int fd, void *log);
  void (*free_connection)(struct connection *connection);
  struct actions *actions;
  int (*post)(void *semaphore, int count);
  int (*count)(void *semaphore); /* below 0: a light thread waits for it; NULL: it cannot be asked */
} nginx;

static uint64_t quiet_log[64]; /* stands for an ngx_log_t whose level is 0: nothing is ever logged through it */

static const char *look_up(void) {
  if (READ_EVENT == 0)
    return "nginx's loop is not epoll here";
  *(void **)&nginx.get_connection = dlsym(RTLD_DEFAULT, "ngx_get_connection");
  *(void **)&nginx.free_connection = dlsym(RTLD_DEFAULT, "ngx_free_connection");
  *(void **)&nginx.actions = dlsym(RTLD_DEFAULT, "ngx_event_actions");
  *(void **)&nginx.post = dlsym(RTLD_DEFAULT, "ngx_http_lua_ffi_sema_post");
  *(void **)&nginx.count = dlsym(RTLD_DEFAULT, "ngx_http_lua_ffi_sema_count");
  if (!nginx.get_connection || !nginx.free_connection || !nginx.actions)
    return "nginx does not export ngx_get_connection, ngx_free_connection and ngx_event_actions";
  if (!nginx.post)
    return "lua-nginx-module does not export ngx_http_lua_ffi_sema_post";
  return nginx.actions->add && nginx.actions->del ? NULL : "nginx's event loop has not been started in this process";
}

static int is_pointer(const void *pointer) { return pointer && (uintptr_t)pointer % sizeof(void *) == 0; }

const char *beam_nginx_mismatch(const void *made, int fd) {
  const struct connection *c = made;
  if (c->fd != fd)
    return "ngx_connection_t.fd is not where it was";
  if (!is_pointer(c->read) || !is_pointer(c->write) || c->read == c->write)
    return "ngx_connection_t.read and .write are not where they were";
  if (c->read->data != c || c->write->data != c)
    return "ngx_event_t.data is not where it was";
  if (!(c->write->bits & BIT_WRITE) || c->read->bits & (BIT_WRITE | BIT_ACTIVE))
    return "the bits of ngx_event_t are not what they were";
  if (c->read->index != INVALID_INDEX || c->write->index != INVALID_INDEX)
    return "ngx_event_t.index is not where it was";
  if (c->read->handler || c->read->log)
    return "ngx_event_t.handler and .log are not where they were";
  return NULL;
}

static void give_back(struct beam_nginx_watch *watch) {
  struct connection *c = watch->connection;
  watch->connection = NULL;
  nginx.free_connection(c);
  c->fd = -1; /* as ngx_close_connection does: what may still be in nginx's list of events is then stale */
}

static void tell(struct beam_nginx_watch *watch, int whom, void *semaphore) {
  watch->pending = whom;
  watch->unserved = 0;
  nginx.post(semaphore, 1);
}

static int has_asker(const struct beam_nginx_watch *watch) {
  return watch->asker && nginx.count && nginx.count(watch->asker) < 0;
}

/* A light thread that was told goes on before nginx looks for events again, unless it was killed meanwhile. */
static void on_readable(struct event *event) {
  struct beam_nginx_watch *watch = ((struct connection *)event->data)->data;
  if (watch->pending == TOLD_KEEPER) {
    if (++watch->unserved > UNSERVED_MAX)
      beam_nginx_unwatch(watch);
  } else if (watch->pending == TOLD_NOBODY && has_asker(watch)) {
    tell(watch, TOLD_ASKER, watch->asker);
  } else {
    tell(watch, TOLD_KEEPER, watch->semaphore);
  }
}

static const char *add(struct connection *c) {
  c->read->handler = on_readable;
  c->read->log = quiet_log;
  c->write->log = quiet_log;
  c->read->bits |= BIT_CHANNEL; /* a worker that ends does not take it for a forgotten client */
  if (nginx.actions->add(c->read, READ_EVENT, 0))
    return "nginx's event loop did not take the descriptor";
  if (!(c->read->bits & BIT_ACTIVE)) {
    nginx.actions->del(c->read, READ_EVENT, 0);
    return "ngx_event_t.active is not where it was";
  }
  return NULL;
}

const char *beam_nginx_watch(struct beam_nginx_watch *watch, int fd, void *semaphore) {
  const char *problem = look_up();
  struct connection *c;
  memset(watch, 0, sizeof *watch);
  if (problem)
    return problem;
  c = nginx.get_connection(fd, quiet_log);
  if (!c)
    return "worker_connections are not enough";
  watch->connection = c;
  watch->semaphore = semaphore;
  problem = beam_nginx_mismatch(c, fd);
  if (!problem) {
    c->data = watch;
    problem = add(c);
  }
  if (problem)
    give_back(watch);
  return problem;
}

void beam_nginx_unwatch(struct beam_nginx_watch *watch) {
  struct connection *c = watch->connection;
  if (!c)
    return;
  nginx.actions->del(c->read, READ_EVENT, 0);
  give_back(watch);
}

/* ---- Timers ---- */

/* Adds those below `node` to *count. -1: this is not nginx's tree as it was. */
static int count_timers(const struct timer *node, const struct timer *sentinel, int depth, int *count) {
  const struct event *event;
  if (node == sentinel)
    return 0;
  event = (const struct event *)((const char *)node - offsetof(struct event, timer));
  if (depth == 0 || !is_pointer(node) || !(event->bits & BIT_TIMER_SET))
    return -1;
  *count += !(event->bits & BIT_CANCELABLE);
  return count_timers(node->left, sentinel, depth - 1, count) || count_timers(node->right, sentinel, depth - 1, count)
             ? -1
             : 0;
}

int beam_nginx_timers(void) {
  const struct timers *tree = dlsym(RTLD_DEFAULT, "ngx_event_timer_rbtree");
  int count = 0;
  if (!tree || !is_pointer(tree->root) || !is_pointer(tree->sentinel))
    return -1;
  return count_timers(tree->root, tree->sentinel, TIMERS_DEPTH, &count) ? -1 : count;
}
