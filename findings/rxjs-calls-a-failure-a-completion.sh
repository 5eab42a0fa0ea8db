#!/bin/sh
# rxjs 7.8.2 (rxjs/webSocket) with ws 8.23.0 (npm), Node 20.
# Guess: a connection that a server ends with 1011 (its handler failed), 1012 (it restarts) or an application's code is an error of the stream, told with
# its code, so that retry() opens it again; only 1000 completes it.
# Seen: whatever code a server gives, and none, completes the stream without a word of it, so that retry() is not asked; only a loss without a close
# frame is an error, told as 1006, and comes back. The code is seen by who gave a closeObserver alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts rxjs@7.8.2 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { retry } from "rxjs";
import { webSocket } from "rxjs/webSocket";
import { WebSocket, WebSocketServer } from "ws";

const ends = { 1000: (s) => s.close(1000), 1011: (s) => s.close(1011), 1012: (s) => s.close(1012), 4001: (s) => s.close(4001), none: (s) => s.close(), loss: (s) => s.terminate() };
for (const [name, end] of Object.entries(ends)) {
  let connections = 0;
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => {
    connections++;
    socket.send("{}", () => end(socket));
  });
  await once(server, "listening");
  const told = await new Promise((tell) =>
    webSocket({ url: `ws://127.0.0.1:${server.address().port}`, WebSocketCtor: WebSocket })
      .pipe(retry({ count: 2, delay: 20 }))
      .subscribe({ error: (event) => tell(`error ${event.code}`), complete: () => tell("complete") }),
  );
  await sleep(200);
  console.log(`${name}: ${told}, ${connections} connections`);
  server.close();
}
END
node program.mjs >seen
cat >expected <<'END'
1000: complete, 1 connections
1011: complete, 1 connections
1012: complete, 1 connections
4001: complete, 1 connections
none: complete, 1 connections
loss: error 1006, 3 connections
END
diff expected seen && cat seen
