#!/bin/sh
# @fastify/http-proxy 11.6.3, fastify 5.12.8, beside crossws 0.4.17 as a proxy; ws 8.23.0 as both ends (npm), Node 20.
# Guess: what a proxy may not send (1005, no code; 1006, no close frame) it does as it was done to it: a close without a code, an end without a frame.
# Seen: fastify's adds 3000: a lost app is 4006 to the client, a client that is lost or leaves without a code 4006 or 4005 to the app. 4000 to 4999 are
# the app's own codes, and who comes back after a loss does not come back after them. crossws says 1011 and 1000 in their place: to the app a client
# that was lost has left on purpose.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts @fastify/http-proxy@11.6.3 fastify@5.12.8 crossws@0.4.17 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import http from "node:http";
import fastify from "fastify";
import fastifyProxy from "@fastify/http-proxy";
import { createWebSocketProxy } from "crossws";
import crosswsNode from "crossws/adapters/node";
import WebSocket, { WebSocketServer } from "ws";

const app = new WebSocketServer({ host: "127.0.0.1", port: 0 });
await new Promise((listening) => app.on("listening", listening));
const target = `127.0.0.1:${app.address().port}`;
const toldApp = {};
app.on("connection", (connection, request) => {
  connection.on("close", (code) => toldApp[request.url](code));
  connection.on("message", () => {
    if (request.url === "/app/is-lost") connection.terminate();
    if (request.url === "/app/leaves") connection.close();
  });
});

const first = fastify();
first.register(fastifyProxy, { upstream: `http://${target}`, websocket: true });
await first.listen({ host: "127.0.0.1", port: 0 });
const other = http.createServer();
other.on("upgrade", crosswsNode({ hooks: createWebSocketProxy((peer) => `ws://${target}${new URL(peer.request.url).pathname}`) }).handleUpgrade);
await new Promise((listening) => other.listen(0, "127.0.0.1", listening));

for (const [name, server] of [["no proxy", app], ["fastify", first.server], ["crossws", other]]) {
  const told = {};
  for (const who of ["app", "client"]) {
    for (const what of ["is-lost", "leaves"]) {
      const path = `/${who}/${what}`;
      const client = new WebSocket(`ws://127.0.0.1:${server.address().port}${path}`);
      const appHears = new Promise((hears) => (toldApp[path] = hears));
      const clientHears = new Promise((hears) => client.on("close", hears));
      client.on("open", () => {
        client.send("go");
        setTimeout(() => who === "client" && (what === "is-lost" ? client.terminate() : client.close()), 500);
      });
      told[`${who} ${what}`] = await (who === "app" ? clientHears : appHears);
    }
  }
  console.log(name, JSON.stringify(told));
}
process.exit(0);
END
timeout 60 node program.mjs | tee seen
printf '%s\n' 'no proxy {"app is-lost":1006,"app leaves":1005,"client is-lost":1006,"client leaves":1005}' \
  'fastify {"app is-lost":4006,"app leaves":4005,"client is-lost":4006,"client leaves":4005}' \
  'crossws {"app is-lost":1011,"app leaves":1000,"client is-lost":1000,"client leaves":1000}' | cmp - seen
