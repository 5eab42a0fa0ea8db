"""What is done for each message or call: instructions in user space, by valgrind, and system calls, by strace. Both are the same on
any machine, however busy it is; what the system itself does for a call is not among the instructions.
usage: count.py   prints a line for each program of the groups below"""
import re
import subprocess
import sys
import tempfile

import figures
from run import ROOT, Runner, allow_descriptors
from servers import Servers

# A group of figures.py, and of how many things the first run is; the second is of three times as many, so that what is done once falls out.
GROUPS = {"echo": 800, "echo over TLS": 400, "received 64": 12000, "received JSON": 8000, "sent": 8000, "calls one by one": 300,
          "calls one by one, https": 200}


class Exactly:
    """{n:20000}: this many."""

    def __init__(self, count):
        self.count = count

    def __format__(self, _):
        return str(self.count)


def instructions(words, environment):
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"] + words
    told = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=100).stderr
    return int(re.search(r"I +refs: +([\d,]+)", told).group(1).replace(",", ""))


def system_calls(words, environment):
    told = subprocess.run(["strace", "-f", "-c", "-U", "calls"] + words, env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
                          timeout=100).stderr
    return int(re.search(r"^ *(\d+) *\d* *total", told, re.M).group(1))


def each(runner, program, count):
    """Instructions and system calls of one thing."""
    found = []
    for measure in (instructions, system_calls):
        totals = []
        for times in (1, 3):
            runner.names["n"] = Exactly(count * times)
            totals.append(measure(*runner.command(program, ROOT)))
        found.append((totals[1] - totals[0]) / (2 * count))
    return found


def main():
    allow_descriptors()
    with tempfile.TemporaryDirectory(prefix="beam-bench-") as folder:
        servers = Servers(folder)
        try:
            runner = Runner(servers, 1, None)
            print(f"{'':<26} {'':<20} {'instructions':>14} {'system calls':>13}")
            for group in figures.GROUPS:
                for name, program in group.programs.items():
                    if group.name in GROUPS and "node" not in program.command:
                        user, system = each(runner, program, GROUPS[group.name])
                        print(f"{group.name:<26} {name:<20} {user:>14.0f} {system:>13.3f}", flush=True)
        except (OSError, AttributeError, subprocess.SubprocessError) as error:
            sys.exit(f"{error}: valgrind and strace are needed")
        finally:
            servers.end()


if __name__ == "__main__":
    main()
