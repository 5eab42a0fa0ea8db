#!/bin/sh
# Does every file compile with musl's headers? Those of the libraries stand among glibc's, and are linked into a folder of their own. Where
# libwebsockets, libcurl and OpenSSL are built for musl, `make` is what tells. Wants musl-tools.
set -eu
headers=build/musl/include
mkdir -p $headers/sys $headers/openssl
arch=/usr/include/$(${CC:-cc} -print-multiarch)
for header in uv.h uv libwebsockets.h libwebsockets zlib.h zconf.h histedit.h editline linux asm-generic sys/capability.h; do
  ln -sfn "/usr/include/$header" "$headers/$header"
done
for header in curl asm; do
  [ ! -e "$arch/$header" ] || ln -sfn "$arch/$header" "$headers/$header"
done
[ -e $headers/zconf.h ] || ln -sfn "$arch/zconf.h" $headers/zconf.h
ln -sf /usr/include/openssl/* "$arch"/openssl/* $headers/openssl/
echo '#define DEB_HOST_MULTIARCH "musl"' >$headers/lua5.4-deb-multiarch.h
count=0
for file in $(find core lua -name '*.c' | LC_ALL=C sort); do
  # shellcheck disable=SC2046
  musl-gcc -fsyntax-only -std=c11 -D_GNU_SOURCE -DNDEBUG -Wall -Wextra -Wshadow -Werror -Icore -Ilua -Ilua/binding -Ilua/embed -Ilua/sandbox \
    -Ilua/beamlua -Ibuild/host -isystem $headers $(pkg-config --cflags lua5.4) "$file"
  count=$((count + 1))
done
echo "$count files compile with musl's headers"
