#!/bin/sh
# python3-autobahn 22.7.1+dfsg1-2 (Debian 12), its server on asyncio, Python 3.11.
# Guess: a close frame is answered with its own code, as most do, or, by an endpoint that takes a close without one, without (RFC 6455, 5.5.1); so that a program whose
# client closed with 4001 reads 4001 from a library that tells the code which came.
# Seen: the answer is 1000, whatever the client said, also to 1011 and to a close without a code. An exception in onMessage, a coroutine, is told to nobody: the
# connection stays open behind it, and so it does behind sendClose(1012), which raises, as it takes 1000 and 3000 to 4999 alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-autobahn=22.7.1+dfsg1-2 python3-txaio python3-hyperlink python3-idna >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio
from autobahn.asyncio.websocket import WebSocketServerFactory, WebSocketServerProtocol
class Server(WebSocketServerProtocol):
    async def onMessage(self, payload, binary):
        if payload == b"fail":
            raise ValueError("the handler failed")
        self.sendClose(1012, "restart")
async def connect(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer
async def main():
    factory = WebSocketServerFactory()
    factory.protocol = Server
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for payload in b"", b"\x03\xe8", b"\x0f\xa1superseded", b"\x03\xf3":
        reader, writer = await connect(port)
        writer.write(bytes([0x88, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        print("close", payload, "->", await reader.read())
    for text in b"fail", b"stop":
        reader, writer = await connect(port)
        writer.write(b"\x81\x84\0\0\0\0" + text)
        try:
            print(text.decode(), await asyncio.wait_for(reader.read(1), 3))
        except asyncio.TimeoutError:
            print(text.decode(), "nothing in 3 s")
        writer.write(b"\x89\x80\0\0\0\0")
        print("and a ping:", await reader.readexactly(2))
asyncio.run(main())
END
PYTHONPATH=root/usr/lib/python3/dist-packages timeout 100 /usr/bin/python3 program.py 2>log | tee seen
cat >wanted <<'END'
close b'' -> b'\x88\x02\x03\xe8'
close b'\x03\xe8' -> b'\x88\x02\x03\xe8'
close b'\x0f\xa1superseded' -> b'\x88\x02\x03\xe8'
close b'\x03\xf3' -> b'\x88\x02\x03\xe8'
fail nothing in 3 s
and a ping: b'\x8a\x00'
stop nothing in 3 s
and a ping: b'\x8a\x00'
END
cmp wanted seen
