#!/bin/sh
# lua-mpack 1.0.7-2 with libmpack0, beside lua-messagepack 0.5.2-1, lua5.3 5.3.6-2 (Debian 12).
# Guess: on a Lua that has integers an integer comes back as the integer that it was, at least from the same library.
# Seen: each comes back as a float: 7 as 7.0, which is "7.0" in a name or a URL that is made of it. Beyond 2^53, where ids of 64 bits are, another number is
# sent already, and math.maxinteger goes out as 2^63. Lua 5.1 has no other numbers; this is the module that is built for 5.3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-mpack=1.0.7-2 libmpack0 lua-messagepack=0.5.2-1 lua5.3=5.3.6-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.lua <<'END'
local libraries = { { "lua-mpack", require "mpack" }, { "lua-messagepack", require "MessagePack" } }
local function bytes(text)
  return (text:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end
for _, library in ipairs(libraries) do
  local name, coder = table.unpack(library)
  for _, value in ipairs { 7, 9007199254740993, math.maxinteger } do
    local packed = coder.pack(value)
    local again = coder.unpack(packed)
    print(name, value, bytes(packed), math.type(again), "task-" .. again, again == value)
  end
end
END
library=$(echo root/usr/lib/*-linux-gnu)
LD_LIBRARY_PATH=$library LUA_CPATH="$library/lua/5.3/?.so" LUA_PATH="root/usr/share/lua/5.3/?.lua" timeout 20 root/usr/bin/lua5.3 program.lua | tee seen
cat >wanted <<'END'
lua-mpack	7	07	float	task-7.0	true
lua-mpack	9007199254740993	cf0020000000000000	float	task-9.007199254741e+15	false
lua-mpack	9223372036854775807	cf8000000000000000	float	task-9.2233720368548e+18	false
lua-messagepack	7	07	integer	task-7	true
lua-messagepack	9007199254740993	cf0020000000000001	integer	task-9007199254740993	true
lua-messagepack	9223372036854775807	cf7fffffffffffffff	integer	task-9223372036854775807	true
END
cmp wanted seen
