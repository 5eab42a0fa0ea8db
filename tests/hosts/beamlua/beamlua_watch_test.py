"""beamlua --watch: scripts that take over while the connection stays. Speaks TAP.   usage: beamlua_watch_test.py [pattern]"""
import os
import re
import sys

from beamlua import has, main, same

tests = []


def test(fn):
    tests.append(fn)
    return fn


def script(version, more=""):
    return f"""
local seen = 0
return {{
  open = function() print("open in {version}") beam.send {{ ask = {version} }} end,
  message = function(m) seen = seen + 1 print("message in {version}") end,
  save = function() return seen end,
  restore = function(n) seen = n print("{version} takes over at " .. n) beam.log("noted", "warning") end,
  {more}
}}"""


def replace(world, name, text):
    """As editors do it: a new file, renamed."""
    os.rename(world.write(name + ".new", text), os.path.join(world.home, name))


@test
def takes_over(world):
    """written in place, renamed or broken: the connection stays, and so does what was saved"""
    beam = world.beam("--token", "s3cret")
    path = world.write("connection.lua", script(1))
    terminal = world.terminal("--watch", path, "--target", "echo", beam=beam)
    terminal.expect("open in 1")
    terminal.expect("message in 1")
    world.write("connection.lua", script(2))
    terminal.expect(r"2 takes over at 1.*warning: noted.*connection\.lua took over")
    replace(world, "connection.lua", script(3))
    terminal.expect(r"3 takes over at 1.*connection\.lua took over")
    world.write("connection.lua", "return {")
    terminal.expect(r"connection\.lua:1: [^\r]*unexpected symbol[^\r]*\r\n.*the old script goes on")
    replace(world, "connection.lua", script(4, "tick = function() beam.close(1000, 'enough') end"))
    terminal.expect("4 takes over at 1")
    same(0, terminal.end())
    same(1, len(re.findall("/asgi/echo 101", beam.log())))


@test
def prints_what_has_no_hook(world):
    """messages without a hook and what the script emits go to standard output; the hook connect names the target"""
    world.write("plain.lua", """
return {
  connect = function() return "echo" end,
  open = function() beam.send { a = 1 } beam.emit("position", { x = 1 }) end,
  incoming = function(m) return m end,
  tick = function() if beam.stats().received > 0 then beam.close() end end,
}""")
    code, output, errors = world.run("watch", "plain.lua", beam=world.beam())
    same(0, code)
    has(r'^position {"x":1}\n{"response":.*}\n$', output)
    has("beamlua watch: connected", errors)


@test
def says_what_is_wrong(world):
    """a script that does not load, a file that is not there, a target that is not reached: one line, and its exit code"""
    world.write("broken.lua", "return { mesage = print }")
    code, _, errors = world.run("watch", "broken.lua", "--target", "echo", beam=world.beam())
    same(1, code)
    has("unknown hook 'mesage'; did you mean 'message'\\?", errors)
    code, _, errors = world.run("watch", "nowhere.lua", "--target", "echo", beam=world.beam())
    same(1, code)
    has("nowhere.lua: No such file", errors)
    world.write("gives_up.lua", "return { retry = function() end }")
    code, _, errors = world.run("watch", "gives_up.lua", "--target", "ws://127.0.0.1:1", beam=world.beam())
    same(11, code)
    has("beamlua watch: connect: ", errors)


@test
def limits_are_asked_for(world):
    """with all of Lua by default; with --limits the safe subset, and a loop is stopped"""
    world.write("reads.lua", "print(type(io.open)) return { tick = function() beam.close() end }")
    code, output, _ = world.run("watch", "reads.lua", "--target", "echo", beam=world.beam())
    same((0, "function\n"), (code, output))
    code, _, errors = world.run("watch", "reads.lua", "--target", "echo", "--limits", beam=world.beam())
    same(1, code)
    has("reads.lua:1: ", errors)
    world.write("loops.lua", "return { open = function() while true do end end, tick = function() beam.close() end }")
    code, _, errors = world.run("watch", "loops.lua", "--target", "echo", "--limits", "--tick", "1", beam=world.beam())
    same(0, code)
    has("hook 'open' of loops.lua:1 used its 10000000 instructions", errors)


@test
def tells_what_hooks_did(world):
    """an error, a raised table and an answer that makes no sense are told in words"""
    world.write("wrong.lua", """return {
  connect = function() return 42 end,
  open = function() error { message = "in words" } end,
  incoming = function() error "refused" end,
  tick = function() beam.send 'x' end,
  retry = function() end,
}""")
    beam = world.beam("--fault", "close=1012/1")
    code, _, errors = world.run("watch", "wrong.lua", "--target", "echo", beam=beam)
    same(16, code)
    has("hook 'connect': it returned a number", errors)
    has("hook 'open', wrong.lua:3: in words", errors)
    assert "table: 0x" not in errors, errors


@test
def is_interrupted(world):
    """Ctrl-C closes the connection with a close frame"""
    beam = world.beam("--token", "s3cret")
    path = world.write("waits.lua", script(1))
    terminal = world.terminal("watch", path, "--target", "echo", beam=beam)
    terminal.expect("message in 1")
    terminal.send("\x03")
    same(130, terminal.end())
    beam.saw("1001")
    path = world.write("stays.lua", "return { open = function() print 'stays' while true do pcall(function() while true do end end) end end }")
    terminal = world.terminal("watch", path, "--target", "echo", beam=beam)
    terminal.expect("stays")
    terminal.send("\x03")
    same(130, terminal.end())
    beam.saw("1001", 2)


sys.exit(main(tests, *sys.argv[1:]))
