-- Calls to one URL, so many in flight at a time, each by a coroutine that makes one after the other.
-- usage: calls.lua URL IN_FLIGHT COUNT [CA]
local beam = require "beam"
local stopwatch = require "stopwatch"

local url, in_flight, count, ca_file = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]
local client = assert(beam.client { token = false, tls = ca_file and { ca_file = ca_file } or nil })
local input = { x = 12, text = "sixty-four bytes of JSON for a call or two.." }

local function run(total)
  local left = total
  local function work()
    while left > 0 do
      left = left - 1
      assert(client.call(url, input))
    end
  end
  beam.run(function()
    local tasks = {}
    for i = 1, in_flight do
      tasks[i] = beam.spawn(work)
    end
    for _, task in ipairs(tasks) do
      local _, err = task:join()
      assert(not err, err)
    end
  end)
end

run(in_flight * 4)
local stop = stopwatch.start()
run(count)
stop(count)
