#!/bin/sh
# A disk that is full in the middle of a recording, of a download, of what waits to be uploaded, of what a command writes: it is said, once, and
# the rest goes on. A limit on the size of files is one that a test may set; its signal is ignored, so that writing fails as on a full disk.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/local_beam.sh

count=0
check() {
  count=$((count + 1))
  if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; failed=1; fi
}
failed=0
local_beam --token t
export BEAM_GATEWAY_URL="$url" BEAM_TOKEN=t

# At most 100 KiB a file.
limited() { (trap '' XFSZ && ulimit -f 200 && exec "$@"); }

cat >"$folder/calls.lua" <<'LUA'
local beam = require "beam"
local recorder = assert(require("beam.record").to(arg[1]))
for _ = 1, 100 do
  local _, err = beam.call("nobody", { text = ("x"):rep(2000) }, { retry = false })
  assert(err.status == 400, tostring(err))
end
recorder:stop()
print "went on"
LUA
limited build/beamlua "$folder/calls.lua" "$folder/session.jsonl" >"$folder/said" 2>"$folder/warned"
check $? "a program goes on when its recording cannot"
grep -q "went on" "$folder/said"
check $? "to its end"
[ "$(grep -c "ends here: File too large" "$folder/warned")" = 1 ]
check $? "and says so, once"

head -c 1000000 /dev/urandom >"$folder/big"
build/beamlua upload "$folder/big" >/dev/null 2>&1
name=$(build/beamlua volume list uploads | cut -f 1)
! limited build/beamlua volume download "uploads/$name" --output "$folder/copy" 2>"$folder/warned" &&
  grep -q "cannot be written to .*File too large" "$folder/warned"
check $? "a download that finds no room says so"
[ ! -e "$folder/copy" ]
check $? "and leaves nothing that could be taken for the file"
build/beamlua volume download "uploads/$name" --output "$folder/copy" >/dev/null && cmp -s "$folder/copy" "$folder/big"
check $? "with room it is whole"

# The last of it still stands in the buffer when the function has ended.
cat >"$folder/upload.lua" <<'LUA'
local left = 1044
local ok, err = require("beam").volume("uploads"):upload(function()
  left = left - 1
  return left >= 0 and ("x"):rep(100) or nil
end, "from-a-function")
print(ok, err)
LUA
limited build/beamlua "$folder/upload.lua" | grep -q "nil.*cannot be kept for a while: File too large"
check $? "an upload of what a function gives is not sent without its end"
! build/beamlua volume list uploads | grep -q from-a-function
check $? "nor made"

if [ -e /dev/full ]; then
  build/beamlua call multiply x:=2 --output /dev/full 2>&1 | grep -q "/dev/full cannot be written: No space left on device"
  check $? "a command says why its file cannot be written"
  echo '{"x":"a"}' | build/beamlua map multiply --failures /dev/full 2>&1 | grep -q "/dev/full cannot be written: No space left on device"
  check $? "and its list of failures"
fi

echo "1..$count"
exit $failed
