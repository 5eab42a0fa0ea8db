"""Beam inside nginx: Debian's nginx with libnginx-mod-http-lua, a master and two workers. Speaks TAP.   usage: nginx_test.py [pattern]"""
import asyncio
import collections
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import traceback

import nginx  # makes the servers' folder known
import certificates
import serve
from nginx import abort, get, request, wait_until

CONFIG = """
  lua_check_client_abort on;
  init_worker_by_lua_block {{ require("nginx_app").init_worker() }}
  upstream balanced {{ server 0.0.0.1; balancer_by_lua_block {{
    require("nginx_app").balancer() require("ngx.balancer").set_current_peer("127.0.0.1", {port}) }} }}
  server {{
    listen 127.0.0.1:{port}; listen 127.0.0.1:{secure} ssl;
    ssl_certificate {folder}/good.pem; ssl_certificate_key {folder}/good.key;
    ssl_certificate_by_lua_block {{ require("nginx_app").ssl_certificate() }}
    location = /plain {{ return 200 "plain"; }}
    location = /balanced {{ proxy_pass http://balanced/plain; }}
    location = /phases {{
      set_by_lua_block $set {{ return require("nginx_app").set() }}
      rewrite_by_lua_block {{ require("nginx_app").rewrite() }}
      access_by_lua_block {{ require("nginx_app").access() }}
      content_by_lua_block {{ require("nginx_app").content() }}
      header_filter_by_lua_block {{ require("nginx_app").header_filter() }}
      body_filter_by_lua_block {{ require("nginx_app").body_filter() }}
      log_by_lua_block {{ require("nginx_app").log() }}
    }}
    location / {{ content_by_lua_block {{ require("nginx_app").content() }} }}
  }}
"""
FRESH = """
  lua_code_cache off;
  {{setup}}
  server {{{{
    listen 127.0.0.1:{{port}};
    location = /up {{{{ return 200 '{{{{"a":1}}}}'; }}}}
    location = /call {{{{ content_by_lua_block {{{{
      local beam = require "beam"
      for _ = 1, 2 do assert(beam.call {{{{ "http://127.0.0.1:{{port}}/up", input = {{{{}}}}, token = false, timeout = 5 }}}}) end
      ngx.say(beam.spawn(function() beam.sleep(0.01) return "ok" end):join())
    }}}} }}}}
    location = /left {{{{ content_by_lua_block {{{{
      local conn = assert(require("beam").realtime("{url}", {{{{ token = "t" }}}}))
      assert(conn:request({{{{ n = 1 }}}}, {{{{ timeout = 5 }}}}))
      package.loaded.kept = conn
      ngx.say "ok"
    }}}} }}}}
  }}}}
"""
CAN_WAIT = ("rewrite", "access", "content", "timer", "thread", "ssl_certificate")
CANNOT_WAIT = ("init_worker", "set", "header_filter", "body_filter", "log", "balancer")

tests = []


def test(fn):
    tests.append(fn)
    return fn


def same(wanted, got):
    assert wanted == got, f"wanted {wanted!r}, got {got!r}"


class World:
    """The servers, which all tests share, and an nginx for each."""

    def __init__(self):
        self.folder, self.children, self.count, self.started = tempfile.mkdtemp(prefix="beam-nginx-"), [], 0, None
        os.chmod(self.folder, 0o755)
        certificates.make_all(self.folder)
        self.peer = nginx.Peer(self.folder)
        self.plain, self.secure = self.peer.ports()
        self.uvicorn = serve.free_port()
        self.children.append(serve.start_uvicorn(self.folder, self.uvicorn))
        self.local = serve.free_port()
        self.children.append(subprocess.Popen(["build/beamlua", "serve", "--port", str(self.local), "--token", "test-token", "--quiet",
                                               "tests/hosts/nginx/nginx_beam.lua"], cwd=nginx.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        serve.wait_for(self.uvicorn)
        serve.wait_for(self.local)

    def url(self, port):
        return f"ws://127.0.0.1:{port}/"

    def nginx(self, watch="direct", url=None, workers=2):
        self.count += 1
        folder = f"{self.folder}/nginx{self.count}"
        os.makedirs(folder)
        for name in ("good.pem", "good.key"):
            shutil.copy(f"{self.folder}/{name}", folder)
        started = nginx.Nginx(folder, CONFIG, workers, {
            "BEAM_TEST_SETUP": watch, "BEAM_TEST_URL": url or self.url(self.plain), "BEAM_TEST_CA": f"{self.folder}/ca.pem",
            "BEAM_TEST_SECURE_URL": f"wss://localhost:{self.secure}/"})
        self.started = started
        return started

    def end(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(5)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def no_alarm(server, expected="\0"):
    """Nothing in nginx's log that it should not have to say."""
    bad = [line for line in server.log().splitlines()
           if any(level in line for level in ("[alert]", "[crit]", "[emerg]", "[error]")) or "beam: error" in line]
    bad = [line for line in bad if expected not in line]
    assert not bad, "\n".join(bad[:10])


async def many(server, count, path="/ask?n={}", known_to_fail=()):
    async def one(n):
        answer = await get(server.port, path.format(n))
        assert answer.get("response", {}).get("n") == n, f"{n}: {answer}"
    await asyncio.gather(*(one(n) for n in range(count)))


# ---- Both ways to watch ----

async def basics(server, watch):
    same({"response": {"n": 1}}, await get(server.port, "/echo"))
    same(watch, (await get(server.port, "/watched"))["watched"])
    same({"response": {"n": 1}}, await get(server.port, "/secure"))
    await many(server, 100)


@test
def direct(world):
    """nginx's own loop watches: round trips, plain and TLS, and 100 requests at once over the pool of each worker"""
    server = world.nginx("direct")
    asyncio.run(basics(server, "direct"))
    same(0, server.end(signal.SIGQUIT))
    no_alarm(server)


@test
def waker(world):
    """the waker's thread watches: the same"""
    server = world.nginx("waker")
    asyncio.run(basics(server, "waker"))
    threads = [len(os.listdir(f"/proc/{pid}/task")) for pid in server.workers()]
    assert all(count >= 2 for count in threads), threads
    same([], [name for name in os.listdir("/tmp") if name.startswith("beam-") and os.path.exists(f"/tmp/{name}/wake")])
    same(0, server.end(signal.SIGQUIT))
    no_alarm(server)


@test
def without_setup(world):
    """without setup() the first request starts what is needed"""
    server = world.nginx("none", workers=1)
    asyncio.run(basics(server, "direct"))
    same(0, server.end(signal.SIGQUIT))
    no_alarm(server)


# ---- What works where ----

@test
def peers(world):
    """uvicorn and the local Beam answer, calls too"""
    for port in (world.uvicorn, world.local):
        server = world.nginx("direct", world.url(port) if port == world.uvicorn else f"ws://127.0.0.1:{port}/asgi/echo/")
        asyncio.run(many(server, 20))
        if port == world.uvicorn:
            same({"result": 42}, asyncio.run(get(server.port, "/call")))
        same(0, server.end(signal.SIGQUIT))
        no_alarm(server)


@test
def phases(world):
    """every phase: those that can wait do, the others say which can"""
    server = world.nginx(workers=1)

    async def visit():
        tls = ssl.create_default_context(cafile=f"{world.folder}/ca.pem")
        same("plain", (await request(server.secure_port, "/plain", tls=tls))[1])
        same("plain", (await request(server.port, "/balanced"))[1])
        await get(server.port, "/phases")
        return await get(server.port, "/noted")

    noted = asyncio.run(visit())
    for name in CAN_WAIT:
        same("ok", noted[name])
    for name in CANNOT_WAIT:
        wanted = f"beam: nothing can be waited for in the phase '{name}' of nginx: rewrite, access, content, timers"
        assert noted[name].startswith(wanted), noted[name]
    same(True, noted["worker"])
    problem = asyncio.run(get(server.port, "/sort"))["error"]
    assert "inside a function that C calls (table.sort" in problem, problem
    same(0, server.end(signal.SIGQUIT))
    no_alarm(server)


@test
def no_worker(world):
    """a process that is no worker (OpenResty's privileged agent; Debian's nginx has none, so it is told to be one) has no connections"""
    server = world.nginx("agent", workers=1)
    same(False, asyncio.run(get(server.port, "/noted"))["worker"])
    status, _ = asyncio.run(request(server.port, "/echo"))
    same(500, status)
    wanted = "connections belong to the workers of nginx, and this process is its privileged agent"
    assert wanted in server.log(), server.log()
    server.end()


@test
def coroutines(world):
    """spawn, join, sleep and run as in plain Lua; handlers go on after their request"""
    server = world.nginx(workers=1)
    wanted = ["nil timeout", "fast", "slow", "fast slow", "nil script", "asleep", "spawned", "main", "false early"]
    same(wanted, asyncio.run(get(server.port, "/coroutines")))
    asyncio.run(get(server.port, "/handlers"))
    same(10, wait_until(lambda: asyncio.run(get(server.port, "/handlers"))["count"] == 10 and 10, 20))
    server.end()
    no_alarm(server)


@test
def alone(world):
    """a request that is alone on its connection: beside others, on a connection that is closed, and killed"""
    server = world.nginx(workers=1)

    async def ask():
        same([1, 2, 3], await get(server.port, "/together"))
        same({"answers": [1, 2], "error": "timeout"}, await get(server.port, "/side_by_side"))
        closed = await get(server.port, "/closed")
        assert closed["error"] and not closed["late"], closed
        same([1, 2], await get(server.port, "/killed"))
        same({"response": {"n": 1}}, await get(server.port, "/echo"))

    for _ in range(3):
        asyncio.run(ask())
    server.end()
    no_alarm(server)


@test
def worker_goes_on(world):
    """while requests wait for Beam, the worker answers others"""
    server = world.nginx(workers=1)

    async def both():
        waiting = [asyncio.create_task(get(server.port, "/silent?seconds=8")) for _ in range(50)]
        await asyncio.sleep(0.2)
        for _ in range(50):
            same("plain", (await request(server.port, "/plain"))[1])
        same(0, sum(task.done() for task in waiting))
        same([{"error": "timeout"}] * 50, await asyncio.gather(*waiting))

    asyncio.run(both())
    server.end()
    no_alarm(server)


# ---- What must not leak ----

@test
def aborts(world):
    """clients that go away leave nothing: not on the pool, not in a transform, not their connections"""
    server = world.nginx(workers=1)
    pid = server.workers()[0]

    async def visit():
        await many(server, 20)
        first = await get(server.port, "/gc")
        before, opened = nginx.descriptors(pid), world.peer.opened
        await asyncio.gather(*(abort(server.port, "/silent?seconds=60", 0.3) for _ in range(50)))
        await asyncio.gather(*(abort(server.port, "/late?seconds=0.05", 0.3) for _ in range(50)))
        await asyncio.gather(*(abort(server.port, "/own", 0.5) for _ in range(20)))
        await abort(server.port, "/slow?sleep=1", 0.3)
        same({"response": {"sleep": 0}}, await get(server.port, "/slow?sleep=0"))
        await many(server, 100)
        while (await get(server.port, "/gc"))["waiting"] > 0 or nginx.descriptors(pid) > before + 1:
            await asyncio.sleep(0.1)  # + 1: the connection of /slow
        after = await get(server.port, "/gc")
        same(first["pool"]["open"], after["pool"]["open"])
        assert after["kilobytes"] < first["kilobytes"] + 2000, (first, after)
        return world.peer.opened - opened

    same(21, asyncio.run(asyncio.wait_for(visit(), 60)))
    server.end()
    bad = [line for line in server.log().splitlines() if "[alert]" in line or "[crit]" in line or "[error]" in line]
    same([], bad)


@test
def idle(world):
    """idle workers with open connections use no CPU"""
    for watch in ("direct", "waker"):
        server = world.nginx(watch)
        asyncio.run(many(server, 50))
        time.sleep(0.5)
        before = {pid: nginx.cpu_ticks(pid) for pid in server.workers()}
        time.sleep(2)
        ticks = [nginx.cpu_ticks(pid) - count for pid, count in before.items()]
        assert max(ticks) <= 4, ticks  # hundredths of a second, for the app's pings; looking every millisecond takes 18
        server.end()


# ---- The end of a worker ----

def ends_with_1001(world, number, watch):
    server = world.nginx(watch)
    asyncio.run(many(server, 50))
    assert wait_until(lambda: world.peer.open == 8, 20), world.peer.open
    seen = len(world.peer.ended)
    same(0, server.end(number))
    wait_until(lambda: world.peer.open == 0, 20)
    same([1001] * 8, world.peer.ended[seen:])
    no_alarm(server)


@test
def quit_(world):
    """quit closes every connection with 1001"""
    ends_with_1001(world, signal.SIGQUIT, "direct")
    ends_with_1001(world, signal.SIGQUIT, "waker")


@test
def stop(world):
    """stop closes every connection with 1001"""
    ends_with_1001(world, signal.SIGTERM, "direct")
    ends_with_1001(world, signal.SIGTERM, "waker")


@test
def late(world):
    """a worker that leaves waits for answers; a request that comes after it has closed its connections is served; then it goes"""
    server = world.nginx(workers=1)
    asyncio.run(many(server, 20))
    wait_until(lambda: world.peer.open == 4, 20)
    old, seen = server.workers()[0], len(world.peer.ended)

    async def come_late():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /ask?n=7 HTTP/1.1\r\nHost: localhost\r\n")  # to be continued
        slow = asyncio.create_task(get(server.port, "/late?seconds=1"))
        await asyncio.sleep(0.2)
        await asyncio.get_running_loop().run_in_executor(None, server.reload)
        same({"response": {"sleep": 1}}, await slow)
        while world.peer.ended[seen:].count(1001) < 4:
            await asyncio.sleep(0.05)
        writer.write(b"Connection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        return answer

    answer = asyncio.run(come_late())
    assert b"200 OK" in answer and b'"n":7' in answer, answer
    assert wait_until(lambda: not os.path.exists(f"/proc/{old}"), 30), server.children()
    assert wait_until(lambda: world.peer.open == 4, 20), world.peer.open
    same({1000, 1001}, set(world.peer.ended[seen:]))
    same(0, server.end(signal.SIGQUIT))
    no_alarm(server)


@test
def reloads(world):
    """20 reloads under load: no request fails, and workers that leave say 1001"""
    server = world.nginx()
    seen, counts = len(world.peer.ended), {"asked": 0}
    over = asyncio.Event()

    async def ask(n):
        while not over.is_set():
            answer = await get(server.port, f"/ask?n={n}")
            assert answer.get("response", {}).get("n") == n, answer
            counts["asked"] += 1

    async def reload():
        for _ in range(20):
            await asyncio.get_running_loop().run_in_executor(None, server.reload)
            await asyncio.sleep(0.1)
        over.set()

    async def both():
        await asyncio.gather(reload(), *(ask(n) for n in range(20)))

    asyncio.run(both())
    assert counts["asked"] > 200, counts
    wait_until(lambda: world.peer.ended[seen:].count(1001) == 160, 30)
    codes = collections.Counter(world.peer.ended[seen:])
    codes.pop(1000, None)  # the round trip of each worker's timer
    same({1001: 160}, dict(codes))
    same(0, server.end(signal.SIGQUIT))
    no_alarm(server)
    print(f"# {counts['asked']} requests during 20 reloads")


@test
def fresh_states(world):
    """with lua_code_cache off each request gives back what it took: descriptors, and connections that it left open, with 1001"""
    for setup in ("", 'init_worker_by_lua_block {{ require("beam").setup() }}'):
        world.count += 1
        config = FRESH.format(url=world.url(world.plain)).replace("{setup}", setup)
        server = world.started = nginx.Nginx(f"{world.folder}/nginx{world.count}", config, 1)
        worker, seen = server.workers()[0], len(world.peer.ended)

        async def ask(path, count):
            for _ in range(count):
                status, body = await request(server.port, path)
                same((200, "ok\n"), (status, body))

        asyncio.run(ask("/call", 3))
        before = nginx.descriptors(worker)
        asyncio.run(ask("/call", 150))
        asyncio.run(ask("/left", 3))
        assert wait_until(lambda: world.peer.ended[seen:] == [1001] * 3, 20), world.peer.ended[seen:]
        assert wait_until(lambda: nginx.descriptors(worker) <= before + 2, 10), (before, nginx.descriptors(worker))
        same(1, server.log().count("lua_code_cache is off: each request makes its own"))
        same(0, server.end(signal.SIGQUIT, 10))
        no_alarm(server, "lua_code_cache is off; this will hurt performance")


def main(pattern):
    chosen = [fn for fn in tests if pattern in fn.__name__]
    world = World()
    failed = 0
    print(f"1..{len(chosen)}", flush=True)
    try:
        for number, fn in enumerate(chosen, 1):
            start = time.monotonic()
            try:
                fn(world)
                print(f"ok {number} - {fn.__doc__}  ({time.monotonic() - start:.1f} s)", flush=True)
            except BaseException:  # whatever it is: the next tests say more
                failed += 1
                print(f"not ok {number} - {fn.__doc__}", flush=True)
                print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()[-12:]), flush=True)
                if world.started:
                    print("".join(f"# {line}\n" for line in world.started.log().splitlines()[-20:]), flush=True)
            finally:
                if world.started:
                    world.started.end()
    finally:
        world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
