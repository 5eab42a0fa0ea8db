/* The library stays loaded for as long as the process lives. A look-up's thread, ours or libcurl's, may outlive the
 * dlclose of whoever loaded us, as when a Lua state is closed; it would come back to code that is gone. The linker's
 * `-z nodelete` says the same, but not every build that is not ours (LuaRocks) passes it. */
#include <dlfcn.h>
#include <pthread.h>

#include "internal.h"

static void pin(void) {
  Dl_info info;
  if (dladdr((void *)(uintptr_t)beam__pin_library, &info) && info.dli_fname)
    (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE); /* NULL in a program: it stays anyway */
}

void beam__pin_library(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, pin);
}
