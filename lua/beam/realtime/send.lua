-- Sending to a connection. The methods here are those of beam/realtime/connection.lua's connections.
--
--   send -> outgoing transforms -> socket -> in flight        what becomes of it then: beam/realtime/settle.lua
--                              \-> outbox -/                the way out of it: beam/realtime/pump.lua
--
-- A message takes the straight way to the socket while the connection is open and nothing waits; else it joins the outbox.
local driver = require "beam.driver"
local errors = require "beam.error"
local in_flight = require "beam.realtime.queue.in_flight"
local json = require "beam.json"

---@class beam.connection
local Sending = {}

---@class beam.entry a message that somebody follows
---@field message table|string as it was sent
---@field data string as it goes over the wire
---@field binary boolean
---@field request beam.request? who waits for its answer
---@field asked boolean? it was a request, so that an answer comes: by `ask_key` and `ask_value`, or in order
---@field unknown boolean? it was in flight when a connection was lost
---@field answered boolean? it was a request, and its asker has an answer

-- ---- Calls ----

function Sending:encode(message)
  if type(message) == "string" then
    return message
  end
  local text, problem = (self.codec or json).encode(message)
  if not text then
    return nil, errors.new { kind = "json", message = "the message cannot be written as JSON: " .. problem, phase = self:error_phase() }
  end
  return text
end

-- It joins the outbox; a caller that waits itself does so for the network.
local function submit_later(self, waits, data, binary, message, request)
  if self.direct and waits then
    return self:queue_full()
  end
  local entry = { message = message, data = data, binary = binary, request = request }
  if request then
    local ttl = self.policy.outbox.ttl
    entry.expires = ttl and math.min(request.expires, driver.now() + ttl) or request.expires
    entry.asked, entry.ask_key, entry.ask_value = true, request.key, request.value
    request.entry = entry
  end
  return self:enqueue(entry)
end

-- The straight way: nothing waits, and nobody follows what becomes of it. Returns whether it went.
local function submit_alone(self, data, binary)
  local flight = self.flight
  if not self.direct or self.follows or flight.sent - flight.settled >= in_flight.max then
    return false
  end
  local attempt = self.attempt
  local ws = attempt.ws
  if not (binary and ws:send_binary(data, self.max_pending) or not binary and ws:send(data, self.max_pending)) then
    return false
  end
  local sent = flight.sent + 1
  flight.sent, self.sent, attempt.sent_plain = sent, self.sent + 1, true
  if sent >= flight.mark_at then
    self:mark()
  elseif not attempt.marks_later then
    self:mark_in_time()
  end
  if self.idle_timeout then
    attempt.liveness.used = driver.now()
  end
  if self.awaits_room then
    self.awaits_room = self.room:wake() -- there may be more of it
  end
  return true
end

-- `problem` is what the core said in the place of true.
local function not_written(self, problem, waits, ...)
  if type(problem) == "number" then
    return self:too_much(problem)
  elseif problem.kind == "closed" then -- the end is on its way
    self.direct = false
    return submit_later(self, waits, ...)
  end
  return nil, errors.from_core(problem, self.url)
end

local function entry_of(data, binary, message, request)
  local entry = { message = message, data = data, binary = binary }
  if request then
    entry.asked, entry.ask_key, entry.ask_value = true, request.key, request.value
  end
  return entry
end

-- Sends data, or lets it wait in the outbox.
---@param self beam.connection
---@param request beam.request?
---@return true?, beam.error?
local function submit(self, waits, data, binary, message, request)
  local flight = self.flight
  if self.follows and self.handlers and self.handlers:backlog() >= in_flight.max then
    return self:handler_behind()
  elseif not self.direct or flight.sent - flight.settled >= in_flight.max then
    return submit_later(self, waits, data, binary, message, request)
  end
  local ok, problem = self:write(data, binary, self.max_pending)
  if not ok then
    return not_written(self, problem, waits, data, binary, message, request)
  end
  if request then
    self.requests:add(request, flight.sent + 1)
  else
    self.attempt.sent_plain = true
  end
  self:went(self.follows and entry_of(data, binary, message, request) or nil)
  return true
end

-- `wait_for`: seconds that it may wait for room.
local function submit_in_time(self, wait_for, ...)
  local ok, err = submit(self, wait_for ~= nil, ...)
  if wait_for and not ok and err.kind == "queue_full" then
    return self:when_there_is_room(wait_for, err, submit, ...)
  elseif ok and self.awaits_room then
    self.awaits_room = self.room:wake() -- there may be more of it
  end
  return ok, err
end

-- Messages of a chain of transforms, from the second result on; `request` belongs to the first. The transforms took of the time.
local function submit_all(self, deadline, request, ok, ...)
  if not ok then
    return nil, (...)
  end
  for i = 1, select("#", ...) do
    local message = (select(i, ...))
    local data, err = self:encode(message)
    if not data then
      return nil, err
    end
    local wait_for = deadline and math.max(0, deadline - driver.now())
    ok, err = submit_in_time(self, wait_for or nil, data, false, message, i == 1 and request or nil)
    if not ok then
      return nil, err
    end
  end
  if request and select("#", ...) == 0 then
    return nil, errors.new { kind = "transform", message = "an outgoing transform dropped the request", phase = self:error_phase() }
  end
  return true
end

--- Sends a message, which a request may wait for.
---@param message table|string
---@param wait_for number? seconds to wait for room; nil: not at all
---@param request beam.request?
---@return true?, beam.error?
function Sending:dispatch(message, wait_for, request)
  if self.outgoing then
    local deadline = wait_for and driver.now() + wait_for
    return submit_all(self, deadline, request, self.outgoing(message, self))
  end
  local data, err = self:encode(message)
  if not data then
    return nil, err
  end
  return submit_in_time(self, wait_for, data, false, message, request)
end

-- Returns whether it is a string.
local function check(message, where)
  local kind = type(message)
  if kind ~= "table" and kind ~= "string" then
    error(("%s wants a table or a string, not a %s"):format(where, kind), 3)
  end
  return kind == "string"
end

--- The entries that a message becomes on its way out; what fails is reported.
---@return beam.entry[]
function Sending:prepare(message)
  check(message, "on_reconnect: the list of what is sent again")
  local results = { true, message }
  if self.outgoing then
    results = { self.outgoing(message, self) }
  end
  local entries = {}
  if not results[1] then
    self:report(results[2])
    return entries
  end
  for i = 2, #results do
    local data, err = self:encode(results[i])
    if data then
      entries[#entries + 1] = { message = results[i], data = data, binary = false }
    else
      self:report(err)
    end
  end
  return entries
end

---@class beam.send_options
---@field wait boolean? true: waits until there is room; false: does not, whatever queue.overflow says
---@field timeout number? seconds that it may wait, default 60

--- Sends a message: a table as JSON, a string as it is. While the connection is not open it waits in the queue.
---@param message table|string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function Sending:send(message, options)
  local is_text = check(message, "conn:send")
  local wait_for = self:may_wait_for(options, "conn:send")
  if is_text and not self.outgoing and submit_alone(self, message, false) then
    return true
  end
  return self:dispatch(message, wait_for)
end

--- Sends bytes as a binary message.
---@param bytes string
---@param options beam.send_options?
---@return true? accepted
---@return beam.error? err
function Sending:send_binary(bytes, options)
  if type(bytes) ~= "string" then
    error("conn:send_binary wants a string, not a " .. type(bytes), 2)
  end
  local wait_for = self:may_wait_for(options, "conn:send_binary")
  if submit_alone(self, bytes, true) then
    return true
  end
  return submit_in_time(self, wait_for, bytes, true, bytes)
end

return Sending
