/* "Did you mean": the known name nearest to a mistyped one. */
#pragma once

/* `known` ends with NULL. NULL if none is near: more than a third of the letters would have to change. */
const char *names_nearest(const char *name, const char *const *known);
/* The place of `name` in `known`, or -1. */
int names_find(const char *name, const char *const *known);
