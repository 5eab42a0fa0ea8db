-- Holds many realtime connections at once, each in a coroutine of its own, and streams messages over all of them.
--   beamlua scripts/stream_many.lua [CONNECTIONS] [MESSAGES] [NAME]
local beam = require "beam"

local connections, messages, name = tonumber(arg[1]) or 8, tonumber(arg[2]) or 5, arg[3] or "echo"
local received, failed = 0, 0

-- Reads straight on, whichever connection has something to say.
local function converse(number)
  local conn <close> = assert(beam.realtime(name))
  for i = 1, messages do
    assert(conn:send { event = ("connection %d, message %d"):format(number, i) })
  end
  for _ = 1, messages do
    print(assert(conn:receive(30)).response.event)
    received = received + 1
  end
end

beam.run(function()
  local tasks = {}
  for number = 1, connections do
    tasks[number] = beam.spawn(converse, number)
  end
  for number, task in ipairs(tasks) do
    local _, err = task:join()
    if err then
      failed = failed + 1
      io.stderr:write(("connection %d: %s\n"):format(number, err.message))
    end
  end
end)

print(("%d connections, %d messages received, %d connections failed"):format(connections, received, failed))
os.exit(failed == 0 and 0 or 1)
