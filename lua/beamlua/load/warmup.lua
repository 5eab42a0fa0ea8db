-- Before a run, and not counted: a container is started, the code on the way is loaded, the connections are made.
local driver = require "beam.driver"

local warmup = {}

local patience = 960 -- seconds: longer than Beam's longest cold start

-- Beam's own way to have a container started; what has none is warmed up by its first call.
local function start_container(plan)
  if not plan.name:find "://" then
    pcall(function()
      plan.client.deployment(plan.given.kind and { plan.name, kind = plan.given.kind } or plan.name):warmup { timeout = plan.timeout }
    end)
  end
end

local function wait_for_all(caller)
  while caller.in_flight > 0 do
    local place = caller:take()
    if place then
      caller:give_back(place)
    else
      caller.changed:wait()
    end
  end
end

--- One call alone, which may wait for a container, then as many as are under way later.
---@param plan table
---@param caller table
---@return true? warm, beam.error? err of the one alone: no other would fare better
function warmup.calls(plan, caller)
  start_container(plan)
  local given = {}
  for name, value in pairs(plan.given) do
    given[name] = value
  end
  given.timeout = patience
  if plan.hooks.request then
    given.input = plan.hooks.request(0)
  end
  local result, err = plan.client.call(given)
  if result == nil then
    return nil, err
  end
  for _ = 1, plan.stopped and 0 or math.min(plan.concurrency, 256) do
    local now = driver.now()
    caller:start(0, now, now)
  end
  wait_for_all(caller)
  return true
end

return warmup
