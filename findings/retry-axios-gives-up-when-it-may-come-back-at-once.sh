#!/bin/sh
# retry-axios 4.0.3, axios 1.21.1 (npm), Node 20.
# Guess: "Retry-After: 0", or a date that has passed (the clocks of two machines differ, an answer takes its time), means that the request may be
# sent again at once. Without the field it is sent again after a pause.
# Seen: with either it is not sent again at all, and the 503 is told as final. The shorter the server's wish, the sooner the caller fails.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts retry-axios@4.0.3 axios@1.21.1 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import axios from "axios";
import * as retry from "retry-axios";
const minute = 60_000;
const fields = [["nothing"], ["1", "1"], ["0", "0"], ["a date that has passed", new Date(Date.now() - minute).toUTCString()]];
for (const [name, value] of fields) {
  let requests = 0;
  const server = http.createServer((request, response) => {
    if (++requests > 1) return response.end("done");
    response.writeHead(503, value ? { "retry-after": value } : {}).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = axios.create({ raxConfig: { retry: 3 } });
  retry.attach(client);
  const answer = await client.get(`http://127.0.0.1:${server.address().port}`).catch((error) => error.response);
  console.log(`after ${name}: ${requests} requests, ${answer.status}`);
  server.close();
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf 'after %s\n' 'nothing: 2 requests, 200' '1: 2 requests, 200' '0: 1 requests, 503' 'a date that has passed: 1 requests, 503' | cmp - seen
