/* For LD_PRELOAD: names that end in ".hang" take five seconds to be looked up, as with a name server that does not
 * answer. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  size_t len = name ? strlen(name) : 0;
  if (!real)
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  int asks = !hints || !(hints->ai_flags & AI_NUMERICHOST);
  if (asks && len > 5 && strcmp(name + len - 5, ".hang") == 0) {
    sleep(5);
    return EAI_AGAIN;
  }
  return real(name, service, hints, result);
}
