/* Tables whose keys collide on purpose. */
#ifndef BEAMLUA_SCRIPT_COLLISIONS_H
#define BEAMLUA_SCRIPT_COLLISIONS_H

#include <stddef.h>

struct limits;

/* For the allocator, before it gives out so many bytes for what may be the hash part of a table: gives the state up if
 * that would be one of long chains. */
void collisions_look(struct limits *limits, size_t size);

#endif
