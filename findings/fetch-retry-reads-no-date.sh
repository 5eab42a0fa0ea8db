#!/bin/sh
# @vercel/fetch-retry 5.1.3 with node-fetch 2.7.0, make-fetch-happen 15.0.6, beside got 14.6.6 (npm), Node 20.
# Guess: of 503 with Retry-After both forms are heard, seconds and a date, as RFC 9110 has them: until then no second request.
# Seen: got waits for either. @vercel/fetch-retry reads seconds only (and hands the 503 on if they are many), and with a date comes back after some
# milliseconds, a POST too; make-fetch-happen, npm's own, reads neither and comes back after its own pause.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts @vercel/fetch-retry@5.1.3 node-fetch@2.7.0 make-fetch-happen@15.0.6 got@14.6.6 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import withRetries from "@vercel/fetch-retry";
import got from "got";
import makeFetchHappen from "make-fetch-happen";
import nodeFetch from "node-fetch";
const minute = 60_000;
const vercel = withRetries(nodeFetch);
const clients = {
  got: (url) => got(url, { retry: { limit: 1 } }),
  "@vercel/fetch-retry": (url) => vercel(url),
  "@vercel/fetch-retry, a POST": (url) => vercel(url, { method: "POST", body: "input" }),
  "make-fetch-happen": (url) => makeFetchHappen(url, { retry: { retries: 1, minTimeout: 100 } }),
};
for (const [name, ask] of Object.entries(clients))
  for (const form of ["seconds", "a date"]) {
    let requests = 0;
    const server = http.createServer((request, response) => {
      if (++requests > 1) return response.end("done");
      response.writeHead(503, { "retry-after": form === "seconds" ? "60" : new Date(Date.now() + minute).toUTCString() }).end();
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const answered = ask(`http://127.0.0.1:${server.address().port}`).then((response) => response.status ?? response.statusCode);
    answered.catch(() => {});
    const seen = await Promise.race([answered, sleep(4000).then(() => "no answer yet")]);
    console.log(`${name}, ${form}: ${requests} requests, ${seen}`);
    server.closeAllConnections();
    server.close();
  }
process.exit(0);
END
timeout 60 node program.mjs | tee seen
printf '%s\n' 'got, seconds: 1 requests, no answer yet' 'got, a date: 1 requests, no answer yet' \
  '@vercel/fetch-retry, seconds: 1 requests, 503' '@vercel/fetch-retry, a date: 2 requests, 200' \
  '@vercel/fetch-retry, a POST, seconds: 1 requests, 503' '@vercel/fetch-retry, a POST, a date: 2 requests, 200' \
  'make-fetch-happen, seconds: 2 requests, 200' 'make-fetch-happen, a date: 2 requests, 200' | cmp - seen
