#!/bin/sh
# Where LuaRocks finds the libraries for the rock: the layouts of other systems, made of empty files below a folder, with a compiler that only writes
# down what it was asked. And what is said where something is missing.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset LUA_PATH LUA_CPATH
multiarch=lib/$(gcc -print-multiarch)
tests=0 failed=0
report() {
  tests=$((tests + 1))
  if [ "$1" = 0 ]; then echo "ok $tests - $2"; else
    echo "not ok $tests - $2"
    tail -n 5 "$folder/log" "$folder/asked" | cut -c 1-600 | sed 's/^/# /'
    failed=1
  fi
}

cat >"$folder/cc" <<'END'
#!/bin/sh
echo "$*" >>"${0%/*}/asked"
while [ $# -gt 0 ]; do [ "$1" != -o ] || : >"$2"; shift; done
END
chmod +x "$folder/cc"

# The rockspec as it is, but for one source in C instead of eighty, none in Lua, and no program.
mkdir -p "$folder/tree/core/base" "$folder/tree/lua/beamlua/process"
sed -e '/^        "core\/base\/bytes.c"/b; /^        "lua\/beamlua\/process\/process.c"/b; /^        "\(core\|lua\)\//d' -e '/^    \["beam.*\.lua",$/d' -e '/^  install = /d' \
  lua-beam-scm-1.rockspec >"$folder/tree/lua-beam-scm-1.rockspec"

# layout ROOT INCLUDE LIB EXTENSION: the files of the five libraries
layout() {
  mkdir -p "$1/$2/openssl" "$1/$3"
  for header in uv.h libwebsockets.h openssl/ssl.h zlib.h; do : >"$1/$2/$header"; done
  for library in uv websockets curl ssl z; do : >"$1/$3/lib$library.$4"; done
}

# make_rock ROOT [EXTENSION [VARIABLE=VALUE…]]: LuaRocks looks in ROOT/usr/local and ROOT/usr alone.
make_rock() {
  root=$1 extension=${2:-so}
  shift $(($# > 1 ? 2 : 1))
  cat >"$folder/config.lua" <<END
external_deps_dirs = { "$root/usr/local", "$root/usr", "$root" }
external_lib_extension = "$extension"
variables = { CC = "$folder/cc", LD = "$folder/cc" }
END
  rm -rf "$folder/asked" "$folder/rocks"
  : >"$folder/asked"
  (cd "$folder/tree" && LUAROCKS_CONFIG="$folder/config.lua" luarocks --lua-version 5.4 make --deps-mode=none --tree "$folder/rocks" lua-beam-scm-1.rockspec \
    "$@") >"$folder/log" 2>&1
}

# found ROOT INCLUDE LIB NAME [make_rock's rest]: it is compiled and linked with these folders.
found() {
  root=$1 include=$2 lib=$3 name=$4
  shift 4
  make_rock "$root" "$@" && grep -q -e " -I$root/$include " -e " -I$root/$include\$" "$folder/asked" && grep -q -e "-L$root/$lib " "$folder/asked" &&
    grep -q -e "-lwebsockets -luv -lcurl -lssl -lcrypto -lz" "$folder/asked"
  report $? "$name: $lib"
}

layout "$folder/debian" usr/include "usr/$multiarch" so
found "$folder/debian" usr/include "usr/$multiarch" Debian
layout "$folder/fedora" usr/include usr/lib64 so
mkdir -p "$folder/fedora/usr/lib"
found "$folder/fedora" usr/include usr/lib64 Fedora
layout "$folder/arch" usr/include usr/lib so
found "$folder/arch" usr/include usr/lib "Arch, Alpine"
layout "$folder/local" usr/local/include usr/local/lib so
found "$folder/local" usr/local/include usr/local/lib "built by hand"
layout "$folder/intel" usr/local/include usr/local/lib dylib
found "$folder/intel" usr/local/include usr/local/lib "Homebrew on Intel" dylib

# Homebrew on ARM: a folder for each formula; the command of docs/install.md, with a brew that says where they are.
for formula in libuv libwebsockets curl openssl@3 zlib; do layout "$folder/opt/homebrew/opt/$formula" include lib dylib; done
brew() { echo "$folder/opt/homebrew/opt/$2"; }
given=$(awk '$0 == "```sh homebrew" { inside = 1; next } /^```/ { inside = 0 } inside' docs/install.md)
eval "make_rock '$folder/none' dylib ${given#*lua-beam }"
status=$?
for formula in libuv libwebsockets curl openssl@3 zlib; do
  grep -q -e "-L$folder/opt/homebrew/opt/$formula/lib" "$folder/asked" || status=1
  grep -q -e "-I$folder/opt/homebrew/opt/$formula/include" "$folder/asked" || status=1
done
report $status "Homebrew on ARM: each formula's own folder, as docs/install.md has it"

# missing FILE VARIABLE KIND: it is not there; the message names it and what can be given, and nothing is compiled. (Of a library that is missing beside its
# header LuaRocks tells where the header is not: it tells about the last folder that it looked into.)
missing() {
  layout "$folder/missing" usr/include usr/lib so
  rm "$folder/missing/usr/$1"
  ! make_rock "$folder/missing" && [ ! -s "$folder/asked" ] && grep -q "Could not find $3 file for $2" "$folder/log" &&
    grep -q "No file .* in $folder/missing/usr/" "$folder/log" && grep -q "$2_DIR or $2_" "$folder/log"
  report $? "without $1 the message says so"
}
missing include/uv.h LIBUV header
missing include/libwebsockets.h LIBWEBSOCKETS header
missing include/openssl/ssl.h OPENSSL header
missing include/zlib.h ZLIB header
missing lib/libcurl.so CURL library
missing lib/libwebsockets.so LIBWEBSOCKETS header
missing lib/libuv.so LIBUV header
echo "1..$tests"
exit $failed
