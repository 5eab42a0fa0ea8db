-- Calls the functions of the user's that decide: connect, retry, on_reconnect. They may wait, and they may raise.
local errors = require "beam.error"
local protected = require("beam.driver.protect").call

local hook = {}

local function finished(ok, ...)
  if ok then
    return true, ...
  end
  local cause, traceback = ...
  if errors.is(cause) then
    return false, cause
  end
  return false, errors.new { kind = "script", message = tostring(cause), cause = cause, traceback = traceback }
end

--- Returns true and the results, or false and a beam.error if it raised.
---@param fn function
---@return boolean ok, any ...
function hook.call(fn, ...)
  return finished(protected(fn, ...))
end

return hook
