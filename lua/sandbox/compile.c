/* The compiler is given its text in small pieces, as a name can take long: it is sought among all variables around it.
 */
#include "sandbox/compile.h"

#include <lauxlib.h>
#include <string.h>

#include "sandbox/call.h"
#include "sandbox/names.h"

enum { PIECE = 64, PIECE_CHARGE = 20 };

const char *const script_hooks[SCRIPT_HOOKS + 1] = {"connect",  "open", "message", "close",   "retry", "incoming",
                                                    "outgoing", "tick", "save",    "restore", NULL};

struct pieces {
  const char *text;
  size_t left;
};

static const char *next_piece(lua_State *L, void *user, size_t *size) {
  struct pieces *pieces = user;
  const char *piece = pieces->text;
  limits_charge(L, PIECE_CHARGE);
  limits_spend(L); /* looks at the clock */
  *size = pieces->left < PIECE ? pieces->left : PIECE;
  pieces->text += *size;
  pieces->left -= *size;
  return *size ? piece : NULL;
}

static void skip(struct pieces *pieces, size_t len) {
  pieces->text += len;
  pieces->left -= len;
}

/* As luaL_loadfile has it: a mark that the text is UTF-8 is no Lua, nor is "#!/usr/bin/env beamlua"; that one's line
 * end stays, for the line numbers. */
static void skip_head(struct pieces *pieces) {
  const char *end;
  if (pieces->left >= 3 && !memcmp(pieces->text, "\xEF\xBB\xBF", 3))
    skip(pieces, 3);
  if (!pieces->left || *pieces->text != '#')
    return;
  end = memchr(pieces->text, '\n', pieces->left);
  skip(pieces, end ? (size_t)(end - pieces->text) : pieces->left);
}

int load_text(lua_State *L, const char *text, size_t len, const char *chunk_name) {
  struct pieces pieces = {text, len};
  int status;
  skip_head(&pieces);
  status = lua_load(L, next_piece, &pieces, chunk_name, "t");
  limits_reraise(L);
  return status;
}

/* The entry with key at -2 and value at -1. */
static void check_entry(lua_State *L) {
  const char *name, *meant;
  if (lua_type(L, -2) != LUA_TSTRING)
    luaL_error(L, "the script's table has a key that is a %s: hooks have names", luaL_typename(L, -2));
  name = lua_tostring(L, -2);
  if (!lua_isfunction(L, -1))
    luaL_error(L, "'%s' is a %s: a hook is a function", name, luaL_typename(L, -1));
  if (names_find(name, script_hooks) >= 0)
    return;
  meant = names_nearest(strncmp(name, "on_", 3) ? name : name + 3, script_hooks);
  if (meant)
    luaL_error(L, "unknown hook '%s'; did you mean '%s'?", name, meant);
}

void load_hooks(lua_State *L, struct script *script) {
  int hook, table = lua_gettop(L);
  if (!lua_istable(L, table))
    luaL_error(L, "the script returned %s: it has to return a table of hooks",
               lua_isnil(L, table) ? "nothing" : luaL_typename(L, table));
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    check_entry(L);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, table + 1);
  }
  for (hook = 0; hook < SCRIPT_HOOKS; hook++) {
    lua_pushstring(L, script_hooks[hook]);
    script->hooks[hook] = lua_rawget(L, table + 1) == LUA_TFUNCTION ? luaL_ref(L, LUA_REGISTRYINDEX) : LUA_NOREF;
    lua_settop(L, table + 1);
  }
  script->functions = luaL_ref(L, LUA_REGISTRYINDEX);
  script->loaded = 1;
}
