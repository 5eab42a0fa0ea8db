-- One script, unchanged, in beamlua, lua5.1, luajit, lua5.3, lua5.4, nginx and LÖVE: calls, a connection and coroutines. It returns what it
-- has to say, as each host prints elsewhere.
--   beamlua -e 'print(loadfile("scripts/everywhere.lua")())'
local beam = require "beam"

local lines = {}
local function say(...)
  lines[#lines + 1] = table.concat({ ... }, " ")
end

say("12 * 2 =", assert(beam.call("multiply", { x = 12 })).result)

local conn = assert(beam.realtime("echo"))
for i = 1, 3 do
  local reply = assert(conn:request({ number = i }, { timeout = 10 }))
  say("echo", reply.response.number)
end

local tasks = {}
for i = 1, 3 do
  tasks[i] = beam.spawn(function()
    beam.sleep(0.01 * (4 - i))
    return assert(beam.call("multiply", { x = i })).result
  end)
end
for i = 1, 3 do
  say("task", i, assert(tasks[i]:join(10)))
end

local silence, err = conn:receive(0.05)
say("nothing more:", tostring(silence), err.kind)
say("closed:", tostring(conn:close(1000, "done")))

local _, missing = beam.call("no-such-deployment", {})
say("an error:", missing.kind, missing.status, missing.executed)

return table.concat(lines, "\n")
