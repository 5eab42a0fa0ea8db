-- Ending a connection. The methods here are those of beam/realtime/connection.lua's connections.
local errors = require "beam.error"
local mistake = require "beam.base.mistake"

---@class beam.connection
local Closing = {}

local function check_close(code, reason, where)
  local valid = code == nil
    or type(code) == "number"
      and code % 1 == 0
      and (code == 1000 or code == 1001 or code == 1003 or code >= 1007 and code <= 1014 or code >= 3000 and code <= 4999)
  if not valid then
    mistake(where .. ": the code is 1000, 1001, 1003, 1007 to 1014 or 3000 to 4999")
  elseif reason ~= nil and (type(reason) ~= "string" or #reason > 123 or reason:find("\0", 1, true)) then
    mistake(where .. ": the reason is a string of up to 123 bytes, without NUL")
  end
end

Closing.check_close = check_close

local function canceled(self, code, reason)
  if self:was_open() then
    return errors.from_close(self.url, code, reason or "")
  end
  return errors.from_attempt({ kind = "canceled", message = "closed before it was open", host = "" }, self.url)
end

--- Sends the close frame, whatever still waits.
function Closing:say_close()
  local one = self.attempt
  if not one or one.closing then
    return
  end
  local code, reason = self.close_code, self.close_reason
  one.closing = code
  self.timers:stop_all "expiry"
  self:mark()
  if not one:close(code, reason) then
    one:close(code) -- the reason is no UTF-8
  end
end

--- Starts to close it: at once if it is not open; else what waits is sent first, for up to close_timeout.
function Closing:begin_close(code, reason)
  if self.state == "closing" or self.state == "closed" then
    return
  elseif self.state ~= "open" then
    if self.attempt then
      self.attempt:abandon(code)
    end
    return self:finish(canceled(self, code, reason))
  end
  self.close_code, self.close_reason = code, reason
  self.direct = false
  self.inbox:keep(false) -- what comes now does not stop the reading: the answers to pings have to come through
  self:enter("closing", "closing")
  if self.outbox:count() == 0 and not self.reconciling then
    return self:say_close()
  end
  self.timers:set("close", self.policy.close_timeout, self.say_close)
  self:pump()
end

--- Starts to close it without waiting for anything, as a program does that ends.
function Closing:end_with(code)
  self:begin_close(code)
  self:say_close()
end

--- Closes the connection for good. If it is open, what waits in the queue is sent first, for up to close_timeout; then the
--- close frame, and the peer's is awaited. May be called in any state, any number of times. What had come before can
--- still be received.
---@param code integer? default 1000
---@param reason string? up to 123 bytes
---@return true
---@return (table|string)[]? unsent what never was sent, if there is any
function Closing:close(code, reason)
  check_close(code, reason, "conn:close")
  self:begin_close(code or 1000, reason)
  while self.state ~= "closed" do
    self.changed:wait()
  end
  return true, #self.left > 0 and self:unsent() or nil
end

return Closing
