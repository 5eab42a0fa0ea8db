#!/bin/sh
# uvicorn 0.17.6-1 with --ws wsproto, hypercorn 0.13.2-3, wsproto 1.2.0-1 (Debian 12).
# Guess: an app is given websocket.disconnect with 1006 when its client's TCP connection ends without a close frame, as it is under uvicorn with
# websockets 10.4.
# Seen: the app waits in receive() for ever, if the end was orderly (FIN: a process that ended, a proxy that gave up). Only a reset is told.
# What the app holds for that client, its only slot perhaps, it never gives back.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-uvicorn=0.17.6-1 python3-hypercorn=0.13.2-3 python3-wsproto=1.2.0-1 python3-websockets=10.4-1 python3-h11 \
  python3-asgiref python3-click python3-h2 python3-hpack python3-hyperframe python3-priority python3-toml >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, os, socket, struct, sys, hypercorn, uvicorn
from hypercorn.asyncio import serve

REQUEST = (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
told = []

async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    told.append((await receive())["type"])

def start(runner, listening):
    if runner == "hypercorn":
        config = hypercorn.Config()
        config.bind, config.loglevel = [f"fd://{os.dup(listening.fileno())}"], "CRITICAL"
        return serve(app, config, shutdown_trigger=asyncio.Event().wait)
    server = uvicorn.Server(uvicorn.Config(app, ws=runner, lifespan="off", log_level="critical"))
    server.install_signal_handlers = lambda: None
    return server.serve(sockets=[listening])

async def leave(port, reset):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    await reader.readuntil(b"\r\n\r\n")
    if reset:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
    await asyncio.sleep(1)
    found = len(told)
    told.clear()
    return found

async def main(runner):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.ensure_future(start(runner, listening))
        await asyncio.sleep(0.5)
        port = listening.getsockname()[1]
        print(f"{runner}: told of an end {await leave(port, False)}, of a reset {await leave(port, True)}", flush=True)
        os._exit(running.done())

asyncio.run(main(sys.argv[1]))
END
for runner in websockets wsproto hypercorn; do
  PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 20 python3 -S program.py $runner
done | tee seen
printf '%s: told of an end %s, of a reset 1\n' websockets 1 wsproto 0 hypercorn 0 | cmp - seen
