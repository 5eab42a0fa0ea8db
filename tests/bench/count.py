"""What is done for each message or call: instructions in user space, by valgrind, and system calls, by strace. Both are the same on
any machine, however busy it is; what the system itself does for a call is not among the instructions.
usage: count.py [PATTERN]   prints a line for each program of the groups below"""
import re
import subprocess
import sys
import tempfile

import figures
import parts
from run import ROOT, Runner, allow_descriptors
from servers import Servers

# A group of figures.py, and of how many things the first run is; the second is of three times as many, so that what is done once falls out.
GROUPS = {"echo": 800, "echo over TLS": 400, "echo inside nginx": 1500, "received 64": 12000, "received JSON": 8000, "received over TLS": 2000,
          "sent": 8000, "calls one by one": 300, "calls one by one, https": 200, "calls one by one, HTTP/2": 200}
INSTRUCTIONS = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
SYSTEM_CALLS = ["strace", "-f", "-c", "-U", "calls"]
LIMIT = 200  # seconds


class Exactly:
    """{n:20000}: this many."""

    def __init__(self, count):
        self.count = count

    def __format__(self, _):
        return str(self.count)


def run_alone(tool, words, environment):
    """What the tool tells of a program."""
    return subprocess.run(tool + words, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=LIMIT).stderr


def run_inside(servers, tool, words, environment):
    """What the tool tells of an nginx that the program asks once."""
    server = servers.inside_under(*tool)
    try:
        address = [word.replace(servers["inside"], f"http://127.0.0.1:{server.port}") for word in words]
        subprocess.run(address, env=environment, cwd=ROOT, capture_output=True, check=True, timeout=LIMIT)
    finally:
        server.end()
    return server.log()


def total(tool, told):
    pattern = r"I +refs: +([\d,]+)" if tool is INSTRUCTIONS else r"^ *(\d+) *\d* *total"
    return int(re.search(pattern, told, re.M).group(1).replace(",", ""))


def each(runner, group, program, count):
    """Instructions and system calls of one thing."""
    found = []
    for tool in (INSTRUCTIONS, SYSTEM_CALLS):
        totals = []
        for times in (1, 3):
            runner.names["n"] = Exactly(count * times)
            command = runner.command(program, ROOT)
            told = run_inside(runner.names, tool, *command) if "inside" in group.name else run_alone(tool, *command)
            totals.append(total(tool, told))
        found.append((totals[1] - totals[0]) / (2 * count))
    return found


def told_parts(runner, program, count):
    """Whose the instructions of one thing are."""
    counts = []
    for times in (1, 3):
        runner.names["n"] = Exactly(count * times)
        counts.append(parts.count(*runner.command(program, ROOT), ROOT))
    return parts.told(*counts, 2 * count)


def main():
    allow_descriptors()
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="beam-bench-") as folder:
        servers = Servers(folder)
        try:
            runner = Runner(servers, 1, None)
            print(f"{'':<26} {'':<20} {'instructions':>14} {'system calls':>13}")
            for group in figures.GROUPS:
                for name, program in group.programs.items():
                    if pattern in group.name and group.name in GROUPS and "node" not in program.command:
                        user, system = each(runner, group, program, GROUPS[group.name])
                        print(f"{group.name:<26} {name:<20} {user:>14.0f} {system:>13.3f}", flush=True)
                        if group.name.startswith("calls"):
                            print(f"{'':<26}   {told_parts(runner, program, GROUPS[group.name])}", flush=True)
        except (OSError, AttributeError, subprocess.SubprocessError) as error:
            sys.exit(f"{error}: valgrind and strace are needed")
        finally:
            servers.end()


if __name__ == "__main__":
    main()
