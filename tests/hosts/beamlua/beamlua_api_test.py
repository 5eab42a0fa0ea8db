"""beamlua's commands that ask the API: logs and what is added to it. Speaks TAP.
usage: beamlua_api_test.py [pattern]"""
import json
import os
import select
import signal
import sys
import urllib.request

from beamlua import PATIENCE, has, main, same

tests = []

APP = """
local app = require "beam.serve"
app.task_queue("train", function(input, context)
  for i = 1, input.lines or 2 do context.log("line " .. i) if input.slow then context.sleep(0.2) end end
  if input.fail then error("it broke", 0) end
  return { ok = true }
end)
app.endpoint("fails", function() error("no luck", 0) end)
"""


def test(fn):
    tests.append(fn)
    return fn


@test
def logs(world):
    """logs NAME|TASK: what there is, --follow to the end of a task, --since, --times, --events, --json; what an error points to works"""
    beam = world.beam(world.write("app.lua", APP))
    id = world.run("submit", "train", beam=beam)[1].strip()
    same(0, world.run("task", "wait", id, beam=beam)[0])
    same((0, "line 1\nline 2\n", ""), world.run("logs", id, beam=beam))
    same((0, "line 1\nline 2\n", ""), world.run("logs", "train", "--since", "10m", beam=beam))
    same((0, "", ""), world.run("logs", "train", "--since", "2099-01-01T00:00:00Z", beam=beam))
    records = [json.loads(line) for line in world.run("logs", id, "--json", beam=beam)[1].splitlines()]
    same([("line 1", id), ("line 2", id)], [(record["message"], record["task_id"]) for record in records])
    has(r"^\d\d:\d\d:\d\d[.\d]* line 1\n", world.run("logs", id, "--times", beam=beam)[1])
    same("task.created\ntask.updated\ntask.updated\n", world.run("logs", id, "--events", beam=beam)[1])
    stub = records[0]["stub_id"]
    same((0, "line 1\nline 2\n", ""), world.run("logs", stub, beam=beam))
    same((0, "line 1\nline 2\n", ""), world.run("logs", records[0]["container_id"], beam=beam))
    slow = world.run("submit", "train", '{"slow": true, "lines": 5}', beam=beam)[1].strip()
    same((0, "".join(f"line {n}\n" for n in range(1, 6)), ""), world.run("logs", slow, "--follow", beam=beam))
    follower = world.start("logs", "train", "-f", beam=beam)
    ready = []
    while not ready:  # it follows from now on, which may be a moment later
        world.run("submit", "train", "--wait", beam=beam)
        ready = select.select([follower.stdout], [], [], 0.3)[0]
    has("^line ", follower.stdout.readline())
    follower.send_signal(signal.SIGINT)
    same(130, follower.wait(PATIENCE))
    code, _, err = world.run("call", "fails", beam=beam)
    command = err.split("see beamlua ")[1].split(")")[0]
    has(r"(?m)^no luck$", world.run(*command.split(), beam=beam)[1])
    code, out, err = world.run("logs", "nothing", beam=beam)
    same((34, ""), (code, out))
    has("nothing is deployed as 'nothing'", err)
    code, out, err = world.run("logs", "00000000-0000-4000-8000-000000000000", beam=beam)
    same(34, code)
    same((2, ""), world.run("logs", "train", "--since", "soon", beam=beam)[:2])


@test
def files(world):
    """upload FILE, volume list, upload, download, move, remove: names of the server stay in the folder, what is removed is asked about"""
    beam = world.beam(world.write("app.lua", APP))
    world.write("in.txt", "some text\n")
    code, out, err = world.run("upload", "in.txt", beam=beam)
    same((0, ""), (code, err))
    has(r"^http://127\.0\.0\.1:\d+/storage/", out)
    with urllib.request.urlopen(out.strip()) as answer:
        same(b"some text\n", answer.read())
    same((0, "data/in.txt\n", ""), world.run("volume", "upload", "in.txt", "data", beam=beam))
    same((0, "data/2026/b.txt\n", ""), world.run("volume", "upload", "in.txt", "data/2026/b.txt", beam=beam))
    rows = [row.split("\t")[:2] for row in world.run("volume", "list", "data", beam=beam)[1].splitlines()]
    same([["2026/", "-"], ["in.txt", "10"]], rows)
    same({"data", "uploads"}, {json.loads(row)["name"] for row in world.run("volume", "list", "--json", beam=beam)[1].splitlines()})
    same((0, "b.txt\n", ""), world.run("volume", "download", "data/2026/b.txt", beam=beam))
    same((0, "renamed\n", ""), world.run("volume", "download", "data/2026/b.txt", "--output", "renamed", beam=beam))
    for name in ("b.txt", "renamed"):
        with open(os.path.join(world.home, name)) as file:
            same("some text\n", file.read())
    same((0, "", ""), world.run("volume", "move", "data/2026/b.txt", "data/c.txt", beam=beam))
    code, out, err = world.run("volume", "remove", "data/c.txt", beam=beam)
    same((22, ""), (code, out))
    has("nobody is there to be asked whether to remove data/c.txt", err)
    terminal = world.terminal("volume", "remove", "data/c.txt", beam=beam)
    terminal.expect(r"remove data/c.txt.*\[y/N\]")
    terminal.send("n\r")
    same(20, terminal.end())
    same(["c.txt", "in.txt"], [row.split("\t")[0] for row in world.run("volume", "list", "data", beam=beam)[1].splitlines()])
    terminal = world.terminal("volume", "remove", "data/c.txt", beam=beam)
    terminal.expect(r"\[y/N\]")
    terminal.send("y\r")
    same(0, terminal.end())
    same((0, "", ""), world.run("volume", "remove", "data/in.txt", "--yes", beam=beam))
    same((0, "", ""), world.run("volume", "list", "data", beam=beam))
    same(22, world.run("volume", "remove", "data", "--yes", beam=beam)[0])


@test
def deployments(world):
    """deployment stop, start, delete, scale; containers, container stop: what cannot be taken back wants --yes"""
    beam = world.beam(world.write("app.lua", APP))
    world.run("call", "fails", beam=beam)
    code, out, err = world.run("deployment", "stop", "fails", beam=beam)
    same((22, ""), (code, out))
    has("whether to stop fails/v1", err)
    same((0, "fails/v1 stopped\n", ""), world.run("deployment", "stop", "fails", "--yes", beam=beam))
    has("Deployment is not active", world.run("call", "fails", beam=beam)[2])
    same((0, "fails/v1 started\n", ""), world.run("deployment", "start", "fails/v1", beam=beam))
    has("no luck", world.run("call", "fails", beam=beam)[2])
    code, out, err = world.run("deployment", "scale", "fails", "2", beam=beam)
    same((14, ""), (code, out))
    has("cannot be scaled directly", err)
    rows = world.run("containers", beam=beam)[1].splitlines()
    id = rows[0].split("\t")[0]
    same([1, "RUNNING"], [len(rows), rows[0].split("\t")[1]])
    same(22, world.run("container", "stop", id, beam=beam)[0])
    same((0, id + " stopped\n", ""), world.run("container", "stop", id, "-y", beam=beam))
    same((0, "", ""), world.run("containers", beam=beam))
    same((0, "fails/v1 deleted\n", ""), world.run("deployment", "delete", "fails", "--yes", beam=beam))
    same(["train/v1"], [row.split("\t")[0] for row in world.run("deployments", "--all", beam=beam)[1].splitlines()])


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
