"""beamlua's commands that ask the API: logs and what is added to it. Speaks TAP.
usage: beamlua_api_test.py [pattern]"""
import json
import select
import signal
import sys

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
    same((14, ""), (code, out))
    has("nothing is deployed as 'nothing'", err)
    code, out, err = world.run("logs", "00000000-0000-4000-8000-000000000000", beam=beam)
    same(14, code)
    same((2, ""), world.run("logs", "train", "--since", "soon", beam=beam)[:2])


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
