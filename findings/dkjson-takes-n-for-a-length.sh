#!/bin/sh
# lua-dkjson 2.6-2 (Debian 12).
# Guess: a table with string keys is an object.
# Seen: a number under the key "n" is taken for the length of an array (as of table.pack), also where no element is: {n = 3} is written as three
# nulls, {n = 0} as no element, and only a second key brings the object back. A handler that wants {"n": 3} gets a list.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-dkjson=2.6-2 lua5.4=5.4.4-3+deb12u1 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.lua <<'END'
local json = require "dkjson"
for _, value in ipairs { { n = 3 }, { n = 0 }, { 1, 2, n = 2 }, { n = 3, word = "x" }, { n = "3" } } do print(json.encode(value, { keyorder = { "n" } })) end
END
LUA_PATH="root/usr/share/lua/5.4/?.lua" timeout 10 root/usr/bin/lua5.4 program.lua | tee seen
printf '%s\n' '[null,null,null]' '[]' '[1,2]' '{"n":3,"word":"x"}' '{"n":"3"}' | cmp - seen
