/* The Lua modules that lua/baked/bake.lua put into the program. */
#pragma once

#include <stddef.h>

struct baked_module {
  const char *name;  /* "beam.call"; NULL ends the table */
  const char *chunk; /* "@beam/call.lua" */
  const char *text;
  size_t len;
};

extern const struct baked_module baked_modules[];
