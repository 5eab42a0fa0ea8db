#!/bin/sh
# make hardening: what `make` has built, and the rock, as distributions want programs built: hardening-check reads the files, blhc the commands.
#   CC=cc LUA=5.4 LUA_LIBRARY=liblua5.4.a sh tests/release/hardening.sh
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
fail() { echo "hardening: $1" >&2; status=1; }

# Branch targets are marked in a program if every object in it has the mark. Where the libc's start files or Lua's archive have none (Debian 12), nothing
# that is linked with them can: then it is asked of our objects alone.
marked() { readelf -n "$1" 2>/dev/null | grep -q 'x86 feature: .*IBT, SHSTK'; }
echo 'extern int luaL_openlibs(void *); int main(void) { return luaL_openlibs(0); }' >"$folder/lua.c"
${CC:-cc} -fcf-protection "$folder/lua.c" -o "$folder/lua" "$LUA_LIBRARY" -lm -ldl 2>/dev/null
marks=
marked "$folder/lua" || { marks=--nocfprotection; echo "NOTE   the system's own objects have no marks for branches: asked of ours alone"; }

echo "CHECK  hardening-check"
for file in build/beamlua build/libbeam.so build/libbeamhost.so build/lua/*/beam/*.so; do
  hardening-check $marks "$file" >"$folder/report" || { cat "$folder/report"; fail "$file"; }
done
readelf -h build/beamlua | grep -q 'DYN (Position-Independent' || fail "build/beamlua: is loaded at a fixed address"
case $(${CC:-cc} -dumpmachine) in x86_64* | i?86*)
  for object in $(find build/core build/binding build/host -name '*.o' ! -path build/host/lua.o); do marked "$object" || fail "$object: no marks for branches"; done
esac

# It reads the log of a build of Debian's, which begins with this line.
echo "CHECK  blhc"
echo "dpkg-buildpackage: info: host architecture $(dpkg --print-architecture)" >"$folder/log"
make --no-print-directory --dry-run --always-make V=1 LUA="$LUA" all >>"$folder/log" 2>/dev/null || fail "the commands of make cannot be told"
[ "$(grep -c -- ' -c -o ' "$folder/log")" -gt 100 ] || fail "these are not the commands of make"
blhc --all --line-numbers "$folder/log" || fail "blhc"

# The rock takes the compiler's flags from LuaRocks: by the command of docs/install.md.
echo "CHECK  the rock"
sed -n '/^```sh hardened$/,/^```$/p' docs/install.md | sed '1d;$d' >"$folder/command"
mkdir "$folder/tree" && git ls-files | tar -cf - -T - | tar -xf - -C "$folder/tree" # LuaRocks leaves its objects in the tree
(cd "$folder/tree" && HOME=$folder && export HOME && sh -eu "$folder/command") >"$folder/output" 2>&1 || { tail -n 20 "$folder/output" >&2; fail "the rock cannot be built"; }
for file in $(find "$folder/rocks" -name '*.so'); do
  hardening-check $marks "$file" >"$folder/report" || { cat "$folder/report"; fail "the rock's ${file##*/}"; }
done
find "$folder/rocks" -name core.so | grep -q . || fail "the rock has no core.so"
[ $status = 0 ] && echo "OK     $(ls build/beamlua build/*.so build/lua/*/beam/*.so | wc -l) files, $(grep -c -- ' -o ' "$folder/log") commands, the rock"
exit $status
