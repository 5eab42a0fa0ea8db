#!/bin/sh
# docs/install.md, "LuaRocks": the rock in clean trees, without a network, by the commands of the page; what it holds and what it exports.
#   LUAS="5.1 jit 5.3 5.4" sh tests/hosts/install/rock_test.sh      every way for each Lua (make rocks); without LUAS each way once
#
# Compiled without optimising: what is tested is the rock.
set -u
. tests/hosts/local_beam.sh
. tests/hosts/install/install_docs.sh
HOME=$folder/home
mkdir "$HOME"
unset LUA_PATH LUA_CPATH
programs || { echo "not ok 1 - docs/install.md has the programs"; exit 1; }
local_beam --token rock --quiet
export HOME BEAM_GATEWAY_URL="$url" BEAM_TOKEN=rock
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 no_proxy=127.0.0.1 # who asks the network is refused
mkdir "$HOME/.luarocks"
flags='CFLAGS = "-O0 -fPIC"'
export LUAROCKS_CONFIG="$HOME/config.lua"

# The commands write into the source tree: they do so in a copy of it.
make dist >"$HOME/output" 2>&1 && tar -C "$HOME" -xzf build/dist/lua-beam-*.tar.gz || { sed 's/^/# /' "$HOME/output"; echo "not ok 1 - make dist"; exit 1; }
copy=$(echo "$HOME"/lua-beam-*)
(cd "$copy" && lua5.4 tests/rockspec.lua >lua-beam-scm-1.rockspec && git init -q && git add . && git -c user.name=t -c user.email=t@example.com commit -qm t) || exit 1

check "the rockspec of the tree is well-formed" luarocks lint lua-beam-scm-1.rockspec
check "that of the release is" luarocks lint build/dist/lua-beam-0.1.0-1.rockspec

# exports FOLDER: what nginx calls, and the openings; nothing of libbeam.
exports() {
  nm -D --defined-only "$1"/*.so | awk 'NF == 3 { print $3 }' >"$HOME/symbols" && grep -qx luaopen_beam_core "$HOME/symbols" &&
    ! grep -Ev '^(luaopen_beam_(core|host)$|beam_nginx_)' "$HOME/symbols"
}
# The release brings the module and beamlua; no sources, no objects.
only_ours() {
  ! (cd "$1" && find . -type f | grep -Ev '^./(share/lua/5\..(/beam/.*\.lua)|lib/lua/5\../beam/(core|host)\.so|bin/beamlua|lib/luarocks/.*)$')
}

# in_tree VERSION PROGRAM
in_tree() {
  rm -rf "$HOME/rocks"
  check "$2: make in the tree" run_block make "$copy" "$1"
  check "$2: it runs" run_hello rock-run "$HOME" "$1" "$2"
  check "$2: beamlua runs it" run_hello rock-beamlua "$HOME" "$1"
  check "$2: beamlua's commands" commands "$1"
  check "$2: what it exports" exports "$HOME/rocks/lib/lua/$1/beam"
}

# packed VERSION PROGRAM
packed() {
  rm -rf "$HOME/rocks" "$HOME/other-rocks"
  check "$2: packed and installed" run_block rock "$copy" "$1"
  check "$2: it runs" run_hello rock-run "$HOME" "$1" "$2"
  check "$2: beamlua runs it" run_hello rock-beamlua "$HOME" "$1"
  check "$2: what it exports" exports "$HOME/rocks/lib/lua/$1/beam"
  check "$2: beamlua's commands" commands "$1"
  check "$2: nothing but ours is in it" only_ours "$HOME/rocks"
  check "$2: packed as a binary and installed" run_block binary "$HOME" "$1"
  rm -rf "$HOME/rocks" "$HOME"/*.rock && mv "$HOME/other-rocks" "$HOME/rocks"
  check "$2: it runs" run_hello rock-run "$HOME" "$1" "$2"
}

# The rock's beamlua: commands in pipes, exit codes, a signal while it waits. program VERSION
commands() {
  eval "$(luarocks --lua-version "$1" path --tree "$HOME/rocks")"
  [ "$(beamlua call multiply '{"x":4}')" = '{"result":8}' ] && [ "$(echo '{"a":1}' | beamlua realtime echo)" = '{"response":{"a":1}}' ] || return 1
  [ "$(printf '{ 1, x = "y" }\nif 1 then\nprint(6 * 7) end\n' | beamlua -i | tr -d '> \n')" = 'beamlua0.1.0,Lua5.'"${1#5.}"'{1,x="y"}42' ] || return 1
  beamlua call multiply '{"x":"a"}'
  [ $? -gt 2 ] || return 1
  echo 'error "boom"' | beamlua -
  [ $? -eq 1 ] || return 1
  beamlua -e 'print "up" io.stdout:flush() beam.sleep(60)' >"$HOME/up" &
  tries=200
  until [ -s "$HOME/up" ] || [ $((tries -= 1)) -eq 0 ]; do sleep 0.05; done
  kill -TERM $!
  wait $!
  [ $? -eq 143 ]
}

# for_lua NAME WAY…: the ways to install, with that Lua's headers.
for_lua() {
  case $1 in
    jit) version=5.1 program=luajit headers='LUA_INCDIR = "/usr/include/luajit-2.1",' ;;
    *) version=$1 program=lua$1 headers= ;;
  esac
  echo "variables = { $headers $flags }" >"$LUAROCKS_CONFIG"
  shift
  for way in "$@"; do $way $version $program; done
}

if [ "${LUAS:-}" ]; then
  for lua in $LUAS; do for_lua "$lua" in_tree packed; done
else
  for_lua jit in_tree
  for_lua 5.4 packed
fi
echo "1..$tests"
exit $failed
