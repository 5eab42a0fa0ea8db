#!/bin/sh
# python3-hypercorn 0.13.2-3 (Debian 12).
# Guess: an app that raises after its accept is told to the client as 1011 (internal error); a server
# that is shut down says 1001 or 1012.
# Seen: 1000, "normal closure", for an app that raised, for one that returned and for a shut-down. A client that comes back after all but
# 1000 stays away from a server that restarts.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-hypercorn=0.13.2-3 python3-wsproto=1.2.0-1 python3-h11 python3-h2 python3-hpack python3-hyperframe \
  python3-priority python3-toml >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, os, socket
from hypercorn import Config
from hypercorn.asyncio import serve

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
    if scope["type"] != "websocket":
        raise NotImplementedError
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/raises":
        raise ValueError("of the app's")
    while scope["path"] == "/waits" and (await receive())["type"] != "websocket.disconnect":
        pass

async def main():
    listening, down = socket.create_server(("127.0.0.1", 0)), asyncio.Event()
    port, config = listening.getsockname()[1], Config()
    config.bind, config.errorlog, config.graceful_timeout = [f"fd://{os.dup(listening.fileno())}"], None, 0.2
    running = asyncio.ensure_future(serve(app, config, shutdown_trigger=down.wait))
    for path in ("returns", "raises"):
        print(path + ":", await first_frame((await connect(port, path.encode()))[0]))
    reader, writer = await connect(port, b"waits")
    asyncio.get_running_loop().call_later(0.3, down.set)
    print("is shut down:", await first_frame(reader, 5), flush=True)
    os._exit(0)

asyncio.run(main())
END
PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 30 python3 -S program.py | tee seen
printf '%s: close 1000\n' returns raises 'is shut down' | cmp - seen
