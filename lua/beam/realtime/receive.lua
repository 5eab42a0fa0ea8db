-- Reading from a connection. The methods here are those of beam/realtime/connection.lua's connections.
--
--   frame -> request that waits for it, else inbox -> receive(), messages() or the message handlers
--
-- With `incoming` transforms there is a raw inbox before that, and a coroutine that takes one message after the other
-- through the transforms. Whichever inbox is first holds the sender back when it is full.
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"
local seconds = require "beam.settings.seconds"

---@class beam.connection
local Reading = {}

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

--- What stands in an inbox or a request: as it came, marked true if it is binary; or a value, marked with its kind.
--- `kind` is "error" for a message that a transform failed on.
---@return any message, "json"|"text"|"binary"|"error" kind
function Reading.decoded(data, mark)
  if type(mark) == "string" then
    return data, mark
  end
  return decode(data, mark)
end

-- ---- Holding the sender back ----

local function pause(self)
  if self.state == "open" and not self.paused then
    self.paused = true
    self.attempt.ws:pause()
    self.liveness:pause(true, driver.now())
  end
end

local function resume(self)
  if self.paused then
    self.paused = false
    self.attempt.ws:resume()
    self.liveness:pause(false, driver.now())
  end
end

--- A new attempt is open: nobody has room for its messages yet.
function Reading:pause_if_full()
  self.paused = false
  if (self.raw or self.inbox).full then
    pause(self)
  end
end

-- ---- Delivering ----

-- Whether what came now can only be the answer to message `number` of those in flight, if each has exactly one: nothing else was sent
-- than what is answered so, or as many have come as were sent up to then.
local function answers(self, number)
  return not self.sent_plain or not self.raw and self.received - self.received_before == number
end

local function deliver(self, data, mark, size)
  local requests = self.requests
  if requests.keyed then
    size = size or #data
    data, mark = self.decoded(data, mark)
    local number = requests:answer_keyed(data, mark)
    if number then
      return self:answered(number, true)
    end
  end
  local number = requests:answer(data, mark)
  if number then
    return answers(self, number) and self:answered(number, false)
  end
  if self.inbox:push(data, mark, size) and not self.raw then
    pause(self)
  end
  self.arrived:wake()
  if self.handlers then
    self.handlers:arrived()
  end
end

local function deliver_results(self, kind, size, ok, ...)
  if not ok then
    return deliver(self, (...), "error", size)
  end
  for i = 1, select("#", ...) do
    deliver(self, (select(i, ...)), kind, size)
  end
end

local function transform_all(self)
  while not self.inbox.full or self.state == "closed" do -- at the end there is no more to be held back
    local data, binary, room = self.raw:pop()
    if data == nil then
      break
    elseif room then
      resume(self)
    end
    local message, kind = decode(data, binary)
    deliver_results(self, kind, #data, self.incoming(message, self))
    driver.give_way()
  end
  self.transforming = false
  if self.state == "closed" and self.raw:count() == 0 then
    self:no_more_messages()
  end
end

function Reading:start_transforming()
  if self.transforming or self.raw:count() == 0 then
    return
  end
  self.transforming = true
  driver.ref()
  self.transform = self.transform or driver.attendant(function()
    transform_all(self)
    driver.unref()
  end)
  self.transform()
end

--- A message came that is no app ping.
function Reading:arrive(data, binary)
  self.received = self.received + 1
  if not self.raw then
    return deliver(self, data, binary)
  end
  if self.raw:push(data, binary) then
    pause(self)
  end
  self:start_transforming()
end

-- ---- Taking ----

--- Takes a message that has come, without waiting; nil if there is none.
---@return any message, "json"|"text"|"binary"|"error"|nil kind
function Reading:take()
  local data, mark, room = self.inbox:pop()
  if data == nil then
    return nil
  elseif room and self.raw then
    self:start_transforming()
  elseif room then
    resume(self)
  end
  if self.undecoded and type(mark) ~= "string" then
    return data, mark and "binary" or "text"
  end
  return self.decoded(data, mark)
end

--- Whether nothing will come any more.
function Reading:is_at_end()
  return self.state == "closed" and self.inbox:count() == 0 and not (self.raw and (self.transforming or self.raw:count() > 0))
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
  check_reader(self, "conn:receive")
  if timeout ~= nil then
    seconds.check_wait(timeout, "conn:receive")
  end
  return receive(self, timeout)
end

--- The messages until the connection is closed; conn.err then says why. One that a transform fails on is told to
--- on_error, or logged.
---@return fun(): any message, "json"|"text"|"binary"|nil kind
function Reading:messages()
  check_reader(self, "conn:messages")
  return function()
    while true do
      local message, err, kind = receive(self)
      if not (err and err.kind == "transform" and err ~= self.err) then
        return message, kind
      end
      self:report(err)
    end
  end
end

return Reading
