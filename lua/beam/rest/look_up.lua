-- What Beam is asked for once, for all who want it meanwhile: each waits for the same answer, for a time of its own.
local driver = require "beam.driver"
local errors = require "beam.error"

--- Waits for the look-up that runs, or for one that begins now.
---@param entry { look_up: beam.coroutine? } of the thing that is looked up; fn takes the look-up out of it when it ends
---@param what string for the error: "id of the workspace"
---@param timeout number? seconds
---@param fn fun(entry: table, settings: beam.settings): any, beam.error?
---@param settings beam.settings
---@return any result, beam.error? err
return function(entry, what, timeout, fn, settings)
  local running = entry.look_up
  if not running then
    running = driver.spawn(fn, entry, settings)
    entry.look_up = not running.done and running or nil
  end
  local result, err = running:join(timeout)
  if not running.done then
    return nil, errors.timeout(what, timeout)
  elseif entry.look_up == running then -- it raised
    entry.look_up = nil
  end
  return result, err
end
