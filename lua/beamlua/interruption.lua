-- What SIGHUP, SIGINT and SIGTERM do to a script: its coroutines find an error where they wait or compute, and have a while to clean up.
-- beamlua/process/signals.c notes that a signal came, and ends the process at the second one.
local driver = require "beam.driver"
local errors = require "beam.error"
local reactor = require "beam.driver.reactor"

local interruption = {}

local patience = 5 -- seconds that cleaning up may wait, all of it together
local names = { [1] = "SIGHUP", [2] = "SIGINT", [13] = "SIGPIPE", [15] = "SIGTERM" }

local told -- the task that computed when the signal came: it was told by a hook
local interrupted -- the tasks that were told

local function error_of(number)
  local name = names[number] or "signal " .. number
  return errors.new { kind = "interrupted", message = name, signal = name, executed = "unknown" }
end

local function look(host)
  local number = not interrupted and host.ending()
  if number then
    host.delivered()
    interrupted = driver.interrupt(error_of(number), told)
  end
end

--- From now on whoever turns the loop asks whether a signal came.
---@param host table
function interruption.watch(host)
  host.raises(function()
    told = reactor.current_task()
    return error_of(host.received())
  end)
  reactor.after_step(function()
    look(host)
  end)
  host.driven(true)
end

--- Lets them clean up, for so long; the next signal ends the process meanwhile.
---@param host table
function interruption.unwind(host)
  look(host)
  local ctx = host.contexts[1]
  local deadline = ctx and ctx:now() + patience
  while ctx and driver.unwinds(interrupted or {}) and ctx:now() < deadline do
    pcall(driver.step, deadline - ctx:now())
  end
  host.driven(false)
end

return interruption
