-- Sending to a connection and reading from it. The methods here are those of beam/connection.lua's connections; they
-- run on the caller's side, may wait, and leave the state of the connection as it is.
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"

---@class beam.connection
local Messaging = {}

local request_options = { timeout = true }
local default_timeout = 60 -- seconds for the answer to a request

-- ---- Sending ----

local function not_open(self)
  local now = self.state == "closed" and self.err and self.err.message or "it is " .. self.state
  local message = ("a message to %s was not sent: %s"):format(self.url, now)
  return nil, errors.new { kind = "closed", message = message, phase = self.phase, code = self.err and self.err.code }
end

local function too_much(self, pending)
  return nil,
    errors.new {
      kind = "queue_full",
      message = ("%d bytes wait to be sent to %s, which reads too slowly"):format(pending, self.url),
      phase = "open",
      retryable = true,
      hint = "send less at a time, or raise max_pending",
    }
end

local function write(self, binary, data)
  if self.state ~= "open" then
    return not_open(self)
  end
  local ws = self.attempt.ws
  local pending = ws:pending()
  if pending > 0 and pending + #data > self.max_pending then
    return too_much(self, pending)
  end
  local ok, err
  if binary then
    ok, err = ws:send_binary(data)
  else
    ok, err = ws:send(data)
  end
  if not ok then
    return nil, errors.from_core(err, self.url)
  end
  self.sent = self.sent + 1
  return true
end

--- Sends a message: a table as JSON, a string as it is.
---@param message table|string
---@return true?, beam.error?
function Messaging:send(message)
  if type(message) == "table" then
    local text, problem = json.encode(message)
    if not text then
      return nil, errors.new { kind = "json", message = "the message cannot be written as JSON: " .. problem, phase = self.phase }
    end
    message = text
  elseif type(message) ~= "string" then
    error("conn:send wants a table or a string, not a " .. type(message), 2)
  end
  return write(self, false, message)
end

---@param bytes string
---@return true?, beam.error?
function Messaging:send_binary(bytes)
  if type(bytes) ~= "string" then
    error("conn:send_binary wants a string, not a " .. type(bytes), 2)
  end
  return write(self, true, bytes)
end

-- ---- Reading ----

-- A handler may return plain text, so that a text which is no JSON is a message too.
local function decode(data, binary)
  if binary then
    return data, "binary"
  end
  local value = json.decode(data)
  if value == nil then
    return data, "text"
  end
  return value, "json"
end

--- Takes a message that has come, without waiting; nil if there is none.
---@return any message, "json"|"text"|"binary"|nil kind
function Messaging:take()
  local data, binary, room = self.inbox:pop()
  if data == nil then
    return nil
  elseif room and self.state == "open" then
    self.attempt.ws:resume()
  end
  return decode(data, binary)
end

local function receive(self, timeout)
  local deadline
  while true do
    local message, kind = self:take()
    if message ~= nil then
      return message, nil, kind
    elseif self.state == "closed" then
      return nil, self.err
    end
    local left = timeout
    if timeout then
      deadline = deadline or driver.now() + timeout
      left = math.max(0, deadline - driver.now())
    end
    if not self.arrived:wait(left) and self.inbox:count() == 0 and self.state ~= "closed" then
      return nil, errors.timeout("message from " .. self.url, timeout, { phase = self.phase })
    end
  end
end

--- Waits for the next message. JSON comes decoded, other text and bytes as a string. A time-out changes nothing: the
--- next receive goes on. What came before the end of the connection is still received after it. Of several readers, each
--- message goes to one.
---@param timeout number? seconds; nil: as long as it takes
---@return any message nil on failure
---@return beam.error? err kind "timeout"; or why the connection is closed
---@return "json"|"text"|"binary"|nil kind
function Messaging:receive(timeout)
  if self.handlers and self.handlers:has "message" then
    error("conn:receive: the messages go to the message handlers of this connection", 2)
  end
  return receive(self, timeout)
end

--- The messages until the connection is closed; conn.err then says why.
---@return fun(): any message, "json"|"text"|"binary"|nil kind
function Messaging:messages()
  return function()
    local message, _, kind = self:receive()
    return message, kind
  end
end

local function no_answer(self, timeout)
  if self.state == "closed" then
    return self.err
  end
  return errors.timeout("answer from " .. self.url, timeout, {
    phase = self.phase,
    executed = "unknown",
    hint = "an answer that comes later is dropped; if the handler may stay silent, its next answer is too: use send and receive",
  })
end

--- Sends a message and waits for its answer: the next message that no earlier request waits for. Right only where the
--- handler answers every message with exactly one (wire.md section 5); an answer that comes too late is dropped.
---@param message table|string
---@param options { timeout: number? }? seconds, default 60
---@return any answer nil on failure
---@return beam.error? err
---@return "json"|"text"|"binary"|nil kind
function Messaging:request(message, options)
  local timeout = default_timeout
  if options then
    errors.check_options(options, request_options, "conn:request", { key = true })
    timeout = options.timeout or timeout
  end
  local request = self.requests:add()
  if not request then
    return nil, errors.new { kind = "queue_full", message = "too many requests wait for answers from " .. self.url, phase = self.phase }
  end
  local ok, err = self:send(message)
  if not ok then
    self.requests:withdraw(request)
    return nil, err
  end
  request.signal:wait(timeout)
  local data, binary = request.data, request.binary
  if data == nil then
    request.over = true
    return nil, no_answer(self, timeout)
  end
  self.requests:done(request)
  local answer, kind = decode(data, binary)
  return answer, nil, kind
end

return Messaging
