"""What SIGHUP, SIGINT and SIGTERM do: a script sees them as an error, cleans up within a bound, and its connections close. Speaks TAP.
usage: beamlua_signal_test.py [pattern]"""
import os
import shutil
import signal
import subprocess
import sys
import time

from beamlua import PATIENCE, ROOT, has, main, same

tests = []

APP = """
local app = require "beam.serve"
app.realtime("echo", function(text) return { response = text } end)
app.task_queue("long", function(input, context) context.sleep(600) end)
"""

CLEANS = """
local function cleaned(name)
  return setmetatable({}, { __close = function(_, err)
    beam.sleep(0.05)
    print(name, err and err.kind, err and err.signal)
  end })
end
"""


def test(fn):
    tests.append(fn)
    return fn


def app(world, *arguments):
    return world.beam(world.write("app.lua", APP), *arguments)


def started(world, script, beam=None):
    """A script that has said `ready`."""
    process = world.start(world.write("script.lua", script), beam=beam)
    same("ready\n", process.stdout.readline())
    time.sleep(0.2)  # what it waits for then, it waits for in silence
    return process


def ended(process, *numbers):
    """What it writes after the signals, and how it ends."""
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.1)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


SIGNALS = ((signal.SIGINT, 130, "SIGINT"), (signal.SIGTERM, 143, "SIGTERM"), (signal.SIGHUP, 129, "SIGHUP"))


@test
def unwinds(world):
    """a signal is an error in every coroutine that waits, seen by pcall and <close>, whose own waits work"""
    script = CLEANS + """
    beam.spawn(function() local a <close> = cleaned "other" beam.sleep(60) end)
    local ok, err = pcall(function()
      print "ready" io.stdout:flush()
      coroutine.wrap(function() local a <close> = cleaned "inner" beam.sleep(60) end)()
    end)
    beam.sleep(0.1)
    print("main", ok, err.kind, err.signal, tostring(err))
    """
    for number, code, name in SIGNALS:
        got, out, err = ended(started(world, script), number)
        same((code, "beamlua: interrupted\n"), (got, err))
        same(sorted([f"other\tinterrupted\t{name}", f"inner\tinterrupted\t{name}", f"main\tfalse\tinterrupted\t{name}\tinterrupted: {name}"]),
             sorted(out.splitlines()))


@test
def interrupts_computing(world):
    """a script that computes sees the same error, once, and may wait after it"""
    got, out, err = ended(started(world, """
    beam.sleep(0)
    print "ready" io.stdout:flush()
    local ok, err = pcall(function() while true do end end)
    beam.sleep(0.1)
    print(ok, err.kind, err.signal)
    """), signal.SIGTERM)
    same((143, "false\tinterrupted\tSIGTERM\n", "beamlua: interrupted\n"), (got, out, err))


@test
def cancels_a_task(world):
    """the task that a script waits for can be cancelled by it"""
    beam = app(world)
    process = started(world, """
    local task = assert(beam.submit("long", {}))
    local cleanup <close> = setmetatable({}, { __close = function() print(task:cancel()) end })
    print "ready" io.stdout:flush()
    task:wait()
    """, beam)
    code, out, _ = ended(process, signal.SIGINT)
    same(130, code)
    has("^CANCELLED", out)


@test
def bounds_cleanup(world):
    """cleaning up that waits too long is given up, and the connection closes; a second signal ends it at once"""
    beam = app(world)
    script = """
    local conn = assert(beam.realtime "echo")
    print "ready" io.stdout:flush()
    pcall(conn.receive, conn)
    while true do pcall(beam.sleep, 1) end
    """
    begin = time.monotonic()
    code, _, err = ended(started(world, script, beam), signal.SIGTERM)
    took = time.monotonic() - begin
    same((143, "beamlua: interrupted\n"), (code, err))
    assert 4 < took, took
    beam.saw("WS echo closed 1001")
    code, _, _ = ended(started(world, script, beam), signal.SIGTERM, signal.SIGTERM)
    same(-signal.SIGTERM, code)


@test
def closed_terminal(world):
    """a terminal that is closed ends scripts, `realtime` and the prompt with close frames"""
    beam = app(world)
    for count, words in enumerate((["-e", "conn = assert(beam.realtime 'echo') print 'open' conn:receive()"], ["realtime", "echo"],
                                   ["-i", "-e", "conn = assert(beam.realtime 'echo') print 'open'"]), 1):
        terminal = world.terminal(*words, beam=beam)
        terminal.expect("open")
        beam.saw("GET /asgi/echo 101", count)
        time.sleep(0.2)
        os.close(terminal.fd)
        terminal.fd = os.open("/dev/null", os.O_RDWR)
        deadline = time.monotonic() + PATIENCE
        while True:
            pid, status = os.waitpid(terminal.pid, os.WNOHANG)
            if pid:
                terminal.code = os.waitstatus_to_exitcode(status)
                break
            assert time.monotonic() < deadline, f"{words} lives on without its terminal"
            time.sleep(0.02)
        same(129, terminal.code)
        beam.saw("WS echo closed 1001", count)


@test
def ignores_hangup(world):
    """nohup holds: SIGHUP that is ignored stays so"""
    process = subprocess.Popen(["nohup", os.environ.get("BEAMLUA") or os.path.join(ROOT, "build", "beamlua"), "-e",
                                "print 'ready' io.stdout:flush() beam.sleep(0.5) print 'done'"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=world.env(), cwd=world.home)
    same("ready\n", process.stdout.readline())
    same((0, "done\n"), ended(process, signal.SIGHUP)[:2])


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
