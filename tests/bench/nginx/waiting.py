"""What another location of a worker of nginx takes while 100 requests wait there for a WebSocket: of Beam, then of
lua-resty-websocket. The server that takes 50 ms and the load are on another core than the worker.   usage: waiting.py BASE"""
import asyncio
import re
import statistics
import subprocess
import sys
import threading

import websockets

DELAY, ROUNDS = 0.05, 3


def late_server():
    """Answers each message after DELAY, in order."""
    async def serve(socket):
        async def answer(message):
            await asyncio.sleep(DELAY)
            try:
                await socket.send(message)
            except websockets.ConnectionClosed:
                pass

        try:
            async for message in socket:
                asyncio.create_task(answer(message))
        except websockets.ConnectionClosed:  # a client that is cut off, as wrk cuts those of the last requests
            pass

    async def listen():  # inside the loop: since 14 websockets looks for it at once
        return await websockets.serve(serve, "127.0.0.1", 0, compression=None)

    loop, ready, port = asyncio.new_event_loop(), threading.Event(), []

    def run():
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(listen())
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    ready.wait()
    return port[0]


def latency(base, path):
    """p50 and p99 of another location in microseconds, and requests a second of the load, with 100 requests of `path` at all times."""
    load = subprocess.Popen(["wrk", "-t1", "-c100", "-d4s", base + path], stdout=subprocess.PIPE, text=True)
    probe = subprocess.run(["wrk", "-t1", "-c1", "-d3s", "--latency", base + "/plain"], capture_output=True, text=True, check=True)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", load.communicate()[0]).group(1))
    units = {"us": 1, "ms": 1e3, "s": 1e6}
    found = dict((name, float(value) * units[unit])
                 for name, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", probe.stdout))
    return found["50"], found["99"], rate


def main():
    base, url = sys.argv[1], f"ws://127.0.0.1:{late_server()}/"
    rows = {"beam_wait": [], "resty_wait": []}
    for _ in range(ROUNDS):
        for name, row in rows.items():
            row.append(latency(base, f"/{name}?url={url}"))
    figures = {name: [statistics.median(column) for column in zip(*row)] for name, row in rows.items()}
    ours, theirs = figures["beam_wait"], figures["resty_wait"]
    for name, (p50, p99, rate) in (("Beam, a pool of 4", ours), ("lua-resty-websocket", theirs)):
        print(f"{name:<22} p50 {p50:.0f} us, p99 {p99:.0f} us   with {rate:.0f} of the waiting requests a second")
    print(f"{'':<22} p50 {ours[0] / theirs[0]:.2f}, p99 {ours[1] / theirs[1]:.2f}")


if __name__ == "__main__":
    main()
