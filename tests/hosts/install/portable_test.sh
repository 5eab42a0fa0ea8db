#!/bin/sh
# make portable: the folder, somewhere else and under another name, answers from the local Beam with nothing but its own libraries.
set -u
. tests/hosts/local_beam.sh
number=0
check() {
  number=$((number + 1))
  what=$1
  shift
  if "$@" >"$folder/said" 2>&1; then echo "ok $number - $what"; else
    echo "not ok $number - $what"
    sed 's/^/# /' "$folder/said"
  fi
}

check "make portable" env XZ_OPT=-1 make portable # packed less tightly, in a fifth of the time
made=$(echo build/portable/beamlua-*-linux-"$(uname -m)")
mkdir "$folder/a place"
tar -C "$folder/a place" -xJf "$made.tar.xz" && mv "$folder/a place/${made##*/}" "$folder/a place/beam to go"
there="$folder/a place/beam to go"

cat >"$folder/hello.lua" <<'END'
local beam = require "beam"
print("12 * 2 = " .. assert(beam.call("multiply", { x = 12 })).result)
local conn = assert(beam.realtime "echo")
print("echo: " .. assert(conn:request({ word = "hello" }, { timeout = 10 })).response.word)
conn:close()
local glibc = { "^ld%-linux", "^libc%.", "^libm%.", "^libdl%.", "^libpthread%.", "^libresolv%.", "^librt%." }
local function is_of_glibc(name)
  for _, pattern in ipairs(glibc) do
    if name:find(pattern) then
      return true
    end
  end
end
local here = assert(arg[1])
for line in io.lines "/proc/self/maps" do
  local path = line:match "%s(/.*%.so.*)$"
  if path and path:sub(1, #here) ~= here and not is_of_glibc(path:match "[^/]*$") then
    error("a library of the system's: " .. path)
  end
end
END

local_beam --token portable --quiet
alone() { env -i BEAM_GATEWAY_URL="$url" BEAM_TOKEN=portable LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu "$there/bin/beamlua" "$@"; }
says_hello() {
  alone "$folder/hello.lua" "$there" >"$folder/hello" 2>&1
  printf '12 * 2 = 24\necho: hello\n' | diff - "$folder/hello"
}
check "a call and a connection, with the libraries of the folder alone" says_hello
check "doctor names their versions" sh -c "env -i '$there/bin/beamlua' doctor 2>&1 | grep -q 'libwebsockets [0-9]'"
check "the README says which glibc it takes" grep -q 'glibc 2\.[0-9]* or later' "$there/README"
check "licences stand beside the libraries" [ "$(find "$there/share/doc" -name '*.txt' | wc -l)" -gt 5 ]
check "no debugging symbols, no paths of the build" sh -c "! grep -rl '$PWD' '$there/bin' '$there/lib/lua'"
echo "1..$number"
