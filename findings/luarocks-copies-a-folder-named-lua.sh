#!/bin/sh
# luarocks 3.8.0+dfsg1-1, lua5.4 5.4.4-3+deb12u1 (Debian 12).
# Guess: build.type "builtin" installs what `build.modules` names and nothing else.
# Seen: a folder named `lua` beside the rockspec is copied into the rock as it is, with sources in C and whatever lies there, though no module
# of it is named. So a project whose C sources stand in lua/ ships them, and object files with them, to each tree.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download luarocks=3.8.0+dfsg1-1 lua5.4=5.4.4-3+deb12u1 >/dev/null
for package in *.deb; do dpkg -x "$package" root; done
mkdir -p project/lua/binding && cd project
echo 'return { name = "one" }' >one.lua
echo 'int unused;' >lua/binding/source.c
echo 'not a module' >lua/notes.txt
cat >rock-1-1.rockspec <<'END'
package = "rock"
version = "1-1"
source = { url = "git+https://example.invalid/rock.git" }
build = { type = "builtin", modules = { one = "one.lua" } }
END
LUA_PATH="$folder/root/usr/share/lua/5.4/?.lua;$folder/root/usr/share/lua/5.4/?/init.lua" HOME="$folder" \
  "$folder/root/usr/bin/lua5.4" "$folder/root/usr/bin/luarocks" --lua-version 5.4 make --deps-mode=none --tree "$folder/tree" rock-1-1.rockspec >"$folder/log" 2>&1 ||
  { cat "$folder/log"; exit 1; }
cd "$folder/tree/share/lua/5.4" && find . -type f | LC_ALL=C sort >"$folder/seen"
cat "$folder/seen"
printf '%s\n' ./binding/source.c ./notes.txt ./one.lua | cmp - "$folder/seen"
