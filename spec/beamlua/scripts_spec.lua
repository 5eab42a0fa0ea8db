-- The example scripts, run as a person runs them: beamlua against beamlua serve.
local beamlua = os.getenv "BEAMLUA" or "build/beamlua"

-- Runs a shell command with a local Beam at hand ($B is beamlua, `serve_options` go to the server). Returns its output.
local function run(serve_options, command)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(([[
    B='%s'; out=$(mktemp)
    $B serve --port 0 --quiet %s >"$out" 2>/dev/null & p=$!
    until grep -q '^local Beam at' "$out"; do sleep 0.05; done
    export BEAM_GATEWAY_URL=$(sed -n 's|^local Beam at \(http://[^ ]*\) .*|\1|p' "$out") BEAM_TOKEN=any
    { %s
    } 2>&1
    kill $p; wait $p 2>/dev/null; rm -f "$out"]]):format(beamlua, serve_options, command))
  file:close()
  local pipe = io.popen("timeout 60 sh " .. path)
  local output = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return output
end

describe("scripts/", function()
  it("reconnect.lua comes back and sends again what is unknown", function()
    local output = run("--fault drop_after=1s:1", "$B scripts/reconnect.lua echo 2")
    assert.is_truthy(output:find("ended the connection without a close frame.*; attempt 1 in 0.%d s\n"), output)
    assert.is_truthy(output:find("back; %d messages are sent again\n"), output)
    for number = 1, 3 do
      assert.is_truthy(output:find(("received\t%d\n"):format(number), 1, true), output)
    end
  end)

  it("transform.lua numbers, unpacks and drops", function()
    assert.equal("2\ttwo\n4\tfour\n", run("", "$B scripts/transform.lua"))
  end)

  it("chat.lua sends lines while answers come", function()
    local output = run("", "(echo hello; sleep 0.4; echo good bye) | $B scripts/chat.lua echo ann")
    assert.equal("ann: hello\nann: good bye\n", output)
  end)

  it("positions.lua sends far less than it is given, and the newest", function()
    local output = run("", "$B scripts/positions.lua echo 3 1")
    local offered, sent, answered = output:match "^(%d+) positions, (%d+) sent, (%d+) answered\n$"
    assert.equal("180", offered, output)
    assert.is_true(tonumber(sent) >= 5 and tonumber(sent) <= 40, output)
    assert.is_true(tonumber(answered) <= tonumber(sent) and tonumber(answered) >= tonumber(sent) - 4, output)
  end)

  it("load.lua sends calls that differ, and checks them", function()
    local output = run("", "$B load scripts/load.lua; echo $?")
    assert.truthy(output:find "calls +200 .*yes 200   no 0   unknown 0.*\n0\n$" and not output:find "failed", output)
  end)

  it("batch.lua calls for every input, and says which failed", function()
    assert.equal("300 results, their sum is 90300; 0 failed; 300 attempts\n0\n", run("", "$B scripts/batch.lua multiply 300; echo $?"))
    local output = run("--fault status=502:1,status=429:1", "$B scripts/batch.lua multiply 20 4; echo $?")
    local failed = tonumber(output:match "^input (%d+) failed %(did it run%? unknown%): POST http://[^ ]* was answered with 502: [^\n]*\n")
    assert.is_truthy(failed, output)
    local rest = ("19 results, their sum is %d; 1 failed; 21 attempts\n1\n"):format(420 - 2 * failed)
    assert.equal(rest, output:match "\n(19 results.*)$")
  end)

  it("tokens.lua prints a streamed answer, and says if it broke off", function()
    assert.equal("one two three \n3 pieces\n0\n", run("", "$B scripts/tokens.lua 'one two three'; echo $?"))
    local output = run("--fault cut=2", "$B scripts/tokens.lua 'one two three'; echo $?")
    assert.is_truthy(output:find "one two \n2 pieces\nit broke off: http: POST http://[^ ]*: .*\n1\n$", output)
  end)

  it("train.lua submits, watches and fetches the files", function()
    local output = run("", [[d=$(mktemp -d); $B scripts/train.lua train 3 "$d" | sed "s|$d|FOLDER|"; cat "$d/model.txt"; ls "$d"; rm -rf "$d"]])
    assert.is_truthy(output:find "^submitted\t%x+%-%x+%-%x+%-%x+%-%x+\n", output)
    assert.is_truthy(output:find("state\tCOMPLETE\nresult\t3 steps, loss 0.3430\n", 1, true), output)
    assert.is_truthy(output:find("file\tFOLDER/log.txt, 57 bytes\nfile\tFOLDER/model.txt, 23 bytes\n", 1, true), output)
    assert.is_truthy(output:find("a model of loss 0.3430\nlog.txt\nmodel.txt\n", 1, true), output)
  end)

  it("train.lua says what became of a task that failed", function()
    local output = run("", "$B scripts/train.lua nothing; echo $?")
    assert.is_truthy(output:find("http: POST http://127.0.0.1:%d+/taskqueue/nothing was answered with 400.*\n1\n$"), output)
  end)
end)
