#!/bin/sh
# Puts the portable folder together: the program, its shared objects, and every library that they load but the C library itself, which is the
# system's wherever it goes. The licences of what comes along stand beside it, where the package manager knows them.
#   usage: collect.sh FOLDER LUA_VERSION SHARED_OBJECT…
set -eu
folder=$1 lua=$2
shift 2
version=$(sed -n 's/^#define BEAM_VERSION "\(.*\)"/\1/p' core/beam.h)

rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/lib/lua/$lua/beam" "$folder/share/doc" "$folder/share/man/man1" "$folder/share/bash-completion/completions"
cp build/beamlua "$folder/bin/"
cp "$@" "$folder/lib/lua/$lua/beam/"
cp docs/manual/beamlua.1 "$folder/share/man/man1/"
cp build/completions/beamlua "$folder/share/bash-completion/completions/"
cp LICENSE "$folder/share/doc/lua-beam.txt"

# The part of libwebsockets for libuv, where it is a file of its own; named by nobody, it is looked for when it is needed.
plugin() {
  websockets=$(ldd "$1" | awk '$1 ~ /^libwebsockets\.so/ { print $3 }')
  found=${websockets%/*}/libwebsockets-evlib_uv.so
  [ ! -e "$found" ] || echo "$found"
}

# glibc belongs together with the kernel's loader and the system's name services: the system's own is the one that works there.
is_of_glibc() {
  case ${1##*/} in
    ld-linux* | ld64* | libc.so.* | libm.so.* | libdl.so.* | libpthread.so.* | librt.so.* | libresolv.so.* | libutil.so.* | libanl.so.*) ;;
    *) false ;;
  esac
}

# Asked once for all: the package manager reads all that it knows for each question.
keep_licences() {
  dpkg-query -S $(realpath "$@") 2>/dev/null | cut -d : -f 1 | LC_ALL=C sort -u | while read -r package; do
    [ ! -e "/usr/share/doc/$package/copyright" ] || cp -L "/usr/share/doc/$package/copyright" "$folder/share/doc/$package.txt"
  done
}

plugin=$(plugin "$1")
libraries=
for library in $plugin $(ldd "$@" $plugin | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | LC_ALL=C sort -u); do
  is_of_glibc "$library" || libraries="$libraries $library"
done
[ -z "$libraries" ] || { cp -L $libraries "$folder/lib/" && keep_licences $libraries; }
strip --strip-debug "$folder"/bin/* "$folder/lib/lua/$lua/beam"/*

glibc=$(find "$folder" -type f \( -name '*.so*' -o -name beamlua \) -exec objdump -T {} + 2>/dev/null | grep -o 'GLIBC_2[.0-9]*' | sed 's/GLIBC_//' | LC_ALL=C sort -Vu | tail -n 1)
cat >"$folder/README" <<END
beamlua $version, with the libraries that it needs, for Linux on $(uname -m) with glibc $glibc or later.

    bin/beamlua script.lua

The folder may stand anywhere, under any name. It takes two things of the system: glibc, and for wss:// and https:// the certificates of the
authorities (the package ca-certificates, or a file of yours: the option tls.ca_file). share/doc has the licences of the libraries in lib.
END
