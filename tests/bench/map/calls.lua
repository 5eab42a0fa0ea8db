-- Calls through beam.map.   usage: calls.lua URL COUNT CONCURRENCY   prints calls a second
local beam = require "beam"
local driver = require "beam.driver"

local url, count, concurrency = arg[1], tonumber(arg[2]), tonumber(arg[3])

local function numbers(last)
  local x = 0
  return function()
    x = x + 1
    return x <= last and { x = x } or nil
  end
end

local function measure(calls)
  local started, done = driver.now(), 0
  for i, result, err in beam.map(url, numbers(calls), { concurrency = concurrency, token = false }) do
    if err or not result.result then
      error(("input %d: %s"):format(i, tostring(err)))
    end
    done = done + 1
  end
  assert(done == calls)
  return calls / (driver.now() - started)
end

measure(4 * concurrency)
print(("%.0f"):format(measure(count)))
