/* libwebsockets takes its part for libuv (libwebsockets-evlib_uv.so) out of the folder that it was built for, on every
 * system (4.1.6 to 4.5): in a folder that is carried along it stands beside the other libraries. This file is linked
 * into the portable beam.core alone (portable.mk). What loads a library comes before it when names are looked up, so
 * libwebsockets calls this function in place of its own of that name, which then does the work. Where LD_LIBRARY_PATH
 * is set, 4.3 looks there first: a part of another version.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*init_function)(void **list, const char *const *folders, const char *class_name, const char *name,
                             void *each, void *user);

__attribute__((visibility("default"))) int lws_plugins_init(void **list, const char *const *folders,
                                                            const char *class_name, const char *name, void *each,
                                                            void *user);

int lws_plugins_init(void **list, const char *const *folders, const char *class_name, const char *name, void *each,
                     void *user) {
  char folder[PATH_MAX];
  const char *own[] = {folder, NULL};
  Dl_info library;
  init_function init;
  const char *slash;
  char *path = getenv("LD_LIBRARY_PATH"), first = path ? *path : '\0';
  int result;
  *(void **)&init = dlsym(RTLD_NEXT, "lws_plugins_init");
  if (!init)
    return 1;
  if (!dladdr(*(void **)&init, &library) || !(slash = strrchr(library.dli_fname, '/')))
    return init(list, folders, class_name, name, each, user);
  snprintf(folder, sizeof folder, "%.*s", (int)(slash - library.dli_fname), library.dli_fname);
  if (path)
    *path = '\0'; /* in its place: another thread may read it */
  result = init(list, own, class_name, name, each, user);
  if (path)
    *path = first;
  return result;
}
