#!/bin/sh
# make analyze: gcc's analyser and clang-tidy (.clang-tidy) over all of our C. What they say fails it, but for what analyzer.accepted has.
#   FLAGS="-I…" sh tests/release/analyze.sh
set -u
cd "$(dirname "$0")/../.." || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
accepted=tests/release/analyzer.accepted
status=0
git ls-files 'core/*.c' 'lua/*.c' >"$folder/files"
at_once=$(nproc 2>/dev/null || echo 1)

echo "CHECK  gcc -fanalyzer, $(wc -l <"$folder/files") files"
each() { xargs -P "$at_once" -I{} "$@" <"$folder/files"; }
each gcc $FLAGS -std=c11 -O1 -fanalyzer -fdiagnostics-plain-output -c -o /dev/null {} 2>"$folder/analyzer"
grep -q 'error:' "$folder/analyzer" && { cat "$folder/analyzer"; exit 1; }
# The file's name and the kind; where a finding has no place of its own, its first event has.
awk '/warning: .*\[-Wanalyzer-/ { kind = $0; sub(/.*\[-Wanalyzer-/, "", kind); sub(/\].*/, "", kind); place = $1; said = $0; if (place ~ /^cc1/) next; kind_of(place) }
     /note: \(1\)/ && place ~ /^cc1/ { kind_of($1); place = "" }
     function kind_of(where) { sub(/:.*/, "", where); print where " " kind }' "$folder/analyzer" | sort -u >"$folder/kinds"
while read -r file kind; do
  grep -q "^$file $kind: " "$accepted" || { grep -A 12 -F "$file" "$folder/analyzer"; echo "analyze: $file: $kind" >&2; status=1; }
done <"$folder/kinds"

echo "CHECK  clang-tidy"
each clang-tidy --quiet --warnings-as-errors='*' {} -- $FLAGS -std=c11 >"$folder/tidy" 2>"$folder/errors" || { cat "$folder/tidy"; grep 'error' "$folder/errors"; status=1; }
[ $status = 0 ] && echo "OK     $(wc -l <"$folder/kinds") accepted, of $(grep -vc '^#' "$accepted")"
exit $status
