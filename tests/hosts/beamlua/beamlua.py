"""What the tests of beamlua share: the program in pipes and on a pseudo-terminal, the local Beam beside it, and a small TAP runner."""
import fcntl
import http.server
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BEAMLUA = os.environ.get("BEAMLUA") or os.path.join(ROOT, "build", "beamlua")
PATIENCE = 30  # seconds: a bound for a machine that is slow, not what it takes


def environment(home, **more):
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "ASAN_OPTIONS") if name in os.environ}
    return {**kept, "HOME": home, "LC_ALL": "C.UTF-8", "TERM": "xterm", **more}


class Terminal:
    """A program on a pseudo-terminal, and a person before it who reads before she types."""

    def __init__(self, argv, env, columns=100):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execve(argv[0], argv, env)
            finally:
                os._exit(127)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.text, self.read_to, self.code = "", 0, None
        self.edits = False  # it has a line editor, whose prompt means that it has taken over from the terminal's own

    def _pump(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def expect(self, pattern):
        """Waits until the pattern stands in what came since the last one. Returns the match."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.text[self.read_to:], re.S)
            if found:
                self.read_to += found.end()
                while self.edits and pattern.endswith("> $") and self.echoes() and time.monotonic() < deadline:
                    time.sleep(0.002)
                return found
            left = deadline - time.monotonic()
            if left <= 0 or not self._pump(left):
                raise AssertionError(f"no {pattern!r} in {self.text[self.read_to:]!r}")

    def send(self, text):
        os.write(self.fd, text.encode())

    def line(self, text, *patterns):
        """Types a line, and reads it back as the terminal shows it."""
        self.send(text + "\r")
        for pattern in patterns:
            self.expect(pattern)

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """Waits for the end. Returns the exit code, or minus the signal."""
        deadline = time.monotonic() + PATIENCE
        open_still = True
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            elif open_still:
                open_still = self._pump(0.02)
            else:
                time.sleep(0.01)
        return self.code

    def close(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class LocalBeam:
    """beamlua serve on a free port; its access log says what it saw."""

    def __init__(self, folder, *arguments):
        self.log_path = tempfile.mktemp(dir=folder)
        self.log_file = open(self.log_path, "w")
        self.process = subprocess.Popen([BEAMLUA, "serve", *arguments, "--port", "0"], stdout=subprocess.PIPE, stderr=self.log_file,
                                        env=environment(folder), cwd=folder, text=True)
        line = self.process.stdout.readline()
        self.url = re.match(r"local Beam at (\S+)", line).group(1)

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def saw(self, pattern, count=1):
        """Waits until the log has the pattern so many times."""
        deadline = time.monotonic() + PATIENCE
        while len(re.findall(pattern, self.log())) < count:
            assert time.monotonic() < deadline, f"the server did not see {count} times {pattern!r}:\n{self.log()}"
            time.sleep(0.02)

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log_file.close()


class Says:
    """A server that answers with what it is sent: {"status": 200, "type": "application/json", "body": a character for each byte}."""

    def __init__(self):
        says = self
        self.asked = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                says.asked += 1
                told = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = told["body"].encode("latin-1")
                self.send_response(told["status"])
                self.send_header("content-type", told.get("type", "application/json"))
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="beamlua-test-")
        self.closing = []
        self.shared = None

    def keep(self, thing):
        self.closing.append(thing)
        return thing

    def beam(self, *arguments):
        """A local Beam of the test's own, or, without arguments, one for all tests."""
        if arguments:
            return self.keep(LocalBeam(self.home, *arguments))
        if not self.shared:
            self.shared = LocalBeam(self.home, "--token", "s3cret")
        return self.shared

    def env(self, beam=None, **more):
        url = {"BEAM_GATEWAY_URL": beam.url, "BEAM_TOKEN": "s3cret"} if beam else {}
        return environment(self.home, **{**url, **more})

    def run(self, *arguments, beam=None, stdin="", **more):
        """In pipes. Returns exit code, output, errors."""
        done = subprocess.run([BEAMLUA, *arguments], input=stdin, capture_output=True, text=True, env=self.env(beam, **more), cwd=self.home,
                              timeout=PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def start(self, *arguments, beam=None, **more):
        """In pipes, left running."""
        return subprocess.Popen([BEAMLUA, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.env(beam, **more), cwd=self.home)

    def terminal(self, *arguments, beam=None, columns=100, **more):
        return self.keep(Terminal([BEAMLUA, *arguments], self.env(beam, **more), columns))

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.home, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def clean_up(self):
        while self.closing:
            self.closing.pop().close()

    def end(self):
        self.clean_up()
        if self.shared:
            self.shared.close()
        shutil.rmtree(self.home, ignore_errors=True)


def same(wanted, got):
    assert wanted == got, f"wanted {wanted!r}, got {got!r}"


def has(pattern, text):
    assert re.search(pattern, text, re.S), f"no {pattern!r} in {text!r}"


def main(tests, pattern=""):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, which timeout hands on in coreutils 9.10
    chosen = [fn for fn in tests if pattern in fn.__name__]
    world, failed = World(), 0
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
            finally:
                world.clean_up()
    finally:
        world.end()
    return 1 if failed else 0
