/* The inode, too: many editors write a new file and rename it to the old one's name. */
#include "beamlua/process/files.h"

#include <lauxlib.h>
#include <stdio.h>
#include <sys/stat.h>

int files_status(lua_State *L) {
  struct stat status;
  char text[96];
  if (stat(luaL_checkstring(L, 1), &status))
    return 0;
  snprintf(text, sizeof text, "%lld.%09ld %lld %llu", (long long)status.st_mtim.tv_sec, (long)status.st_mtim.tv_nsec,
           (long long)status.st_size, (unsigned long long)status.st_ino);
  lua_pushstring(L, text);
  return 1;
}
