-- Calls an endpoint for a thousand inputs, some at a time, with progress on the terminal, and says which failed and why.
--   beamlua scripts/batch.lua [NAME] [INPUTS] [CONCURRENCY]
local beam = require "beam"

local name, count, concurrency = arg[1] or "multiply", tonumber(arg[2]) or 1000, tonumber(arg[3]) or 16

-- Inputs are asked for as there is room: they could as well be the lines of a file that is larger than memory.
local function inputs()
  for x = 1, count do
    coroutine.yield { x = x }
  end
end

local sum, failures = 0, {}
local map = beam.map(name, coroutine.wrap(inputs), { concurrency = concurrency, progress = true, total = count })
for i, result, err in map do
  if result then
    sum = sum + result.result
  else
    failures[#failures + 1] = ("input %d failed (did it run? %s): %s\n"):format(i, err.executed, err.message)
  end
end

local figures = map:stats()
io.stderr:write(table.concat(failures))
print(("%d results, their sum is %d; %d failed; %d attempts"):format(figures.succeeded, sum, figures.failed, figures.attempts))
os.exit(figures.failed == 0 and 0 or 1)
