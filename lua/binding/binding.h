/* beam.core: libbeam as Lua sees it. Check, call, result; no policy.
 *
 *   lua/beam         ->  core.c       the module table, luaopen_beam_core
 *                       context.c    beam.context: step, fd, close; log.c: its lines
 *                       timer.c read.c websocket.c http.c server.c request.c     one class each
 *                       object.c     what these six share: life, userdata, the functions they call
 *                       arrivals.c   messages that wait to be read          counter.c   exchanges that repeat, added up
 *                       event.c      from an event of libbeam to a Lua function
 *                       options.c    option tables to structs          result.c   errors, headers, responses to tables
 *                       json.c json/reader.c json/writer.c    core.json, which needs none of the above
 *                       interrupt.c catch.c     what signals do to a step
 *                       compat.c     the differences between the Luas
 *
 * Who keeps whom. Each context has one Lua table, `live`, that is the user value of the context and of all its objects:
 * it holds what is not over yet, and its event functions, under small integers (luaL_ref). So a connection that nobody
 * holds goes on; what is over keeps nothing; and since `live` hangs from the context, not from the registry, a context
 * whose functions refer to it is still collected. C keeps a list of the objects of each context: they stand in `live`
 * for as long as they stand in the list, and need no __gc, which Lua leaves out where memory is short.
 */
#pragma once

#include "beam-server.h"
#include "beam.h"
#include "compat.h"

#pragma GCC visibility push(hidden)

struct object;

/* ---- Contexts ---- */

struct log_line;

/* The userdata of class beam.context. */
struct context {
  beam_ctx *beam;                      /* NULL once closed */
  lua_State *stepping;                 /* the coroutine that is inside ctx:step, else NULL */
  int quiet;                           /* the last long wait brought nothing */
  int events;                          /* something came in this step: event functions were called, or messages kept */
  int called;                          /* event functions were called in this step */
  int closing;                         /* ctx:close was called from an event function: done at the end of the step */
  struct object *objects;              /* not over */
  struct object *finished;             /* over; kept to the end of the step, since a dispatch may still look at them */
  struct object *news;                 /* WebSockets with arrivals that were not told */
  struct log_line *lines, **last_line; /* said by libbeam, not yet handed on */
  unsigned line_count, lines_lost;
  int log; /* the log function's place in `live`, or LUA_NOREF */
};

#define CONTEXT_CLASS "beam.context"

void context_setup(lua_State *L);            /* makes the class */
int context_new(lua_State *L);               /* core.new */
struct context *context_check(lua_State *L); /* argument 1; NULL once closed */
int context_closed(lua_State *L);
#define CONTEXT_FOREIGN                                                                                                \
  "the context was made before a fork, by another process: make one here" /* pushes nil and the error that says so */

/* ---- Log (log.c) ---- */

/* beam_options.log: libbeam may be anywhere, so the line is only kept. `user` is the context. */
void log_keep(void *user, enum beam_log_level level, const char *line);
extern const char *const log_levels[]; /* NULL-terminated */
/* Hands the lines on, between event_enter and event_leave; an error in the log function is one in an event function. */
void log_flush(struct context *context);
/* Forgets the lines that are left, and the log function. */
void log_end(lua_State *L, struct context *context, int live);

/* ---- Events (event.c) ---- */

/* name in C, name in Lua */
#define EVENT_MAP(X)                                                                                                   \
  X(PHASE, "phase")                                                                                                    \
  X(OPEN, "open")                                                                                                      \
  X(ARRIVED, "arrived")                                                                                                \
  X(MESSAGE, "message")                                                                                                \
  X(FRAGMENT, "fragment")                                                                                              \
  X(PING, "ping")                                                                                                      \
  X(PONG, "pong")                                                                                                      \
  X(DRAINED, "drained")                                                                                                \
  X(CLOSED, "closed")                                                                                                  \
  X(HEADERS, "headers")                                                                                                \
  X(DATA, "data")                                                                                                      \
  X(DONE, "done")

enum event_name {
#define X(name, text) EVENT_##name,
  EVENT_MAP(X)
#undef X
      EVENT_COUNT
};

/* The names of what is told of each exchange. */
#define EVENT_KEYS(X)                                                                                                  \
  X(STATUS, "status")                                                                                                  \
  X(HEADERS, "headers")                                                                                                \
  X(BODY, "body")                                                                                                      \
  X(TIMES, "times")                                                                                                    \
  X(QUEUED, "queued")                                                                                                  \
  X(DNS, "dns")                                                                                                        \
  X(TCP, "tcp")                                                                                                        \
  X(TLS, "tls")                                                                                                        \
  X(WAIT, "wait")                                                                                                      \
  X(TOTAL, "total")

/* The parts of beam_http_times: the key of each, and the member, which is also its name. */
#define TIMES_MAP(X) X(QUEUED, queued) X(DNS, dns) X(TCP, tcp) X(TLS, tls) X(WAIT, wait) X(BODY, body) X(TOTAL, total)
enum { TIMES_COUNT = sizeof(beam_http_times) / sizeof(double) };

enum event_key {
#define X(name, text) KEY_##name,
  EVENT_KEYS(X)
#undef X
      KEY_COUNT
};

/* Where a method that dispatches (ctx:step) keeps on its stack what events need, so that none of it is looked up or
 * allocated while libbeam is on the C stack. */
enum event_frame { FRAME_CONTEXT = 1, FRAME_TIMEOUT, FRAME_LIVE, FRAME_TRACEBACK, FRAME_DISPATCH, FRAME_FAILURE };

enum { EVENT_METATABLE = 3 }; /* which of such a method's upvalues is its class's metatable (class_check) */

/* Adds such a method to the table on top of the stack, beneath which is the metatable; it brackets its work with enter
 * and leave. After that, what stands on top is the first error that an event function raised, or nil. */
void event_method(lua_State *L, const char *name, lua_CFunction method);
void event_enter(lua_State *L, struct context *context);
void event_leave(lua_State *L, struct context *context);

/* Pushes an event's arguments and returns how many; runs protected, so it may allocate and raise. */
typedef int event_push(lua_State *L, void *event);
enum { EVENT_LIVE = 2 }; /* the stack index of `live` in an event_push */

/* In an event_push only. */
void event_push_name(lua_State *L, enum event_name name);
void event_push_key(lua_State *L, enum event_key key);
/* Calls the function at `function` of `live`. -1 if it raised; the error is kept. */
int event_call(struct context *context, int function, event_push *push, void *event);
/* The same for a function of an object, unless that is over; the log's lines go first. */
int event_fire(struct object *object, int which, event_push *push, void *event);

/* ---- Objects (object.c) ---- */

struct class {
  const char *name;
  void (*release)(void *handle);                     /* gives the libbeam object back */
  const char *(*state)(const struct object *object); /* for tostring, while it is not over */
  const char *over;                                  /* and afterwards */
};

enum { ON_EVENT, ON_GONE, KEEPS, ITSELF, REFERENCES };

/* The userdata of a timer, WebSocket, exchange, server or request. */
struct object {
  struct object *next, **link; /* in the context's list */
  const struct class *class;
  struct context *context;
  struct object *server; /* of a request */
  void *handle;          /* beam_ws * and so on; NULL once it is over */
  int finished;
  int over; /* its methods say so: it is finished, or will be after the event that is being dispatched */
  int references[REFERENCES]; /* in `live`, or LUA_NOREF */
  struct arrivals *arrivals;  /* WebSocket: where its messages wait, kept by KEEPS; NULL: each is an event */
  struct object *next_news;   /* in the context's list */
  int has_news;
  uint64_t heard;          /* WebSocket: when the last message came, in the loop's time; 0: none has */
  int whole;               /* WebSocket: messages are whole; exchange: the response is */
  int streaming;           /* request: its answer has begun */
  int repeats;             /* exchange: it stays after its end */
  int by_name;             /* exchange: the headers of the answer are told as a table of names */
  const void *event;       /* exchange: what is being told */
  struct counter *counter; /* exchange: what adds it up, kept by KEEPS; or NULL */
};

/* ---- Counters (counter.c) ---- */

struct counter;

void counter_setup(lua_State *L);
int counter_new(lua_State *L); /* core.counter */
struct counter *counter_check(lua_State *L, int argument);
/* Of an exchange that has ended. 1: it was added up, and sent once more; 0: it is an event. */
int counter_take(struct counter *counter, beam_http *http, const beam_http_event *event);

/* Registers the metatable of a class and leaves it and, on top, its __index on the stack. It is the first upvalue of
 * each of the methods. */
void class_new(lua_State *L, const char *name, const luaL_Reg *methods);
/* As luaL_checkudata; quicker where that upvalue of the running function is the metatable. */
void *class_check(lua_State *L, int argument, int upvalue, const char *name);
void class_methods(lua_State *L, const luaL_Reg *methods); /* adds them to the table on top of the stack */
/* Registers a class of objects. `close`: the method that ends one, for __close. */
void object_class(lua_State *L, const struct class *class, const luaL_Reg *methods, lua_CFunction close);
/* Where the methods that make an object have things on their stack: (self, options, function, second function). */
enum { ARGUMENT_SELF = 1, ARGUMENT_OPTIONS, ARGUMENT_FUNCTION, ARGUMENT_GONE, ARGUMENT_LIVE };

void object_arguments(lua_State *L); /* brings that about; a missing function raises */
/* Makes an object, which lives until it is finished, and pushes it; `live` is the stack index of that table. */
struct object *object_new(lua_State *L, struct context *context, const struct class *class, int live);
/* Keeps the value at index `value` for as long as the object is not over. */
void object_keep(lua_State *L, struct object *object, int live, int which, int value);
/* Ends an object: gives back what it holds, makes its userdata say that it is over. May be called twice. */
void object_finish(lua_State *L, struct object *object, int live);
void object_finish_all(lua_State *L, struct context *context, int live);
void object_free_finished(lua_State *L, struct context *context, int live);
struct object *object_check(lua_State *L, const struct class *class); /* argument 1; NULL once it is over */
int object_over(lua_State *L, const struct class *class);             /* pushes nil and the error that says so */
int object_finish_method(lua_State *L, const struct class *class);    /* the method that ends argument 1 */

/* ---- The classes ---- */

void timer_setup(lua_State *L);
void read_setup(lua_State *L);
void websocket_setup(lua_State *L);
void http_setup(lua_State *L);
void server_setup(lua_State *L);
void request_setup(lua_State *L);

int timer_new(lua_State *L);     /* ctx:timer */
int read_new(lua_State *L);      /* ctx:read */
int websocket_new(lua_State *L); /* ctx:websocket */
int http_new(lua_State *L);      /* ctx:http */
int http_plan(lua_State *L);     /* core.plan */
int http_send(lua_State *L);     /* ctx:send */
int server_new(lua_State *L);    /* ctx:server */
int server_certificate(lua_State *L);

/* ---- Arrivals (arrivals.c) ---- */

void arrivals_setup(lua_State *L);
int arrivals_new(lua_State *L); /* core.arrivals */
struct arrivals *arrivals_check(lua_State *L, int argument);
/* Takes a message in. 0: it is an event of its own. */
int arrivals_keep(struct object *object, const beam_ws_event *event);
/* Fires "arrived" where something did; for all of a context at the end of a step. */
void arrivals_tell(struct object *object);
void arrivals_tell_all(struct context *context);
/* Whether all that is to be told is one message, the only one in `arrivals`; it then counts as told. */
int arrivals_told_one(struct context *context, struct arrivals *arrivals);
void arrivals_forget(struct object *object); /* it is over */

/* ---- private.c: what is the user's alone ---- */

int private_random(lua_State *L);
int private_write(lua_State *L);
int private_folder(lua_State *L);
int private_real_path(lua_State *L);
int private_home(lua_State *L);
int private_process(lua_State *L);
int private_process_lives(lua_State *L);

int websocket_accept(lua_State *L); /* request:accept */
extern const struct class request_class;
/* beam_server_options.on_request and on_gone; `user` is the server's object. */
void request_on_request(void *user, beam_request *request, const beam_request_view *view);
void request_on_gone(void *user, beam_request *request);

/* ---- Signals (interrupt.c, catch.c) ---- */

/* beam_step, which returns when a handler of SIGINT was called. *early is set if it returns before its time with
 * nothing done. */
int interrupt_step(struct context *context, int timeout, int *early);

int signal_catch(lua_State *L);   /* ctx:catch_signal(name) */
int signal_release(lua_State *L); /* ctx:release_signal(name) */
int signal_caught(lua_State *L);  /* ctx:caught_signal() */
void signal_end(struct context *context);

/* ---- Option tables (options.c) ---- */

struct reader;

/* One option: `read` checks the value on top of the stack and stores it at `to`. */
struct field {
  const char *name;
  void (*read)(struct reader *reader, const struct field *field, void *to);
  size_t offset, length_offset;
  const void *detail; /* read_choice: names, NULL-terminated; read_table: fields, ended by one without a name */
};

void read_text(struct reader *reader, const struct field *field, void *to);     /* const char *, without NUL */
void read_bytes(struct reader *reader, const struct field *field, void *to);    /* const void *, size_t */
void read_boolean(struct reader *reader, const struct field *field, void *to);  /* int */
void read_size(struct reader *reader, const struct field *field, void *to);     /* size_t, not 0 */
void read_length(struct reader *reader, const struct field *field, void *to);   /* uint64_t, not 0 */
void read_count(struct reader *reader, const struct field *field, void *to);    /* unsigned, not 0 */
void read_port(struct reader *reader, const struct field *field, void *to);     /* unsigned */
void read_seconds(struct reader *reader, const struct field *field, void *to);  /* unsigned, milliseconds, not 0 */
void read_choice(struct reader *reader, const struct field *field, void *to);   /* int */
void read_headers(struct reader *reader, const struct field *field, void *to);  /* const beam_header *, size_t */
void read_table(struct reader *reader, const struct field *field, void *to);    /* a struct in the struct */
void read_auth(struct reader *reader, const struct field *field, void *to);     /* beam_auth */
void read_function(struct reader *reader, const struct field *field, void *to); /* int: its index in the anchor */

extern const struct field tls_fields[];

/* Reads the table at `argument` into *options; anything unknown or of a wrong type raises. Pushes a table, the anchor,
 * that keeps all strings *options points to: leave it on the stack while they are in use. */
void options_read(lua_State *L, int argument, const struct field *fields, void *options);
/* The same for an array of headers that stands alone; nil and nothing are no headers. */
void options_read_headers(lua_State *L, int argument, const beam_header **headers, size_t *count);
/* Arguments of methods. Strings are strings here, never numbers. */
const char *check_bytes(lua_State *L, int argument, size_t *len);
const char *check_text(lua_State *L, int argument); /* without NUL */
lua_Integer check_integer(lua_State *L, int argument, lua_Integer least, lua_Integer most);
double check_milliseconds(lua_State *L, int argument); /* from seconds, not negative, rounded up */

/* ---- Results (result.c) ---- */

void result_setup(lua_State *L);
void push_error(lua_State *L, const beam_error *error);
void push_headers(lua_State *L, const beam_header *headers, size_t count);
/* As {name = value}; those of a name, in the order in which they came, between commas. */
void push_headers_by_name(lua_State *L, const beam_header *headers, size_t count);
/* {status=, headers=, body=}, the headers by one of the above; what did not come is not in it. */
void push_response(lua_State *L, int status, const beam_header *headers, size_t count, const char *body, size_t len,
                   void (*push)(lua_State *L, const beam_header *headers, size_t count));
int result_error(lua_State *L, const beam_error *error); /* pushes nil, error */
/* Pushes true if `code` is 0, else nil and an error with this text. */
int result_code(lua_State *L, int code, enum beam_phase phase, const char *text);

#pragma GCC visibility pop
