/* What is the user's alone: random bytes, files that nobody else can read, and whether a process of his still runs. Lua
 * has none of it. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "binding.h"

enum { RANDOM_MAX = 256 };

static int failed(lua_State *L, const char *path, const char *what) {
  int error = errno;
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s: %s", path, what, strerror(error));
  return 2;
}

/* random(count): so many bytes that nobody can guess. */
int private_random(lua_State *L) {
  char bytes[RANDOM_MAX];
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count > 0 && count <= RANDOM_MAX, 1, "1 to 256 bytes");
  beam__random(bytes, (size_t)count);
  lua_pushlstring(L, bytes, (size_t)count);
  return 1;
}

static int write_all(int fd, const char *text, size_t len) {
  while (len) {
    ssize_t written = write(fd, text, len);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return -1;
    text += written;
    len -= (size_t)written;
  }
  return 0;
}

/* write_private(path, text): a new file in place of what is there, a link or another's file as well. */
int private_write(lua_State *L) {
  size_t len;
  const char *path = luaL_checkstring(L, 1), *text = luaL_checklstring(L, 2, &len);
  int fd, bad;
  if (unlink(path) && errno != ENOENT)
    return failed(L, path, "it cannot be replaced");
  fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return failed(L, path, "it cannot be made");
  bad = write_all(fd, text, len);
  bad |= close(fd);
  if (bad) {
    failed(L, path, "it cannot be written");
    unlink(path);
    return 2;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* private_folder(path): makes the folder for the user alone, unless there is one. */
int private_folder(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  if (mkdir(path, 0700) && errno != EEXIST)
    return failed(L, path, "the folder cannot be made");
  lua_pushboolean(L, 1);
  return 1;
}

static int refuse(lua_State *L, const char *path, int error) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(error));
  return 2;
}

/* real_path(path): where it leads to in the end, through all links, and whether that is a file whose bytes can be read
 * without waiting for somebody who writes them. */
int private_real_path(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  char *real = realpath(path, NULL);
  struct stat seen;
  if (!real)
    return refuse(L, path, errno);
  lua_pushstring(L, real);
  lua_pushboolean(L, stat(real, &seen) == 0 && S_ISREG(seen.st_mode));
  free(real);
  return 2;
}

/* process(): this one's number. */
int private_process(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getpid());
  return 1;
}

/* home() -> path | nil: the user's, whatever the environment says */
int private_home(lua_State *L) {
  struct passwd entry, *found = NULL;
  char text[4096];
  if (getpwuid_r(geteuid(), &entry, text, sizeof text, &found) || !found || !found->pw_dir)
    return 0;
  lua_pushstring(L, found->pw_dir);
  return 1;
}

/* process_lives(number) */
int private_process_lives(lua_State *L) {
  pid_t process = (pid_t)luaL_checkinteger(L, 1);
  lua_pushboolean(L, process > 0 && (kill(process, 0) == 0 || errno == EPERM));
  return 1;
}
