/* The heap of one Lua state: what is in use, and all of it in one list, so that a state that cannot be closed any more
 * can still be freed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct memory_block {
  struct memory_block *next;
  uintptr_t previous; /* a pointer; its lowest bit: this is a string */
};

enum { MEMORY_LEVELS = 64 };

struct memory {
  size_t used, peak; /* bytes, headers included */
  struct memory_block first;
  /* How long one instruction of Lua can take: comparing two strings, growing a table or scanning it takes time in
   * proportion to the block. Level n: the largest live block takes some 2^n ns; 0: next to nothing. */
  unsigned level;
  unsigned levels[MEMORY_LEVELS]; /* how many live blocks of each level */
};

void memory_init(struct memory *memory);
/* What `used` would be after such a reallocation. */
size_t memory_after(const struct memory *memory, const void *block, size_t old_size, size_t size);
/* As realloc; size is not 0. NULL: the system has no more, or overflow. With block NULL, kind is that of lua_Alloc. */
void *memory_resize(struct memory *memory, void *block, size_t old_size, size_t size);
void memory_release(struct memory *memory, void *block, size_t size);
void memory_release_all(struct memory *memory);
