/* A program whose Lua runs out of memory, at every one of its allocations in turn: no error may unwind libbeam, nothing
 * may hang, be used after it was freed, or leak (the sanitizers watch). usage: memory SCRIPT NAME */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_beam_core(lua_State *L);

struct budget {
  long used;    /* allocations so far */
  long fail_at; /* 0: none fails */
  long fail_count;
};

static void *allocate(void *user, void *memory, size_t old_size, size_t size) {
  struct budget *budget = user;
  if (size == 0) {
    free(memory);
    return NULL;
  }
  if (!memory || size > old_size) {
    budget->used++;
    if (budget->fail_at && budget->used >= budget->fail_at && budget->used < budget->fail_at + budget->fail_count)
      return NULL;
  }
  return realloc(memory, size);
}

static lua_State *new_state(struct budget *budget, const char *script) {
#if LUA_VERSION_NUM >= 505
  lua_State *L = lua_newstate(allocate, budget, luaL_makeseed(NULL));
#else
  lua_State *L = lua_newstate(allocate, budget);
#endif
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_beam_core);
  lua_setfield(L, -2, "beam.core");
  lua_settop(L, 0);
  if (luaL_loadfile(L, script)) {
    printf("Bail out! %s\n", lua_tostring(L, -1));
    exit(1);
  }
  return L;
}

/* Allocations that the script took, negative if it raised. Memory is plenty while the state is made and closed. */
static long run(const char *script, long fail_at, long fail_count) {
  struct budget budget = {0};
  lua_State *L = new_state(&budget, script);
  long used;
  int status;
  budget.used = 0;
  budget.fail_at = fail_at;
  budget.fail_count = fail_count;
  status = lua_pcall(L, 0, 0, 0);
  used = budget.used;
  budget.fail_at = 0;
  if (status && !fail_at)
    printf("# %s\n", lua_tostring(L, -1));
  lua_close(L);
  return status ? -used : used;
}

/* From Lua 5.2 on a failed allocation is tried again after a collection: so two in a row, then all that follow. */
int main(int argc, char **argv) {
  static const long counts[] = {1, 2, 1000000};
  long total = argc == 3 ? run(argv[1], 0, 0) : 0, at, raised = 0;
  size_t i;
  for (i = 0; i < sizeof counts / sizeof *counts; i++)
    for (at = 1; at <= total; at++)
      raised += run(argv[1], at, counts[i]) < 0;
  printf("%s %s: out of memory at each of %ld allocations, %ld errors\n",
         total > 0 && raised >= total ? "ok" : "not ok", argc == 3 ? argv[2] : "", total, raised);
  return !(total > 0 && raised >= total);
}
