#!/bin/sh
# libbeam is unloaded while a look-up is in flight: see unload.c.
set -eu
cd "$(dirname "$0")/../../.."
mkdir -p build/hosts
${CC:-cc} -std=c11 -D_GNU_SOURCE -Icore -Wall -Wextra -rdynamic -o build/hosts/unload tests/hosts/process/unload.c -ldl
exec build/hosts/unload "$PWD/build/libbeam.so"
