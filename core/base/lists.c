/* Small helpers for memory and lists that several files of core/ need. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "internal.h"

void beam__list_add(beam__node *list, beam__node *node) {
  node->prev = list->prev;
  node->next = list;
  list->prev->next = node;
  list->prev = node;
}

void beam__list_remove(beam__node *node) {
  if (!node->next)
    return;
  node->prev->next = node->next;
  node->next->prev = node->prev;
  beam__list_init(node);
}

size_t beam__list_count(const beam__node *list) {
  const beam__node *node;
  size_t count = 0;
  for (node = list->next; node != list; node = node->next)
    count++;
  return count;
}

void beam__free_with_handle(uv_handle_t *handle) { free(handle->data); }

void beam__wipe(void *memory, size_t len) {
  if (len)
    memset(memory, 0, len);
  __asm__ __volatile__("" : : "r"(memory) : "memory"); /* somebody may read it, for all the compiler knows */
}

void beam__wipe_free(char *text) {
  if (!text)
    return;
  beam__wipe(text, strlen(text));
  free(text);
}

void beam__bytes_wipe(beam__bytes *bytes) {
  beam__wipe(bytes->at, bytes->size);
  beam__bytes_free(bytes);
}

char *beam__strdup(const char *text) { return text ? strdup(text) : NULL; }

char *beam__join(const char *first, const char *second, const char *third) {
  size_t first_len = strlen(first), second_len = strlen(second), third_size = strlen(third) + 1;
  char *text = malloc(first_len + second_len + third_size);
  if (!text)
    return NULL;
  memcpy(text, first, first_len);
  memcpy(text + first_len, second, second_len);
  memcpy(text + first_len + second_len, third, third_size);
  return text;
}
