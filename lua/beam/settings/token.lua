-- Asks a token function of the user's, which may wait, and may fail: that is an error of kind "auth". What it failed of may pass (a token
-- service that was not reached, say): then so may the attempt that needs the token.
local errors = require "beam.error"

local token = {}

local function failed(message, cause, traceback)
  return nil,
    errors.new {
      kind = "auth",
      message = message .. (cause ~= nil and ": " .. (errors.is(cause) and cause.message or tostring(cause)) or ""),
      phase = "none",
      retryable = errors.is(cause) and cause.retryable,
      cause = cause,
      traceback = traceback,
    }
end

--- Waits as long as the function does, or until the time is over: then the function runs on, and nobody hears of it.
---@param ask fun(): string?, any? nil and why there is none
---@param seconds number? nil: as long as it takes
---@return string? secret
---@return beam.error? err kind "timeout": the time is over
function token.from(ask, seconds)
  local protect = require "beam.driver.protect" -- loads the transport, which a configuration alone does not need
  local ok, value, why = protect.call_within(seconds, ask)
  if ok == nil then
    return nil, errors.timeout("token", seconds)
  elseif not ok then
    return failed("the token function failed", value, why)
  elseif type(value) == "string" and value ~= "" then
    return value
  end
  return failed("the token function gave no token", why)
end

return token
