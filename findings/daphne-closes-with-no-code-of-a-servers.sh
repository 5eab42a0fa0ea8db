#!/bin/sh
# python3-daphne 4.0.0-1 on autobahn (Debian 12).
# Guess: an app may close with the codes that are made for servers: 1001, 1011, 1012 (restart), 1013 (try again later), and give a reason.
# Seen: send() raises for each but 1000 and 3000 to 4999 (a browser's rule for what pages may send), and of 4000 the reason is left out without a
# word.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-daphne=4.0.0-1 python3-autobahn python3-twisted python3-txaio python3-zope.interface python3-constantly \
  python3-automat python3-incremental python3-hyperlink python3-idna python3-attr python3-asgiref python3-cryptography python3-openssl \
  python3-typing-extensions python3-service-identity python3-cffi-backend python3-pyasn1 python3-pyasn1-modules python3-six python3-pkg-resources >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, os, socket, subprocess, sys

REQUEST = (b"GET /%b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")

async def connect(port, path=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST % path)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer

async def first_frame(reader, seconds=2):
    try:
        head = await asyncio.wait_for(reader.readexactly(2), seconds)
    except asyncio.TimeoutError:
        return "nothing"
    except asyncio.IncompleteReadError:
        return "the end of TCP"
    payload = await reader.readexactly(head[1])
    return f"close {int.from_bytes(payload[:2], 'big')}{payload[2:].decode()}" if head[0] == 0x88 else payload.decode()

async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    code = int(scope["path"][1:])
    try:
        await send({"type": "websocket.close", "code": code, "reason": "why"})
    except Exception as error:
        await send({"type": "websocket.send", "text": f"{type(error).__name__}: {error}"})

async def main():
    listening = socket.create_server(("127.0.0.1", 0))
    descriptor = str(listening.fileno())
    command = [sys.executable, *sys.orig_argv[1:-1], "-m", "daphne", "--fd", descriptor, "-v", "0", "program:app"]
    server = subprocess.Popen(command, pass_fds=[int(descriptor)], stderr=subprocess.DEVNULL)
    try:
        for code in (1000, 1011, 1012, 4000):
            reader, writer = await asyncio.wait_for(connect(listening.getsockname()[1], str(code).encode()), 15)
            print(f"{code}: {await first_frame(reader)}")
    finally:
        server.kill()

if __name__ == "__main__":
    asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages:$folder PYTHONDONTWRITEBYTECODE=1 timeout 30 python3 -S program.py | tee seen
refused='Exception: invalid close code %s (must be 1000 or from [3000, 4999])'
printf "%s: %s\n" 1000 'close 1000' 1011 "$(printf "$refused" 1011)" 1012 "$(printf "$refused" 1012)" 4000 'close 4000' | cmp - seen
