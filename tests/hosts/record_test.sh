#!/bin/sh
# beamlua --record and beamlua serve --replay as a person uses them: a session with faults is recorded in one process, and played in two others.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/local_beam.sh
export BEAM_TOKEN='s3cret/t0ken+of=mine'
local_beam --token "$BEAM_TOKEN" --quiet --fault status=429:1,drop_after=1:1
count=0 failed=0 replay=
trap '[ -n "$replay" ] && kill "$replay" 2>/dev/null; kill "$server" 2>/dev/null; wait; rm -rf "$folder"' EXIT

# check NAME WANTED GOT
check() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
    printf 'wanted: %s\ngot: %s\n' "$2" "$3" | sed 's/^/# /'
  fi
}

# The client: a call that is refused once, a stream, a connection that is lost and comes back, both kinds of messages, another call. An
# argument changes what it says.
cat >"$folder/client.lua" <<'LUA'
local soon = beam.retry.backoff { base = 0.001, max = 0.01 }
print(assert(beam.call("multiply", { x = 4, key = os.getenv "BEAM_TOKEN" }, { retry = soon })).result)
for item in beam.stream { "generate", input = { prompt = "a stream of words", delay = 0.02 } } do
  print(item.token)
end
local conn = assert(beam.realtime("echo", { retry = soon }))
for i = 1, 3 do
  conn:send { number = i, text = "é" }
  print(conn:receive(10).response.number)
  while i == 1 and conn:stats().reconnects == 0 do
    beam.sleep(0.01) -- here it is lost
  end
end
conn:send_binary(("\0\255"):rep(10)) -- what is no JSON is not answered
conn:send { last = ... or "word" }
print(conn:receive(10).response.last)
conn:close(4000, "done")
LUA

# play [argument of the client]: plays the recording. Sets $report, $seen and $status.
play() {
  : >"$folder/replay"
  build/beamlua serve --replay "$folder/session.jsonl" --port 0 $options >"$folder/replay" 2>&1 &
  replay=$!
  tries=200
  until address=$(sed -n 's/.*BEAM_GATEWAY_URL=\([^)]*\)).*/\1/p' "$folder/replay") && [ -n "$address" ]; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || break
    sleep 0.05
  done
  seen=$(BEAM_GATEWAY_URL=$address build/beamlua --record "$folder/again.jsonl" "$folder/client.lua" "$@" 2>&1)
  wait "$replay"
  status=$?
  replay=
  report=$(sed 1d "$folder/replay")
}

# The bytes that the server sent, in order, of each kind.
# In how many pieces a body comes is the network's affair: those that follow each other are one.
sent_by_server() {
  grep -E '"event":"(received|answer|piece|done|open)"' "$1" | sed 's/^{"at":[0-9.]*,//' | grep -v '"text":"{\\"type\\":\\"ping\\"}"' |
    sed -e ':join' -e '/"event":"piece"/{' -e 'N' -e 's/"}\n"request":[0-9]*,"event":"piece","text":"//' -e 't join' -e '}'
}

first=$(BEAM_GATEWAY_URL=$url build/beamlua --record "$folder/session.jsonl" "$folder/client.lua" 2>"$folder/err")
check "a session is recorded" "$(printf '8\na\nstream\nof\nwords\n1\n2\n3')" "$(printf '%s\n' "$first" | head -n 8)"
check "it is one JSON object a line" 0 "$(grep -cv '^{.*}$' "$folder/session.jsonl")"

options=--fast play
check "it is played to the same client" "$first" "$seen"
check "… with no difference" "2 connections and 3 requests played, 11 messages compared: no difference" "$(printf '%s\n' "$report" | head -n 1)"
check "… which is exit code 0" 0 "$status"
check "… to the byte" "$(sent_by_server "$folder/session.jsonl")" "$(sent_by_server "$folder/again.jsonl")"

options=--speed=2 play
check "it is played in half the time" "$first 0" "$seen $status"

options=--fast play other
check "a client that was changed is caught, by name" \
  'first difference: connection 2, message 4 (line N): expected {"last":"word"}, got {"last":"other"} (they differ at last)' \
  "$(printf '%s\n' "$report" | sed -n 's/(line [0-9]*)/(line N)/; 2p')"
check "… which is exit code 1" 1 "$status"

for secret in "$BEAM_TOKEN" 's3cret\/t0ken' s3cret%2Ft0ken "$(printf %s "$BEAM_TOKEN" | base64 | tr -d '=\n')" uthorization; do
  check "no $secret in the file" 0 "$(grep -cF -- "$secret" "$folder/session.jsonl")"
done

printf 'beam.sleep(0) assert(beam.call("multiply", { x = 1 }))\n' |
  BEAM_GATEWAY_URL=$url build/beamlua --record="$folder/prompt.jsonl" -i >"$folder/err" 2>&1
check "the prompt is recorded" 1 "$(grep -c '"text":"{\\"result\\":2}"' "$folder/prompt.jsonl")"

# A disk that is full: said once, and the script goes on.
full=$(trap '' XFSZ; ulimit -f 2; BEAM_GATEWAY_URL=$url build/beamlua --record "$folder/full.jsonl" -e '
  for i = 1, 30 do assert(beam.call("multiply", { x = i })) end print "went on"' 2>&1)
check "a full disk is told of once, and the script goes on" \
  "$(printf 'beam: warning: the recording %s ends here: File too large\nwent on' "$folder/full.jsonl")" "$full"

build/beamlua serve --replay "$folder/client.lua" 2>"$folder/err"
check "what is no recording is refused" "22 beamlua serve: $folder/client.lua, line 1: no JSON: invalid JSON at character 1: a value was expected" \
  "$? $(cat "$folder/err")"
build/beamlua serve --replay "$folder/session.jsonl" --fast --speed 3 2>"$folder/err"
check "--fast and --speed are one too many" "2 beamlua serve: one of --fast and --speed" "$? $(cat "$folder/err")"
build/beamlua --record 2>"$folder/err"
check "--record wants a file" "2 beamlua: --record wants an argument" "$? $(head -n 1 "$folder/err")"

echo "1..$count"
[ "$failed" -eq 0 ]
