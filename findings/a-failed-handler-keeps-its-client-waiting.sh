#!/bin/sh
# express-ws 5.0.2 with express 5.3.0, koa-websocket 7.0.0 with koa 3.3.0, websocket-express 4.0.1, @hono/node-ws 1.3.1, @fastify/websocket 11.3.7 with
# fastify 5.12.8, ws 8.23.0 (npm), Node 20.
# Guess: a handler that throws ends its connection: with 1011 ("internal error"), as servers in Python do, or with a refusal where it had not opened.
# Seen: fastify ends TCP (1006). All others print the error, and the connection stays open with nobody behind it; websocket-express, where it had not been
# accepted yet, never answers the upgrade at all. Only a deadline of the client's own, or an application's ping that stops, tells.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts express-ws@5.0.2 express@5.3.0 koa-websocket@7.0.0 koa@3.3.0 websocket-express@4.0.1 \
  @hono/node-ws@1.3.1 @hono/node-server@1.19.19 hono@4.13.19 @fastify/websocket@11.3.7 fastify@5.12.8 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";
import expressWs from "express-ws";
import Koa from "koa";
import koaWebSocket from "koa-websocket";
import { WebSocketExpress } from "websocket-express";
import { Hono } from "hono";
import { serve } from "@hono/node-server";
import { createNodeWebSocket } from "@hono/node-ws";
import fastify from "fastify";
import fastifyWebSocket from "@fastify/websocket";
import { WebSocket } from "ws";
const fail = () => { throw new Error("the handler failed"); };
const servers = {
  "express-ws"() {
    const { app } = expressWs(express());
    app.ws("/", fail);
    return app.listen(0, "127.0.0.1");
  },
  "koa-websocket"() {
    const app = koaWebSocket(new Koa());
    app.ws.use(fail);
    return app.listen(0, "127.0.0.1");
  },
  "websocket-express"() {
    const app = new WebSocketExpress();
    app.ws("/", fail);
    app.ws("/accepted", (request, response) => response.accept().then(fail));
    return app.createServer().listen(0, "127.0.0.1");
  },
  "@hono/node-ws"() {
    const app = new Hono();
    const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
    app.get("/", upgradeWebSocket(() => ({ onOpen: fail })));
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    injectWebSocket(server);
    return server;
  },
  async "@fastify/websocket"() {
    const app = fastify();
    await app.register(fastifyWebSocket);
    app.get("/", { websocket: true }, fail);
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  },
};
for (const [name, path] of [["express-ws", ""], ["koa-websocket", ""], ["websocket-express", ""], ["websocket-express", "accepted"], ["@hono/node-ws", ""], ["@fastify/websocket", ""]]) {
  const server = await servers[name]();
  if (!server.listening) await new Promise((resolve) => server.on("listening", resolve));
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}/${path}`);
  let state = "no answer";
  client.on("error", () => {}).on("open", () => (state = "open")).on("close", (code) => (state = `closed with ${code}`));
  await sleep(1000);
  console.log(`${name} /${path}: ${state}`);
}
process.exit(0);
END
timeout 30 node program.mjs 2>log | tee seen
cat >wanted <<'END'
express-ws /: open
koa-websocket /: open
websocket-express /: no answer
websocket-express /accepted: open
@hono/node-ws /: open
@fastify/websocket /: closed with 1006
END
cmp wanted seen
