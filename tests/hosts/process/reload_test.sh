#!/bin/sh
# beam.core and libbeamhost are loaded, used and unloaded, over and over: see reload.c. RELOADS=1000: as often.
set -eu
cd "$(dirname "$0")/../../.."
mkdir -p build/hosts
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -D_GNU_SOURCE -Icore -Ilua/embed -Wall -Wextra $(pkg-config --cflags lua5.4) -o build/hosts/reload tests/hosts/process/reload.c \
  $(pkg-config --libs lua5.4) -ldl
. tests/hosts/local_beam.sh
local_beam --token token --quiet
LUA_PATH="lua/?.lua;lua/?/init.lua" LUA_CPATH="build/lua/5.4/?.so" \
  build/hosts/reload "$PWD/build/lua/5.4/beam/core.so" tests/hosts/process/reload.lua "$PWD/build/libbeamhost.so" "ws${url#http}/asgi/echo" "${RELOADS:-40}"
