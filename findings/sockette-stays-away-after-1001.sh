#!/bin/sh
# sockette 2.0.6 (npm) over ws 8.23.0, Node 20.
# Guess: it comes back unless the program or the server ended the connection on purpose: 1000. A server that goes away (1001) is what a client
# that reconnects is for.
# Seen: 1001 counts as a normal end, and so does a close without a code (1005): one connection, no further try. The same server with 1012 is
# come back to.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts sockette@2.0.6 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import Sockette from "sockette";
import { WebSocket, WebSocketServer } from "ws";
globalThis.WebSocket = WebSocket;
for (const code of [1001, undefined, 1012]) {
  let connections = 0;
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.on("listening", resolve));
  const twice = new Promise((resolve) => setTimeout(resolve, 700));
  server.on("connection", (socket) => (connections++ ? 0 : socket.close(code)));
  const client = new Sockette(`ws://127.0.0.1:${server.address().port}`, { timeout: 50 });
  await twice;
  console.log(`closed with ${code ?? "no code"}: ${connections} connections`);
  server.close();
}
process.exit(0);
END
timeout 30 node program.mjs | tee seen
printf 'closed with %s connections\n' '1001: 1' 'no code: 1' '1012: 2' | cmp - seen
