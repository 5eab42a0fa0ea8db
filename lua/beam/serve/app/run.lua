-- One run of a handler for a task. Lua cannot stop a coroutine from outside: a handler whose task has timed out or was cancelled is told
-- (context.cancelled()) and runs on, but nothing of it counts any more.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local protect = require "beam.driver.protect"

local run = {}

--- Runs fn(...) in a coroutine of its own, for as long as the task lives and `timeout` seconds at most: then the task is TIMEOUT.
---@param task beam.serve.task RUNNING
---@param timeout number
---@return table? results as protect.call returns them, packed; nil: the task ended before
function run.attempt(task, timeout, fn, ...)
  local results
  driver.spawn(function(...)
    results = compat.pack(protect.call(fn, ...))
    task.changed:wake_all()
  end, ...)
  local deadline = driver.now() + timeout
  while not results and not task:is_final() do
    local left = deadline - driver.now()
    if left <= 0 then
      task:set("TIMEOUT", ("The task ran longer than %g s"):format(timeout))
    else
      task.changed:wait(left)
    end
  end
  return not task:is_final() and results or nil
end

--- What a handler raised, for people: with its traceback.
---@return string
function run.describe(results)
  return tostring(results[2]) .. (results[3] and "\n" .. results[3] or "")
end

return run
