-- Reading from a connection: what came and was kept (deliver.lua), taken by receive() and messages(). The methods here are those of
-- beam/realtime/connection.lua's connections.
local driver = require "beam.driver"
local errors = require "beam.error"
local seconds = require "beam.settings.seconds"

---@class beam.connection
local Reading = {}

--- Takes a message that has come, without waiting; nil if there is none.
---@return any message, "json"|"text"|"binary"|"error"|nil kind
function Reading:take()
  local message, kind = self.inbox:take()
  if self.raw or self.paused then
    self:resume_if_room()
  end
  return message, kind
end

--- Whether nothing will come any more but what can be taken at once.
function Reading:has_all()
  return self.state == "closed" and not (self.raw and (self.transforming or self.raw:count() > 0))
end

--- Whether nothing will come any more.
function Reading:is_at_end()
  return self.inbox:count() == 0 and self:has_all()
end

local function receive(self, timeout)
  local deadline
  driver.give_way()
  while true do
    local message, kind = self:take()
    if kind == "error" then
      return nil, message
    elseif message ~= nil then
      return message, nil, kind
    elseif self:is_at_end() then
      return nil, self.err
    end
    local left = timeout
    if timeout then
      deadline = deadline or driver.now() + timeout
      left = math.max(0, deadline - driver.now())
    end
    if not self.arrived:wait(left) and self.inbox:count() == 0 and not self:is_at_end() then
      return nil, errors.timeout("message from " .. self.url, timeout, { phase = self:error_phase() })
    end
  end
end

local function check_reader(self, where)
  if self.handlers and self.handlers:has "message" then
    error(where .. ": the messages go to the message handlers of this connection", 3)
  end
end

--- Waits for the next message. JSON comes decoded, other text and bytes as a string. A time-out changes nothing: the
--- next receive goes on. A lost connection changes nothing either: the wait goes on while it is made again. What came
--- before the end of the connection is still received after it. Of several readers, each message goes to one: the one that has
--- waited longest.
---@param timeout number? seconds; nil: as long as it takes
---@return any message nil on failure
---@return beam.error? err kind "timeout"; "transform", in the place of one message; or why the connection is closed
---@return "json"|"text"|"binary"|nil kind
function Reading:receive(timeout)
  if self.handlers then
    check_reader(self, "conn:receive")
  end
  if timeout ~= nil then
    seconds.check_wait(timeout, "conn:receive")
  end
  local inbox = self.inbox
  local at = inbox.at
  if at == inbox.last then
    return receive(self, timeout)
  end
  at = at + 1 -- one of a batch: nothing else is to be done
  local batch = inbox.values
  local message = batch[at]
  inbox.at, batch[at] = at, nil
  return message, nil, inbox.kinds[at]
end

-- A close that was meant: by us, or by the peer with 1000, 1001 (it goes away) or no code.
local function is_an_end(err)
  return err == nil or err.kind == "canceled" or err.kind == "closed" and err.code ~= nil and (err.code <= 1001 or err.code == 1005)
end

--- The messages until the connection is closed; conn.err then says how. Where it did not end by a close that was meant, the loop raises
--- conn.err. A message that a transform fails on is told to on_error, or logged.
---@return fun(): any message, "json"|"text"|"binary"|nil kind
function Reading:messages()
  check_reader(self, "conn:messages")
  return function()
    while true do
      local message, err, kind = receive(self)
      if message ~= nil then
        return message, kind
      elseif err and err.kind == "transform" and err ~= self.err then
        self:report(err)
      elseif is_an_end(err) or self.close_code then
        return nil
      else
        error(err, 0)
      end
    end
  end
end

return Reading
