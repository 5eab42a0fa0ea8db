#!/bin/sh
# lua-inifile 1.0-3, lua5.3 5.3.6-2, beside configparser of Python (Debian 12).
# Guess: "token = abc", as Python's configparser writes it unless it is told otherwise, is the text "abc" under "token".
# Seen: the key loses its blanks, the value keeps its own: " abc", which is another token (true is then a text). A value that looks like a number is one, so
# that a token of digits loses the zeros before it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download lua-inifile=1.0-3 lua5.3=5.3.6-2 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
/usr/bin/python3 -c '
import configparser, sys
values = configparser.ConfigParser()
values["default"] = {"token": "abc", "digits": "0071", "flag": "true"}
for name, blanks in ("blanks", True), ("none", False):
    values.write(open(name + ".ini", "w"), space_around_delimiters=blanks)'
cat >program.lua <<'END'
local inifile = require "inifile"
for _, name in ipairs { "blanks", "none" } do
  local values = inifile.parse(name .. ".ini").default
  for _, key in ipairs { "token", "digits", "flag" } do print(name, key, type(values[key]), ("[%s]"):format(values[key])) end
end
END
LUA_PATH="root/usr/share/lua/5.3/?.lua" timeout 10 root/usr/bin/lua5.3 program.lua | tee seen
printf '%s\t%s\t%s\t%s\n' blanks token string '[ abc]' blanks digits number '[71]' blanks flag string '[ true]' \
  none token string '[abc]' none digits number '[71]' none flag boolean '[true]' | cmp - seen
