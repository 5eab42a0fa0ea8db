"""A local Beam under attack: starts it, speaks to it in raw bytes, and measures how a normal client fares meanwhile."""
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
PATIENCE = 20  # seconds that anything may take on a busy machine

TESTS = []


def test(fn):
    TESTS.append(fn)
    return fn


class Server:
    """beamlua serve without a token; its access log says what reached it."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="siege-")
        self.log_path = self.folder + "/log"
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen([ROOT + "/build/beamlua", "serve", "--port", "0", "--no-token", *options], cwd=self.folder, stdout=subprocess.PIPE,
                                            stderr=log, text=True, env={**os.environ, "HOME": self.folder})
        self.port = int(re.match(r"local Beam at http://127.0.0.1:(\d+)", self.process.stdout.readline()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        alive = self.process.poll() is None
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        assert alive, "the server died: " + self.log()[-2000:]

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def dial(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def ask(self, request, limit=1 << 20):
        """Sends bytes, and reads until the other side ends or says nothing for a while after an answer."""
        with self.dial() as connection:
            try:
                connection.sendall(request)
            except OSError:
                pass  # it may hang up in the middle: what it said counts
            return hear(connection, limit)

    def call(self, connection=None):
        """A normal call; seconds that it took."""
        begun = time.monotonic()
        own = connection or self.dial()
        own.sendall(b'POST /endpoint/multiply HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n{"x":21}')
        answer = b""
        while not answer.endswith(b'{"result":42}'):
            piece = own.recv(4096)
            assert piece, answer
            answer += piece
        if not connection:
            own.close()
        return time.monotonic() - begun


def hear(connection, limit=1 << 20, silence=0.3):
    answer = b""
    try:
        while len(answer) < limit:
            connection.settimeout(silence if answer else PATIENCE)
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    except OSError:
        pass
    return answer


def statuses(answer):
    """Of all answers in the bytes."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)]


def p99(times):
    return sorted(times)[int(len(times) * 0.99)]


def raise_limit(wanted):
    """As many descriptors as are wanted, if the system lets us; the server inherits it. Returns how many there are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def main():
    failed = 0
    print(f"1..{len(TESTS)}", flush=True)
    for number, fn in enumerate(TESTS, 1):
        begun = time.monotonic()
        try:
            note = fn()
            print(f"ok {number} - {fn.__doc__}" + (f" ({note})" if note else f" ({time.monotonic() - begun:.1f} s)"), flush=True)
        except Exception:
            failed += 1
            print(f"not ok {number} - {fn.__doc__}\n# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(1 if failed else 0)
