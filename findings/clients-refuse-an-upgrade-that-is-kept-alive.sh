#!/bin/sh
# undici 7.30.2, ws 8.23.0 (npm), Node 20; python3-aiohttp 3.8.4-1+deb12u2, python3-tornado 6.2.0-3+deb12u4, python3-websockets 10.4-1 (Debian 12).
# Guess: a 101 counts if its Connection field has "upgrade" among its tokens (RFC 6455, 4.1), as "keep-alive, Upgrade": a browser sends it so, and a
# server or a proxy that keeps connections alive says it so.
# Seen: ws and websockets take it; undici, aiohttp and tornado compare the whole field with "upgrade" and refuse the connection: with undici
# (Node's own WebSocket) it is 1006 with no reason given.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts undici@7.30.2 ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
apt-get download python3-aiohttp=3.8.4-1+deb12u2 python3-tornado=6.2.0-3+deb12u4 python3-websockets=10.4-1 python3-aiosignal python3-async-timeout \
  python3-attr python3-charset-normalizer python3-frozenlist python3-idna python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.mjs <<'END'
import { WebSocket as Undici } from "undici";
import { WebSocket } from "ws";
for (const [name, Client] of [["undici", Undici], ["ws", WebSocket]])
  for (const path of process.argv.slice(3)) {
    const client = new Client(process.argv[2] + path);
    const seen = await new Promise((resolve) => {
      client.onopen = () => resolve("open");
      client.onclose = () => resolve("refused");
      client.onerror = () => {};
    });
    client.close();
    console.log(`${name} ${path}: ${seen}`);
  }
process.exit(0);
END
cat >program.py <<'END'
import asyncio, base64, hashlib, logging, re, aiohttp, tornado.websocket, websockets

logging.disable(logging.CRITICAL)
FIELDS = {"alone": "Connection: Upgrade", "listed": "Connection: keep-alive, Upgrade", "twice": "Connection: keep-alive\r\nConnection: Upgrade"}

async def serve(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = re.search("(?i)sec-websocket-key: (.*)\r", head)[1]
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    connection = FIELDS[head.split()[1].strip("/")]
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{connection}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    await writer.drain()
    await asyncio.sleep(0.5)
    writer.close()

async def with_aiohttp(url):
    async with aiohttp.ClientSession() as session:
        await session.ws_connect(url)

with_tornado, with_websockets = tornado.websocket.websocket_connect, websockets.connect

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for name, connect in ("aiohttp", with_aiohttp), ("tornado", with_tornado), ("websockets", with_websockets):
        for path in FIELDS:
            try:
                await asyncio.wait_for(connect(url + path), 5)
                print(f"{name} {path}: open", flush=True)
            except Exception:
                print(f"{name} {path}: refused", flush=True)
    await (await asyncio.create_subprocess_exec("node", "client.mjs", url, *FIELDS)).wait()

asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 python3 -S program.py 2>log | tee seen
for client in aiohttp tornado websockets undici ws; do
  answer=refused
  case $client in ws | websockets) answer=open ;; esac
  printf "$client %s\n" 'alone: open' "listed: $answer" "twice: $answer"
done | cmp - seen
