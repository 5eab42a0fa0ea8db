#!/bin/sh
# python3-tornado 6.2.0-3+deb12u4, python3-aiohttp 3.8.4-1+deb12u2, beside python3-websockets 10.4-1 (Debian 12).
# Guess: a ping may stand between the fragments of a message, compressed or not (RFC 6455, 5.4): it is answered, and the message goes on.
# Seen: as to a message that is not compressed, all three do so. Of a compressed one tornado and aiohttp forget in the ping that it is
# compressed: tornado ends TCP without a close frame, aiohttp closes with 1007, "Invalid UTF-8 text message". It takes a server that streams in
# fragments and a keep-alive that comes due in the middle, so it is seen once in a long while.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-tornado=6.2.0-3+deb12u4 python3-aiohttp=3.8.4-1+deb12u2 python3-websockets=10.4-1 python3-aiosignal python3-async-timeout \
  python3-attr python3-charset-normalizer python3-frozenlist python3-idna python3-multidict python3-yarl >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, base64, hashlib, logging, re, zlib, aiohttp, tornado.websocket, websockets

logging.disable(logging.CRITICAL)
TEXT = b"one text in two parts"
compressor = zlib.compressobj(wbits=-15)
PACKED = (compressor.compress(TEXT) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

def fragments(payload, compressed, ping):
    first, rest = payload[:5], payload[5:]
    return bytes([0x41 if compressed else 0x01, len(first)]) + first + ping + bytes([0x80, len(rest)]) + rest + b"\x88\x02\x03\xe8"

async def serve(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = re.search("(?i)sec-websocket-key: (.*)\r", head)[1]
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if "compressed" in head else ""
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{extension}\r\n".encode())
    await writer.drain()
    writer.write(fragments(PACKED if extension else TEXT, bool(extension), b"\x89\x01p" if "pinged" in head else b""))
    await writer.drain()
    await asyncio.sleep(1)
    writer.close()

async def with_tornado(url):
    connection = await tornado.websocket.websocket_connect(url, compression_options={})
    return await connection.read_message()

async def with_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.ws_connect(url, compress=15) as connection:
        message = await connection.receive()
        return message.data if message.type == aiohttp.WSMsgType.TEXT else None

async def with_websockets(url):
    async with websockets.connect(url) as connection:
        return await connection.recv()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for connect in (with_websockets, with_tornado, with_aiohttp):
        for path in ("plain", "plain-pinged", "compressed", "compressed-pinged"):
            text = await connect(f"ws://127.0.0.1:{port}/{path}")
            print(f"{connect.__name__[5:]} {path}: {'read' if text == TEXT.decode() else 'lost'}")

asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 60 python3 -S program.py | tee seen
for client in websockets tornado aiohttp; do
  printf "$client %s: read\n" plain plain-pinged compressed
  [ $client = websockets ] && echo "$client compressed-pinged: read" || echo "$client compressed-pinged: lost"
done | cmp - seen
