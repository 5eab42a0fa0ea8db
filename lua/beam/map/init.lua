-- Many calls of one deployment, a bounded number of them at a time: for i, result, err in beam.map("multiply", inputs) do … end
--
--   inputs --asked when there is room--> a call each --results as they come, or in order--> the loop
--
-- What the user has of a map is here, its work in map/run.lua.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local gather = require("beam.map.options").gather
local new_run = require("beam.map.run").new

local map = {}

---@class beam.map
---@overload fun(): integer?, any, beam.error?, beam.call_info|beam.error|nil
local Map = {}
local meta = { __name = "beam.map", __index = Map }

function meta.__tostring(self)
  local figures = self:stats()
  return ("beam.map of %s: %d done, %d in flight"):format(self.run.what, figures.done, figures.in_flight)
end

-- Why there was no more, once.
local function last_item(run)
  local err = run.cut_short
  run.cut_short = false
  if err and not run.closed then
    return run.taken + 1, nil, err, err
  end
end

--- The next result: waits for it. What `for` calls; a coroutine of Lua 5.1, which cannot wait in there, calls it itself. If inputs ended
--- with an error of their iterator, or by the deadline, that is the last item, at the position of the input that was not sent.
---@return integer? position of the input, from 1; nil: there are no more
---@return any result nil on failure
---@return beam.error? err
---@return beam.call_info|beam.error|nil info how it came, with `input`; on failure the error
function Map:next()
  local run = self.run
  if not run.started then
    run:start()
  end
  while true do
    run:feed()
    local item = run:take_result()
    if item then
      local info = item.info
      return item.position, item.result, item.result == nil and info or nil, info
    elseif run:has_ended() then
      return last_item(run)
    end
    run:wait()
  end
end

function meta:__call()
  return self:next()
end

--- Takes no more inputs and cancels the calls that are in flight: these end with errors of kind "canceled", which are still handed over.
function Map:cancel()
  self.run:cancel()
end

--- Cancels, and hands nothing over any more. Leaving the loop does that in Lua 5.4; elsewhere a map that was left ends when it is
--- collected. May be called any number of times; waits for nothing.
function Map:close()
  self.run:close()
end

meta.__close = Map.close

--- Counts until now: total (nil: not known), taken, done, succeeded, failed (canceled among them), in_flight, waiting and dropped (results
--- not handed over, yet or ever), attempts; and elapsed seconds.
---@return table<string, number>
function Map:stats()
  return self.run:figures()
end

-- Ends a map that nobody can reach any more. A collector may run anywhere: the work is done later.
local function guard(run)
  return compat.guard(function()
    if not run:has_ended() then
      driver.attend(function()
        run:close()
      end)
    end
  end)
end

--- Calls a deployment once for each input. Nothing is taken before the first result is asked for.
---@param settings beam.settings
---@param target string|beam.target|beam.map_options
---@param inputs beam.map_inputs?
---@param options beam.map_options?
---@return beam.map map, nil, nil, beam.map closing as `for` takes them
function map.map(settings, target, inputs, options)
  local run = new_run(settings, gather(target, inputs, options))
  local self = setmetatable({ run = run, guard = guard(run) }, meta)
  return self, nil, nil, self
end

return map
