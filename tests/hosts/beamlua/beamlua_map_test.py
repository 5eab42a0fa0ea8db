"""beamlua map: a call for each line, in order or as they come, killed and resumed. Speaks TAP.
usage: beamlua_map_test.py [pattern]   LINES=100000: as many lines are killed and resumed"""
import json
import os
import random
import signal
import subprocess
import sys
import time

from beamlua import BEAMLUA, PATIENCE, Says, has, main, same

tests = []
LINES = int(os.environ.get("LINES", "1500"))

APP = """
local app = require "beam.serve"
local sleep = require("beam.driver").sleep
local runs = assert(io.open("runs.txt", "a"))
app.endpoint("double", function(input)
  runs:write(input.x, "\\n") runs:flush()
  sleep(input.sleep or 0.002)
  if input.fail then return app.response(500, { error = "it broke" }) end
  return { result = input.x * 2 }
end)
"""


def test(fn):
    tests.append(fn)
    return fn


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


@test
def maps(world):
    """each line has one record: a result or an error with its input; --ordered, --failures; the exit code is that of the first error"""
    beam = world.beam(world.write("app.lua", APP))
    text = '{"x":1,"sleep":0.2}\n{"x":2}\nnope\n[1]\n{"x":5,"fail":true}\n{"x":6}'
    code, out, err = world.run("map", "double", beam=beam, stdin=text)
    records = {record["line"]: record for record in lines_of(out)}
    same(([1, 2, 3, 4, 5, 6], ""), (sorted(records), err))
    same([{"result": 2}, {"result": 4}, {"result": 12}], [records[line]["result"] for line in (1, 2, 6)])
    same(("json", "no", "nope"), (records[3]["error"]["kind"], records[3]["error"]["executed"], records[3]["input"]))
    same([1], records[4]["input"])
    same((500, "yes", {"x": 5, "fail": True}), (records[5]["error"]["status"], records[5]["error"]["executed"], records[5]["input"]))
    assert code in (23, 35), code
    code, out, err = world.run("map", "double", "--ordered", "--failures", "failures.jsonl", beam=beam, stdin=text)
    same([1, 2, 6], [record["line"] for record in lines_of(out)])
    with open(world.home + "/failures.jsonl") as file:
        same([3, 4, 5], [record["line"] for record in lines_of(file.read())])
    same(23, code)
    same((0, "", ""), world.run("map", "double", beam=beam))
    same((0, '{"line":1,"result":{"result":2}}\n', ""), world.run("map", "double", "--concurrency", "1", beam=beam, stdin='{"x":1}\n'))
    has("did you mean 'double'", world.run("map", "doubel", beam=beam, stdin='{"x":1}\n')[1])


@test
def goes_on(world):
    """--resume: what is known is printed and not run again; what did not run is; what was in flight is listed, or run under --idempotent"""
    world.write("state", '{"map":"double"}\ns 1\n{"line":1,"result":{"result":77}}\ns 2\ns 3\n'
                '{"line":3,"input":{"x":3},"error":{"kind":"connect","executed":"no"}}\ns 4\n{"line":4,"resu')
    beam = world.beam(world.write("app.lua", APP))
    text = "".join(f'{{"x":{x}}}\n' for x in range(1, 6))
    with open(world.home + "/state") as file:
        state = file.read()
    code, out, _ = world.run("map", "double", "--resume", "state", "--ordered", beam=beam, stdin=text)
    records = lines_of(out)
    same([77, None, 6, None, 10], [record.get("result", {}).get("result") for record in records])
    same(["unknown", "unknown"], [records[line]["error"]["executed"] for line in (1, 3)])
    same(130, code)
    again = world.run("map", "double", "--resume", "state", "--ordered", beam=beam, stdin=text)
    same((130, out), again[:2])
    code, out, _ = world.run("map", "double", "--resume", "state", "--idempotent", "--ordered", beam=beam, stdin=text)
    same((0, [77, 4, 6, 8, 10]), (code, [record["result"]["result"] for record in lines_of(out)]))
    world.write("state", state)
    code, out, _ = world.run("map", "double", "--resume", "state", "--idempotent", "--ordered", beam=beam, stdin=text)
    same((0, [77, 4, 6, 8, 10]), (code, [record["result"]["result"] for record in lines_of(out)]))
    code, _, err = world.run("map", "other", "--resume", "state", beam=beam, stdin=text)
    same(22, code)
    has("is of another command", err)


@test
def unusual(world):
    """a byte order mark, line ends within strings and what is nested as deep as can be read make records as any other, which are known again"""
    server = world.keep(Says())
    nested = "[" * 126 + "]" * 126
    bodies = [(500, "{}"), (500, f'{{"error":{nested}}}'), (200, '{"a":"one\ntwo"}'), (200, '\xef\xbb\xbf{"a":2}'), (200, f"[[{nested}]]")]
    inputs = [json.dumps({"status": status, "body": body}) for status, body in bodies] + [f'{{"status":500,"body":"","more":[{nested}]}}']
    for _ in range(2):
        code, out, err = world.run("map", server.url, "--resume", "unusual", "--ordered", "--retry", "0",
                                   stdin="\ufeff" + "\n".join(inputs))
        same((35, "", 6), (code, err, len(out.splitlines())))
        records = lines_of(out)
        same([500] * 3, [records[place]["error"]["status"] for place in (0, 1, 5)])
        same([json.loads(inputs[0]), json.loads(inputs[1]), inputs[5]], [records[place]["input"] for place in (0, 1, 5)])
        same([{"a": "one\ntwo"}, {"a": 2}, json.loads(f"[[{nested}]]")], [record["result"] for record in records[2:5]])
        same(6, server.asked)


@test
def killed(world):
    """killed at random and resumed: every input once in the outcome, none run twice, those of unknown fate listed"""
    beam = world.beam(world.write("app.lua", APP), "--quiet")
    source = world.write("in.jsonl", "".join(f'{{"x":{x}}}\n' for x in range(1, LINES + 1)))
    open(world.home + "/runs.txt", "w").close()
    chance, kills = random.Random(17), 0
    while True:
        with open(source) as stdin, open(world.home + "/out.jsonl", "w") as out:
            process = subprocess.Popen([BEAMLUA, "map", "double", "--resume", "state.j"], stdin=stdin, stdout=out, env=world.env(beam), cwd=world.home)
            if kills < 10:
                time.sleep(0.15 + LINES / 15000 * chance.random())
                process.send_signal(signal.SIGKILL)
                kills += 1
            if process.wait(PATIENCE + LINES / 100) != -signal.SIGKILL:
                break
    with open(world.home + "/out.jsonl") as file:
        records = lines_of(file.read())
    same(list(range(1, LINES + 1)), sorted(record["line"] for record in records))
    unknown = {record["line"] for record in records if "error" in record}
    assert all(record["error"]["executed"] == "unknown" for record in records if "error" in record)
    with open(world.home + "/runs.txt") as file:
        runs = [int(float(line)) for line in file.read().split()]
    same(len(runs), len(set(runs)))
    same(set(), set(range(1, LINES + 1)) - set(runs) - unknown)
    same([], [record for record in records if "result" in record and record["result"]["result"] != 2 * record["line"]])
    # at each kill what was on its way, and as many whose answers had come and were not yet written
    assert len(unknown) <= 2 * 16 * 10, unknown
    print(f"# {LINES} lines, {kills} kills, {len(unknown)} of unknown fate, {len(set(runs) & unknown)} of them had run")


if __name__ == "__main__":
    sys.exit(main(tests, sys.argv[1] if len(sys.argv) > 1 else ""))
