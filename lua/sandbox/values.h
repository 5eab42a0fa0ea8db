/* Values from one Lua state to another: those that JSON has. */
#pragma once

#include <lua.h>
#include <stdint.h>

struct limits;

enum { VALUES_DEPTH = 128 /* of nested tables, as in JSON */ };

struct values {
  struct limits *limits; /* charged for the work; NULL: nobody */
  int64_t left, bytes;   /* how many more values and bytes of strings */
  int depth;
  const void *tables[VALUES_DEPTH]; /* those that the value is in */
  const char *problem;              /* what cannot be copied, if it is not the budget */
  char kind[32];
  char path[160]; /* where, ".body[3]" */
};

/* Each state has one metatable that marks arrays; this makes the table on top of the stack that of L, and pops it. */
void values_set_array(lua_State *L);
void values_push_array(lua_State *L);
/* lua-cjson of OpenResty marks empty arrays by another one: pops it. */
void values_set_empty_array(lua_State *L);

void values_begin(struct values *values, struct limits *limits);
/* Pushes onto `to` a copy of what is at `index` of `from`. `from` is only read and never raises; `to` may, for memory.
 * Returns 0 with nothing pushed and the problem told, or with none if the budget is used up. */
int values_copy(struct values *values, lua_State *from, int index, lua_State *to);
/* The problem as a text: "a function cannot be copied (at .callback)". */
void values_describe(const struct values *values, char *text, size_t size);
