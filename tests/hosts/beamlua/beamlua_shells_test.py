"""What beamlua gives to a shell and to a reader: completions for bash, zsh and fish, and the manual. Speaks TAP."""
import os
import re
import subprocess
import sys

from beamlua import ROOT, has, main, same

tests = []


def test(fn):
    tests.append(fn)
    return fn


def complete_in_bash(world, path, *words):
    script = f"source {path}; COMP_WORDS=(beamlua {' '.join(words)} ''); COMP_CWORD={len(words) + 1}; _beamlua; echo ${{COMPREPLY[@]}}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=world.env(), cwd=world.home).stdout.split()


@test
def completions(world):
    """completions that the shells can read"""
    for shell in ("bash", "zsh", "fish"):
        code, out, err = world.run("completion", shell)
        same((0, ""), (code, err))
        path = world.write("completions." + shell, out)
        done = subprocess.run([shell, "-n", path], capture_output=True, text=True, env=world.env())
        same((0, "", ""), (done.returncode, done.stdout, done.stderr))
    bash = os.path.join(world.home, "completions.bash")
    assert {"call", "task", "serve"} <= set(complete_in_bash(world, bash))
    assert {"get", "list"} <= set(complete_in_bash(world, bash, "task"))
    assert {"--status", "--gateway"} <= set(complete_in_bash(world, bash, "task", "list"))
    same(["asgi", "endpoint", "taskqueue", "function", "schedule"], complete_in_bash(world, bash, "deployments", "--kind"))


@test
def manual(world):
    """a manual without mistakes, which has every command, option and exit code"""
    path = os.path.join(ROOT, "docs", "beamlua.1")
    with open(path) as file:
        same(file.read(), world.run(os.path.join(ROOT, "tests", "manual.lua"))[1])
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True)
    same("", "".join(line for line in done.stdout.splitlines(True) if "outdated mandoc.db" not in line))
    text = subprocess.run(["mandoc", "-T", "ascii", path], capture_output=True, text=True).stdout
    text = re.sub(".\b", "", text)
    for pattern in ("task download ID", "--no-reconnect", "--gateway URL", "BEAM_TOKEN", r"28 +config:", "143 for SIGTERM"):
        has(pattern, text)


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
