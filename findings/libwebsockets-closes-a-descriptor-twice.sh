#!/bin/sh
# libwebsockets 4.1.6-3, libuv1 1.44.2-1+deb12u1 (Debian 12).
# Guess: a context on a libuv loop of the program's gives back its own descriptors, each once.
# Seen: the descriptor by which lws_cancel_service wakes the loop is closed by lws_context_destroy, and by its number once more when the loop
# turns after it. What the program (or a thread of it) opened in between has that number, and is closed under it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download libwebsockets17=4.1.6-3 libwebsockets-dev=4.1.6-3 libwebsockets-evlib-uv=4.1.6-3 libuv1=1.44.2-1+deb12u1 libuv1-dev=1.44.2-1+deb12u1 \
  libev4 libevent-core-2.1-7 libglib2.0-0 libcap2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.c <<'END'
#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>
static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
  (void)wsi, (void)reason, (void)user, (void)in, (void)len;
  return 0;
}
static const struct lws_protocols protocols[] = {{"raw", callback, 0, 0, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};
int main(void) {
  uv_loop_t loop;
  void *loops[1] = {&loop};
  struct lws_context_creation_info info = {0};
  struct lws_context *context;
  int own[64], count = 0, closed = 0, i;
  uv_loop_init(&loop);
  lws_set_log_level(0, NULL);
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.options = LWS_SERVER_OPTION_LIBUV;
  info.foreign_loops = loops;
  context = lws_create_context(&info);
  if (!context)
    return 2;
  lws_context_destroy(context);
  while (count < 16) /* the lowest numbers that are free, as always */
    own[count++] = open("/dev/null", O_RDONLY);
  for (i = 0; i < 20; i++)
    uv_run(&loop, UV_RUN_NOWAIT);
  lws_context_destroy(context);
  for (i = 0; i < count; i++)
    closed += fcntl(own[i], F_GETFD) == -1;
  printf("closed under the program: %d\n", closed);
  return 0;
}
END
library=$(find "$folder/root" -name 'libwebsockets.so.17' -printf '%h\n' | head -n 1)
cc -I"$folder/root/usr/include" -I"$folder/root/usr/include/$(basename "$library")" -o program program.c -L"$library" -l:libwebsockets.so.17 -l:libuv.so.1 \
  -Wl,--allow-shlib-undefined
LD_LIBRARY_PATH="$library" ./program | tee seen
echo 'closed under the program: 1' | cmp - seen
