-- Waiting for the end of a coroutine, plain or of nginx: what both drivers' tasks have in common.
local compat = require "beam.base.compat"
local errors = require "beam.error"
local seconds = require "beam.settings.seconds"

---@class beam.coroutine
---@field done boolean?
---@field joined boolean? somebody waits for it, or has its results
---@field joiners beam.signal? those who wait
---@field results table packed
---@field err beam.error? what it raised

local join = {}

--- What it returned, or nil and what it raised.
---@param task beam.coroutine that has ended
---@return any ...
function join.results(task)
  if task.err then
    return nil, task.err
  end
  return compat.unpack(task.results, 1, task.results.n)
end

--- Waits for the end of the coroutine, for the method of that name.
---@param task beam.coroutine
---@param timeout number? seconds
---@param is_own boolean the caller runs in it
---@param new_signal fun(): beam.signal
---@return any ... its results, or nil and a beam.error
function join.wait(task, timeout, is_own, new_signal)
  seconds.check_wait(timeout, "coroutine:join")
  if is_own then
    error("a coroutine cannot join itself", 3)
  end
  task.joined = true
  if not task.done then
    task.joiners = task.joiners or new_signal()
    if not task.joiners:wait(timeout) and not task.done then
      task.joined = task.joiners:is_awaited() -- by others
      return nil, errors.timeout("end of the coroutine", timeout)
    end
  end
  return join.results(task)
end

return join
