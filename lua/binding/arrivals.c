/* beam.arrivals: the messages of a connection that nobody has read yet, in the order in which they came over one
 * WebSocket after the other. Small ones are copied here without a word to Lua, which is told once a step ("arrived")
 * and takes several at a time; so a message costs no crossing of its own.
 *
 *   core  ->  websocket.c  ->  arrivals_keep      "message" for what is not kept: it is large, or `each` was asked for
 *                              arrivals_tell  ->  "arrived"  ->  news(), take()
 *                              arrivals_told_one                 for who steps and waits for one message: nothing is
 * called
 */
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "json/json.h"

enum { SMALL = 16 * 1024, LEAST = 256, KEPT_EMPTY = 16 * 1024, BATCH = 32, BATCHES_TO_MAX = 4 };

#define ARRIVALS_CLASS "beam.arrivals"

/* In front of each message's bytes, which a NUL follows, as the JSON reader wants it. */
struct record {
  size_t len;
  int binary;
};

struct arrivals {
  char *at; /* records, from `first` to `end` */
  size_t size, first, end;
  size_t count, bytes, max, max_bytes;
  lua_Integer news, pings; /* messages and app pings that came and were not told */
  int filters_pings;       /* app pings are counted, and no messages */
  int each;                /* every message is an event of its own */
  int full;                /* and not yet half empty again: the WebSocket is paused */
};

/* ---- The ring ---- */

static size_t record_size(size_t len) {
  size_t size = sizeof(struct record) + len + 1, align = sizeof(struct record);
  return (size + align - 1) / align * align;
}

/* It is empty. What is large is given back once it is not used. */
static void forget(struct arrivals *arrivals) {
  int used = arrivals->end > arrivals->size / 4;
  arrivals->first = arrivals->end = 0;
  if (used || arrivals->size <= KEPT_EMPTY)
    return;
  free(arrivals->at);
  arrivals->at = NULL;
  arrivals->size = 0;
}

static int make_room(struct arrivals *arrivals, size_t need) {
  size_t used = arrivals->end - arrivals->first, size = arrivals->size ? arrivals->size : LEAST;
  char *at;
  if (arrivals->size - arrivals->end >= need)
    return 0;
  if (arrivals->first > used && arrivals->size - used >= need) {
    memcpy(arrivals->at, arrivals->at + arrivals->first, used);
    arrivals->first = 0;
    arrivals->end = used;
    return 0;
  }
  while (size - arrivals->end < need)
    size *= 2;
  at = realloc(arrivals->at, size);
  if (!at)
    return -1;
  arrivals->at = at;
  arrivals->size = size;
  return 0;
}

static int add(struct arrivals *arrivals, const void *data, size_t len, int binary) {
  size_t size = record_size(len);
  struct record *record;
  if (make_room(arrivals, size))
    return -1;
  record = (struct record *)(void *)(arrivals->at + arrivals->end);
  record->len = len;
  record->binary = binary;
  memcpy(record + 1, data, len);
  ((char *)(record + 1))[len] = 0;
  arrivals->end += size;
  arrivals->count++;
  arrivals->bytes += len;
  if (arrivals->count >= arrivals->max || arrivals->bytes >= arrivals->max_bytes)
    arrivals->full = 1;
  return 0;
}

static const struct record *first(const struct arrivals *arrivals) {
  return (const struct record *)(const void *)(arrivals->at + arrivals->first);
}

static void drop_first(struct arrivals *arrivals) {
  size_t len = first(arrivals)->len;
  arrivals->first += record_size(len);
  arrivals->bytes -= len;
  if (--arrivals->count == 0)
    forget(arrivals);
  if (arrivals->count <= arrivals->max / 2 && arrivals->bytes <= arrivals->max_bytes / 2)
    arrivals->full = 0;
}

/* ---- What comes ---- */

static const char *skip(const char *at, const char *end, const char *word) {
  while (at < end && (*at == ' ' || (*at >= '\t' && *at <= '\r')))
    at++;
  while (at && *word) {
    at = at < end && *at == *word++ ? at + 1 : NULL;
  }
  return at;
}

/* An object whose single key is `type`, with the value `ping`: as heartbeat.is_app_ping in Lua. */
static int is_app_ping(const char *data, size_t len) {
  static const char *const words[] = {"{", "\"type\"", ":", "\"ping\"", "}", ""};
  const char *at = data, *end = data + len;
  size_t i;
  for (i = 0; at && i < sizeof words / sizeof *words; i++)
    at = skip(at, end, words[i]);
  return at == end;
}

static int keep(struct arrivals *arrivals, const beam_ws_event *event) {
  if (arrivals->filters_pings && !event->binary && is_app_ping(event->data, event->len)) {
    arrivals->pings++;
    return 1;
  }
  if (event->len > SMALL || add(arrivals, event->data, event->len, event->binary))
    return 0;
  arrivals->news++;
  return 1;
}

int arrivals_keep(struct object *object, const beam_ws_event *event) {
  struct arrivals *arrivals = object->arrivals;
  if (!arrivals || arrivals->each || !keep(arrivals, event))
    return 0;
  if (arrivals->full)
    beam_ws_pause(object->handle);
  object->context->events = 1;
  if (!object->has_news) {
    object->has_news = 1;
    object->next_news = object->context->news;
    object->context->news = object;
  }
  return 1;
}

static int push_arrived(lua_State *L, void *nothing) {
  (void)nothing;
  event_push_name(L, EVENT_ARRIVED);
  return 1;
}

void arrivals_forget(struct object *object) {
  struct object **at = &object->context->news;
  if (!object->has_news)
    return;
  while (*at != object)
    at = &(*at)->next_news;
  *at = object->next_news;
  object->has_news = 0;
}

void arrivals_tell(struct object *object) {
  if (!object->has_news)
    return;
  arrivals_forget(object);
  event_fire(object, ON_EVENT, push_arrived, NULL);
}

int arrivals_told_one(struct context *context, struct arrivals *arrivals) {
  struct object *object = context->news;
  if (!object || object->next_news || object->arrivals != arrivals || arrivals->news != 1 || arrivals->count != 1 ||
      arrivals->pings || arrivals->full)
    return 0;
  arrivals_forget(object);
  arrivals->news = 0;
  return 1;
}

void arrivals_tell_all(struct context *context) {
  while (context->news)
    arrivals_tell(context->news);
}

/* ---- For Lua ---- */

static struct arrivals *check(lua_State *L) { return class_check(L, 1, 1, ARRIVALS_CLASS); }

struct arrivals *arrivals_check(lua_State *L, int argument) {
  return luaL_checkudata(L, argument, ARRIVALS_CLASS);
}

/* new(max, max_bytes, filters_pings) */
static int new (lua_State *L) {
  lua_Integer max = check_integer(L, 1, 1, 1 << 30);
  lua_Number max_bytes = luaL_checknumber(L, 2);
  struct arrivals *arrivals;
  luaL_argcheck(L, max_bytes >= 1 && max_bytes < 9e15, 2, "a number of bytes is expected");
  arrivals = lua_newuserdata(L, sizeof *arrivals);
  memset(arrivals, 0, sizeof *arrivals);
  arrivals->max = (size_t)max;
  arrivals->max_bytes = (size_t)max_bytes;
  arrivals->filters_pings = lua_toboolean(L, 3);
  luaL_getmetatable(L, ARRIVALS_CLASS);
  lua_setmetatable(L, -2);
  return 1;
}

static int collect(lua_State *L) {
  struct arrivals *arrivals = check(L);
  free(arrivals->at);
  memset(arrivals, 0, sizeof *arrivals);
  return 0;
}

/* -> messages, bytes, full */
static int waiting(lua_State *L) {
  const struct arrivals *arrivals = check(L);
  lua_pushinteger(L, (lua_Integer)arrivals->count);
  lua_pushinteger(L, (lua_Integer)arrivals->bytes);
  lua_pushboolean(L, arrivals->full);
  return 3;
}

/* -> messages, app pings since the last call, full */
static int news(lua_State *L) {
  struct arrivals *arrivals = check(L);
  lua_pushinteger(L, arrivals->news);
  lua_pushinteger(L, arrivals->pings);
  lua_pushboolean(L, arrivals->full);
  arrivals->news = arrivals->pings = 0;
  return 3;
}

/* each(on): from now on every message is an event of its own, or not. */
static int each(lua_State *L) {
  check(L)->each = lua_toboolean(L, 2);
  return 0;
}

/* -> data, binary of the first message; nothing if there is none */
static int pop(lua_State *L) {
  struct arrivals *arrivals = check(L);
  const struct record *record;
  if (!arrivals->count)
    return 0;
  record = first(arrivals);
  lua_pushlstring(L, (const char *)(record + 1), record->len);
  lua_pushboolean(L, record->binary);
  drop_first(arrivals);
  return 2;
}

enum { KIND_JSON = JSON_MAX_DEPTH + 1, KIND_TEXT, KIND_BINARY, METATABLE };

/* Pushes the value and its kind, on a stack of 3. */
static void push_decoded(lua_State *L, const struct record *record, int undecoded) {
  const char *data = (const char *)(record + 1);
  if (record->binary) {
    lua_pushlstring(L, data, record->len);
    lua_pushvalue(L, lua_upvalueindex(KIND_BINARY));
  } else if (!undecoded && json_decode_bytes(L, data, record->len)) {
    lua_pushvalue(L, lua_upvalueindex(KIND_JSON));
  } else {
    lua_settop(L, 3); /* without the message, and what may be beneath it */
    lua_pushlstring(L, data, record->len);
    lua_pushvalue(L, lua_upvalueindex(KIND_TEXT));
  }
}

/* take(arrivals, values, kinds, undecoded): moves the first messages, decoded unless told otherwise, to [1] and on of
 * both
 * -> how many, full */
static int take(lua_State *L) {
  struct arrivals *arrivals = class_check(L, 1, METATABLE, ARRIVALS_CLASS);
  size_t limit = arrivals->max / BATCHES_TO_MAX, bytes_limit = arrivals->max_bytes / BATCHES_TO_MAX, bytes = 0;
  int count = 0, undecoded = lua_toboolean(L, 4);
  lua_settop(L, 3);
  while (arrivals->count && !(count && ((size_t)count >= limit || bytes >= bytes_limit)) && count < BATCH) {
    const struct record *record = first(arrivals);
    push_decoded(L, record, undecoded);
    bytes += record->len;
    drop_first(arrivals);
    count++;
    lua_rawseti(L, 3, count);
    lua_rawseti(L, 2, count);
  }
  lua_pushinteger(L, count);
  lua_pushboolean(L, arrivals->full);
  return 2;
}

static void push_take(lua_State *L) {
  json_push_marks(L, 1);
  lua_pushliteral(L, "json");
  lua_pushliteral(L, "text");
  lua_pushliteral(L, "binary");
  luaL_getmetatable(L, ARRIVALS_CLASS);
  lua_pushcclosure(L, take, METATABLE);
}

/* core.arrivals(marks) -> new, take */
int arrivals_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_pushcfunction(L, new);
  push_take(L);
  return 2;
}

static const luaL_Reg methods[] = {{"waiting", waiting}, {"news", news}, {"each", each}, {"pop", pop}, {NULL, NULL}};

void arrivals_setup(lua_State *L) {
  class_new(L, ARRIVALS_CLASS, methods);
  lua_pop(L, 1);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
