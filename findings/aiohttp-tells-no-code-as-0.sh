#!/bin/sh
# python3-aiohttp 3.8.4-1+deb12u2 (Debian 12), ws 8.23.0 (npm) as the other side, Node 20.
# Guess: a close without a code, which is what close() of a browser's WebSocket sends, is told as 1005, and a code is answered with the same code.
# Seen: close_code is 0, in a client and in a server, and so is the data of the message of type CLOSE; 1005 is never told. As a server it answers
# every close with 1000: a page that left with 4000 ("superseded") is told in its own close event that the end was a normal one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
apt-get download python3-aiohttp=3.8.4-1+deb12u2 python3-aiosignal python3-async-timeout python3-attr python3-charset-normalizer python3-frozenlist \
  python3-idna python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >peer.mjs <<'END'
import WebSocket, { WebSocketServer } from "ws";
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket, request) => socket.close(Number(request.url.slice(1)) || undefined));
server.on("listening", () => console.log(server.address().port));
process.stdin.on("data", async (port) => {
  for (const code of [1000, 4000, undefined]) {
    const client = new WebSocket("ws://127.0.0.1:" + String(port).trim());
    client.on("open", () => client.close(code));
    await new Promise((told) => client.on("close", (answer) => { console.log(`closed with ${code}, answered with ${answer}`); told(); }));
  }
  process.exit(0);
});
END
cat >program.py <<'END'
import asyncio, sys, aiohttp
from aiohttp import web

async def handler(request):
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for _message in connection:
        pass
    print(f"a server is told {connection.close_code}")
    return connection

async def main():
    peer = await asyncio.create_subprocess_exec("node", "peer.mjs", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    port = int(await peer.stdout.readline())
    async with aiohttp.ClientSession() as session:
        for code in (1000, 4000, ""):
            async with session.ws_connect(f"http://127.0.0.1:{port}/{code}") as connection:
                message = await connection.receive()
                print(f"a client is told {message.type.name} {message.data}, close_code {connection.close_code}")
    runner = web.AppRunner(web.Application())
    runner.app.router.add_get("/", handler)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    answers, _ = await peer.communicate(b"%d\n" % site._server.sockets[0].getsockname()[1])
    print(answers.decode(), end="")

asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 /usr/bin/python3 -S program.py | tee seen
printf '%s\n' 'a client is told CLOSE 1000, close_code 1000' 'a client is told CLOSE 4000, close_code 4000' 'a client is told CLOSE 0, close_code 0' \
  'a server is told 1000' 'a server is told 4000' 'a server is told 0' \
  'closed with 1000, answered with 1000' 'closed with 4000, answered with 1000' 'closed with undefined, answered with 1000' | cmp - seen
