#!/bin/sh
# lua-messagepack 0.5.2-1, lua5.3 5.3.6-2 (Debian 12).
# Guess: what Lua has no integer for, an unsigned number beyond 2^63 - 1, is read as a float, as Lua reads such a literal, or refused.
# Seen: it wraps around: 2^64 - 1 is read as -1, 2^63 as math.mininteger. And an array element of an extension type (a timestamp among them) is
# read as nil without a word.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-messagepack=0.5.2-1 lua5.3=5.3.6-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.lua <<'END'
local unpack = require("MessagePack").unpack
print(unpack "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", unpack "\xcf\x80\0\0\0\0\0\0\0" == math.mininteger)
local list = unpack "\x93\x01\xd6\xff\0\0\0\1\x02"
print(list[1], list[2], list[3])
END
LUA_PATH="root/usr/share/lua/5.3/?.lua" timeout 10 root/usr/bin/lua5.3 program.lua | tee seen
printf '%s\t%s\n' -1 true '1' "nil	2" | cmp - seen
