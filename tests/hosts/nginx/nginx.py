"""A private nginx with lua-nginx-module, two workers and a master, for the tests: it lives in a temporary folder on free ports and ends with
them. And a client for it, and a WebSocket server that notes how each of its connections ended."""
import asyncio
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import websockets

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "servers"))
import serve  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(serve.HERE))
MODULES = "/usr/lib/nginx/modules"
HEAD = """
load_module {modules}/ndk_http_module.so; load_module {modules}/ngx_http_lua_module.so;
{user} daemon off; worker_processes {workers}; pid {folder}/nginx.pid; error_log {folder}/error.log notice;
env BEAM_TEST_URL; env BEAM_TEST_SECURE_URL; env BEAM_TEST_CA; env BEAM_TEST_SETUP;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 1000000;
  proxy_cache_path {folder}/cache keys_zone=c:1m;
  lua_package_path "{root}/lua/?.lua;{root}/lua/?/init.lua;{root}/tests/hosts/nginx/?.lua;;";
  lua_package_cpath "{root}/build/lua/jit/?.so;;";
"""


def program():
    return shutil.which("nginx") or "/usr/sbin/nginx"


class Nginx:
    """`http` is what stands in the http block after the paths; {port} in it is a free port, {folder} the folder. `under` is a program that
    runs nginx, which then is one process, with no workers."""

    def __init__(self, folder, http, workers=2, environment=None, main=HEAD, under=()):
        self.folder, self.port, self.secure_port = folder, serve.free_port(), serve.free_port()
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        user = "user root;" if os.geteuid() == 0 else ""
        values = {"folder": folder, "root": ROOT, "modules": MODULES, "workers": workers, "user": user,
                  "port": self.port, "secure": self.secure_port}
        if under:
            workers, main = 0, main.replace("daemon off;", "daemon off; master_process off;").replace("worker_processes {workers};", "")
        with open(f"{folder}/nginx.conf", "w") as config:
            config.write(main.format(**values) + http.format(**values) + "}\n")
        with open(f"{folder}/out", "w") as out:
            self.process = subprocess.Popen([*under, program(), "-p", folder, "-c", f"{folder}/nginx.conf"], stdout=out, stderr=out,
                                            env={**os.environ, **(environment or {})})
        if not wait_until(lambda: self.process.poll() is not None or is_open(self.port), 60 if under else 20) or self.process.poll() is not None:
            raise AssertionError("nginx did not start: " + self.log())
        wait_until(lambda: len(self.workers()) == workers, 20)

    def tell(self, number):
        self.process.send_signal(number)

    def reload(self):
        """Returns once the workers from before are known to leave."""
        before = set(self.workers())
        self.tell(signal.SIGHUP)
        wait_until(lambda: set(self.workers()) - before, 20)

    def workers(self):
        """The pids of the workers that take requests."""
        return [pid for pid, title in self.children() if "worker process" in title and "shutting down" not in title]

    def children(self):
        listed = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="], capture_output=True, text=True, check=False)
        return [(int(line.split(None, 1)[0]), line.split(None, 1)[1]) for line in listed.stdout.splitlines()]

    def log(self):
        """What it printed before it had a log, and its log."""
        return "".join(open(path).read() for path in (f"{self.folder}/out", f"{self.folder}/error.log") if os.path.exists(path))

    def end(self, number=signal.SIGTERM, seconds=40):
        if self.process.poll() is None:
            self.tell(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


def wait_until(holds, seconds):
    end = time.time() + seconds
    while time.time() < end:
        value = holds()
        if value:
            return value
        time.sleep(0.02)
    return holds()


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid):
    """Kilobytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


# ---- The client ----

async def request(port, path, method="GET", body=b"", headers="", tls=None):
    """Status and body of one exchange on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None)
    try:
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
                     .encode() + body)
        answer = await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    if not head:
        raise ConnectionError(f"no answer to {path}")
    if b"chunked" in head.lower():
        rest = unchunk(rest)
    return int(head.split()[1]), rest.decode()


def unchunk(data):
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size, 16)
        body, data = body + data[:count], data[count + 2:]
    return body


async def get(port, path, **options):
    status, body = await request(port, path, **options)
    if status != 200:
        raise AssertionError(f"{path}: status {status}: {body[:300]}")
    return json.loads(body)


async def abort(port, path, seconds):
    """Asks and goes away before there is an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await writer.drain()
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except asyncio.TimeoutError:
        pass
    writer.transport.abort()


# ---- The server that takes notes ----

class Peer:
    """A WebSocket server in a thread of its own that wraps what it gets as {"id": …, "response": …}, after message["sleep"] seconds, but
    does not answer {"do": "none"}; `ended` has the close codes that it saw."""

    def __init__(self, folder):
        self.ended, self.open, self.opened = [], 0, 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(f"{folder}/good.pem", f"{folder}/good.key")
        self.loop, started = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self.run, args=(started,), daemon=True).start()
        started.wait()

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        self.plain = self.loop.run_until_complete(self.listen())
        self.secure = self.loop.run_until_complete(self.listen(ssl=self.tls))
        started.set()
        self.loop.run_forever()

    async def listen(self, **options):
        """Inside the loop: since 14 websockets looks for it at once."""
        return await websockets.serve(self.serve, "127.0.0.1", 0, **options)

    def ports(self):
        return [server.sockets[0].getsockname()[1] for server in (self.plain, self.secure)]

    async def serve(self, socket):
        self.open += 1
        self.opened += 1
        try:
            await socket.send('{"type":"ping"}')
            async for text in socket:
                message = json.loads(text)
                await asyncio.sleep(message.get("sleep", 0))
                if message.get("do") != "none":
                    answer = {"id": message["id"]} if "id" in message else {}
                    await socket.send(json.dumps({**answer, "response": message}))
        except websockets.ConnectionClosed:
            pass
        await socket.wait_closed()
        self.open -= 1
        self.ended.append(socket.close_code)
