"""The prompt of beamlua, on a pseudo-terminal as a person uses it. Speaks TAP.   usage: beamlua_prompt_test.py [pattern]"""
import os
import signal
import stat
import sys
import termios
import time

from beamlua import has, main, same

tests = []
CTRL_C, CTRL_D, UP, TAB = "\x03", "\x04", "\x1b[A", "\t"


def test(fn):
    tests.append(fn)
    return fn


def prompt(world, *arguments, beam=None, **more):
    terminal = world.terminal(*arguments, beam=beam, NO_COLOR="1", **more)
    terminal.edits = True
    terminal.expect("> $")
    return terminal


def leave(terminal):
    terminal.send(CTRL_D)
    same(0, terminal.end())


@test
def shows_results(world):
    """expressions show their values, tables opened up, errors with what to do; an error does not end it"""
    terminal = prompt(world)
    has(r"beamlua [\d.]+, Lua 5.[45]", terminal.text)
    terminal.line("1 + 1", r"\r\n2\r\n> $")
    terminal.line("= 1, 'two', nil, beam.null", r'\r\n1\t"two"\tnil\tbeam.null\r\n> $')
    terminal.line("{ 1, { a = { b = 'c' } }, [true] = print }", r'\r\n{ 1, { a = { b = "c" } }, \[true\] = function: builtin[^\r]*|function: [^\r]*}\r\n> $')
    terminal.line("t = {} t.t = t return t", r"\r\n{ t = <cycle> }\r\n> $")
    terminal.line("x = 5", r"\r\n> $")
    terminal.line("x", r"\r\n5\r\n> $")
    terminal.line("error 'boom'", r"\r\nerror: stdin:1: boom\r\nstack traceback:\r\n\tstdin:1: in main chunk\r\n> $")
    terminal.line("1 +* 2", r"\r\nerror: stdin:1: [^\r]*near '\*'\r\n> $")
    terminal.line("beam.call('x', {}, { nothing = 1 })", r"unknown option 'nothing'", "> $")
    terminal.line("local function f() f() end f()", "stack overflow", "> $")
    terminal.line("'é'", r'"é"\r\n> $')
    leave(terminal)


@test
def goes_on_over_lines(world):
    """a chunk that is not complete goes on; Ctrl-C forgets it"""
    terminal = prompt(world)
    terminal.line("for i = 1, 2 do", r"\r\n>> $")
    terminal.line("print(i * 10) end", r"\r\n10\r\n20\r\n> $")
    terminal.line("{", r"\r\n>> $")
    terminal.line("a = 1 }", r"\r\n{ a = 1 }\r\n> $")
    terminal.line("for i = 1, 2 do", r"\r\n>> $")
    terminal.send(CTRL_C)
    terminal.expect(r"\r\n> $")
    terminal.line("_PROMPT = 'lua? '", r"\r\nlua\? $")
    leave(terminal)


@test
def is_interrupted(world):
    """Ctrl-C ends a line that waits, computes, or waits inside another coroutine; at the prompt it clears what is typed"""
    beam = world.beam()
    opened = beam.log().count("GET /asgi/echo 101")
    terminal = prompt(world, beam=beam)
    for line in ("beam.sleep(100)", "while true do end", "coroutine.wrap(function() beam.sleep(100) end)()",
                 "coroutine.wrap(function() while true do end end)()", "while true do beam.sleep(0) end",
                 "beam.spawn(function() while true do end end)", "for i = 1, math.huge do pcall(string.rep, 'x', 9) end",
                 "beam.spawn(beam.sleep, 100):join()", "conn = assert(beam.realtime('echo')) conn:receive()",
                 "beam.call('generate', { prompt = 'x', count = 1000, delay = 0.1 })"):
        terminal.line(line, r"\r\n")
        if "realtime" in line:
            beam.saw("GET /asgi/echo 101", opened + 1)
        time.sleep(0.15)  # it cannot say that it waits
        terminal.send(CTRL_C)
        terminal.expect(r"(interrupted|beam.coroutine: \w+)\r\n.*> $")
    terminal.line("while true do pcall(function() while true do end end) end", r"\r\n")
    time.sleep(0.15)
    terminal.send(CTRL_C)
    time.sleep(0.3)  # caught; it goes on
    terminal.send(CTRL_C)
    terminal.expect(r"interrupted\r\n.*> $")
    terminal.line("conn.state", r'"open"\r\n> $')  # the connection is none the worse for it
    terminal.send("this is wrong")
    terminal.expect("this is wrong$")
    terminal.send(CTRL_C)
    terminal.expect(r"\r\n> $")
    terminal.line("2 * 21", r"\r\n42\r\n> $")
    leave(terminal)


@test
def says_deadlock(world):
    """a wait that can never end is told, not endured"""
    terminal = prompt(world)
    terminal.line("require('beam.driver').signal():wait()", r"never end", r"> $")
    leave(terminal)


@test
def keeps_connections(world):
    """connections live while the prompt waits: pings are answered, handlers run, and print above what is typed"""
    beam = world.beam("--ping", "0.05")
    terminal = prompt(world, beam=beam)
    terminal.line("conn = assert(beam.realtime('echo')):on('message', function(m) print('came', m.response) end)", "> $")
    terminal.send("unfinished")
    terminal.expect("unfinished$")
    time.sleep(0.5)
    terminal.send(CTRL_C)
    terminal.expect("> $")
    terminal.line("conn:stats().app_pings > 3, conn.state", r'true\t"open"\r\n', "> $")
    terminal.send("beam.spawn(function() beam.sleep(0.3) conn:send('hello') end)\r")
    terminal.expect(r"> $")
    terminal.send("half a li")
    terminal.expect(r"half a li$")
    terminal.expect(r"came\thello\r\n.*> half a li")
    terminal.send("ne" + CTRL_C)
    terminal.expect(r"\r\n> $")
    leave(terminal)
    beam.saw("WS echo closed 1001")


@test
def completes(world):
    """a tab completes globals, fields, methods and the lazy names of the module"""
    terminal = prompt(world, beam=world.beam())
    terminal.send("stri" + TAB + ".rever" + TAB + "('ab')\r")
    terminal.expect(r'"ba"\r\n> $')
    terminal.send("beam.real" + TAB + " == beam['realtime']\r")
    terminal.expect(r"true\r\n> $")
    terminal.send("beam.re" + TAB)
    terminal.expect("read_line  realtime  retry\r\n.*> beam.re")
    terminal.send(CTRL_C)
    terminal.expect("> $")
    terminal.line("conn = assert(beam.realtime 'echo')", "> $")
    terminal.send("conn:recei" + TAB + "(0.01)\r")
    terminal.expect(r"nil\ttimeout: [^\r]*\r\n.*> $")
    terminal.send("nothing.like.this" + TAB + CTRL_C)
    terminal.expect("> $")
    leave(terminal)


@test
def completes_what_is_public(world):
    """of the module's objects a tab has what is described, and nothing else; in beam.call("… the names of what is deployed, by kind"""
    terminal = prompt(world, beam=world.beam())
    terminal.line("conn = assert(beam.realtime 'echo')", "> $")
    terminal.send("conn:" + TAB)
    terminal.expect(r"close  flush  messages  on  receive  request  send  send_binary  stats  unsent\r\n.*> conn:")
    terminal.send(CTRL_C)
    terminal.expect("> $")
    terminal.send("conn." + TAB)
    terminal.expect(r"err  flush  last_error  messages  on  phase  receive  request  send  send_binary  state  stats  unsent  url")
    terminal.send(CTRL_C)
    terminal.expect("> $")
    terminal.line("client = beam.client {}", "> $")
    terminal.send("client:cal" + TAB + "('mul" + TAB + "', { x = 21 }).result\r")
    terminal.expect(r"\r\n42\r\n> $")
    terminal.send('beam.call("' + TAB)
    terminal.expect(r"generate  multiply\r\n.*> beam.call\(\"")
    terminal.send("mu" + TAB + '", { x = 4 }).result\r')
    terminal.expect(r"\r\n8\r\n> $")
    terminal.send("(beam.submit { 'tr" + TAB + "' }:status())\r")
    terminal.expect(r'\r\n"[A-Z]+"\r\n> $')
    leave(terminal)
    terminal = prompt(world, BEAM_GATEWAY_URL="http://127.0.0.1:1", BEAM_TOKEN="t")  # nobody who could say
    terminal.send('beam.call("' + TAB + 'x")\r')
    terminal.expect(r"connect: [^>]*> $")
    leave(terminal)


@test
def helps(world):
    """help tells of functions, objects and names what their comments say; print shows what is in a table"""
    terminal = prompt(world, beam=world.beam())
    terminal.line("help", r"beam.call\(name, input\) .*exit the prompt", r"> $")
    terminal.line("help(beam.call)", r"beam.call\(target, input, options\)\r\n  Calls a deployment and waits", r"  input +table\?\r\n", r"docs/calls.md\r\n> $")
    terminal.line("help 'connection:send'", r"beam.connection:send\(message, options\)", "> $")
    terminal.line("conn = assert(beam.realtime 'echo') help(conn)", r"beam.connection\r\n", r"methods: send, send_binary, receive", "> $")
    terminal.line("help(conn.receive)", r"beam.connection:receive\(timeout\)", "> $")
    terminal.line("help(beam.client{}.stream)", r"beam.stream\(target, input, given\)", "> $")
    terminal.line("help(beam.retry)", r"beam.retry.backoff\(", "> $")
    terminal.line("help 'cal'", r"nothing is known of 'cal'; did you mean 'call'\?\r\n> $")
    terminal.line("help(print)", r"nothing is known of this function", "> $")
    terminal.line("print({ 1, a = { b = 2 } }, 'text', setmetatable({}, { __tostring = function() return 'mine' end }))",
                  r"\r\n{ 1, a = { b = 2 } }\ttext\tmine\r\n> $")
    terminal.line("beam.inspect({ x = beam.null }) .. '!'", r'\r\n"{ x = beam.null }!"\r\n> $')
    leave(terminal)


@test
def exits(world):
    """exit and quit alone on a line end it, exit(3) with that code; a script's own words stay"""
    for line, code in (("exit", 0), (" quit ", 0), ("exit(3)", 3), ("exit()", 0)):
        terminal = prompt(world)
        terminal.line(line)
        same(code, terminal.end())
    terminal = prompt(world)
    terminal.line("exit = 5", "> $")
    terminal.line("exit", r"\r\n5\r\n> $")
    leave(terminal)


@test
def remembers(world):
    """the history is kept for its owner, without secrets and what begins with a blank"""
    path = os.path.join(world.home, ".beamlua_history")
    if os.path.exists(path):
        os.remove(path)
    terminal = prompt(world)
    for line in ("first = 1", "beam.client { token = 'tk-123' }", " hidden = 1", "second = 2"):
        terminal.line(line, r"> $")
    terminal.send(UP + UP)
    terminal.expect(r"hidden = 1")
    terminal.send(CTRL_C)
    terminal.expect("> $")
    leave(terminal)
    with open(path) as file:
        same("first = 1\nsecond = 2\n", file.read())
    same(0o600, stat.S_IMODE(os.stat(path).st_mode))
    terminal = prompt(world)
    terminal.send(UP + UP)
    terminal.expect("first = 1")
    terminal.send("\r")
    terminal.expect("> $")
    leave(terminal)
    leave(prompt(world, BEAMLUA_HISTORY="/tmp"))  # a folder is none
    with open(path, "w") as file:
        file.write("".join(f"n = {n}\n" for n in range(2500)))
    leave(prompt(world))
    with open(path) as file:
        same([f"n = {n}" for n in range(1500, 2500)], file.read().split("\n")[:-1])
    os.remove(path)
    terminal = prompt(world, BEAMLUA_HISTORY="")
    terminal.line("third = 3", "> $")
    leave(terminal)
    assert not os.path.exists(path)


@test
def follows_a_script(world):
    """-i shows the prompt after the script, whose globals are there; what it spawned goes on; its error does not end it"""
    path = world.write("globals.lua", "answer = 42\nbeam.spawn(function() beam.sleep(0.3) print 'spawned' end)\nlocal function f() error 'oops' end\nf()\n")
    terminal = world.terminal("-i", path, "argument", NO_COLOR="1")
    terminal.expect(r"globals.lua:3: oops\r\nstack traceback:\r\n\t[^\r]*:3: in [^\r]*'f'\r\n\t[^\r]*:4: in main chunk\r\n> ")
    terminal.expect("spawned")
    terminal.line("answer, arg[1]", r'42\t"argument"\r\n> $')
    leave(terminal)


@test
def survives_a_stop(world):
    """after Ctrl-Z and fg, with a shell's modes set meanwhile, the line goes on"""
    terminal = prompt(world)
    terminal.send("40 +")
    terminal.expect(r"40 \+$")
    os.kill(terminal.pid, signal.SIGSTOP)
    os.waitpid(terminal.pid, os.WUNTRACED)
    modes = termios.tcgetattr(terminal.fd)
    modes[3] |= termios.ECHO | termios.ICANON
    termios.tcsetattr(terminal.fd, termios.TCSANOW, modes)
    os.kill(terminal.pid, signal.SIGCONT)
    deadline = time.monotonic() + 30
    while terminal.echoes() and time.monotonic() < deadline:
        time.sleep(0.01)
    terminal.send(" 2\r")
    terminal.expect(r"\r\n42\r\n> $")
    leave(terminal)


@test
def shares_standard_input(world):
    """a coroutine that reads standard input comes before the prompt, which has it again afterwards"""
    terminal = prompt(world)
    terminal.line("beam.spawn(function() print('got', beam.read_line()) end)", r"coroutine: \w+\r\n> ")
    terminal.send("one\n")
    terminal.expect(r"got\tone\r\n.*> $")
    terminal.line("1 + 1", r"\r\n2\r\n> $")
    terminal.line("beam.read_line()", r"\r\n")
    terminal.line("two", r'"two"\r\n> $')
    leave(terminal)


@test
def gives_the_terminal_back(world):
    """the terminal is as it was after Ctrl-D, os.exit in a line and in the background, and SIGTERM"""
    for how, code in (("os.exit(7)", 7), ("beam.spawn(function() beam.sleep(0.2) os.exit(8) end)", 8)):
        terminal = prompt(world)
        assert terminal.echoes() is False
        terminal.line(how)
        same(code, terminal.end())
        assert terminal.echoes() is True
    terminal = prompt(world)
    os.kill(terminal.pid, signal.SIGTERM)
    same(143, terminal.end())
    assert terminal.echoes() is True
    terminal = prompt(world)
    leave(terminal)
    assert terminal.echoes() is True


@test
def ends_when_the_line_has(world):
    """Ctrl-D that is typed while a line runs ends the prompt after it"""
    terminal = prompt(world)
    terminal.line("print 'runs' beam.sleep(0.3)", r"\nruns\r\n")
    leave(terminal)


@test
def colours(world):
    """colours on a terminal, none with NO_COLOR; on a dumb terminal and in pipes lines are read as they are"""
    terminal = world.terminal()
    terminal.expect("> $")
    terminal.line("true", "\x1b\\[33mtrue\x1b\\[0m")
    terminal.expect("> $")
    leave(terminal)
    terminal = world.terminal(TERM="dumb")
    terminal.expect("> $")
    terminal.line("1 + 1", r"\r\n2\r\n> $")
    terminal.send(CTRL_C)
    terminal.expect(r"\r\n> $")
    assert "\x1b" not in terminal.text
    leave(terminal)
    code, out, err = world.run("-i", stdin="x = 1\nx\nerror{}\nfor i = 1, 2 do\nprint(i)\nend\nx + 1")
    same((0, "error: (error object is a table value)\n"), (code, err.split("stack")[0]))
    has(r"> > 1\n> > >> >> 1\n2\n> 2\n> $", out)


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
