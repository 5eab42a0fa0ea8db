"""beamlua in pipes and on a terminal: the interpreter, each command, each exit code, Ctrl-C in every state. Speaks TAP.
usage: beamlua_command_test.py [pattern]"""
import base64
import hashlib
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "servers"))
import certificates  # noqa: E402
from ports import free_port  # noqa: E402
from beamlua import BEAMLUA, PATIENCE, ROOT, Says, has, main, same

tests = []

APP = """
local app = require "beam.serve"
app.realtime("echo", function(text) return { response = text } end)
app.realtime("mark", function(text) return (text:gsub('"', ""):upper() .. "!") end)
app.realtime("kind", function(_, context) return '"' .. (context.binary and "binary" or "text") .. '"' end)
app.realtime("shout", function(text) return text:upper() end)
app.endpoint("multiply", function(input) return { result = input.x * 2, text = input.text } end)
app.endpoint("typed", function(input) return input.n end, { inputs = { n = "integer" } })
app.endpoint("slow", function() require("beam.driver").sleep(30) return {} end)
app.endpoint("fails", function() error "it broke" end)
app.endpoint("count", function() local n = 0 return function() n = n + 1 if n <= 3 then return { n = n } end end end)
app.endpoint("endless", function() return function() require("beam.driver").sleep(0.05) return { n = 1 } end end)
app.task_queue("train", function(input, context) context.output("model.txt", "weights") return { loss = 0.5, text = input.text } end)
app.task_queue("long", function(input, context) context.sleep(600) end)
app.task_queue("broken", function() error "no" end)
"""


def test(fn):
    tests.append(fn)
    return fn


def app(world, *arguments):
    return world.beam(world.write("app.lua", APP), *arguments)


# ---- The interpreter ----

@test
def interprets(world):
    """-e, -l, -l G=NAME, -W, --, -, standard input, arg and #! as in lua"""
    write = world.write("args.lua", "print(arg[0]:match '[^/]*$', arg[-1] ~= nil, #arg, ...)")
    same((0, "args.lua\ttrue\t2\ta\t-x\n", ""), world.run("--", write, "a", "-x"))
    world.write("mine.lua", "return { name = 'mine' }")
    same((0, "mine\tmine\n", ""), world.run("-lmine", "-l", "other=mine", "-e", "print(mine.name, other.name)", LUA_PATH=world.home + "/?.lua"))
    same((0, "1\nx\n", ""), world.run(stdin="print(1)\nprint(...)", *["-", "x"]))
    same((0, "in\n", ""), world.run(stdin="print 'in'"))
    same((0, "", ""), world.run("-e", "warn 'w'"))
    same((0, "", "Lua warning: w\n"), world.run("-W", "-e", "warn 'w'"))
    same((0, "2\n", ""), world.run("-e", "print(x)", LUA_INIT="x = 2"))
    same((0, "nil\tnil\n", ""), world.run("-E", "-e", "print(package.path:find 'elsewhere', x)", LUA_INIT="x = 2", LUA_PATH="elsewhere/?.lua"))
    same((0, "0\tx\n", ""), world.run("-e", "n = select('#', ...)", "-", "x", stdin="print(n, ...)"))
    has(r"^beamlua: module 'nowhere' not found", world.run("-l", "nowhere")[2])
    same((1, "", "beamlua: LUA_INIT:1: unexpected symbol near <eof>\n"), world.run("-e", "print(x)", LUA_INIT="x ="))
    same("beamlua: --record wants an argument", world.run("--record=", write)[2].split("\n")[0])
    with open(write) as file:
        assert file.read().startswith("print("), "an argument that is missing is not the script"
    script = world.write("script", f"#!{BEAMLUA}\nprint('from a script', ...)\n", 0o755)
    done = subprocess.run([script, "arg"], capture_output=True, text=True, env=world.env(), timeout=PATIENCE)
    same((0, "from a script\targ\n", ""), (done.returncode, done.stdout, done.stderr))
    has(r"^beamlua [\d.]+, Lua 5.[45]\n$", world.run("-v")[1])


@test
def tells_metrics(world):
    """--metrics-port serves the figures on this machine while a script or a command runs, and keeps neither going"""
    beam, port = world.beam(), free_port()
    asks = "{ url = 'http://127.0.0.1:%d/metrics', method = 'GET', raw = true, token = false }" % port
    script = f"assert(beam.call('multiply', {{ x = 1 }})) print(beam.call({asks}):match 'beam_calls_total{{[^\\n]+')"
    same((0, 'beam_calls_total{outcome="ok"} 1\n', ""), world.run("--metrics-port", str(port), "-e", script, beam=beam))
    same((0, '{"result":2}\n', ""), world.run("call", "multiply", "x:=1", "--metrics-port", str(port), beam=beam))
    code, out, err = world.run("--metrics-port", "0", "-e", "print 'runs'")
    same((0, "runs\n"), (code, out))
    has(r"^beamlua: metrics at http://127.0.0.1:\d+/metrics\n$", err)
    code, out, err = world.run("--metrics-port", "65536", "-e", "print 'runs'")
    same((1, "beamlua: --metrics-port wants a port, 0 to 65535\n"), (code, err))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, out, err = world.run(f"--metrics-port={taken.getsockname()[1]}", "-e", "print 'runs'")
        same((1, ""), (code, out))
        has("for metrics: cannot listen", err)


@test
def tells_errors(world):
    """a traceback has the script's frames, and none of ours or of C; errors that are no text are told as lua tells them"""
    path = world.write("fails.lua", "local function f(x)\n  table.sort({ 1, 2 }, function() error 'boom' end)\nend\nlocal co = f\nbeam.sleep(0)\nco()\n")
    code, out, err = world.run(path)
    same((1, ""), (code, out))
    same([f"beamlua: {path}:2: boom", "stack traceback:", f"\t{path}:2: in function <{path}:2>", f"\t{path}:2: in local 'co'",
          f"\t{path}:6: in main chunk"], err.rstrip("\n").split("\n"))
    same((1, "", "beamlua: (error object is a table value)\nstack traceback:\n\t(command line):1: in main chunk\n"),
         world.run("-e", "local t = {} error(t)"))
    same((1, "", "beamlua: told\nstack traceback:\n\t(command line):1: in main chunk\n"),
         world.run("-e", "local t = setmetatable({}, { __tostring = function() return 'told' end }) error(t)"))
    code, _, err = world.run("-e", "assert(beam.call { 'x', retry = false })", BEAM_GATEWAY_URL=f"http://127.0.0.1:{free_port()}")
    assert code == 1 and "connect: POST" in err and "beam/" not in err and "[C]" not in err, err
    same((2, ""), world.run("-x")[:2])
    has("did you mean the command 'call'", world.run("cal")[2])


@test
def helps(world):
    """help for each command, in pipes without colours; mistakes are told with what may have been meant"""
    code, out, err = world.run("help")
    same((0, ""), (code, err))
    for name in ("call", "realtime", "submit", "task", "deployments", "serve", "doctor", "explain", "completion"):
        has(f"\n  {name} ", out)
        code, text, err = world.run(name, "--help")
        same((0, ""), (code, err))
        has(f"^usage: beamlua {name}", text)
        same((0, text, ""), world.run("help", name))
    for name in ("get", "wait", "watch", "result", "outputs", "download", "cancel", "list"):
        has(f"^usage: beamlua task {name}", world.run("task", name, "--help")[1])
    same(0, world.run("--help")[0])
    for words, said in (
        (["call"], "NAME is missing"), (["call", "a", "{}", "b"], "unexpected argument 'b'"),
        (["call", "a", "--tiemout", "3"], "did you mean --timeout?"), (["call", "a", "--timeout", "x"], "--timeout wants a number of seconds"),
        (["call", "a", "--timeout"], "--timeout wants a value"), (["call", "a", "--raw=1"], "--raw takes no value"),
        (["call", "a", "--token", "t"], "set BEAM_TOKEN"), (["call", "a", "--kind", "x"], "is one of asgi, endpoint"),
        (["call", "a", "--header", "x"], "wants 'Name: value'"), (["task"], "what about it"), (["task", "wat", "x"], "did you mean 'wait'"),
        (["call", "a", "[1]"], "Beam wants an object"), (["task", "get", "a b"], "the id of a task"), (["completion", "tcsh"], "bash, zsh and fish"),
        (["help", "cal"], "did you mean 'call'"), (["realtime", "a", "--json", "--raw"], "not both"),
    ):
        code, out, err = world.run(*words)
        same((2, ""), (code, out))
        assert said in err, (words, err)


# ---- Calls ----

@test
def calls(world):
    """call: input from an argument, a file and standard input; results as they came; streams; what goes on with -v"""
    beam = app(world)
    same((0, '{"result":24}\n', ""), world.run("call", "multiply", '{"x": 12}', beam=beam))
    path = world.write("input.json", '{"x": 2, "text": "é"}')
    has('"result":4', world.run("call", "multiply", "@" + path, beam=beam)[1])
    has('"result":6', world.run("call", "multiply", "-", beam=beam, stdin='{"x": 3}')[1])
    same((0, '{"n":1}\n{"n":2}\n{"n":3}\n', ""), world.run("call", "count", "--stream", beam=beam))
    same((0, '{"result":2}', ""), world.run("call", "multiply", '{"x":1}', "--raw", beam=beam))
    code, out, err = world.run("call", "multiply", '{"x":1}', "-v", "--version", "1", "--header", "X-A: b", beam=beam)
    same((0, '{"result":2}\n'), (code, out))
    has(r"beamlua call: status 200, 1 attempts, [\d.]+ s, task [\w-]+\n", err)
    terminal = world.terminal("call", "multiply", '{"x":1}', beam=beam)
    same(0, terminal.end())
    same('{\r\n  \x1b[36m"result"\x1b[0m: \x1b[33m2\x1b[0m\r\n}\r\n', terminal.text)
    for off in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        terminal = world.terminal("call", "nothing", beam=beam, **off)
        same(34, terminal.end())
        assert "\x1b" not in terminal.text, terminal.text


class Plain(http.server.ThreadingHTTPServer):
    """An HTTP server that answers all the same, and keeps what it was asked."""

    def __init__(self, world, status=200, body=b'{"ok":true}', tls=None):
        self.asked = []
        plain = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                plain.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://localhost:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()
        world.keep(self)

    def handle_error(self, *_):
        pass

    def close(self):
        self.shutdown()
        self.server_close()


@test
def unusual_answers(world):
    """call: an empty answer makes an empty file; an item that is no UTF-8 cannot be written as JSON, and is told so"""
    server, path = world.keep(Says()), world.write("answer", "of an earlier call")
    says = lambda status, body, **more: json.dumps({"status": status, "body": body, **more})  # noqa: E731
    same((0, "", ""), world.run("call", server.url, says(200, ""), "-o", "answer"))
    same(0, os.path.getsize(path))
    for kind, body in (("application/x-ndjson", '{"a":"\xff"}\n'), ("text/event-stream", "data: \xff\n\n")):
        code, out, err = world.run("call", server.url, says(200, body, type=kind), "--stream")
        same((23, ""), (code, out))
        has(r"^beamlua call: json: an item cannot be written as JSON: .*is not UTF-8.*\(--raw prints items as they are\)", err)


@test
def like_curl(world):
    """call: fields as input, files out and in, forms, heads, times, no secret among them; errors as JSON; hints in the shell's words"""
    beam = app(world)
    plain = Plain(world)
    body = lambda: plain.asked[-1][3]  # noqa: E731
    world.write("text.txt", "ein Käse")
    world.write("value.json", '{"deep":[1]}')
    to = ["--gateway", plain.url]
    same((0, '{"ok":true}\n', ""), world.run("call", "x", "x:=12", "name=a=b c", "t=@text.txt", "j:=@value.json", "f@text.txt", "e=", *to))
    same({"x": 12, "name": "a=b c", "t": "ein Käse", "j": {"deep": [1]}, "f": base64.b64encode("ein Käse".encode()).decode(), "e": ""},
         json.loads(body()))
    same(0, world.run("submit", "train", "text=hello", beam=beam)[0])
    for words, code, said in ((["x:=y"], 23, "the field 'x' is no JSON"), (["x:=1", "{}"], 2, "'{}' is no field"), (["a@/no/such"], 22, "cannot be read"),
                              (["a=b", "--upload", "text.txt"], 2, "one of an input"), (["--form", "x"], 2, "wants NAME=VALUE")):
        got, out, err = world.run("call", "x", *words, *to)
        same((code, ""), (got, out))
        assert said in err, err
    same((0, "", ""), world.run("call", "x", "-q", *to))
    same((0, "", ""), world.run("call", "x", "-o", "answer.json", *to))
    with open(world.home + "/answer.json") as file:
        same('{"ok":true}', file.read())
    code, out, _ = world.run("call", "x", "-i", *to)
    has(r'^HTTP 200 OK\ncontent-length: 11\ncontent-type: application/json\n.*\n\n{"ok":true}\n$', out)
    code, out, _ = world.run("call", "nothing", "-i", beam=beam)
    has(r'^HTTP 400 Bad Request\n.*Invalid deployment', out)
    same(0, world.run("call", "x", "-F", "name=va lue", "-F", "file=@text.txt", *to)[0])
    method, path, headers, sent = plain.asked[-1]
    has(r"^multipart/form-data; boundary=beam-", headers["content-type"])
    has(r'name="name"\r\n\r\nva lue\r\n--.*name="file"; filename="text.txt"\r\ncontent-type: [^\r]*\r\n\r\nein Käse\r\n--beam-\w+--\r\n$', sent.decode())
    same(str(len(sent)), headers["Content-Length"])
    same(0, world.run("call", "x", "-T", "text.txt", *to)[0])
    same("ein Käse".encode(), body())
    same(0, world.run("call", "x", "-H", "X-One: 1", "-H", "x-two: 2", *to)[0])
    same(("1", "2"), (plain.asked[-1][2]["X-One"], plain.asked[-1][2]["x-two"]))
    code, out, err = world.run("call", "x", "-v", "--path", "?auth=q1", *to, BEAM_TOKEN="s3cret-token")
    same('{"ok":true}\n', out)
    has(r"> POST /endpoint/x/?\? \[hidden\]\n.*> Authorization: \[hidden\]\n.*< HTTP/1.1 200 OK\n.*dns [\d.]+ ms, tcp [\d.]+ ms, .*wait [\d.]+ ms", err)
    assert "s3cret" not in err and "q1" not in err.split("status 200")[0], err
    code, out, err = world.run("call", "nothing", "--json", beam=beam)
    told = json.loads(err)
    same((34, "", "http", 400, "no", 34), (code, out, told["kind"], told["status"], told["executed"], told["exit_code"]))
    told = json.loads(world.run("task", "get", "no-such-task", "--json", beam=beam)[2])
    same(("http", 404), (told["kind"], told["status"]))
    told = json.loads(world.run("call", "fails", "--json", beam=beam)[2])
    same((500, "yes", 36), (told["status"], told["executed"], len(told["task_id"])))
    for words, said in ((["call", "x", "--gateway", plain.url + "/"], None), (["call", "fails"], "--verbose"), (["submit", "multiply"], "beamlua call")):
        err = world.run(*words, beam=beam)[2]
        assert not said or said in err, err
        hint = err.rsplit("(", 1)[-1]
        assert "beam." not in hint and "err." not in hint, err
    has(r"^beamlua [\d.]+, Lua 5.[45]\n$", world.run("--version")[1])


@test
def certificates_and_proxies(world):
    """--ca-file, --cert and --key, --insecure, --proxy"""
    certificates.make_all(world.home)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{world.home}/good.pem", f"{world.home}/good.key")
    server = Plain(world, tls=tls)
    words = ["call", "x", "--retry", "0", "--gateway", server.url]
    code, out, err = world.run(*words)
    same(12, code)
    has("give the issuer's certificate as --ca-file", err)
    same(0, world.run(*words, "--ca-file", "ca.pem")[0])
    code, out, err = world.run(*words, "--insecure")
    same(0, code)
    has("without checking its certificate", err)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(f"{world.home}/ca.pem")
    assert world.run(*words, "--ca-file", "ca.pem")[0] != 0
    same(0, world.run(*words, "--ca-file", "ca.pem", "--cert", "good.pem", "--key", "good.key")[0])
    proxy = Plain(world, body=b'{"by":"proxy"}')
    same((0, '{"by":"proxy"}\n', ""), world.run("call", "x", "--proxy", proxy.url, "--gateway", "http://elsewhere.invalid", BEAM_TOKEN=""))
    same("http://elsewhere.invalid/endpoint/x", proxy.asked[-1][1])


@test
def says_what_was_meant(world):
    """a name of another kind, a name nearly right, an id as `deployments` prints it, a context beside BEAM_TOKEN"""
    beam = app(world)
    for words, said in (
        (["call", "train"], r"'train' is of kind taskqueue: beamlua submit train"),
        (["call", "echo"], r"'echo' is of kind asgi: beamlua realtime echo"),
        (["submit", "multiply"], r"'multiply' is of kind endpoint: beamlua call multiply"),
        (["realtime", "train"], r"'train' is of kind taskqueue: beamlua submit train"),
        (["call", "multiplly"], r"did you mean 'multiply'\?"), (["call", "nothing-like-it"], r"check the deployment's name"),
        (["realtime", "ecko"], r"did you mean 'echo'\?"),
    ):
        code, out, err = world.run(*words, beam=beam)
        assert code not in (0, 1) and out == "", (words, code, out)
        has(said, err)
    rows = [line.split("\t") for line in world.run("deployments", beam=beam)[1].splitlines()]
    ids = {row[0]: row[4] for row in rows}
    same((0, '{"result":4}\n', ""), world.run("call", ids["multiply/v1"], '{"x":2}', beam=beam))
    same(0, world.run("submit", ids["train/v1"], beam=beam)[0])
    same((0, '{"response":"1"}\n', ""), world.run("realtime", ids["echo/v1"], beam=beam, stdin="1\n"))
    has("see beam.submit|beamlua submit", world.run("call", ids["train/v1"], beam=beam)[2])
    guarded = app(world, "--token", "staging-token")
    config = world.write("config.ini", "[default]\ntoken = wrong\n[staging]\ntoken = staging-token\n[empty]\nx = y\n")
    words = ["call", "multiply", '{"x":2}', "--gateway", guarded.url]
    same((0, '{"result":4}\n', ""), world.run(*words, "--context", "staging", "--config", config, BEAM_TOKEN="production"))
    has("was not accepted", world.run(*words, "--config", config, BEAM_TOKEN="staging-token")[2])
    same(0, world.run(*words, BEAM_TOKEN="staging-token", BEAM_CONFIG_PATH=config)[0])
    config = world.write("without.ini", "[empty]\nx = y\n")
    code, _, err = world.run(*words, "--context", "empty", "--config", config, BEAM_TOKEN="staging-token")
    same(28, code)
    has(r"without.ini \[empty\] has no token", err)


def answer_upgrade(listener, then):
    """A WebSocket server of its own, for one connection."""
    try:
        peer, _ = listener.accept()
    except OSError:
        return  # the test is over
    with peer:
        head = b""
        while b"\r\n\r\n" not in head:
            head += peer.recv(4096)
        key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head).group(1)
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        peer.sendall(then)
        peer.settimeout(PATIENCE)
        while peer.recv(4096):
            pass


@test
def indents(world):
    """JSON is indented in its own order, its texts and numbers untouched; on one line it loses nothing but white space"""
    text = r'''{"b":[1,2.50,{}],"a":"x{,\"\\","c":{"d":[]},"e":12345678901234567890}'''
    wanted = r'''{
  "b": [
    1,
    2.50,
    {}
  ],
  "a": "x{,\"\\",
  "c": {
    "d": []
  },
  "e": 12345678901234567890
}'''
    script = world.write("indent.lua", """
      local output = require "beamlua.cli.output"
      local indented = output.indent(arg[1], function(_, token) return token end)
      io.write(indented, "\\n", output.compact(indented), "\\n")""")
    same((0, f"{wanted}\n{text}\n", ""), world.run(script, text))
    same((0, "1\n1\n", ""), world.run(script, "1"))


@test
def exit_codes(world):
    """one exit code for each kind of error, and the error in a line on stderr"""
    beam = app(world)
    lost = world.beam("--fault", "close=1008/1")
    guarded = world.beam("--token", "another")
    busy = world.beam("--fault", "status=429")
    no_upgrade = Plain(world, status=302)
    closed = free_port()
    listener = world.keep(socket.create_server(("127.0.0.1", 0)))
    wrong = f"http://127.0.0.1:{listener.getsockname()[1]}"
    threading.Thread(target=answer_upgrade, args=(listener, b"\xf1\x01a"), daemon=True).start()
    failed = world.run("submit", "broken", beam=beam)[1].strip()
    for code, words, more in (
        (10, ["call", "x", "--gateway", "http://no-such-host.invalid", "--retry", "0"], {"BEAM_TOKEN": ""}),
        (11, ["call", "x", "--gateway", f"http://127.0.0.1:{closed}", "--retry", "0"], {}),
        (12, ["call", "x", "--gateway", beam.url.replace("http", "https"), "--retry", "0"], {}),
        (13, ["realtime", "x", "--gateway", no_upgrade.url], {}), (14, ["call", "x", "--gateway", no_upgrade.url, "--retry", "0"], {}),
        (34, ["realtime", "nothing"], {}), (34, ["call", "nothing"], {}), (34, ["task", "get", "no-such-task"], {}),
        (31, ["call", "x", "--gateway", guarded.url], {"BEAM_TOKEN": "wrong"}), (31, ["realtime", "x", "--gateway", guarded.url], {}), (35, ["call", "fails"], {}),
        (32, ["call", "multiply", "--gateway", busy.url, "--retry", "0"], {}),
        (15, ["call", "slow", "--timeout", "0.3"], {}), (15, ["realtime", "echo", "--count", "1", "--timeout", "0.3"], {}),
        (16, ["realtime", "echo", "--gateway", lost.url, "--wait", "20"], {"stdin": "1\n2\n"}),
        (17, ["realtime", "echo", "--gateway", wrong, "--count", "1"], {}),
        (18, ["realtime", "echo", "--max-message", "5"], {"stdin": "longer\n"}),
        (19, ["call", "x", "--gateway", "http://192.0.2.1"], {}),
        (22, ["call", "x", "@/no/such/file"], {}), (22, ["task", "download", failed], {}),
        (23, ["call", "x", "{x: 1}"], {}), (23, ["realtime", "echo", "--json"], {"stdin": "{}\nx\n"}),
        (24, ["call", "typed", '{"n": "x"}'], {}),
        (27, ["task", "result", failed], {}), (27, ["submit", "broken", "--wait"], {}),
        (28, ["call", "x"], {"BEAM_CONFIG_PATH": "/no/such/file", "BEAM_TOKEN": ""}),
    ):
        got, out, err = world.run(*words, beam=beam, **more)
        assert got == code, (code, got, words, out, err)
        has(r'^{.*}\n$' if "--json" in words else r"^beamlua [\w ]+: [\w]+: .+\n$", err)
    for words in (["task", "wait", failed], ["task", "watch", failed]):
        code, out, err = world.run(*words, beam=beam)
        same((27, "ERROR", ""), (code, out.split()[-1], err))
    code, out, err = world.run("call", "fails", "-v", beam=beam)
    assert "it broke" in err, err


# ---- Realtime ----

@test
def realtime(world):
    """realtime in pipes: lines in, messages out; waits for the answers; --count, --wait, --json, --binary"""
    beam = app(world)
    same((0, '{"response":"one"}\n{"response":"two"}\n', ""), world.run("realtime", "echo", beam=beam, stdin="one\ntwo"))
    same((0, "ONE\n", ""), world.run("realtime", "shout", beam=beam, stdin="one\n"))
    same((0, '"ONE!"\n', ""), world.run("realtime", "mark", "--json", beam=beam, stdin='"one"\n\n'))
    same((0, '"binary"\n', ""), world.run("realtime", "kind", "--binary", "--json", beam=beam, stdin="1\n"))
    same((0, '{"response":"{\\"a\\": 1}"}\n', ""), world.run("realtime", "echo", "--json", beam=beam, stdin='{"a": 1}\n\n'))
    same((0, '{"response":"1"}\n{"response":"2"}\n', ""), world.run("realtime", "echo", "--count", "2", beam=beam, stdin="1\n2\n3\n"))
    start = time.monotonic()
    same((0, '{"response":"1"}\n', ""), world.run("realtime", "echo", "--wait", "0.5", beam=beam, stdin="1\n"))
    assert time.monotonic() - start >= 0.5
    same((0, "", ""), world.run("realtime", "echo", "--wait", "0", beam=beam))
    code, out, err = world.run("realtime", "echo", "-v", beam=beam, stdin="1\n")
    same((0, '{"response":"1"}\n'), (code, out))
    has(r"beamlua realtime: tcp \([\d.]+ s\)\n.*beamlua realtime: open", err)
    beam.saw("WS echo closed 1000", 4)
    process = world.start("realtime", "echo", beam=beam)
    for n in range(3):  # each answer comes before the next line is there: nothing waits in a buffer
        process.stdin.write(f"{n}\n")
        process.stdin.flush()
        same(f'{{"response":"{n}"}}\n', process.stdout.readline())
    process.stdin.close()
    same(0, process.wait(PATIENCE))
    process.stdout.close()
    process.stderr.close()


@test
def realtime_on_a_terminal(world):
    """realtime on a terminal: marks, times, commands, a status line, why a connection is lost; Ctrl-D ends it after the answers"""
    beam = app(world)
    terminal = world.terminal("realtime", "echo", beam=beam)
    terminal.expect(r"\d\d:\d\d:\d\d\S* \S*\*\S* open \([\d.]+ s\)\r\n")
    terminal.expect("ready")
    time.sleep(0.2)
    terminal.line("hello", r'\x1b\[1A\x1b\[2K\S*\d\d:\d\d:\d\d\S* \S*>\S* hello\r\n', r'\S*<\S* {"response":"hello"}.*?\([\d.]+ ms\)\S*\r\n')
    terminal.line("/ping", r"pong after [\d.]+ ms")
    terminal.line("/stats", r"received 1, sent 1")
    terminal.line("/what", r"there is no /what")
    terminal.line("//slash", r'"response":"/slash"')
    terminal.expect(r"\x1b\[40;1H\x1b\[7m echo  open  sent 2  received 2 ")
    terminal.send("\x04")
    same(0, terminal.end())
    assert terminal.text.endswith("\x1b[r\x1b[40;1H\x1b[K\x1b8"), terminal.text[-60:]
    terminal = world.terminal("realtime", "echo", beam=beam)
    terminal.expect("open \\(")
    terminal.line("/close 4000 good bye", "")
    same(0, terminal.end())
    beam.saw("WS echo closed 4000")
    terminal = world.terminal("realtime", "echo", "--no-reconnect", beam=world.beam("--fault", "close=1008/1"))
    terminal.expect("open \\(")
    terminal.line("/close 99", "the code is 1000")
    terminal.line("one", "1008")
    same(16, terminal.end())
    flapping = world.beam("--fault", "close=1012/1")
    terminal = world.terminal("realtime", "echo", beam=flapping, TERM="dumb")
    terminal.line("one", r"1012.*next try in [\d.]+ s")
    terminal.send("\x03")
    same(130, terminal.end())


@test
def realtime_events(world):
    """realtime --jsonl: all that happens, as lines of JSON"""
    beam = app(world)
    code, out, err = world.run("realtime", "echo", "--jsonl", beam=beam, stdin="hello\n")
    same((0, ""), (code, err))
    events = [json.loads(line) for line in out.splitlines()]
    names = [event["event"] for event in events if event["event"] != "phase"]
    same(["sent", "message", "closed"], names)
    message = next(event for event in events if event["event"] == "message")
    same(("text", {"response": "hello"}), (message["kind"], message["data"]))
    assert {"event", "time", "phase", "seconds"} <= set(events[0]), events[0]
    code, out, err = world.run("realtime", "echo", "--jsonl", "--no-reconnect", "--wait", "5", beam=world.beam("--fault", "close=1008/1"), stdin="1\n2\n")
    last = [json.loads(line) for line in out.splitlines()][-1]
    same((16, "closed", 1008), (code, last["event"], last["error"]["code"]))
    for options, code, sent in (["--binary", "--wait", "0.5"], 0, [{"base64": "Yf8="}]), ([], 22, []):
        done = subprocess.run([BEAMLUA, "realtime", "echo", "--jsonl", *options], input=b"a\xff\n", env=world.env(beam), capture_output=True,
                              timeout=PATIENCE)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        same((code, sent), (done.returncode, [event["data"] for event in events if event["event"] == "sent"]))


@test
def many_lines(world):
    """10,000 lines through a pipe, in order, none lost; a reader that leaves early ends it with 141 and a close frame"""
    beam = app(world)
    lines = "".join(f"{n}\n" for n in range(10000))
    quick = world.write("quick.lua", "local app = require 'beam.serve'\napp.realtime('q', function(t) return t end)\n"
                        "local server = assert(app.listen { port = 0, pause = 0 })\nprint('at ' .. server.url) io.stdout:flush()\n")
    server = world.start(quick)
    try:
        url = server.stdout.readline().split()[1]
        code, out, err = world.run("realtime", "q", stdin=lines, BEAM_GATEWAY_URL=url)
        same((0, "", True), (code, err, out == lines))
    finally:
        server.terminate()
        server.wait(PATIENCE)
        for stream in (server.stdin, server.stdout, server.stderr):
            stream.close()
    process = world.start("realtime", "echo", beam=beam)
    process.stdin.write("1\n2\n3\n")
    process.stdin.flush()
    process.stdout.readline()
    process.stdout.close()
    same(141, process.wait(PATIENCE))
    same("", process.stderr.read())
    process.stdin.close()
    process.stderr.close()
    beam.saw("WS echo closed 1001")


# ---- Tasks ----

@test
def tasks_and_lists(world):
    """submit, task get, wait, watch, result, outputs, download, cancel, list; deployments"""
    beam = app(world)
    code, out, err = world.run("submit", "train", '{"text": "x"}', beam=beam)
    same((0, ""), (code, err))
    id = out.strip()
    same((0, "COMPLETE\n", ""), world.run("task", "wait", id, beam=beam))
    same("COMPLETE", json.loads(world.run("task", "get", id, beam=beam)[1])["status"])
    same((0, "COMPLETE\n", ""), world.run("task", "watch", id, beam=beam))
    same({"loss": 0.5, "text": "x"}, json.loads(world.run("task", "result", id, beam=beam)[1]))
    same((0, "model.txt\n", ""), world.run("task", "outputs", id, beam=beam))
    same("model.txt", json.loads(world.run("task", "outputs", id, "--json", beam=beam)[1])["name"])
    for where, path in (([], "model.txt"), (["--output", "renamed"], "renamed"), (["--output", "/tmp/../" + world.home], "model.txt")):
        code, out, err = world.run("task", "download", id, "model.txt", *where, beam=beam)
        same((0, ""), (code, err))
        with open(os.path.join(world.home, path)) as file:
            same("weights", file.read())
    same({"loss": 0.5, "text": None}, {"text": None, **json.loads(world.run("submit", "train", "--wait", beam=beam)[1])})
    id = world.run("submit", "long", beam=beam)[1].strip()
    same((0, "CANCELLED\n", ""), world.run("task", "cancel", id, beam=beam))
    code, out, err = world.run("task", "cancel", id, beam=beam)
    same((0, "CANCELLED\n"), (code, out))
    has("ended before", err)
    rows = [row.split("\t") for row in world.run("task", "list", beam=beam)[1].splitlines()]
    same([[id, "CANCELLED", "long"], 4], [rows[0][:3], len(rows[0])])
    same(1, len(world.run("task", "list", "--limit", "1", "--json", beam=beam)[1].splitlines()))
    for row in world.run("task", "list", "--status", "COMPLETE", "--deployment", "train", beam=beam)[1].splitlines():
        same(["COMPLETE", "train"], row.split("\t")[1:3])
    rows = [row.split("\t") for row in world.run("deployments", "--kind", "taskqueue", beam=beam)[1].splitlines()]
    same([["broken/v1", "taskqueue", "active"], ["long/v1", "taskqueue", "active"], ["train/v1", "taskqueue", "active"]], sorted(row[:3] for row in rows))
    same(["train"], [json.loads(row)["name"] for row in world.run("deployments", "--name", "train", "--all", "--json", beam=beam)[1].splitlines()])
    terminal = world.terminal("deployments", "--name", "train", beam=beam, NO_COLOR="1")
    same(0, terminal.end())
    has(r"^NAME +KIND +STATE +CREATED +ID *\r\ntrain/v1 ", terminal.text)


# ---- doctor, explain, completion, manual ----

@test
def doctor(world):
    """doctor: versions, where each value comes from, network by phase, the token; each problem with its remedy; no secret"""
    beam = world.beam()
    code, out, err = world.run("doctor", beam=beam, https_proxy="http://me:hunter2@127.0.0.1:9")
    same((0, ""), (code, err))
    for pattern in (r"beamlua [\d.]+, Lua 5.[45], libbeam [\d.]+", r"libuv [\d.]+, libwebsockets [\d.]+, libcurl [\d.]+, OpenSSL [\d.]+", "lua-cjson",
                    r"certificates: \d+ in /", r"gateway +http://127.0.0.1:\d+  \(environment BEAM_GATEWAY_URL\)", r"timeout +1560  \(default\)",
                    r"token +set, not shown  \(environment BEAM_TOKEN\)", r"answers \(dns [\d.]+ ms, tcp [\d.]+ ms, http [\d.]+ ms\)",
                    r"token: accepted, workspace local\nall is well\n$"):
        has(pattern, out)
    assert "s3cret" not in out and "hunter2" not in out
    code, out, err = world.run("doctor", "--gateway", beam.url, BEAM_TOKEN="wr0ng")
    same((31, ""), (code, err))
    has(r"problem token: .*401.*\n +-> the token was not accepted: check it .*not well", out)
    assert "wr0ng" not in out
    own = world.beam("--quiet")
    has(r"token +set, not shown  \(file .*serve-\d+; BEAM_TOKEN is not for a local Beam\)", world.run("doctor", beam=own)[1])
    config = world.write("config.ini", "[default]\ntoken = f1le\n")
    has(r"token +set, not shown  \(file .*config.ini \[default\]\)", world.run("doctor", "--gateway", beam.url, "--config", config)[1])
    code, out, err = world.run("doctor", "--gateway", f"http://127.0.0.1:{free_port()}")
    same(11, code)
    has(r"problem network, tcp: .*refused.*\n +-> ", out)
    has(r"problem certificates: SSL_CERT_FILE names /no/such/file, which cannot be read.*\n +-> .*\nok +certificates: \d+",
        world.run("doctor", beam=beam, SSL_CERT_FILE="/no/such/file")[1])
    has(r"problem certificates: .*config.ini has no certificates in it", world.run("doctor", beam=beam, SSL_CERT_FILE=config)[1])
    code, out, err = world.run("doctor", SSL_CERT_FILE="", BEAM_CONFIG_PATH="/no/such/file")
    same(28, code)
    has(r"problem configuration: .*/no/such/file.*\n +-> check BEAM_CONFIG_PATH", out)


@test
def doctor_and_a_server_that_repeats(world):
    """doctor: a token that a server repeats, in any form, comes out nowhere; nor does the key's passphrase"""
    token = "a-t0ken/that+leaks=="
    told = [token, base64.b64encode(token.encode()).decode(), token.replace("/", "\\/")]

    class Leaks(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"message": " ".join(told)}).encode()
            self.send_response(int(self.server.status), told[0])
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Seen", told[1])
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Leaks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = f"http://127.0.0.1:{server.server_port}"
    for server.status in (401, 403, 404, 500, 200):
        for words in (["doctor"], ["call", "x", "{}"], ["task", "outputs", "x"], ["deployments"], ["logs", "--task", "x"]):
            code, out, err = world.run(*words, "--gateway", gateway, BEAM_TOKEN=token)
            for text in told:
                assert text not in err, (words, server.status, text, err)
                assert text not in out or (server.status == 200 and words[0] != "doctor"), (words, server.status, text, out)
    server.shutdown()
    phrase = world.write("phrase", "open sesame, please\nsecond line\n")
    code, out, err = world.run("call", "x", "{}", "--gateway", gateway, "--cert", phrase, "--key", phrase, "--key-passphrase-file", phrase)
    assert code != 0 and "sesame" not in out + err, (out, err)
    code, out, err = world.run("call", "x", "--key-passphrase-file", "/no/such/file")
    same(2, code)
    has("--key-passphrase-file wants a file with a line in it", err)


@test
def locked_key(world):
    """--key-passphrase-file: a client's key that is encrypted; without it, or with another, the error says so"""
    folder = world.write("keys", "") + ".d"
    os.mkdir(folder)
    plain, locked, certificate = (os.path.join(folder, name) for name in ("plain.pem", "locked.pem", "certificate.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=me",
                    "-keyout", plain, "-out", certificate], check=True, capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", plain, "-aes256", "-passout", "pass:open sesame", "-out", locked], check=True, capture_output=True)
    right, wrong = world.write("right", "open sesame\n"), world.write("wrong", "open barley\n")
    beam = app(world)
    ask = ["call", "multiply", '{"x":2}', "--gateway", beam.url.replace("http:", "https:"), "--insecure", "--cert", certificate, "--key", locked]
    has("the key is encrypted: set --key-passphrase-file", world.run(*ask)[2])
    code, out, err = world.run(*ask, "--key-passphrase-file", wrong)
    has("--key-passphrase-file does not decrypt it", err)
    assert "barley" not in out + err
    has("no TLS is spoken there", world.run(*ask, "--key-passphrase-file", right)[2])  # it came as far as that


@test
def explains(world):
    """explain: statuses, close codes, kinds, task states, exit codes, and the texts of errors"""
    beam = app(world)
    has(r"HTTP status 503: Service Unavailable\n.*'No compute capacity'.*run\?  no\n.*by itself\n.*nobody knows", world.run("explain", "503")[1])
    has(r"close code 1006: .*by itself", world.run("explain", "1006")[1])
    has(r"close code 4001: a code of the app's own", world.run("explain", "4001")[1])
    has(r"error of kind validation: .*mend the input\n  beamlua ends with:    24", world.run("explain", "validation")[1])
    has(r"task state EXPIRED: .*did not run", world.run("explain", "expired")[1])
    has(r"exit code 11:\nerror of kind connect", world.run("explain", "11")[1])
    has(r"exit code 32: status 429", world.run("explain", "32")[1])
    error = world.run("call", "nothing", beam=beam)[2]
    has(r"HTTP status 400: Bad Request\nto a call, with the words 'Invalid deployment'", world.run("explain", error)[1])
    has(r"HTTP status 429", world.run("explain", "Request queue full")[1])
    has(r"kind tls", world.run("explain", "tls: the certificate of x is not trusted")[1])
    has(r"kind connect", world.run("explain", "beamlua call: connect: POST http://x/: no connection to x:80: Connection refused")[1])
    has(r"kind connect", world.run("explain", "connection", "refused")[1])
    has(r"exit code 25:\nerror of kind queue_full", world.run("explain", "exit code 25")[1])
    code, out, err = world.run("explain", "timeot")
    same((1, "", "beamlua explain: nothing is known of 'timeot'; did you mean 'timeout'?\n"), (code, out, err))
    same((1, ""), world.run("explain", "99999")[:2])


# ---- Ctrl-C ----

def catches_signals(process):
    """Waits until it does; before, one would end it without a word."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
            caught = int(re.search(r"SigCgt:\s*(\w+)", file.read())[1], 16)
        if caught >> signal.SIGINT - 1 & 1:
            return
        assert time.monotonic() < deadline, "it catches no SIGINT"
        time.sleep(0.01)


def interrupt(process, wanted=130, number=signal.SIGINT):
    process.send_signal(number)
    same(wanted, process.wait(PATIENCE))
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


@test
def interrupted(world):
    """Ctrl-C and SIGTERM in every state: 130 and 143, and the server sees a close frame where there is a connection"""
    beam = app(world)
    cold = world.beam("--fault", "cold=60s")
    mute = world.keep(socket.create_server(("127.0.0.1", 0)))
    mute_url = f"http://127.0.0.1:{mute.getsockname()[1]}"
    long = world.run("submit", "long", beam=beam)[1].strip()
    seen = 0
    for words, ready, closes in (
        (["realtime", "echo"], r"WS echo open|WS .*echo.*101", True),
        (["realtime", "echo", "--json"], None, True),
        (["-e", "conn = assert(beam.realtime 'echo') conn:receive()"], None, True),
        (["-e", "conn = assert(beam.realtime 'echo') while true do end"], None, True),
        (["-e", "conn = assert(beam.realtime 'echo') conn:send 'x' io.read()"], None, True),
        (["-e", "conn = assert(beam.realtime 'echo') while true do conn:send 'x' conn:receive() end"], None, True),
        (["-i", "-e", "conn = assert(beam.realtime 'echo')"], None, None),
        (["call", "slow"], None, False), (["call", "endless", "--stream"], None, False),
        (["task", "watch", long], None, False), (["task", "wait", long], None, False),
    ):
        process = world.start(*words, beam=beam)
        catches_signals(process)
        if closes is not False:
            beam.saw("GET /asgi/echo 101", seen + 1)
        time.sleep(0.35)  # what it waits for, it waits for in silence
        if closes is None:  # at a prompt Ctrl-C is no end, SIGTERM is
            interrupt(process, 143, signal.SIGTERM)
            seen += 1
        else:
            interrupt(process)
            seen += 1 if closes else 0
        beam.saw("WS echo closed 1001", seen)
    for words, url in ((["realtime", "echo"], cold.url), (["realtime", "echo"], mute_url), (["call", "x"], mute_url), (["doctor"], mute_url),
                       (["realtime", "echo"], f"http://127.0.0.1:{free_port()}"), (["call", "x"], f"http://127.0.0.1:{free_port()}")):
        process = world.start(*words, "--gateway", url)
        catches_signals(process)
        time.sleep(0.35)
        interrupt(process)
    process = world.start("serve", "--port", "0")
    process.stdout.readline()
    interrupt(process, 143, signal.SIGTERM)
    terminal = world.terminal("realtime", "echo", beam=beam)
    terminal.expect("ready|open")
    terminal.send("\x03")
    same(130, terminal.end())
    beam.saw("WS echo closed 1001", seen + 1)
    terminal = world.terminal("task", "watch", long, beam=beam)
    terminal.expect("RUNNING")
    terminal.send("\x03")
    same(130, terminal.end())


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
