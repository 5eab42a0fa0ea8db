#!/bin/sh
# The programs in README.md and docs/ do what the pages say, against a local Beam, on Lua 5.4 (beamlua) and LuaJIT; no link is dead.
# How a block is marked that is no program by itself: tests/hosts/docs/run.lua.
set -u
. tests/hosts/local_beam.sh
BEAM_SERVE_TOKEN=docs local_beam tests/hosts/docs/app.lua --quiet
export BEAM_GATEWAY_URL="$url" BEAM_TOKEN=docs BEAM_ROOT="$PWD" LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;;" LUA_CPATH LUA_ALONE
count=1

# Each page in a process of its own, in an empty folder.
run_page() {
  mkdir -p "$folder/work"
  (cd "$folder/work" && timeout -k 5 100 "$1" "$BEAM_ROOT/tests/hosts/docs/run.lua" "$2" "$count" </dev/null >"$folder/page" 2>"$folder/page.err")
  status=$?
  sed "/ok/s|\$| (${1##*/})|" "$folder/page"
  if [ "$status" -ne 0 ]; then
    sed 's/^/# /' "$folder/page.err"
    echo "not ok - $2 came to its end (${1##*/}, exit status $status)"
  fi
  count=$((count + $(grep -c '^ok\|^not ok' "$folder/page")))
  rm -rf "$folder/work"
}

for program in "$PWD/build/beamlua" luajit; do
  case $program in
    luajit) LUA_ALONE=luajit LUA_CPATH="$PWD/build/lua/jit/?.so;;" ;;
    *) LUA_ALONE=lua5.4 LUA_CPATH="$PWD/build/lua/5.4/?.so;;" ;;
  esac
  for page in README.md docs/*.md docs/hosts/*.md; do
    if grep -q '^```lua$' "$page"; then run_page "$program" "$page"; fi
  done
done
lua5.4 tests/hosts/docs/links.lua "$count"
