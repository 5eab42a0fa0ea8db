"""Measures the figures of figures.py: in each group its programs run in turn, five rounds of them, and medians are compared. A whole
run writes docs/performance.md.   usage: run.py [--quick] [PATTERN]   BASELINE=/another/checkout BY=clock|processor ROUNDS=5"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import figures
import page
from servers import NEAR, ROOT, Servers

QUICK_DIVISOR, QUICK_ROUNDS, TIME_LIMIT = 4, 3, 240
LUA = {"5.4": ("lua5.4", "5.4"), "LuaJIT": ("luajit", "jit")}
Row = namedtuple("Row", "group figure ours theirs ratio reached")


class Count:
    """{n:20000}: 20000, or less in a quick run."""

    def __init__(self, divisor):
        self.divisor = divisor

    def __format__(self, text):
        return str(int(text) // self.divisor)


class Runner:
    def __init__(self, servers, divisor, baseline):
        self.names, self.baseline = servers, baseline
        servers["n"] = Count(divisor)

    def command(self, program, root):
        """The command and the environment of a program, with the build in `root`."""
        words = [word.format_map(self.names) for word in program.command.split()]
        if words[0] == "python3":
            words[0] = sys.executable
        environment = {**os.environ, "NODE_PATH": f"{ROOT}/build/bench/node/node_modules"}
        if program.kind == "c":
            words[0] = f"{ROOT}/build/bench/{'' if root == ROOT else 'baseline/'}{words[0]}"
        elif program.kind in LUA:
            interpreter, version = LUA[program.kind]
            words[0:1] = [interpreter, f"{ROOT}/tests/bench/lua/{words[0]}"]
            environment.update(LUA_PATH=f"{root}/lua/?.lua;{root}/lua/?/init.lua;{ROOT}/tests/bench/lua/?.lua;;",
                               LUA_CPATH=f"{root}/build/lua/{version}/?.so;;")
        return words, environment

    def output(self, program, root=ROOT, pinned=True):
        words, environment = self.command(program, root)
        pin = ["taskset", "-c", str(NEAR)] if pinned else []
        done = subprocess.run(pin + words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: status {done.returncode}: {done.stderr.strip()[:500]}")
        return done.stdout

    def measure(self, program, by, root):
        """One number: what it printed, or how many a second."""
        numbers = [float(word) for word in self.output(program, root).split()]
        if len(numbers) == 1:
            return numbers[0]
        count, wall, cpu = numbers
        return count / (cpu if by == "processor" and cpu else wall)

    def medians(self, group, rounds):
        """Name -> median, of the programs of a group in turn; those of the older build are named (name, BASELINE)."""
        by = os.environ.get("BY") or group.by
        programs = {name: (program, ROOT) for name, program in group.programs.items()}
        for figure in group.figures:
            if figure.beside == figures.BASELINE and self.baseline:
                programs[figure.ours, figures.BASELINE] = (group.programs[figure.ours], self.baseline)
        values = {name: [] for name in programs}
        broken = {}
        for _ in range(1 if group.once else rounds):
            for name, (program, root) in programs.items():
                if name in broken:
                    continue
                try:
                    values[name].append(self.measure(program, by, root))
                except (RuntimeError, ValueError, OSError, subprocess.TimeoutExpired) as error:
                    broken[name] = error
                    print(f"  {name} cannot be measured: {error}", file=sys.stderr)
        return {name: statistics.median(list_) for name, list_ in values.items() if list_ and name not in broken}

    def rows(self, group, rounds):
        medians = self.medians(group, rounds)
        for figure in group.figures:
            ours = medians.get(figure.ours)
            key = (figure.ours, figures.BASELINE) if figure.beside == figures.BASELINE else figure.beside
            theirs = medians.get(key) if figure.beside else None
            if ours is None or (figure.beside and theirs is None):
                if figure.beside != figures.BASELINE or self.baseline:
                    yield Row(group, figure, ours, theirs, None, None)
                continue
            ratio = ours / theirs if theirs else None
            yield Row(group, figure, ours, theirs, ratio, reached(group, figure, ratio if figure.beside else ours))


def reached(group, figure, value):
    if figure.target is None:
        return None
    return value <= figure.target if page.less_is_better(group) else value >= figure.target


def allow_descriptors():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def report_of(runner, report):
    pinned = report.program.kind != "other" and "step_longest" not in report.program.command
    try:
        return runner.output(report.program, pinned=pinned).rstrip("\n")
    except subprocess.TimeoutExpired as error:
        so_far = error.stdout or b""
        return (so_far if isinstance(so_far, str) else so_far.decode()) + f"(stopped after {TIME_LIMIT} s)"
    except (RuntimeError, OSError) as error:
        return f"not measured: {error}"


def measure_all(runner, rounds, options):
    """The rows of the table, and the reports as (title, text); each is shown when it is known."""
    rows, reports = [], []
    for group in figures.GROUPS:
        if options.pattern in group.name and (group.quick or not options.quick):
            print(group.title, flush=True)
            for row in runner.rows(group, rounds):
                rows.append(row)
                print("  " + page.plain(row), flush=True)
    for report in figures.REPORTS:
        if options.pattern in report.title and (report.quick or not options.quick):
            print(report.title, flush=True)
            reports.append((report.title, report_of(runner, report)))
            print("  " + reports[-1][1].replace("\n", "\n  "), flush=True)
    return rows, reports


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("pattern", nargs="?", default="")
    options = arguments.parse_args()
    rounds = int(os.environ.get("ROUNDS") or (QUICK_ROUNDS if options.quick else 5))
    baseline = os.environ.get("BASELINE") or None
    allow_descriptors()
    started, load = time.time(), f"{os.getloadavg()[0]:.1f}"
    with tempfile.TemporaryDirectory(prefix="beam-bench-") as folder:
        servers = Servers(folder)
        try:
            rows, reports = measure_all(Runner(servers, QUICK_DIVISOR if options.quick else 1, baseline), rounds, options)
        finally:
            servers.end()
    reached_count, missed = sum(row.reached is True for row in rows), sum(row.reached is False for row in rows)
    print(f"{reached_count} targets reached, {missed} not, in {time.time() - started:.0f} s")
    if not options.quick and not options.pattern:
        page.write(f"{ROOT}/docs/performance.md", rows, reports, baseline, rounds, load)


if __name__ == "__main__":
    main()
