-- Many inputs through beam.map to a local Beam (app.lua) that fails: what became of each, and how often the handlers ran.
--   usage: faults.lua GATEWAY COUNT CONCURRENCY   prints calls a second, then a table; fails if an input did not end exactly once
local beam = require "beam"

local gateway, count, concurrency = arg[1], tonumber(arg[2]), tonumber(arg[3])
local client = assert(beam.client { gateway = gateway, token = false })
local policy = beam.retry.backoff { base = 0.02, max = 0.2, attempts = 8 }

local function numbers()
  local x = 0
  return function()
    x = x + 1
    return x <= count and { x = x } or nil
  end
end

local function name_of(err)
  return ("%s%s, executed %s"):format(err.kind, err.status and " " .. err.status or "", err.executed)
end

-- The counts of the handlers; the question may meet a fault itself.
local function ask_runs()
  local answer, err
  repeat
    answer, err = client.call("runs", {}, { idempotent = true, retry = policy })
  until answer or not err.retryable
  return assert(answer, err)
end

ask_runs()
local seen, wrong, errors_of = {}, 0, {}
local map = client.map("double", numbers(), { concurrency = concurrency, retry = policy })
for i, result, err in map do
  seen[i] = (seen[i] or 0) + 1
  if err then
    errors_of[name_of(err)] = (errors_of[name_of(err)] or 0) + 1
  elseif result.result ~= 2 * i then
    wrong = wrong + 1
  end
end
local figures, runs = map:stats(), ask_runs()

local ended_once = 0
for i = 1, count do
  ended_once = ended_once + (seen[i] == 1 and 1 or 0)
end
print(("%.0f"):format(figures.done / figures.elapsed))
print(("%d inputs, %d ended exactly once: %d results, %d errors; %d attempts"):format(count, ended_once, figures.succeeded, figures.failed,
  figures.attempts))
for name, times in pairs(errors_of) do
  print(("  %-36s %d"):format(name, times))
end
print(("handler runs %d, of %d inputs; more than once: %d"):format(runs.runs, runs.inputs, runs.repeated))
os.exit(ended_once == count and wrong == 0 and runs.repeated == 0 and runs.runs >= figures.succeeded and 0 or 1)
