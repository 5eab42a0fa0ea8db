"""Beam inside nginx beside lua-resty-websocket (Debian: lua-nginx-websocket), in one worker and one run. The echo server is
build/bench/peer, on the worker's core; the one that takes 50 ms is here, and with the load on another core. Prints ratios.
usage: bench.py   ROUNDS=20000"""
import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading

import websockets

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "hosts", "nginx"))
import nginx  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "20000"))
DELAY = 0.05
CONFIG = """
  lua_package_path "{root}/lua/?.lua;{root}/lua/?/init.lua;{root}/tests/bench/nginx/?.lua;;";
  init_worker_by_lua_block {{ require("beam").setup() }}
  server {{
    listen 127.0.0.1:{port}; keepalive_timeout 60;
    location = /plain {{ return 200 "plain"; }}
    location / {{ content_by_lua_block {{ require("nginx_bench")[ngx.var.uri:sub(2)]() }} }}
  }}
"""
HEAD = re.sub(r"  lua_package_path .*\n", "", nginx.HEAD)


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


def round_trips(server, port):
    print("64 B round trip inside a request of nginx, median (aim: 1.25)")
    times = {"beam": [], "resty": []}
    for _ in range(5):
        for name, list_ in times.items():
            path = f"/{name}?port={port}&path=/echo&rounds={ROUNDS // 5}"
            status, body = asyncio.run(nginx.request(server.port, path))
            if status != 200:
                sys.exit(server.log())
            list_.append(float(body))
    ours, theirs = (statistics.median(times[name]) for name in ("beam", "resty"))
    print(f"  Beam {ours:.1f} us, lua-resty-websocket {theirs:.1f} us   {ours / theirs:.2f}")


def latency(server, path):
    """p50 and p99 of another location in microseconds, and requests a second of the load, with 100 requests of `path` at all times."""
    base = f"http://127.0.0.1:{server.port}"
    load = subprocess.Popen(["wrk", "-t1", "-c100", "-d4s", base + path], stdout=subprocess.PIPE, text=True)
    probe = subprocess.run(["wrk", "-t1", "-c1", "-d3s", "--latency", base + "/plain"], capture_output=True, text=True, check=True)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", load.communicate()[0]).group(1))
    units = {"us": 1, "ms": 1e3, "s": 1e6}
    found = dict((name, float(value) * units[unit])
                 for name, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", probe.stdout))
    return found["50"], found["99"], rate


def beside_waiting(server, port):
    print(f"Another location while 100 requests wait, each {DELAY * 1000:.0f} ms for its answer (aim: 1.2)")
    rows = {"beam_wait": [], "resty_wait": []}
    for _ in range(5):
        for name, row in rows.items():
            row.append(latency(server, f"/{name}?port={port}"))
    figures = {name: [statistics.median(column) for column in zip(*row)] for name, row in rows.items()}
    ours, theirs = figures["beam_wait"], figures["resty_wait"]
    for name, (p50, p99, rate) in (("Beam, a pool of 4", ours), ("lua-resty-websocket", theirs)):
        print(f"  {name:<22} p50 {p50:.0f} us, p99 {p99:.0f} us   with {rate:.0f} of the waiting requests a second")
    print(f"  {'':<22} p50 {ours[0] / theirs[0]:.2f}, p99 {ours[1] / theirs[1]:.2f}")


def main():
    peer = subprocess.Popen([os.path.join(nginx.ROOT, "build/bench/peer")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    echo = int(re.search(r"ws=(\d+)", peer.stdout.readline()).group(1))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(peer.pid, {cores[0]})
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="beam-nginx-bench-") as folder:
        server = nginx.Nginx(folder, CONFIG, workers=1, main=HEAD)
        try:
            os.sched_setaffinity(server.workers()[0], {cores[0]})
            round_trips(server, echo)
            beside_waiting(server, late_server())
        finally:
            server.end()
            peer.stdin.close()
            peer.wait()


if __name__ == "__main__":
    main()
