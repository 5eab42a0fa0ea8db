-- Coroutines that sleep, so many at a time: for each sleep, the processor's microseconds or the bytes that it takes.
-- usage: sleep.lua COUNT SLEEPS time|bytes
local beam = require "beam"

local count, sleeps, what = tonumber(arg[1]), tonumber(arg[2]), arg[3]
local SECONDS = 0.05 + count * 1e-5 -- long enough that all of them sleep before the first wakes
local SPREAD = 0.1 -- seconds between the first and the last to wake

local function resident()
  collectgarbage()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read "*a":match "^%d+ (%d+)"
  file:close()
  return tonumber(pages) * 4096
end

local function run()
  local found
  beam.run(function()
    local tasks = {}
    for i = 1, count do
      tasks[i] = beam.spawn(beam.sleep, SECONDS + SPREAD * i / count)
    end
    found = what == "bytes" and resident()
    for _, task in ipairs(tasks) do
      task:join()
    end
  end)
  return found
end

beam.run(beam.sleep, 0.001) -- what is loaded and made once
if what == "bytes" then
  local before = resident()
  print(("%.0f"):format((run() - before) / count))
else
  local started = os.clock()
  for _ = 1, sleeps / count do
    run()
  end
  print(("%.3f"):format((os.clock() - started) / sleeps * 1e6))
end
