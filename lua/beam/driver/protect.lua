-- Calls a function of the user's that may raise and may wait. pcall does both where a coroutine can wait inside it; plain
-- Lua 5.1 cannot, and there the function gets a coroutine of its own.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local errors = require "beam.error"

local function with_traceback(value)
  return { cause = value, traceback = debug.traceback("", 2):sub(2) }
end

local function succeed(fn, ...)
  return true, fn(...)
end

local function result(ok, ...)
  if ok then
    return true, ...
  end
  local raised = (...)
  return false, raised.cause, raised.traceback
end

local protect = {}

--- Returns true and the results, or false, what was raised, and the traceback.
---@param fn function
---@return boolean ok, any ...
function protect.call(fn, ...)
  return result(xpcall(fn, with_traceback, ...))
end

if not compat.can_wait_in_pcall() then
  function protect.call(fn, ...)
    return result(driver.spawn(succeed, fn, ...):join())
  end
end

--- The same for up to so many seconds; then nil, and the function runs on in a coroutine of its own. A coroutine of another event loop is
--- not given one: its functions may wait by that loop's means, and as long as they like.
---@param seconds number? nil: as long as it takes
---@param fn function
---@return boolean? ok, any ...
function protect.call_within(seconds, fn, ...)
  if not seconds or driver.is_guest() then
    return protect.call(fn, ...)
  end
  local task = driver.spawn(succeed, fn, ...)
  if not task.done then
    task:join(seconds)
  end
  if task.done then
    return result(task:join())
  end
end

local function told(ok, ...)
  if ok then
    return true, ...
  end
  local cause, traceback = ...
  if errors.is(cause) then
    return false, cause
  end
  return false, errors.new { kind = "script", message = tostring(cause), cause = cause, traceback = traceback }
end

--- Calls a function of the user's that decides (connect, retry, on_reconnect).
--- Returns true and its results, or false and a beam.error if it raised.
---@param fn function
---@return boolean ok, any ...
function protect.hook(fn, ...)
  return told(protect.call(fn, ...))
end

return protect
