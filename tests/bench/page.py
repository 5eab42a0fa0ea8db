"""How figures are shown: a line each while they are measured, and docs/performance.md."""
import platform
import re
import subprocess
import time

import figures


def less_is_better(group):
    return group.unit in ("us", "bytes")


def amount(value, unit):
    if value is None:
        return "not measured"
    if unit == "us":
        return f"{value:.2f} µs"
    if unit == "%":
        return f"{value:.1f} %"
    if unit == "bytes":
        return f"{value / 1000:.1f} kB"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.2f} {letter}{unit}"
    return f"{value:.0f} {unit}"


def target(row):
    if row.figure.target is None:
        return ""
    bound = "≤" if less_is_better(row.group) else "≥"
    number = f"{row.figure.target:.2f}" if row.figure.beside else amount(row.figure.target, row.group.unit)
    return f"{bound} {number}"


def verdict(row):
    if row.reached is None:
        return ""
    return "reached" if row.reached else "**not reached**"


def cells(row):
    """What is measured, ours, beside whom, theirs, the ratio, the target, whether it is reached."""
    unit = row.group.unit
    ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
    theirs = amount(row.theirs, unit) if row.figure.beside else ""
    return row.figure.ours, amount(row.ours, unit), row.figure.beside or "", theirs, ratio, target(row), verdict(row)


def plain(row):
    ours, value, beside, theirs, ratio, bound, reached = cells(row)
    return f"{ours:<22} {value:>12}   {beside:<20} {theirs:>12}  {ratio:>6}   {bound:<10} {reached.strip('*')}"


def first_line(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if done.returncode == 0 and lines else "none"


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
    return f"{model}, {first_line('nproc')} processors, Linux {platform.release()}"


def up_to_version(text):
    """The first line of what a program says of itself, without what comes after its version."""
    found = re.match(r"\D*?\d[\w.:+-]*( of [\d-]+)?", text)
    return found.group(0) if found else text


def versions(baseline):
    named = [("Beam for Lua", "git log -1 --format='%h of %cd' --date=short"), ("", "lua5.4 -v"), ("", "luajit -v"), ("Node", "node --version"),
             ("ws", "node -p \"require('./build/bench/node/node_modules/ws/package.json').version\""), ("", "curl --version"),
             ("", "openssl version"), ("", "nginx -v"), ("", "/usr/sbin/nginx -v"),
             ("lua-resty-websocket", "dpkg-query -W -f '${Version}' lua-nginx-websocket")]
    found = [(name, first_line(command)) for name, command in named]
    if baseline:
        found.append(("the older build", first_line(f"git -C '{baseline}' log -1 --format='%h of %cd' --date=short")))
    return ", ".join(dict.fromkeys(f"{name} {up_to_version(text)}".strip() for name, text in found if text != "none"))


INTRODUCTION = """# Performance

Written by `make bench` ({date}): do not edit it, run it. {machine}.
{versions}.

Compare only within one run: machines differ, and this one may have neighbours. The programs of each group run in turn, {rounds} of them, and the medians are compared;
*ratio* is ours divided by theirs: of times and memory the less the better (a target is ≤), of what is done in a second the more (≥). Round trips and calls one by one have client and server on one core; elsewhere the server has the other core. What is received and sent is
counted for each second of the client's processor, so that no server is the limit. The references are small and do nothing else: *raw TCP* sends 64 bytes there and back, *hand-written* is a WebSocket
client of its own over epoll and OpenSSL (`tests/bench/others/hand`), *libcurl-multi* a bare program with the handles kept. *ws* is npm's. *C* is libbeam, the rest the module
on that Lua.

Load of the machine when it began (0: quiet): {load}.
"""


# What the lines of counts cannot say by themselves.
CALLS = """## Calls: what the difference consists of

*libcurl-multi* sends the same request, byte for byte, over kept connections, and keeps the answer's body. It makes and reads no JSON, looks at no header, keeps no deadline, and waits
for nothing else. Where the instructions go is counted below for each part; *no file* is code that LuaJIT has compiled, and the clock.

- **libcurl** (7.88): a third of it puts the head of the request together, a character at a time: some 105 instructions for each of 211. A quarter reads the head of the answer.
  Ours gives it less to do (the address is taken apart once, handles stand ready for the next call), and uses what that saves for the loop, the deadline, the answer's headers, and
  two questions to the system: whether a kept connection has something to say before it is asked, and whether a CA file is still the one that was read.
- **C** therefore has a tenth fewer instructions than the reference, over TLS as many, but one system call more, with a CA file two. So its ratio is what a system call costs: 0.94 where it is dear (a
  call takes 40 µs), 0.99 where it is cheap. With 64 in flight `curl_multi_perform` looks at each of them, and ours at the sockets that are ready.
- **Lua** adds, for each call: JSON both ways (5,000 to 6,000), the answer as tables (6,000 in LuaJIT, 9,000 in 5.4), crossings into C (2,500), a coroutine that is suspended, woken and
  resumed, and the collector's share of it all. At 0.85 of the reference 5.4 could have 25,000 instructions for that; it has 46,000, 17,000 of them in some 500 steps of its virtual
  machine. LuaJIT could have 20,000 at 0.9, and has 13,000 to 31,000, as its compiler does. What nginx and the system do on the same core is the same for all, and brings the ratios of time nearer to 1 than these.
- What would take more away is to do without libcurl where a connection is kept and speaks HTTP/1.1: its part and most of libc's, for writing one head and reading another.
"""

# By hand, from callgrind (CONTRIBUTING.md says how): anew when what it counts has changed.
WEBSOCKET = """## WebSocket: what the difference consists of

What a round trip or message of a WebSocket is made of, in instructions of user space, ours and theirs (2026-11-29, libuv 1.44, libwebsockets 4.1, OpenSSL 3.0):

- *Echo in C*: libuv's turn 680, libwebsockets 180, libbeam 780; the hand-written client has 190 in their place. What both do besides, reading the clock twice and
  sorting the times, is 560. The three system calls are the same, and most of the time: where one is dear (20 µs a round trip) the ratio is 1.05; where it is cheap (5 µs) it was 1.09.
  Two thirds of what could go are the turn of the loop and the event's way through libwebsockets.
- *Echo over TLS*: OpenSSL 11.1k of 15.7k, and 11.3k of the hand-written client's 13.6k. The rest is what the echo without TLS has, and the way through two buffers in place of a socket.
- *Received over TLS, 4 KiB*: decrypting 10.3k of 20.3k, copying 7.9k, since what is read passes through a buffer that all connections share (the hand-written client copies 4.1k), all else of ours 290.
  The older build has 18.0k, but 1.65 system calls a message where we have 0.07 to 0.25 and the hand-written client 0.42. So the ratio to it is what a system call costs: 2.2
  is measured where it is dear, 1.3 where it is cheap, and there the hand-written client has 1.46.
- *Received in C, 64 B*: 137 instructions a message beside 20: an event for the program's function, with what RFC 6455 wants looked at in each frame. How much time that is differs: 0.77 of the
  hand-written client was measured on an Intel Xeon, 0.37 to 0.57 on an AMD EPYC.
- *request() in 5.4*: 255 instructions of Lua's, at 36 of the processor's each 9.1k; what Lua's library does for 20 calls into C, for the table and the strings of question and answer, and to collect them, 11k;
  libbeam, its binding and JSON 3.4k; memory 2.2k; libuv, libwebsockets 1.2k; the program's table.sort some 3k.
- *request() inside nginx*: a request that is alone on its connection is told of its answer by nginx itself; the light thread is suspended and resumed once, as lua-resty-websocket's is. What is left is some 500 to
  1,500 instructions more, of crossings into C and of the answer that is kept until Lua takes it. Besides, nginx watches the descriptor of our loop, not the socket; what it costs the system that
  each readiness passes through two sets of epoll is in the time and in no count.
"""


def write(path, rows, reports, baseline, rounds, load):
    rounds = f"{rounds} rounds" if rounds > 1 else "one round"
    lines = [INTRODUCTION.format(date=time.strftime("%Y-%m-%d"), machine=machine(), versions=versions(baseline), rounds=rounds, load=load)]
    lines.append("| | ours | beside | theirs | ratio | target | |\n| --- | --- | --- | --- | --- | --- | --- |")
    title = None
    for row in rows:
        if row.group.title != title:
            title = row.group.title
            lines.append(f"| **{title}** | | | | | | |")
        lines.append("| " + " | ".join(cells(row)) + " |")
    lines.append("\n" + WEBSOCKET + "\n" + CALLS)
    lines.append("## Other figures\n")
    for report, text in reports:
        lines.append(f"{report}:\n\n```text\n{text}\n```\n")
    lines.append(f"{len(figures.GROUPS)} groups; what is measured, and how, stands in `tests/bench/figures.py`.")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
