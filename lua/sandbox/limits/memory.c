/* malloc with a header: the neighbours in the list. */
#include "sandbox/limits/memory.h"

#include <lua.h>
#include <stdlib.h>
#include <string.h>

enum {
  HEADER = sizeof(struct memory_block),
  IS_STRING = 1,
  NS_OF_LARGE = 1 << 14,  /* below that a hundred instructions may pass unseen */
  BYTES_OF_TABLE_NS = 32, /* a string's bytes take up to 1 ns each, a table's entry of 16 to 40 bytes about as long */
};

static struct memory_block *previous_of(const struct memory_block *block) {
  return (struct memory_block *)(block->previous & ~(uintptr_t)IS_STRING);
}

static void set_previous(struct memory_block *block, struct memory_block *previous) {
  block->previous = (uintptr_t)previous | (block->previous & IS_STRING);
}

static unsigned level_of(size_t size, int is_string) {
  size_t ns = is_string ? size : size / BYTES_OF_TABLE_NS;
  return ns < NS_OF_LARGE ? 0 : (unsigned)(8 * sizeof(unsigned long long) - 1) - (unsigned)__builtin_clzll(ns);
}

static void add_level(struct memory *memory, unsigned level) {
  memory->levels[level]++;
  if (level > memory->level)
    memory->level = level;
}

static void remove_level(struct memory *memory, unsigned level) {
  memory->levels[level]--;
  while (memory->level && !memory->levels[memory->level])
    memory->level--;
}

void memory_init(struct memory *memory) {
  memset(memory, 0, sizeof *memory);
  memory->first.next = &memory->first;
  memory->first.previous = (uintptr_t)&memory->first;
}

size_t memory_after(const struct memory *memory, const void *block, size_t old_size, size_t size) {
  size_t header = block ? 0 : HEADER, freed = block ? old_size : 0;
  return size > SIZE_MAX / 2 ? SIZE_MAX : memory->used - freed + size + header;
}

static void *add(struct memory *memory, size_t kind, size_t size) {
  struct memory_block *block = size > SIZE_MAX / 2 ? NULL : malloc(size + HEADER);
  unsigned level;
  if (!block)
    return NULL;
  block->next = memory->first.next;
  block->previous = (uintptr_t)&memory->first | (kind == LUA_TSTRING ? IS_STRING : 0);
  set_previous(block->next, block);
  memory->first.next = block;
  level = level_of(size, kind == LUA_TSTRING);
  if (level)
    add_level(memory, level);
  return block + 1;
}

static void *change(struct memory *memory, void *data, size_t old_size, size_t size) {
  struct memory_block *block = size > SIZE_MAX / 2 ? NULL : realloc((struct memory_block *)data - 1, size + HEADER);
  unsigned old_level, level;
  int is_string;
  if (!block)
    return NULL;
  set_previous(block->next, block);
  previous_of(block)->next = block;
  is_string = block->previous & IS_STRING;
  old_level = level_of(old_size, is_string);
  level = level_of(size, is_string);
  if (level)
    add_level(memory, level);
  if (old_level)
    remove_level(memory, old_level);
  return block + 1;
}

void *memory_resize(struct memory *memory, void *block, size_t old_size, size_t size) {
  size_t after = memory_after(memory, block, old_size, size);
  void *result = block ? change(memory, block, old_size, size) : add(memory, old_size, size);
  if (!result)
    return NULL;
  memory->used = after;
  if (after > memory->peak)
    memory->peak = after;
  return result;
}

void memory_release(struct memory *memory, void *data, size_t size) {
  struct memory_block *block;
  unsigned level;
  if (!data)
    return;
  block = (struct memory_block *)data - 1;
  level = level_of(size, block->previous & IS_STRING);
  if (level)
    remove_level(memory, level);
  set_previous(block->next, previous_of(block));
  previous_of(block)->next = block->next;
  memory->used -= size + HEADER;
  free(block);
}

void memory_release_all(struct memory *memory) {
  while (memory->first.next != &memory->first) {
    struct memory_block *block = memory->first.next;
    memory->first.next = block->next;
    free(block);
  }
  memory_init(memory);
}
