"""A large file into a volume and out of it, in flat memory; killed in the middle both ways, and gone on with. Speaks TAP.
usage: volume_test.py [MIB]"""
import hashlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MIB = int(sys.argv[1]) if len(sys.argv) > 1 else 48
LIMIT = 24 * 1024  # kB beyond what the program takes for a file of one byte
LUAS = {"lua5.4": "5.4", "luajit": "jit"}

PROGRAM = """
local beam = require "beam"
local volume = beam.volume "data"
local done, err
if arg[1] == "up" then done, err = volume:upload(arg[2], "large") else done, err = volume:download("large", arg[2], { resume = true }) end
if not done then io.stderr:write(tostring(err), "\\n") os.exit(1) end
print(io.open("/proc/self/status"):read("*a"):match "VmHWM:%s*(%d+)")
"""


class Storage(http.server.BaseHTTPRequestHandler):
    """Beam's API as far as volumes want it, and the storage behind it: a file that is whole or not there."""
    protocol_version = "HTTP/1.1"
    folder = pace = None
    ranges = []

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.endswith("/workspace/current"):
            return self.answer({"external_id": "11111111-2222-4333-8444-555555555555"})
        if "/generate-" in self.path:
            return self.answer(f"http://127.0.0.1:{self.server.server_port}/stored?signature=x")
        path = f"{self.folder}/stored"
        size, first = os.path.getsize(path), 0
        wanted = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        if wanted and self.headers.get("If-Range") == '"one"':
            first = int(wanted.group(1))
        self.ranges.append(first)
        self.send_response(206 if first else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(size - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.end_headers()
        with open(path, "rb") as file:
            file.seek(first)
            while piece := file.read(256 * 1024):
                self.wfile.write(piece)
                time.sleep(self.pace)

    def do_PUT(self):
        left, path = int(self.headers["Content-Length"]), f"{self.folder}/stored"
        with open(path + ".tmp", "wb") as file:
            while left:
                piece = self.rfile.read(min(left, 256 * 1024))
                if not piece:
                    return
                left -= len(piece)
                file.write(piece)
                time.sleep(self.pace)
        os.rename(path + ".tmp", path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):  # a program that was killed
        pass


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            sha.update(piece)
    return sha.hexdigest()


def start(lua, script, way, path, port):
    name = LUAS[lua]
    env = {**os.environ, "BEAM_GATEWAY_URL": f"http://127.0.0.1:{port}", "BEAM_TOKEN": "x",
           "LUA_PATH": f"{ROOT}/lua/?.lua;{ROOT}/lua/?/init.lua;;", "LUA_CPATH": f"{ROOT}/build/lua/{name}/?.so;;"}
    return subprocess.Popen([lua, script, way, path], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*arguments):
    child = start(*arguments)
    out, err = child.communicate(timeout=280)
    assert child.returncode == 0, err
    return int(out)


def kill_at(child, path, size):
    """Kills the program when the file has come so far."""
    deadline = time.monotonic() + 120
    while not (os.path.exists(path) and os.path.getsize(path) >= size):
        assert child.poll() is None, child.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.communicate()


def check_lua(lua, folder, script, port):
    """Returns what to say beside ok."""
    large, tiny, copy = f"{folder}/large", f"{folder}/tiny", f"{folder}/copy"
    wanted, half = digest(large), MIB << 19
    Storage.pace = 0
    least = {way: run(lua, script, way, tiny if way == "up" else copy, port) for way in ("up", "down")}
    os.remove(f"{folder}/stored")
    Storage.pace = 0.002 if MIB < 256 else 0
    kill_at(start(lua, script, "up", large, port), f"{folder}/stored.tmp", half)
    assert not os.path.exists(f"{folder}/stored"), "half a file was taken for a whole one"
    memory = {"up": run(lua, script, "up", large, port)}
    assert digest(f"{folder}/stored") == wanted, "what arrived is something else"
    Storage.ranges.clear()
    os.remove(copy)
    kill_at(start(lua, script, "down", copy, port), copy + ".part", half)
    assert not os.path.exists(copy), "half a file has the name of the whole one"
    memory["down"] = run(lua, script, "down", copy, port)
    assert digest(copy) == wanted, "what came is something else"
    assert Storage.ranges[0] == 0 and Storage.ranges[1] >= half, Storage.ranges
    assert not [name for name in os.listdir(folder) if ".part" in name], os.listdir(folder)
    for way, kilobytes in memory.items():
        assert kilobytes - least[way] < LIMIT, f"{way}: {kilobytes} kB, of a byte {least[way]} kB"
    return ", ".join(f"{way} {memory[way] - least[way]} kB more than for a byte" for way in memory)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        Storage.folder = folder
        server = Server(("127.0.0.1", 0), Storage)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with open(f"{folder}/large", "wb") as file:
            for number in range(MIB):
                file.write(hashlib.sha256(b"%d" % number).digest() * 32768)
        with open(f"{folder}/tiny", "wb") as file:
            file.write(b"x")
        with open(f"{folder}/program.lua", "w") as file:
            file.write(PROGRAM)
        print(f"1..{len(LUAS)}", flush=True)
        for number, lua in enumerate(LUAS, 1):
            try:
                said = check_lua(lua, folder, f"{folder}/program.lua", server.server_port)
                print(f"ok {number} - {MIB} MiB up and down, killed in the middle of both ({lua}): {said}", flush=True)
            except Exception as problem:  # the next one says more
                failed = 1
                print(f"not ok {number} - {MIB} MiB up and down, killed in the middle of both ({lua})\n# {problem!r}", flush=True)
        server.shutdown()
    return failed


if __name__ == "__main__":
    sys.exit(main())
