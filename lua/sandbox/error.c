/* sandbox.script.error: what P is told of a script that failed. Only strings and raw fields of it are looked at: no
 * code of the script's runs any more. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/names.h"

#define CLASS "sandbox.script.error"

enum { LONGEST_WORDS = 2000 };

static const char *const limit_names[] = {NULL, "memory", "instructions", "time"};

static void describe_budget(const struct limits *limits, char *text, size_t size) {
  double mib = (double)limits->bytes / (1 << 20);
  if (limits->stopped == LIMIT_INSTRUCTIONS)
    snprintf(text, size, "%lld instructions", (long long)limits->instructions);
  else if (limits->stopped == LIMIT_TIME)
    snprintf(text, size, "%g ms", (double)limits->nanoseconds / 1e6);
  else
    snprintf(text, size, "%.4g %s of memory", mib >= 1 ? mib : mib * 1024, mib >= 1 ? "MiB" : "KiB");
}

static void set_text(lua_State *P, const char *field, const char *text) {
  if (text && *text) {
    lua_pushstring(P, text);
    lua_setfield(P, -2, field);
  }
}

/* Whether a line of the script's that ran, if that is known, is of this file: words may have colons of their own. */
static int is_of_script(const struct trace *trace, const char *file, size_t len) {
  const char *line = trace->text;
  if (!trace->line)
    return 1;
  while (strncmp(line, file, len) != 0 || line[len] != ':') {
    line = strchr(line, '\n');
    if (!line++)
      return 0;
  }
  return 1;
}

/* "file:line: text", as Lua writes it: cuts off what stands before the text, and takes it as the place. */
static const char *take_position(struct trace *trace, const char *text) {
  const char *colon = text, *end;
  char *digits_end;
  long line;
  while ((colon = strchr(colon, ':')) != NULL) {
    line = strtol(++colon, &digits_end, 10);
    end = digits_end;
    if (end > colon && end[0] == ':' && end[1] == ' ' && line > 0 && (size_t)(colon - text) <= sizeof trace->file &&
        is_of_script(trace, text, (size_t)(colon - text - 1))) {
      memcpy(trace->file, text, (size_t)(colon - text - 1));
      trace->file[colon - text - 1] = '\0';
      trace->line = (int)line;
      return end + 2;
    }
  }
  return text;
}

static const char *push_problem(lua_State *P, const struct values *values, const char *what) {
  char text[256];
  values_describe(values, text, sizeof text);
  return lua_pushfstring(P, "%s: %s", what, text);
}

/* Leaves the script's words on top of P, and its table as the field `cause`. Copying that is the script's time, too:
 * NULL with nothing pushed, if that is over. */
static const char *push_words(lua_State *P, const struct call *call, lua_State *S) {
  struct values values;
  if (call->values.problem)
    return push_problem(P, &call->values, "its result");
  if (lua_type(S, -1) == LUA_TSTRING)
    return lua_pushstring(P, lua_tostring(S, -1));
  if (lua_isinteger(S, -1))
    return lua_pushfstring(P, "%I", (LUAI_UACINT)lua_tointeger(S, -1));
  if (lua_type(S, -1) == LUA_TNUMBER)
    return lua_pushfstring(P, "%f", lua_tonumber(S, -1));
  if (!lua_istable(S, -1) || !lua_checkstack(S, 3))
    return lua_pushfstring(P, "it raised a %s", luaL_typename(S, -1));
  values_begin(&values, &call->script->limits);
  if (!values_copy(&values, S, lua_gettop(S), P))
    return values.problem ? push_problem(P, &values, "it raised a table") : NULL;
  lua_pushvalue(P, -1);
  lua_setfield(P, -3, "cause");
  if (lua_getfield(P, -1, "message") == LUA_TSTRING)
    lua_replace(P, -2);
  else
    lua_pushliteral(P, "it raised a table without a message");
  return lua_tostring(P, -1);
}

static const char *push_subject(lua_State *P, const char *name, const struct trace *trace, const char *of) {
  const char *what = name && names_find(name, script_hooks) >= 0 ? "hook" : "function";
  if (name && *name && trace->line)
    return lua_pushfstring(P, "%s '%s'%s%s:%d", what, name, of, trace->file, trace->line);
  if (name && *name)
    return lua_pushfstring(P, "%s '%s'", what, name);
  return trace->line ? lua_pushfstring(P, "%s:%d", trace->file, trace->line) : lua_pushliteral(P, "the script");
}

static void push_stopped(lua_State *P, const struct limits *limits, const char *name) {
  char budget[64];
  const char *subject = push_subject(P, name, &limits->trace, " of ");
  describe_budget(limits, budget, sizeof budget);
  if (limits->reason)
    lua_pushfstring(P, "%s %s: the script was given up", subject, limits->reason);
  else if (limits->broken)
    lua_pushfstring(P, "%s used its %s and could not be unwound: the script was given up", subject, budget);
  else
    lua_pushfstring(P, "%s used its %s", subject, budget);
  lua_remove(P, -2);
}

static void push_failed(lua_State *P, const char *words, const char *name, struct trace *trace) {
  const char *text = take_position(trace, words), *subject = push_subject(P, name, trace, ", ");
  size_t len = strlen(text);
  lua_pushfstring(P, "%s: ", subject);
  lua_pushlstring(P, text, len < LONGEST_WORDS ? len : LONGEST_WORDS);
  lua_concat(P, 2);
}

void error_push(lua_State *P, const struct call *call, lua_State *S) {
  const struct limits *limits = &call->script->limits;
  struct trace trace = limits->trace;
  const char *name = limits->broken ? call->script->broken_by : call->name, *words = NULL;
  int table;
  lua_createtable(P, 0, 8);
  table = lua_gettop(P);
  if (!limits->stopped && !limits->broken)
    words = push_words(P, call, S);
  if (words)
    push_failed(P, words, name, &trace);
  else
    push_stopped(P, limits, name);
  lua_setfield(P, table, "message");
  lua_settop(P, table);
  set_text(P, "kind", "script");
  set_text(P, "hook", name);
  set_text(P, "file", trace.file);
  set_text(P, "limit", limit_names[limits->stopped]);
  lua_pushstring(P, trace.text);
  lua_setfield(P, table, "traceback");
  if (trace.line) {
    lua_pushinteger(P, trace.line);
    lua_setfield(P, table, "line");
  }
  if (limits->broken) {
    lua_pushboolean(P, 1);
    lua_setfield(P, table, "broken");
  }
  luaL_setmetatable(P, CLASS);
}

static int to_string(lua_State *P) {
  lua_getfield(P, 1, "message");
  lua_getfield(P, 1, "traceback");
  if (!lua_isstring(P, -2) || !lua_isstring(P, -1) || !*lua_tostring(P, -1)) {
    lua_pop(P, 1);
    return 1;
  }
  lua_pushfstring(P, "%s\n%s", lua_tostring(P, -2), lua_tostring(P, -1));
  return 1;
}

void error_setup(lua_State *P) {
  static const luaL_Reg metamethods[] = {{"__tostring", to_string}, {NULL, NULL}};
  luaL_newmetatable(P, CLASS);
  luaL_setfuncs(P, metamethods, 0);
  lua_pop(P, 1);
}
