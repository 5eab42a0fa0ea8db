#!/bin/sh
# it-ws 6.1.5 over ws 8.23.0 (npm), Node 20.
# Guess: the loop over its source takes every message since the opening, ends after a close frame with 1000, and raises after a loss or a refusal (4001).
# Seen: any end is the quiet end of the loop, a loss and a reset as well: a reply that broke off looks whole. The source listens from the first turn of
# the loop on: after `await client.connected()` what came with the 101 is lost, and where the connection has ended by then the loop waits for ever.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts it-ws@6.1.5 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
cat >program.mjs <<'END'
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "it-ws/client";
const greeting = [0x81, 3, ...Buffer.from("one"), 0x81, 3, ...Buffer.from("two")];
const ends = { 1000: [0x88, 2, 0x03, 0xe8], 4001: [0x88, 2, 0x0f, 0xa1], loss: [] };
const server = createServer((socket) => socket.on("error", () => {}).once("data", (request) => {
  const [, end] = /^GET \/(\w+)/.exec(request);
  const key = /sec-websocket-key: (.*)\r/i.exec(request)[1];
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), Buffer.from([...greeting, ...ends[end]])]));
}));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
for (const how of ["at once", "after connected()", "0.3 s later"]) {
  for (const end of ["1000", "4001", "loss"]) {
    const client = connect(`ws://127.0.0.1:${server.address().port}/${end}`);
    const told = [];
    const loop = async () => {
      if (how !== "at once") await client.connected();
      if (how === "0.3 s later") await sleep(300);
      for await (const message of client.source) told.push(Buffer.from(message).toString());
      told.push("the end");
    };
    await Promise.race([loop().catch((error) => told.push(error.message)), sleep(1500).then(() => told.push("it waits"))]);
    console.log(`${how}, ${end}: ${told.join(", ")}`);
  }
}
process.exit(0);
END
timeout 40 node program.mjs | tee seen
cat >wanted <<'END'
at once, 1000: one, two, the end
at once, 4001: one, two, the end
at once, loss: one, two, the end
after connected(), 1000: the end
after connected(), 4001: the end
after connected(), loss: the end
0.3 s later, 1000: it waits
0.3 s later, 4001: it waits
0.3 s later, loss: it waits
END
cmp wanted seen
