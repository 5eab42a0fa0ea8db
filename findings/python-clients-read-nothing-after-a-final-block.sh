#!/bin/sh
# python3-websockets 10.4-1, python3-tornado 6.2.0-3+deb12u4, python3-aiohttp 3.8.4-1+deb12u2, python3-autobahn 22.7.1+dfsg1-2 (Debian 12), beside
# ws 8.23.0 (npm), Node 20.
# Guess: a compressed message may end with a DEFLATE block that is marked as the last (RFC 7692, 7.2.3.4, has "Hello" so as an example), and the
# next one is read as well.
# Seen: the first is read; every later one of the connection is an empty text in all four, with no error and no close: the decompressor is at its
# end and is fed on. Node's ws reads both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null && npm pkg set type=module >/dev/null
npm install --no-audit --no-fund --ignore-scripts ws@8.23.0 >log 2>&1 || { cat log; exit 1; }
apt-get download python3-websockets=10.4-1 python3-tornado=6.2.0-3+deb12u4 python3-aiohttp=3.8.4-1+deb12u2 python3-autobahn=22.7.1+dfsg1-2 \
  python3-aiosignal python3-async-timeout python3-attr python3-charset-normalizer python3-frozenlist python3-idna python3-multidict python3-yarl \
  python3-txaio python3-hyperlink python3-cryptography python3-cffi-backend >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >client.mjs <<'END'
import WebSocket from "ws";
const seen = [];
new WebSocket(process.argv[2]).on("message", (data) => seen.push(`'${data}'`)).on("close", () => console.log(`ws: ${seen.join(", ")}`));
END
cat >program.py <<'END'
import asyncio, base64, hashlib, re, aiohttp, tornado.websocket, websockets
from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateResponseAccept

HELLO = bytes.fromhex("c1 08 f3 48 cd c9 c9 07 00 00")  # as RFC 7692 prints it

async def serve(reader, writer):
    key = re.search("(?i)sec-websocket-key: (.*)\r", (await reader.readuntil(b"\r\n\r\n")).decode())[1]
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
                 "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n".encode())
    await writer.drain()
    writer.write(HELLO + HELLO + b"\x88\x02\x03\xe8")
    await writer.drain()
    await asyncio.sleep(0.5)
    writer.close()

async def with_websockets(url):
    async with websockets.connect(url) as connection:
        return [await connection.recv(), await connection.recv()]

async def with_tornado(url):
    connection = await tornado.websocket.websocket_connect(url, compression_options={})
    return [await connection.read_message(), await connection.read_message()]

async def with_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=15) as connection:
        return [await connection.receive_str(), await connection.receive_str()]

async def with_autobahn(url):
    seen, both = [], asyncio.Event()
    class Protocol(WebSocketClientProtocol):
        def onMessage(self, payload, isBinary):
            seen.append(payload.decode())
            len(seen) == 2 and both.set()
    factory = WebSocketClientFactory(url)
    factory.protocol = Protocol
    factory.setProtocolOptions(perMessageCompressionOffers=[PerMessageDeflateOffer()], perMessageCompressionAccept=PerMessageDeflateResponseAccept)
    await asyncio.get_running_loop().create_connection(factory, factory.host, factory.port)
    await both.wait()
    return seen

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    for connect in (with_websockets, with_tornado, with_aiohttp, with_autobahn):
        print(f"{connect.__name__[5:]}: {', '.join(map(repr, await connect(url)))}", flush=True)
    await (await asyncio.create_subprocess_exec("node", "client.mjs", url)).wait()

asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 python3 -S program.py 2>log | tee seen
printf "%s: 'Hello', '%s'\n" websockets '' tornado '' aiohttp '' autobahn '' ws Hello | cmp - seen
