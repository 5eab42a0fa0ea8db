#!/bin/sh
# beam.core on each Lua, under the sanitizers, while memory runs out: see memory.c.
set -eu
cd "$(dirname "$0")/../../.."
mkdir -p build/hosts
number=0
for lua in lua5.1 luajit lua5.3 lua5.4 $(command -v lua5.5 >/dev/null && echo lua5.5); do
  number=$((number + 1))
  # shellcheck disable=SC2046
  ${CC:-cc} -std=c11 -D_GNU_SOURCE -DNDEBUG -Icore -Ilua/binding -Wall -Wextra -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
    $(pkg-config --cflags $lua) -o build/hosts/memory-$lua tests/hosts/process/memory.c lua/binding/*.c lua/binding/*/*.c build/asan/libbeam.a \
    $(pkg-config --libs $lua libuv libwebsockets libcurl openssl zlib) -lpthread -lm -ldl
  build/hosts/memory-$lua tests/hosts/process/memory.lua "$number - $lua"
done
echo "1..$number"
