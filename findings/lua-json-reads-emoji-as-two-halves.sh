#!/bin/sh
# lua-json 1.3.4-2, lua-lpeg 1.0.2-2 (Debian 12).
# Guess: a character beyond U+FFFF, escaped as JSON escapes it (a surrogate pair; so does Python's json.dumps by default), is read as UTF-8: 4 bytes.
# Seen: each half is read on its own: 6 bytes, which are no UTF-8. An emoji in an answer becomes a text that a WebSocket must refuse (1007).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-json=1.3.4-2 lua-lpeg=1.0.2-2 lua5.3=5.3.6-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.lua <<'END'
local text = require("json").decode [["\ud83d\ude00"]]
print((text:gsub(".", function(byte) return ("%02x "):format(byte:byte()) end)) .. "valid: " .. tostring(utf8.len(text) == 1))
END
modules=$(echo root/usr/lib/*/lua/5.3)
LUA_PATH="root/usr/share/lua/5.3/?.lua;root/usr/share/lua/5.3/?/init.lua" LUA_CPATH="$modules/?.so" timeout 10 root/usr/bin/lua5.3 program.lua | tee seen
echo 'ed a0 bd ed b8 80 valid: false' | cmp - seen
