#!/bin/sh
# python3-hypercorn 0.13.2-3, python3-uvicorn 0.17.6-1 (Debian 12), both on wsproto 1.2.0-1.
# Guess: websocket.disconnect has the code of the client's close frame; 1006 says that there was none.
# Seen: under hypercorn it is 1006 after every close, 1000 and 4001 among them, though the frame is answered with the right code. An app that
# keeps a session for those who were lost and ends it for those who left cannot tell one from the other.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download python3-hypercorn=0.13.2-3 python3-wsproto=1.2.0-1 python3-h11 python3-h2 python3-hpack python3-hyperframe \
  python3-priority python3-toml \
  python3-uvicorn=0.17.6-1 python3-asgiref python3-click >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >program.py <<'END'
import asyncio, hypercorn, os, socket, sys, uvicorn
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

codes = asyncio.Queue()

async def app(scope, receive, send):
    if scope["type"] != "websocket":
        raise NotImplementedError
    await receive()
    await send({"type": "websocket.accept"})
    await codes.put(int((await receive())["code"]))

def start(runner, listening):
    if runner == "hypercorn":
        config = hypercorn.Config()
        config.bind, config.errorlog = [f"fd://{os.dup(listening.fileno())}"], None
        return serve(app, config, shutdown_trigger=asyncio.Event().wait)
    server = uvicorn.Server(uvicorn.Config(app, ws="wsproto", lifespan="off", log_level="critical"))
    server.install_signal_handlers = lambda: None
    return server.serve(sockets=[listening])

async def main(runner):
    listening = socket.create_server(("127.0.0.1", 0))
    running = asyncio.ensure_future(start(runner, listening))
    for code in (1000, 4001):
        reader, writer = await connect(listening.getsockname()[1])
        writer.write(b"\x88\x82\0\0\0\0" + code.to_bytes(2, "big"))
        answer = await first_frame(reader)
        print(f"{runner}: {code} is answered by {answer}, the app is told {await asyncio.wait_for(codes.get(), 5)}", flush=True)
    os._exit(running.done())

asyncio.run(main(sys.argv[1]))
END
for runner in uvicorn hypercorn; do
  PYTHONPATH=$folder/root/usr/lib/python3/dist-packages timeout 30 python3 -S program.py $runner
done | tee seen
printf '%s is answered by close %s, the app is told %s\n' 'uvicorn: 1000' 1000 1000 'uvicorn: 4001' 4001 4001 \
  'hypercorn: 1000' 1000 1006 'hypercorn: 4001' 4001 1006 | cmp - seen
