#!/bin/sh
# rpc-websockets 10.0.1, beside websocket-as-promised 3.0.1, over ws 8.23.0 (npm), Node 20.
# Guess: a call whose connection ends before its answer is rejected: the answer can come no more, whether the client comes back or not.
# Seen: with rpc-websockets the promise is settled never, neither by a loss nor by a close frame (1012), although the client comes back by itself and the
# next call is answered there: what awaits the lost call stands still for good, unless each call was given a time-out. websocket-as-promised rejects it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts rpc-websockets@10.0.1 websocket-as-promised@3.0.1 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "rpc-websockets";
import WebSocketAsPromised from "websocket-as-promised";
import { WebSocket, WebSocketServer } from "ws";
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
server.on("connection", (socket) => socket.on("message", (text) => {
  const { id, method } = JSON.parse(text);
  if (method === "lost") socket.terminate();
  else if (method === "closed") socket.close(1012, "restart");
  else socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: "an answer" }));
}));
await once(server, "listening");
const url = `ws://127.0.0.1:${server.address().port}`;
const told = (call) => Promise.race([call.then((answer) => answer.result ?? answer, () => "rejected"), sleep(3000, "it waits")]);
const client = new Client(url, { reconnect_interval: 100 });
await new Promise((resolve) => client.once("open", resolve));
for (const method of ["answered", "lost", "answered", "closed", "answered"]) {
  console.log(`rpc-websockets, ${method}: ${await told(client.call(method))}`);
  await sleep(500); // it comes back
}
for (const method of ["answered", "lost", "closed"]) {
  const promised = new WebSocketAsPromised(url, {
    createWebSocket: (address) => new WebSocket(address),
    extractMessageData: (data) => String(data),
    packMessage: JSON.stringify,
    unpackMessage: JSON.parse,
    attachRequestId: (call, id) => ({ id, ...call }),
    extractRequestId: (message) => message?.id,
  });
  await promised.open();
  console.log(`websocket-as-promised, ${method}: ${await told(promised.sendRequest({ method }))}`);
}
process.exit(0);
END
timeout 60 node program.mjs | tee seen
cat >wanted <<'END'
rpc-websockets, answered: an answer
rpc-websockets, lost: it waits
rpc-websockets, answered: an answer
rpc-websockets, closed: it waits
rpc-websockets, answered: an answer
websocket-as-promised, answered: an answer
websocket-as-promised, lost: rejected
websocket-as-promised, closed: rejected
END
cmp wanted seen
