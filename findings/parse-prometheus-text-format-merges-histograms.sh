#!/bin/sh
# parse-prometheus-text-format 1.1.1 (npm), Node 20.
# Guess: a histogram with labels is one histogram for each set of them, as a counter with labels is one counter.
# Seen: all sets become one: each bucket has the value of the set that came last, the labels are gone, and so are sum and count (which a histogram
# without labels keeps). The same of a summary. A latency by route, kind or status, read so, is that of the last one in the page.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts parse-prometheus-text-format@1.1.1 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import parse from "parse-prometheus-text-format";
const series = (route, few, all) => {
  const labels = (more) => (route ? `{route="${route}"${more && "," + more}}` : more && `{${more}}`);
  return `h_bucket${labels('le="1"')} ${few}\nh_bucket${labels('le="+Inf"')} ${all}\nh_sum${labels("")} 1.5\nh_count${labels("")} ${all}\n`;
};
for (const text of [series("", 1, 2), series("/a", 1, 2) + series("/b", 3, 4)]) console.log(JSON.stringify(parse("# TYPE h histogram\n" + text)[0].metrics));
END
timeout 30 node program.mjs | tee seen
printf '%s\n' '[{"buckets":{"1":"1","+Inf":"2"},"count":"2","sum":"1.5"}]' '[{"buckets":{"1":"3","+Inf":"4"}}]' | cmp - seen
