/* Inside script_limits: the hook, the collector, the allocator. */
#pragma once

#include "sandbox/limits/limits.h"

/* limits.c */
int64_t limits_now(void);
int64_t limits_cpu(void); /* of this thread */
void limits_hook(lua_State *L, lua_Debug *frame);
/* A large block has come: the hook must run after the next instruction. */
void limits_look_soon(struct limits *limits);
/* Breaks the state if its grace is over; starts the grace if it has not begun. */
void limits_break_if_late(struct limits *limits);

/* Ends Lua's own pace of collection. */
void collector_take_over(lua_State *L);
/* Collects if it is time to. */
void collector_step(lua_State *L);
/* Makes strong what a script made weak in its keys only; returns how many tables. Neither allocates nor raises: also
 * for the allocator, as Lua may traverse any table whenever it allocates. */
int collector_unweaken(struct limits *limits);
