#!/bin/sh
# docs/install.md, "make install": its commands install into a prefix, and what is there answers from the local Beam; what each library
# exports; the headers in C11 and C++17; and uninstall takes all of it away.
set -u
. tests/hosts/local_beam.sh
. tests/hosts/install/install_docs.sh
HOME=$folder/home
mkdir "$HOME"
unset LUA_PATH LUA_CPATH
programs || { echo "not ok 1 - docs/install.md has the programs"; exit 1; }
local_beam --token installed --quiet
export HOME BEAM_GATEWAY_URL="$url" BEAM_TOKEN=installed
prefix=$HOME/.local

check "make install" run_block source .
check "nothing is left of the source tree's paths in what is installed" sh -c "! grep -rl '$PWD' '$prefix/lib/pkgconfig' '$prefix/share'"
check "beamlua runs a script" run_hello beamlua "$HOME"
for lua in 5.1 5.3 5.4; do check "lua$lua runs it" run_hello lua "$HOME" $lua lua$lua; done
check "luajit runs it with what is there for 5.1" run_hello lua "$HOME" 5.1 luajit

hello_in_c() {
  run_block "$1" "$HOME" >"$HOME/printed" 2>&1 && [ "$(cat "$HOME/printed")" = '200 {"result":24}' ] || { cat "$HOME/printed"; false; }
}
needs() { readelf -d "$1" | grep -q "NEEDED.*\[$2\]"; }
check "a C program with the shared library" hello_in_c shared
check "it needs libbeam.so.0" needs "$HOME/hello" libbeam.so.0
check "a C program with the archive" hello_in_c static
check "it needs no libbeam" sh -c "! readelf -d '$HOME/hello' | grep -q libbeam"
check "the soname is libbeam.so.0" sh -c "readelf -d '$prefix/lib/libbeam.so.0.1.0' | grep -q 'SONAME.*\[libbeam.so.0\]'"
check "beam.pc has the version" sh -c "PKG_CONFIG_PATH='$prefix/lib/pkgconfig' pkg-config --exact-version=0.1.0 beam"

embed() {
  PKG_CONFIG_PATH=$prefix/lib/pkgconfig
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046 # words
  cc -Werror -Wl,-z,defs scripts/embed/frame_loop.c -o "$HOME/embed" $(pkg-config --cflags beamhost) $(pkg-config "$@" beamhost)
}
check "a program that embeds scripts, with the shared library" embed --libs
check "it needs libbeamhost.so.0, and no Lua" sh -c "readelf -d '$HOME/embed' | grep -q 'libbeamhost.so.0' && ! readelf -d '$HOME/embed' | grep -qi 'liblua'"
check "and with the archive" embed --variable=archive_libs

# exports FILE PATTERN: what it exports matches the pattern, and something does.
exports() {
  nm -D --defined-only "$1" | awk '{ print $3 }' >"$HOME/symbols" && [ -s "$HOME/symbols" ] && ! grep -Ev "^($2)" "$HOME/symbols"
}
for library in "$prefix"/lib/libbeam*.so; do check "${library##*/} exports beam_ alone" exports "$library" beam_; done
for lua in 5.1 5.3 5.4; do
  check "beam.core for Lua $lua exports its opening and what nginx calls" exports "$prefix/lib/lua/$lua/beam/core.so" \
    'luaopen_beam_core$|beam_nginx_'
done
check "beamlua exports Lua alone" exports "$prefix/bin/beamlua" 'lua_|luaL_|luaopen_[a-z0-9]+$|std(in|out|err)@'

for header in "$prefix"/include/*.h; do
  for language in "c -std=c11" "c++ -std=c++17"; do
    # shellcheck disable=SC2086 # two words
    check "${header##*/} as $language" sh -c "echo '#include <${header##*/}>' |
      cc -x $language -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only -I'$prefix/include' -"
  done
done

echo theirs >"$prefix/share/lua/5.4/theirs.lua"
check "make uninstall" run_block uninstall .
check "only what is not ours is left" sh -c "[ \"\$(cd '$prefix' && find . ! -type d)\" = ./share/lua/5.4/theirs.lua ]"
rm "$prefix/share/lua/5.4/theirs.lua"
check "no folder of ours is left" sh -c "! find '$prefix' -mindepth 2 -name '*beam*' | grep ."

# A prefix with a blank in it; and who only takes away has nothing built.
spaced="$HOME/a prefix"
check "make install into a folder with a blank in its name" make install-files PREFIX="$spaced"
check "beamlua runs there" sh -c "[ \"\$('$spaced/bin/beamlua' -e 'print(1)')\" = 1 ]"
check "make uninstall" make uninstall PREFIX="$spaced"
check "nothing of it is left" sh -c "! find '$spaced' ! -type d | grep ."
check "which builds nothing" sh -c "! make --dry-run --always-make uninstall PREFIX='$spaced' | grep 'core/.*\.o'"
check "a prefix that is not absolute is refused" sh -c "! make install-files PREFIX=build/relative 2>'$HOME/refused' && grep -q 'PREFIX must be' '$HOME/refused'"
echo "1..$tests"
exit $failed
