"""What beamlua gives to a shell and to a reader: completions for bash, zsh and fish, and the manual. Speaks TAP."""
import json
import os
import re
import subprocess
import sys

from beamlua import BEAMLUA, ROOT, has, main, same

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
def completes_names(world):
    """deployments, tasks and contexts are completed as they are"""
    path = world.write("completions.bash", world.run("completion", "bash")[1])
    app = 'local app = require "beam.serve" app.endpoint("one", print) app.endpoint("other", print) app.task_queue("train", print)'
    beam = world.beam(world.write("app.lua", app))
    task = world.run("submit", "train", beam=beam)[1].strip()
    os.makedirs(world.home + "/.beam", exist_ok=True)
    world.write(".beam/config.ini", "[default]\ntoken = a\n[staging]\ntoken = b\n")
    folder = os.path.dirname(BEAMLUA)

    def complete(*words):
        script = (f"source {path}; COMP_WORDS=(beamlua {' '.join(words)}); COMP_CWORD={len(words)}; _beamlua; echo ${{COMPREPLY[@]}}")
        env = world.env(beam, PATH=folder + ":" + os.environ["PATH"])
        return sorted(subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=env, cwd=world.home).stdout.split())

    same(["one", "other"], complete("call", "o"))
    same(["train"], complete("submit", "t"))
    same([task], complete("task", "get", task[:4]))
    same(["staging"], complete("context", "use", "st"))
    same(["default", "staging"], complete("call", "one", "--context", "''"))
    same(["--stream"], complete("call", "--str"))


@test
def contexts(world):
    """context list, use, show: which holds, and why; no token is shown"""
    os.makedirs(world.home + "/.beam", exist_ok=True)
    world.write(".beam/config.ini", "[default]\ntoken = s3cret-a\ngateway_host = one.example\n[staging]\ntoken = s3cret-b\n")
    same((0, "default\tcurrent\ttoken\tone.example\nstaging\t-\ttoken\tone.example\n", ""), world.run("context", "list"))
    same((0, "staging\n", ""), world.run("context", "use", "staging"))
    has("staging\tcurrent", world.run("context", "list")[1])
    code, out, _ = world.run("context", "show", "--json")
    shown = json.loads(out)
    same(("staging", True, True), (shown["name"], shown["current"], shown["token"]))
    has("beam-lua-context$", shown["from"])
    has("current\tno", world.run("context", "show", "default")[1])
    has("BEAM_TOKEN is set, and goes before it", world.run("context", "use", "default", BEAM_TOKEN="x")[2])
    same((0, "default\n", ""), world.run("context", "use", "default", BEAM_CONFIG_CONTEXT="", BEAM_TOKEN=""))
    code, out, err = world.run("context", "use", "nowhere")
    same((28, ""), (code, out))
    has("it has: default, staging", err)
    for words in (["list"], ["show"], ["show", "--json"], ["list", "--json"]):
        assert "s3cret" not in "".join(map(str, world.run("context", *words))), words
    os.remove(world.home + "/.beam/config.ini")
    same(28, world.run("context", "list")[0])
    os.remove(world.home + "/.beam/beam-lua-context")


@test
def manual(world):
    """a manual without mistakes, which has every command, option and exit code"""
    path = os.path.join(ROOT, "docs", "manual", "beamlua.1")
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
