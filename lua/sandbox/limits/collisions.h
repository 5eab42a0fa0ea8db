/* Tables whose keys collide on purpose. */
#pragma once

#include <lua.h>
#include <stddef.h>

struct limits;

/* For the allocator, before it gives out so many bytes for what may be the hash part of a table: gives the state up if
 * that would be one of long chains. */
void collisions_look(struct limits *limits, size_t size);
/* True if the numbers among the keys of the table at the absolute index `table` would have a long chain in a hash part
 * of `nodes` nodes, a power of two. Takes two places of L's stack; never raises. */
int collisions_in(lua_State *L, int table, size_t nodes);
