#!/bin/sh
# http-proxy 1.18.1, beside http-proxy-3 2.0.1 and httpxy 0.5.6; ws 8.23.0 as the client (npm), Node 20.
# Guess: where the app refuses a WebSocket, its answer passes a proxy as the answer to a call does: status, head and body.
# Seen: http-proxy keeps "Transfer-Encoding: chunked" in the head and sends the body without chunks. A client that reads why it was refused (a 401's
# JSON: most frameworks write it in chunks) fails with "Invalid character in chunk size" in place of that. To a plain call the same answer comes well, and with a
# Content-Length the refusal does, too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts http-proxy@1.18.1 http-proxy-3@2.0.1 httpxy@0.5.6 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import WebSocket from "ws";
import first from "http-proxy";
import * as third from "http-proxy-3";
import * as other from "httpxy";

const listen = (server) => new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(server.address().port)));

const BODY = '{"message":"token"}';
const refuse = (length) => (request, to) => {
  const answer = to.writeHead ? to : new http.ServerResponse(request);
  if (!to.writeHead) answer.assignSocket(to);
  answer.shouldKeepAlive = false;
  answer.writeHead(401, length ? { "Content-Length": BODY.length } : {});
  answer.write(BODY);
  answer.end();
  answer.on("finish", () => to.end());
};

const called = (port) => fetch(`http://127.0.0.1:${port}/`).then(async (answer) => `${answer.status} ${await answer.text()}`);
const refused = (port) => new Promise((told) => {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  client.on("error", (error) => told(error.message));
  client.on("unexpected-response", (_request, answer) => {
    let body = "";
    answer.on("data", (piece) => (body += piece));
    answer.on("end", () => told(`${answer.statusCode} ${body}`));
    answer.on("error", () => {});
  });
});

for (const length of [true, false]) {
  const app = http.createServer(refuse(length)).on("upgrade", refuse(length));
  const target = `http://127.0.0.1:${await listen(app)}`;
  for (const [name, library] of Object.entries({ "http-proxy": first, "http-proxy-3": third, httpxy: other })) {
    const proxy = library.createProxyServer({ target, ws: true });
    const server = http.createServer((request, answer) => proxy.web(request, answer));
    server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, name === "httpxy" ? {} : head, head));
    const port = await listen(server);
    console.log(`${name}, ${length ? "a length" : "chunks"}: a call ${await called(port)}; a WebSocket ${await refused(port)}`);
  }
}
process.exit(0);
END
timeout 60 node program.mjs | tee seen
{
  for name in http-proxy http-proxy-3 httpxy; do echo "$name, a length: a call 401 {\"message\":\"token\"}; a WebSocket 401 {\"message\":\"token\"}"; done
  echo 'http-proxy, chunks: a call 401 {"message":"token"}; a WebSocket Parse Error: Invalid character in chunk size'
  for name in http-proxy-3 httpxy; do echo "$name, chunks: a call 401 {\"message\":\"token\"}; a WebSocket 401 {\"message\":\"token\"}"; done
} | cmp - seen
