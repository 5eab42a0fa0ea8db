#!/bin/sh
# scripts/days_work.lua and scripts/chat_completions.lua do what they say, on each Lua, against a local Beam.
set -u
. tests/hosts/local_beam.sh
count=0

# check NAME WANTED GOT
check() {
  count=$((count + 1))
  if [ "$2" = "$3" ]; then
    echo "ok $count - $1"
  else
    echo "not ok $count - $1"
    printf 'wanted:\n%s\ngot:\n%s\n' "$2" "$3" | sed 's/^/# /'
  fi
}

BEAM_SERVE_TOKEN=scripts local_beam tests/hosts/scripts/app.lua --quiet
export BEAM_GATEWAY_URL="$url" BEAM_TOKEN=scripts LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;;"
echo "the file" >"$folder/in.txt"

for lua in 5.1:lua5.1 jit:luajit 5.3:lua5.3 5.4:lua5.4; do
  program=${lua#*:}
  export LUA_CPATH="$PWD/build/lua/${lua%:*}/?.so;;"
  rm -rf "$folder/results" && mkdir "$folder/results"
  "$PWD/build/beamlua" deployment start work --kind taskqueue >"$folder/out" 2>&1
  timeout -k 5 100 "$program" scripts/days_work.lua work "$folder/in.txt" "$folder/results" 100 >"$folder/out" 2>&1
  check "days_work.lua ends well ($program)" 0 $?
  check "it says what it did ($program)" "submitted 100
called back 100 lines 200
downloaded 992
stopped work" "$(grep -v '^uploaded' "$folder/out" | tr '\t' ' ')"
  check "each result is there ($program)" "100 result 1 result 100" \
    "$(find "$folder/results" -name '*-result.txt' | wc -l | tr -d ' ') $(cat "$folder/results/001-result.txt") $(cat "$folder/results/100-result.txt")"
  check "chat_completions.lua prints the answer ($program)" "A line of light.
tokens 9" "$(timeout -k 5 60 "$program" scripts/chat_completions.lua vllm hello 2>&1 | tr '\t' ' ')"
done
echo "1..$count"
