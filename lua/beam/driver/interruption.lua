-- Ends a script from outside: each of its coroutines finds an error in its wait, which pcall and to-be-closed variables see. What only
-- serves (connections, servers) goes on, so that a script can still cancel a task and close what it opened.
local reactor = require "beam.driver.reactor"
local waiting = require "beam.driver.waiting"

local interruption = {}

local ours = debug.getinfo(1, "S").source:match "^(.*)driver/"

-- Whether something else than C and the module is on the stack of a coroutine.
local function runs_script(thread)
  local level = 0
  repeat
    local info = debug.getinfo(thread, level, "S")
    if info and (info.what == "Lua" or info.what == "main") and info.source:sub(1, #ours) ~= ours then
      return true
    end
    level = level + 1
  until not info
  return false
end

--- Those that wait in a script's code find the error there; so does whoever turns the loop.
---@param tasks table<table, true> of the loop, alive
---@param err beam.error kind "interrupted"
---@param told table? the task that knows already
---@return table[] interrupted
function interruption.start(tasks, err, told)
  local interrupted = { told }
  for task in pairs(tasks) do
    if task ~= told and coroutine.status(task.thread) == "suspended" and runs_script(task.thread) then
      interrupted[#interrupted + 1] = task
      waiting.interrupt(task, err)
    end
  end
  reactor.interrupt_turners(err)
  return interrupted
end

--- Whether one of them has not ended.
---@param interrupted table[]
---@return boolean
function interruption.goes_on(interrupted)
  for _, task in ipairs(interrupted) do
    if not task.done then
      return true
    end
  end
  return false
end

return interruption
