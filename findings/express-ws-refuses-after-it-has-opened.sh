#!/bin/sh
# express-ws 5.0.2 with express 5.3.0, koa-websocket 7.0.0 with koa 3.3.0, ws 8.23.0 (npm), Node 20.
# Guess: middleware stands before a WebSocket's route as it does before any other: what it refuses (403) and what has no route (404) gets no 101.
# Seen: both answer 101 to every upgrade, and run the middleware then. Under express-ws a refusal and an unknown path are a connection that opens and is
# closed with no code, which reads as a normal end; under koa-websocket one that stays open, silent. What a client says as it opens, while middleware
# still asks a database, nobody hears.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts express-ws@5.0.2 express@5.3.0 koa-websocket@7.0.0 koa@3.3.0 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import expressWs from "express-ws";
import Koa from "koa";
import koaWebSocket from "koa-websocket";
import { WebSocket } from "ws";
const echo = (socket) => socket.on("message", (message) => socket.send(`echo of ${message}`));

const one = express();
const oneServer = expressWs(one).app.listen(0, "127.0.0.1");
one.use("/forbidden", (request, response) => response.status(403).send("no"));
one.use("/slow", (request, response, next) => setTimeout(next, 200));
for (const path of ["/quick", "/slow", "/forbidden"]) one.ws(path, echo);

const two = koaWebSocket(new Koa());
two.silent = true;
two.ws.use(async (context) => {
  if (context.path === "/slow") await sleep(200);
  if (context.path === "/forbidden") context.throw(403);
  if (context.path !== "/unknown") echo(context.websocket);
});
const twoServer = two.listen(0, "127.0.0.1");

for (const [name, server] of [["express-ws", oneServer], ["koa-websocket", twoServer]]) {
  if (!server.listening) await new Promise((resolve) => server.on("listening", resolve));
  for (const path of ["/quick", "/slow", "/forbidden", "/unknown"]) {
    const told = [];
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}${path}`);
    client.on("open", () => { told.push("open"); client.send("early"); });
    client.on("message", (message) => told.push(`${message}`));
    client.on("error", (error) => told.push(error.message));
    client.on("close", (code) => told.push(`closed with ${code}`));
    await sleep(1000);
    if (client.readyState === WebSocket.OPEN) told.push("still open");
    console.log(`${name} ${path}: ${told.join(", ")}`);
    client.terminate();
  }
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
cat >wanted <<'END'
express-ws /quick: open, echo of early, still open
express-ws /slow: open, still open
express-ws /forbidden: open, closed with 1005
express-ws /unknown: open, closed with 1005
koa-websocket /quick: open, echo of early, still open
koa-websocket /slow: open, still open
koa-websocket /forbidden: open, still open
koa-websocket /unknown: open, still open
END
cmp wanted seen
