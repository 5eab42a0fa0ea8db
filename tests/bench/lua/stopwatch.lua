-- What the benchmarks print that do many things: how many, the seconds that took, and those of the processor.
local now = require("beam.driver").now

local stopwatch = {}

--- Starts one; call what it returns with the number of things done.
---@return fun(count: integer)
function stopwatch.start()
  local started, started_cpu = now(), os.clock()
  return function(count)
    print(("%d %.6f %.6f"):format(count, now() - started, os.clock() - started_cpu))
  end
end

return stopwatch
