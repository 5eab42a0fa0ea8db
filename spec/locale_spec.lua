-- A program under a Turkish locale, in which string.lower leaves the I of a header's name, and half is 0,5: it hears and says the same.
local hosts = require "hosts"
local lfs = require "lfs"

local interpreter = lfs.symlinkattributes("/proc/self/exe", "target")

local program = [[
  local port = %d
  assert(os.setlocale "tr_TR", "no Turkish locale")
  local beam = require "beam"
  local client = beam.client { token = false }
  local out = {}
  local function say(name, value) out[#out + 1] = name .. "=" .. tostring(value) end

  local result, info = client.call { "http://127.0.0.1:" .. port .. "/call", input = { half = 0.5, tenth = 0.1 }, method = "post" }
  say("call", result and result.i and result.i * 2 == 1 or info)
  say("task", info and info.task_id)

  local conn, err = client.realtime("ws://127.0.0.1:" .. port .. "/capitals", { retry = false })
  say("open", conn and conn:receive(5).hello or err)
  if conn then conn:close() end

  local app = require("beam.serve").new()
  app.endpoint("ImageIndex", function(input) return { half = input.half / 2, kind = "I" } end)
  local server = assert(app.listen {})
  local answer, problem = beam.client({ gateway = server.url, token = false }).call { "IMAGEINDEX", input = { half = 1 } }
  say("served", answer and answer.half == 0.5 or problem)
  server:close()

  say("recorded", require("beam.recording").line { event = "sent", connection = 1, at = 0.5, data = "" }:find('"at":0.500000', 1, true) ~= nil)
  say("measured", tostring(require("beam.observe.metrics").snapshot()):find 'le="0.001"' ~= nil)
  say("parsed", require("beam.json").decode('{"a":1.5e-3}').a == 3 / 2000)
  say("written", require("beam.json").encode { 0.5 })
  local ok, misspelt = pcall(client.call, { "x", TIMEOUTT = 1 })
  say("suggests", tostring(misspelt):find("did you mean 'timeout'", 1, true) ~= nil)
  print(table.concat(out, "\n"))
]]

describe("a Turkish locale", function()
  local here, folder
  setup(function()
    here = hosts.start_heads()
    folder = os.tmpname()
    os.remove(folder)
    assert(lfs.mkdir(folder))
    assert.is_truthy(os.execute("localedef -i tr_TR -f ISO-8859-9 " .. folder .. "/tr_TR"))
  end)
  teardown(function()
    hosts.stop(here)
    os.execute("rm -rf '" .. folder .. "'")
  end)

  it("changes nothing of what is said and heard", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(program:format(here.server))
    file:close()
    local pipe = io.popen("LOCPATH='" .. folder .. "' timeout 60 '" .. interpreter .. "' '" .. path .. "' 2>&1")
    local output = pipe:read "*a"
    pipe:close()
    os.remove(path)
    assert.equal("call=true\ntask=I-1\nopen=1\nserved=true\nrecorded=true\nmeasured=true\nparsed=true\nwritten=[0.5]\nsuggests=true\n", output)
  end)
end)
