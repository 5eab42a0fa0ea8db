"""A foreign WebSocket client (python3-websockets) for tests/core/server/server_websocket_test.c.

usage: server_client.py PORT SCENARIO; prints what it saw, one line a fact. For websockets 10 to 17: since 14 an answer's head stands in `response`.
"""
import asyncio
import sys
import time

import websockets

URL = f"ws://127.0.0.1:{sys.argv[1]}"


async def ending(ws):
    await ws.wait_closed()
    return f"{ws.close_code} {ws.close_reason}"


async def echo():
    async with websockets.connect(URL + "/ws", max_size=None) as ws:
        for message in ["text", "", "\u00e4\u20ac\U0001f600", b"\x00\xff", b"", "x" * (1 << 20), b"y" * (9 << 20)]:
            await ws.send(message)
            if await ws.recv() != message:
                print("not the same:", len(message))
        for i in range(500):
            await ws.send(str(i))
        for i in range(500):
            if await ws.recv() != str(i):
                print("out of order at", i)
    print("closed", await ending(ws))


async def fragments():
    async with websockets.connect(URL + "/ws") as ws:
        await ws.send(["one ", "two ", "", "three"])
        print(await ws.recv())
        await ws.send([b"a", b"b"])
        print(await ws.recv())


async def pieces():
    async with websockets.connect(URL + "/ws/fragments") as ws:
        await ws.send(["one ", "two"])
        print(await ws.recv(), "|", await ws.recv())


async def ping():
    async with websockets.connect(URL + "/ws") as ws:
        for _ in range(3):
            await (await ws.ping(b"are you there"))
        print("pong")
        await ws.send("ping me")
        await asyncio.sleep(0.1)


async def closes():
    for code, reason in [(1000, ""), (1001, "away"), (3000, "three"), (4999, "\u00e4" * 60)]:
        ws = await websockets.connect(URL + "/ws")
        await ws.close(code, reason)
        print(await ending(ws))


async def closed_by_server():
    ws = await websockets.connect(URL + "/ws/close")
    print(await ending(ws))


async def too_large():
    ws = await websockets.connect(URL + "/ws/small")
    await ws.send("x" * 100000)
    print(await ending(ws))


async def late():
    start = time.monotonic()
    async with websockets.connect(URL + "/ws/late") as ws:
        print("after 300 ms" if time.monotonic() - start > 0.29 else "too early")
        await ws.send("hello")
        print(await ws.recv())


async def aborted():
    for path in ["/ws/abort", "/ws/reset"]:
        ws = await websockets.connect(URL + path)
        print(await ending(ws))


async def rejected():
    for path in ["/reject", "/drop"]:
        try:
            await websockets.connect(URL + path)
        except websockets.InvalidHandshake as error:
            answer = getattr(error, "response", error)
            status = getattr(answer, "status_code", None)
            print(status, answer.headers["X-Why"]) if status else print(type(error).__name__)
        except Exception as error:
            print(type(error).__name__)


async def many():
    async def one(i):
        async with websockets.connect(URL + "/ws") as ws:
            for j in range(5):
                await ws.send(f"{i} {j}")
                if await ws.recv() != f"{i} {j}":
                    print("wrong at", i, j)

    await asyncio.gather(*(one(i) for i in range(150)))
    print("150 done")


async def headers():
    async with websockets.connect(URL + "/ws/headers") as ws:
        seen = ws.response.headers if hasattr(ws, "response") else ws.response_headers
        print(seen["X-Some"], seen.get("Sec-WebSocket-Protocol"))


asyncio.run(globals()[sys.argv[2]]())
