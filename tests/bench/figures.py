"""The table of figures: what is measured, beside what, and what is to be reached. run.py reads it, docs/performance.md is made from it.

A group is measured together: its programs run in turn, round after round, and medians are compared. What a program prints is one
number, or how many things it did, the seconds that took and those of the processor. In braces stand servers (servers.py) and
{n:COUNT}, which a quick run makes smaller."""
from collections import namedtuple

# unit: "us", "bytes", "%", "/s" or "B/s". by: whether a rate is per second of the clock, or of the client's processor, for which no
# server can be too slow. programs: name -> Program; figures: rows of the table. quick: whether a quick run has it. once: one round
# is enough, for time has no part in it.
Group = namedtuple("Group", "name title unit by programs figures quick once", defaults=(True, False))
# One comparison: our program beside another's, and the ratio that is to be reached (None: shown only). beside None: the figure itself.
Figure = namedtuple("Figure", "ours beside target")
Program = namedtuple("Program", "kind command")

BASELINE = "the older build"  # of BASELINE=…; ours of the same name, with that build


def c(command):
    return Program("c", command)


def lua(command):
    return Program("5.4", command)


def jit(command):
    return Program("LuaJIT", command)


def other(command):
    return Program("other", command)


def hand(command):
    return other("build/bench/hand " + command)


def ws(command):
    return other("node tests/bench/others/ws.cjs " + command)


def curl(command):
    return other("build/bench/http_reference " + command)


def received(size, count, few):
    """Messages of one size, from a server that sends as many as can be read."""
    at_least = size >= 4096
    return Group(
        f"received {size}", f"Received, {size_name(size)}", "/s", "processor",
        {"C": c(f"ws_receive {{far_ws}}/flood {size} {{n:{count}}}"),
         "receive(), 5.4": lua(f"receive.lua {{far_ws}}/flood {size} {{n:{few}}}"),
         "receive(), LuaJIT": jit(f"receive.lua {{far_ws}}/flood {size} {{n:{few}}}"),
         "hand-written": hand(f"receive {{far_ws}}/flood {size} {{n:{count}}}"),
         "ws": ws(f"receive {{far_ws}}/flood {size} {{n:{few}}}")},
        [Figure("C", "hand-written", 0.85 if at_least else 0.6), Figure("receive(), 5.4", "ws", 1.2),
         Figure("receive(), LuaJIT", "ws", 1.2)])


def size_name(size):
    return f"{size} B" if size < 1024 else f"{size >> 10} KiB" if size < 1 << 20 else f"{size >> 20} MiB"


def calls(name, title, server, in_flight, count, ca="", lua_too=True, c_target=1.0):
    arguments = f"{{{server}}} {in_flight} {{n:{count}}} {ca}"
    programs = {"C": c("http_bench " + arguments), "libcurl-multi": curl(arguments)}
    figures = [Figure("C", "libcurl-multi", c_target)]
    if lua_too:
        programs.update({"5.4": lua("calls.lua " + arguments), "LuaJIT": jit("calls.lua " + arguments)})
        figures += [Figure("5.4", "libcurl-multi", 0.85), Figure("LuaJIT", "libcurl-multi", 0.9)]
    return Group(name, title, "/s", "clock", programs, figures)


def streamed(name, title, server, ca, curl_ca):
    return Group(
        name, title, "B/s", "clock",
        {"5.4": lua(f"stream.lua {{{server}}}large 1073741824 {ca}"),
         "LuaJIT": jit(f"stream.lua {{{server}}}large 1073741824 {ca}"),
         "curl": other(f"curl -s -o /dev/null {curl_ca} -w 1073741824\\t%{{{{time_total}}}}\\t0 {{{server}}}large")},
        [Figure("5.4", "curl", 0.9), Figure("LuaJIT", "curl", None)], quick=False)


GROUPS = [
    Group(
        "echo", "Echo of 64 B, median of the round trips", "us", "clock",
        {"C": c("ws_echo {near_ws}/echo {n:20000}"),
         "request(), LuaJIT": jit("echo.lua {near_ws}/echo {n:20000}"),
         "request(), 5.4": lua("echo.lua {near_ws}/echo {n:20000}"),
         "raw TCP": other("build/bench/tcp_echo {near_tcp} {n:20000}"),
         "hand-written": hand("echo {near_ws}/echo {n:20000}"),
         "ws": ws("echo {near_ws}/echo {n:20000}")},
        [Figure("C", "raw TCP", 1.30), Figure("C", "hand-written", 1.06), Figure("C", "ws", 1.0), Figure("C", BASELINE, 0.88),
         Figure("request(), LuaJIT", "raw TCP", 1.45), Figure("request(), LuaJIT", "ws", 1.0),
         Figure("request(), 5.4", "raw TCP", 1.58), Figure("request(), 5.4", "ws", 1.0)]),
    Group(
        "echo over TLS", "Echo of 64 B over TLS, median of the round trips", "us", "clock",
        {"C": c("ws_echo {near_wss}/echo {n:20000} {ca}"), "hand-written": hand("echo {near_wss}/echo {n:20000} {ca}")},
        [Figure("C", "hand-written", 1.10), Figure("C", BASELINE, 0.80)]),
    Group(
        "echo inside nginx", "Echo of 64 B inside a request of nginx, median of the round trips", "us", "clock",
        {"request()": other("curl -sf {inside}/beam?url={near_ws}/echo&rounds={n:4000}"),
         "lua-resty-websocket": other("curl -sf {inside}/resty?url={near_ws}/echo&rounds={n:4000}")},
        [Figure("request()", "lua-resty-websocket", 1.0)]),
    received(64, 6000000, 600000),
    Group(
        "received JSON", "Received, 64 B of JSON, decoded", "/s", "processor",
        {"receive(), 5.4": lua("receive.lua {far_ws}/json 64 {n:500000}"),
         "receive(), LuaJIT": jit("receive.lua {far_ws}/json 64 {n:500000}"),
         "ws, JSON.parse": ws("json {far_ws}/json 64 {n:500000}")},
        [Figure("receive(), 5.4", "ws, JSON.parse", 1.1), Figure("receive(), LuaJIT", "ws, JSON.parse", 1.1)]),
    received(4096, 200000, 100000),
    received(65536, 12000, 8000),
    received(1048576, 800, 500),
    Group(
        "received over TLS", "Received over TLS, 4 KiB", "/s", "processor",
        {"C": c("ws_receive {far_wss}/flood 4096 {n:100000} {ca}"),
         "hand-written": hand("receive {far_wss}/flood 4096 {n:100000} {ca}")},
        [Figure("C", "hand-written", None), Figure("C", BASELINE, 1.5)]),
    Group(
        "sent", "Sent, 64 B", "/s", "processor",
        {"C": c("ws_send {far_ws}/sink {n:2000000}"),
         "send(), wait, 5.4": lua("send.lua {far_ws}/sink {n:300000}"),
         "send(), wait, LuaJIT": jit("send.lua {far_ws}/sink {n:300000}"),
         "hand-written": hand("send {far_ws}/sink {n:6000000}"),
         "ws": ws("send {far_ws}/sink {n:60000}")},
        [Figure("C", "hand-written", 0.167), Figure("C", BASELINE, 80), Figure("send(), wait, 5.4", "ws", 8),
         Figure("send(), wait, LuaJIT", "ws", 8)]),
    calls("calls one by one", "Calls, one by one", "near_http", 1, 6000),
    calls("calls 64 in flight", "Calls, 64 in flight", "far_http", 64, 20000),
    calls("calls one by one, https", "Calls over TLS with tls.ca_file, one by one", "near_https", 1, 6000, "{ca}"),
    calls("calls 64 in flight, https", "Calls over TLS with tls.ca_file, 64 in flight", "far_https", 64, 20000, "{ca}"),
    calls("calls one by one, HTTP/2", "Calls over HTTP/2 with TLS, one by one", "near_h2", 1, 6000, "{ca}", False, 0.95),
    calls("calls 64 in flight, HTTP/2", "Calls over HTTP/2 with TLS, 64 in flight", "far_h2", 64, 20000, "{ca}", False, 0.95),
    streamed("stream", "beam.stream of 1 GiB", "far_http", "", ""),
    streamed("stream over TLS", "beam.stream of 1 GiB over TLS", "far_https", "{ca}", "--cacert {ca}"),
    Group(
        "reconnects", "Connections over TLS, one after the other", "/s", "processor",
        {"C": c("ws_reconnect {near_wss}/resumed {n:1000} {ca}")}, [Figure("C", BASELINE, 2.5)]),
    Group(
        "resumed", "Connections over TLS that resume a session", "%", "clock",
        {"C": c("ws_reconnect {near_wss}/resumed {n:1000} {ca} resumed")}, [Figure("C", None, 99)], once=True),
    Group(
        "hook", "Messages to a hook in libbeamhost, without transforms", "/s", "processor",
        {"the hook message": c("host_message {far_ws}/json {n:300000}")}, [Figure("the hook message", BASELINE, 1.67)]),
    Group(
        "memory", "Memory of an idle connection, ws://", "bytes", "clock",
        {"C": c("ws_many memory {near_ws} 5000"), "Lua object, 5.4": lua("idle.lua {near_ws}/hold 2000"),
         "Lua object, LuaJIT": jit("idle.lua {near_ws}/hold 2000"),
         "ws": other("node --expose-gc tests/bench/others/ws.cjs idle {near_ws}/hold 2000")},
        [Figure("C", None, 3000), Figure("C", BASELINE, None), Figure("Lua object, 5.4", None, 13000),
         Figure("Lua object, LuaJIT", None, 13000), Figure("Lua object, 5.4", "ws", None)], once=True),
    Group(
        "memory over TLS", "Memory of an idle connection, wss://", "bytes", "clock",
        {"C": c("ws_many memory {near_wss} 1000 {ca}"), "Lua object, 5.4": lua("idle.lua {near_wss}/hold 1000 {ca}"),
         "ws": other("node --expose-gc tests/bench/others/ws.cjs idle {near_wss}/hold 1000")},
        [Figure("C", None, 40000), Figure("C", BASELINE, None), Figure("Lua object, 5.4", None, 50000),
         Figure("Lua object, 5.4", "ws", None)], once=True),
    Group(
        "sleeping", "Coroutines that sleep: each sleep", "us", "clock",
        {"100,000, 5.4": lua("sleep.lua 100000 100000 time"), "100,000, LuaJIT": jit("sleep.lua 100000 100000 time"),
         "1,000, 5.4": lua("sleep.lua 1000 10000 time"), "1,000, LuaJIT": jit("sleep.lua 1000 10000 time")},
        [Figure("100,000, 5.4", "1,000, 5.4", 1.2), Figure("100,000, LuaJIT", "1,000, LuaJIT", 1.2)]),
    Group(
        "sleeping memory", "Coroutines that sleep: memory of each", "bytes", "clock",
        {"100,000, 5.4": lua("sleep.lua 100000 100000 bytes"), "100,000, LuaJIT": jit("sleep.lua 100000 100000 bytes")},
        [Figure("100,000, 5.4", None, 1500), Figure("100,000, LuaJIT", None, 1500)], once=True),
]

# Programs that have more to say than one figure; what they print stands in the page as it is.
Report = namedtuple("Report", "title program quick", defaults=(False,))
REPORTS = [
    Report("What stands in the way where a target is not reached: instructions in user space, and system calls, of each round trip, message or "
           "call. They are the same on every machine, while what a system call costs is not: where it is dear, ratios are nearer to 1",
           other("python3 tests/bench/count.py")),
    Report("A step with nothing to do, ns (aim: 1000)", c("step_idle {near_ws}/hold"), True),
    Report("A message of 64 B beside 10,000 idle connections, times the processor's time that it takes alone (aim: 1.1)",
           c("ws_many among {near_ws} 10000")),
    Report("A host in C with a connection script, ns (aims: 1000 for an idle step, 1000 for a call)", c("host {near_ws}/hold"), True),
    Report("A script's work with limits and without (aim: 1.6), and calls into it, ns (aim: 1000)", c("script")),
    Report("Start of beamlua -e '' beside lua5.4 -e '' (aim: 2)", other("python3 tests/bench/start.py"), True),
    Report("Two identity transforms and the queue beside the bare connection, 64 B echo: without them, with them (us), the ratio (aim: 1.3), then the same of the processor, Lua 5.4",
           lua("transforms.lua {near_ws}/echo {n:20000}")),
    Report("The same, LuaJIT", jit("transforms.lua {near_ws}/echo {n:20000}")),
    Report("While DNS takes 2 s, a TLS handshake stalls and the CA certificates are read (aim: no open and no step over 5 ms), five runs",
           other("sh tests/bench/repeat.sh 5 build/bench/step_longest")),
    Report("Frames of a game while the network does its worst (aim: 0.5 ms added at p99)", other("sh tests/bench/love/frames.sh")),
    Report("Another location of nginx while 100 requests wait there, each 50 ms for its answer (aim: 1.2 of lua-resty-websocket)",
           other("python3 tests/bench/nginx/waiting.py {inside}")),
    Report("JSON, times as fast as bare lua-cjson (aim: 0.90 where that is exact, marked *), Lua 5.4", lua("json.lua")),
    Report("The same, LuaJIT", jit("json.lua")),
]
