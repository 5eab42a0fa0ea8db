"""beamlua load: what it drives, what it counts, what it says of a server that stalls. Speaks TAP.
usage: beamlua_load_test.py [pattern]"""
import contextlib
import functools
import http.server
import json
import os
import re
import signal
import sys
import threading
import time
from html.parser import HTMLParser

from beamlua import has, main, same

tests = []

APP = """
local app = require "beam.serve"
local driver = require "beam.driver"
local sleep = driver.sleep
local calls, began, stalled = 0, nil, false
app.endpoint("steady", function(input)
  sleep(input.sleep or 0.005)
  return { result = input.x }
end)
-- Half a second after the first call the whole process stands still for half a second, as often as it is asked to.
app.endpoint("stalls", function(input)
  if input.again then began, stalled = nil, false end
  began = began or driver.now()
  if not stalled and driver.now() - began > 0.5 then
    stalled = true
    os.execute "sleep 0.5"
  end
  return { result = input.x }
end)
app.endpoint("fails", function(input)
  calls = calls + 1
  if calls % 4 == 0 then return app.response(429, { error = "Request queue full" }) end
  if calls % 4 == 1 then error "it broke" end
  return { result = input.x, header = input.header }
end)
app.realtime("echo", function(text, context) return { response = context.json() } end)
"""


def test(fn):
    tests.append(fn)
    return fn


def measures(fn):
    """A test that measures time: on a busy machine it has a few tries. A mistake spoils all of them."""
    @functools.wraps(fn)
    def tried(world):
        for _ in range(4):
            with contextlib.suppress(AssertionError):
                return fn(world)
            world.clean_up()
        return fn(world)
    return tried


def app(world, *arguments):
    return world.beam(world.write("app.lua", APP), "--quiet", *arguments)


def load(world, beam, *arguments, code=0):
    got, out, err = world.run("load", *arguments, "--json", beam=beam)
    same((code, ""), (got, err))
    return json.loads(out)


@test
def counts(world):
    """so many calls, no more at a time than were asked for, each counted once"""
    beam = app(world)
    report = load(world, beam, "steady", "x:=12", "sleep:=0.02", "--count", "60", "--concurrency", "6")
    same((60, 60, 0), (report["started"], report["ended"], report["failed"]))
    made = report["connections"]  # one stands from asking what containers there are
    assert 1 <= made <= 6, made
    same({"yes": 60, "no": 0, "unknown": 0}, report["executed"])
    same(("closed", 60, 60), (report["model"], report["latency"]["count"], sum(span["count"] for span in report["histogram"])))
    same(60, sum(span["calls"] for span in report["spans"]))
    assert 0.02 <= report["latency"]["p50"] <= report["latency"]["p99"] <= report["latency"]["max"] < 60, report["latency"]
    assert max(span["in_flight"] for span in report["spans"]) == 6, report["spans"]
    assert report["seconds"] >= 10 * 0.02 and abs(report["rate"] - 60 / report["seconds"]) < 0.01
    phases = {phase["phase"]: phase for phase in report["phases"]}
    same((60, made, 60), (phases["wait"]["count"], phases["tcp"]["count"], phases["total"]["count"]))
    assert phases["wait"]["p50"] >= 0.02


@test
@measures
def holds_a_rate(world):
    """--rate: planned times that wait for no answer, told how well they were kept"""
    beam = app(world)
    report = load(world, beam, "steady", "sleep:=0.1", "--rate", "100", "--duration", "1s")
    same(("open", 100, 100), (report["model"], report["planned"], report["ended"] + report["not_started"]))
    assert report["not_started"] <= 5, report["not_started"]  # none, but where this machine is held up at the end
    assert max(span["in_flight"] for span in report["spans"]) > 5, "a closed model would not have gone on"
    assert report["latency"]["p50"] >= report["service"]["p50"] >= 0.1
    few = load(world, beam, "steady", "sleep:=0.1", "--rate", "100", "--duration", "1s", "--concurrency", "2")
    assert few["not_started"] > 50 and few["planned"] == 100 and few["ended"] == few["started"] < 50, few["ended"]
    assert few["late"]["count"] > 10 and few["latency"]["p90"] > 0.3 > few["service"]["p50"], few["latency"]


@test
@measures
def shows_a_stall(world):
    """half a second in which the server stands still: p99 shows it at planned times, and corrected; of a closed model alone it does not"""
    beam = app(world)
    plan = ["stalls", "--count", "300"]
    open_model = load(world, beam, *plan, "--rate", "200")
    assert open_model["latency"]["p90"] > 0.15 and open_model["latency"]["p99"] > 0.3, open_model["latency"]
    load(world, beam, "stalls", "again:=true", "--count", "1")
    closed = load(world, beam, "stalls", "--duration", "1500ms", "--concurrency", "1", "--expected-rate", "200")
    assert closed["latency"]["max"] > 0.4 and closed["latency"]["p90"] < 0.2, closed["latency"]  # one call of them all, which may be few
    assert closed["corrected"]["p99"] > 0.2, closed["corrected"]
    assert closed["corrected"]["count"] > closed["latency"]["count"] + 50


@test
def tells_failures(world):
    """failures by kind and status, whether they ran, the first one's exit code; the text says the same"""
    beam = app(world)
    report = load(world, beam, "fails", "x:=1", "--count", "40", "--concurrency", "1", code=35)
    same((40, 20), (report["ended"], report["failed"]))
    sorts = {(sort["kind"], sort["status"]): sort for sort in report["errors"]}
    same({("http", 429), ("http", 500)}, set(sorts))
    same((10, {"yes": 10}), (sorts["http", 500]["count"], sorts["http", 500]["executed"]))
    same(10, sum(sorts["http", 429]["executed"].values()))
    code, out, err = world.run("load", "fails", "--count", "8", "--concurrency", "1", beam=beam)
    has(r"calls +8 .*failed 4 \(50.0 %\).*executed.*p99\.9.*first byte.*2 http 429 .*coordinated omission", out)
    same(("", 35), (err, code))
    code, out, err = world.run("load", "stedy", "--count", "2", beam=beam)
    has(r"2 http 400 .*executed: no 2 .*did you mean 'steady'", out)
    same(34, code)


@test
def tells_cold_starts(world):
    """calls that waited for a container are told apart, by what Beam says of their tasks"""
    beam = app(world, "--fault", "cold=400ms")
    report = load(world, beam, "steady", "--count", "60", "--concurrency", "3")
    starts = report["starts"]
    same((3, 57, 0), (starts["cold"]["count"], starts["warm"]["count"], starts["unknown"]))
    assert starts["cold"]["min"] > 0.35 > starts["warm"]["p50"], starts
    again = load(world, beam, "steady", "--count", "60", "--concurrency", "3")["starts"]
    same((0, 60), (again["cold"]["count"], again["warm"]["count"]))


@test
def warms_up(world):
    """--warmup: the container and the connections are there before it counts"""
    beam = app(world, "--fault", "cold=2s")
    report = load(world, beam, "steady", "--count", "30", "--concurrency", "3", "--warmup")
    same((30, 0, 0), (report["ended"], report["connections"], report["starts"]["cold"]["count"]))
    assert report["latency"]["max"] < 1.9, report["latency"]
    code, out, err = world.run("load", "stedy", "--warmup", beam=beam)
    same((34, ""), (code, out))
    has("did you mean 'steady'", err)


SCRIPT = """
local load = { target = "fails", concurrency = 1, count = 12, headers = { ["x-run"] = "seven" } }
local state = { results = 0, errors = 0 }
function load.setup(client)
  state.setup = getmetatable(client).__name
end
function load.request(number)
  if number == 9 then return nil end
  return { x = number }, number == 3 and { path = "?x=33" } or nil
end
function load.response(result, info, number)
  if result == nil then
    state.errors = state.errors + 1
    assert(info.kind == "http" and info.status >= 429)
    return
  end
  state.results = state.results + 1
  state.path = state.path or number == 3 and result.result == 33
  if number == 6 then return false, "not as it should be" end
end
function load.done(report)
  print(state.setup, state.results, state.errors, state.path, report.ended)
end
return load
"""


@test
def runs_a_script(world):
    """a script's hooks say what each call sends, judge its answer and are told the report; the command line goes before its fields"""
    beam = app(world)
    world.write("hooks.lua", SCRIPT)
    code, out, err = world.run("load", "hooks.lua", beam=beam)
    has(r"^beam.client\t4\t4\ttrue\t8\nPOST \S+/endpoint/fails,.* 1 at a time", out)
    has(r"calls +8 .*failed 5 .*1 check +executed: yes 1  not as it should be", out)
    same((35, ""), (code, err))
    code, out, err = world.run("load", "hooks.lua", "--count", "3", beam=beam)
    has(r"calls +3 ", out)
    world.write("check.lua", "return { target = 'steady', count = 3, input = { x = 1 }, response = function() return false, 500 end }")
    has(r"3 check +executed: yes 3  500\n", world.run("load", "check.lua", beam=beam)[1])
    for text, pattern in (
            ("return 1", "it returns no table of hooks"),
            ("return { target = 'fails', requests = print }", "there is no hook and no field 'requests'; did you mean 'request'"),
            ("return { target = 'fails', rate = 0 }", "'rate' cannot be 0"),
            ("return { target = 'fails', concurrency = 2.5 }", "'concurrency' cannot be 2.5"),
            ("return { target = 'fails', count = 1 / 0 }", "'count' cannot be inf"),
            ("return { rate = 5 }", "has no field 'target'"),
            ("nonsense", "hooks.lua:1: "),
            ("return { target = 'fails', count = 3, request = function() error 'no idea' end }",
             r"script: the hook request of beamlua load: hooks.lua:1: no idea"),
            ("return { target = 'fails', count = 3, setup = function(client) assert(client.call('nothing', {})) end }",
             r"http: the hook setup of beamlua load: POST \S+/endpoint/nothing was answered with 400"),
            ("return { target = 'fails', count = 3, response = function() local x return x.y end }",
             r"script: the hook response of beamlua load: hooks.lua:1: attempt to index a nil value")):
        world.write("hooks.lua", text)
        code, out, err = world.run("load", "hooks.lua", beam=beam)
        assert code in (1, 22) and out == "", (code, out)
        has(pattern, err)


@test
@measures
def talks_to_an_app(world):
    """--realtime: connections, messages a second, round trips; a rate is held over all connections; what cannot be reached is told"""
    beam = app(world)
    report = load(world, beam, "echo", '{"word":"hello"}', "--realtime", "--count", "12", "--concurrency", "3")
    same((12, 3, 0, 0), (report["ended"], report["connections"], report["failed"], report["lost"]))
    assert report["latency"]["p50"] > 0.05 and report["realtime"], report["latency"]  # the app pauses for 0.1 s after an answer
    phases = {phase["phase"]: phase["count"] for phase in report["phases"]}
    same((3, 3), (phases["upgrade"], phases["total"]))
    report = load(world, beam, "echo", "--realtime", "--duration", "2s", "--rate", "20", "--concurrency", "4")
    assert 30 <= report["ended"] <= report["planned"] <= 40 and report["model"] == "open", report
    report = load(world, beam, "steady", "--realtime", "--count", "2", code=34)
    same((0, "handshake", 16), (report["ended"], report["errors"][0]["kind"], report["lost"]))


@test
def writes_a_page(world):
    """--html: one file with everything in it and nothing from elsewhere; what a server says is text in it"""
    beam = app(world)
    code, out, err = world.run("load", "fails", "--count", "40", "--html", "report.html", beam=beam)
    same((35, ""), (code, err))
    with open(os.path.join(world.home, "report.html"), encoding="utf-8") as file:
        page = file.read()
    same([], re.findall(r"<(?:script|link|img|iframe)|src=|href=|url\(|@import", page))
    has(r"default-src 'none'.*prefers-color-scheme: dark.*<h1>POST .*<svg .*role=\"img\".*aria-labelledby.*<details>.*<table>.*Failures.*http 429", page)
    class Checker(HTMLParser):
        stack = []
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "line", "rect", "path"):
                self.stack.append(tag)
        def handle_endtag(self, tag):
            if tag not in ("meta", "line", "rect", "path"):
                same(tag, self.stack.pop())
    checker = Checker()
    checker.feed(page.replace("/>", ">"))
    same([], checker.stack)
    same(22, world.run("load", "steady", "--count", "1", "--html", "no/such/folder.html", beam=beam)[0])


@test
def hides_secrets(world):
    """no token, no secret header in what is printed, nor on the page"""
    beam = app(world, "--token", "s3cret-token-of-ours")
    code, out, err = world.run("load", "steady", "--count", "3", "-H", "X-Api-Key: hidden-key-12345", "--html", "report.html", "--json", beam=beam,
                               BEAM_TOKEN="wrong-token-of-ours")
    with open(os.path.join(world.home, "report.html"), encoding="utf-8") as file:
        everything = out + err + file.read()
    same((31, ""), (code, err))
    for secret in ("wrong-token-of-ours", "hidden-key-12345", "s3cret-token-of-ours"):
        assert secret not in everything, secret


@test
def ends_with_a_signal(world):
    """Ctrl-C ends it with the report of what was done; calls under way are left alone"""
    beam = app(world)
    process = world.start("load", "steady", "sleep:=0.3", "--duration", "60s", "--concurrency", "4", "--json", beam=beam)
    time.sleep(1.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    report = json.loads(out)
    same((130, "", "SIGINT"), (process.returncode, err, report["interrupted"]))
    assert report["abandoned"] >= 1 and report["ended"] + report["abandoned"] == report["started"], report
    assert 0 < report["ended"] and report["seconds"] < 20


class Plain(http.server.BaseHTTPRequestHandler):
    """A server that knows nothing of Beam: the same answer each time, but for every 500th."""
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    asked, lock = 0, threading.Lock()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with Plain.lock:
            Plain.asked += 1
            number = Plain.asked
        if self.path == "/slow":
            time.sleep(0.01)
        body = b"no JSON" if number % 500 == 0 else b'{"result":24}'
        self.send_response(503 if number % 500 == 250 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def plain_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Plain)
    server.handle_error = lambda *_: None  # whoever leaves in the middle, as Ctrl-C does
    Plain.asked = 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@test
def counts_what_is_unremarkable(world):
    """what is repeated without Lua is counted as exactly: each call once, each failure told, up to the count, the end or Ctrl-C"""
    with plain_server() as url:
        report = load(world, None, url, "--count", "2000", "--concurrency", "8", code=35)
        same((2000, 2000, 2000, 8, 8), (Plain.asked, report["started"], report["ended"], report["connections"], report["failed"]))
        same({("http", 503): 4, ("json", 200): 4}, {(sort["kind"], sort["status"]): sort["count"] for sort in report["errors"]})
        same({"yes": 1996, "no": 0, "unknown": 4}, report["executed"])
        same((2000, 2000), (report["latency"]["count"], sum(span["calls"] for span in report["spans"])))
        same([2000, 2000], [phase["count"] for phase in report["phases"] if phase["phase"] in ("wait", "total")])
        assert report["latency"]["max"] < report["seconds"] and report["latency"]["min"] > 0, report["latency"]
        same(2000 * 13 - 4 * 6, report["bytes"])
    with plain_server() as url:
        report = load(world, None, url + "/slow", "--raw", "--duration", "1s", "--concurrency", "2")
        same((Plain.asked, Plain.asked, 0), (report["started"], report["ended"], report["abandoned"]))
        assert report["latency"]["p50"] > 0.01 and report["latency"]["max"] <= report["seconds"] and 1 <= report["seconds"] < 30, report
        process = world.start("load", url + "/slow", "--raw", "--duration", "60s", "--concurrency", "4", "--json")
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        report = json.loads(out)
        same((130, "", 4), (process.returncode, err, report["abandoned"]))
        same(report["started"], report["ended"] + 4)


@test
def shows_how_it_goes(world):
    """on a terminal a line says how it goes, and is gone at the end"""
    terminal = world.terminal("load", "steady", "--duration", "1500ms", beam=app(world), columns=120)
    terminal.expect(r"\r\d+ s/1.50 s  \d[\d,]*  [\d.,]+/s  p50 .*p99 .*under way 16\x1b\[K")
    terminal.expect(r"\r\x1b\[K.*POST .*calls .*█")
    same(0, terminal.end())


@test
def refuses_nonsense(world):
    """what makes no sense is refused before anything is called"""
    beam = app(world)
    for arguments, pattern in (
            (["steady", "--rate", "0"], "wants a number above 0"),
            (["steady", "--duration", "soon"], "wants a time above 0: 30s, 5m, 1h"),
            (["steady", "--rate", "5", "--expected-rate", "5"], "planned times need no correction"),
            (["steady", "[1]"], "wants an object")):
        code, out, err = world.run("load", *arguments, beam=beam)
        same((2, ""), (code, out))
        has(pattern, err)
    same(1, world.run("load", "nowhere.lua", beam=beam)[0])


if __name__ == "__main__":
    sys.exit(main(tests, *sys.argv[1:]))
