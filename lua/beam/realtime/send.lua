-- Sending to a connection. The methods here are those of beam/realtime/connection.lua's connections.
--
--   send -> outgoing transforms -> socket -> in flight        what becomes of it then: beam/realtime/settle.lua
--                              \-> outbox -/
--
-- A message takes the straight way to the socket while the connection is open and nothing waits; else it joins the outbox,
-- which pump() empties.
local driver = require "beam.driver"
local errors = require "beam.error"
local hooks = require "beam.observe.hooks"
local in_flight = require "beam.realtime.in_flight"
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

-- ---- Errors ----

function Sending:not_open()
  local now = self.state == "closed" and self.err and self.err.message or "it is " .. self.state
  local message = ("a message to %s was not sent: %s"):format(self.url, now)
  return nil, errors.new { kind = "closed", message = message, phase = self:error_phase(), code = self.err and self.err.code }
end

-- ---- Onto the wire ----

local function mark_later(self)
  self.marks_later = false
  self:mark()
end

--- The peer is asked how far it has read, some time after a message that nothing else has settled by then.
function Sending:mark_in_time()
  if not self.marks_later and self.state == "open" then
    self.marks_later = true
    self.attempt_timers:set("mark", in_flight.within, mark_later)
  end
end

local function went(self, entry)
  self.sent = self.sent + 1
  if self.flight:add(entry) then
    self:mark()
  elseif not self.marks_later then
    self:mark_in_time()
  end
  if self.idle_timeout then
    self.liveness.used = driver.now()
  end
end

local function write(self, data, binary, limit)
  local ws = self.attempt.ws
  if binary then
    return ws:send_binary(data, limit)
  end
  return ws:send(data, limit)
end

-- ---- The outbox ----

--- Whether a message that is sent now needs no queue.
function Sending:may_be_direct()
  return self.state == "open" and not self.reconciling and self.outbox:count() == 0 and not self.outbox.pace
end

local function has_room(self)
  local pending = self.attempt.ws:pending()
  return self.flight:count() < in_flight.max and (pending == 0 or pending < self.max_pending)
end

-- Returns whether the next one may follow.
local function write_entry(self, entry)
  local ok, err = write(self, entry.data, entry.binary)
  if not ok and err.kind == "closed" then -- the end is on its way
    self.outbox:requeue({ entry }, driver.now())
    return false
  elseif not ok then
    self:settle(entry, "dropped")
    self:report(errors.from_core(err, self.url))
    return true
  end
  local request = entry.request
  if request then
    self.requests:add(request, self.flight.sent + 1)
  elseif entry.asked then
    self.requests:add_nobody(self.flight.sent + 1, entry.ask_key, entry.ask_value)
  else
    self.sent_plain = true
  end
  went(self, self.follows and entry or nil)
  if entry.queued_at and hooks.waited then
    hooks.waited(self, driver.now() - entry.queued_at)
  end
  return true
end

local function pump(self)
  self:pump()
end

local function may_pump(self)
  local attempt = self.attempt
  return attempt and attempt.opened and not attempt.closing and not self.reconciling and not self.hearing
end

--- Sends what waits, as far as the connection, the pace and the network allow. Inside a step messages may have come that nobody has heard
--- of yet: they came before what goes out now.
function Sending:pump()
  local outbox = self.outbox
  if may_pump(self) and outbox:count() > 0 then
    self:heed_arrivals()
  end
  if not may_pump(self) then
    return
  end
  while outbox:count() > 0 and has_room(self) do
    local entry, wait = outbox:pop(driver.now())
    if not entry and wait then
      self.attempt_timers:set("pace", wait, pump)
    end
    if not entry or not write_entry(self, entry) then
      break
    end
  end
  self.room:wake()
  if outbox:count() == 0 then
    self.direct = self:may_be_direct()
    self.timers:stop "expiry"
    self.flushed:wake_all()
    if self.state == "closing" then
      self:say_close()
    end
  end
end

local expire

local function expire_later(self)
  local at = self.outbox.next_expiry
  if at < math.huge and self.outbox:count() > 0 then
    self.timers:set("expiry", at - driver.now() + 0.001, expire)
  end
end

function expire(self)
  self.outbox:expire(driver.now())
  self.room:wake()
  expire_later(self)
  if self.outbox:count() == 0 then
    self.flushed:wake_all()
  end
end

local function enqueue(self, entry)
  if self.state ~= "open" and (self.state == "closed" or self.state == "closing" or not self.queues) then
    return self:not_open()
  end
  entry.queued_at = hooks.waited and driver.now() or nil
  if not self.outbox:push(entry, driver.now()) then
    return self:queue_full()
  end
  self.direct = false
  self:pump()
  if self.outbox:count() > 0 and self.outbox.next_expiry < math.huge and not self.timers:is_set "expiry" then
    expire_later(self)
  end
  return true
end

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
    local ttl = self.outbox.ttl
    entry.expires = ttl and math.min(request.expires, driver.now() + ttl) or request.expires
    entry.asked, entry.ask_key, entry.ask_value = true, request.key, request.value
    request.entry = entry
  end
  return enqueue(self, entry)
end

-- The straight way: nothing waits, and nobody follows what becomes of it. Returns whether it went.
local function submit_alone(self, data, binary)
  local flight = self.flight
  if not self.direct or self.follows or flight.sent - flight.settled - flight.ahead >= in_flight.max then
    return false
  end
  local ws = self.attempt.ws
  if not (binary and ws:send_binary(data, self.max_pending) or not binary and ws:send(data, self.max_pending)) then
    return false
  end
  local sent = flight.sent + 1
  flight.sent, self.sent, self.sent_plain = sent, self.sent + 1, true
  if sent >= flight.mark_at then
    self:mark()
  elseif not self.marks_later then
    self:mark_in_time()
  end
  if self.idle_timeout then
    self.liveness.used = driver.now()
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
  elseif not self.direct or flight.sent - flight.settled - flight.ahead >= in_flight.max then
    return submit_later(self, waits, data, binary, message, request)
  end
  local ok, problem = write(self, data, binary, self.max_pending)
  if not ok then
    return not_written(self, problem, waits, data, binary, message, request)
  end
  if request then
    self.requests:add(request, flight.sent + 1)
  else
    self.sent_plain = true
  end
  went(self, self.follows and entry_of(data, binary, message, request) or nil)
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

local function check(message, where)
  if type(message) ~= "table" and type(message) ~= "string" then
    error(("%s wants a table or a string, not a %s"):format(where, type(message)), 3)
  end
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
  check(message, "conn:send")
  local wait_for = self:may_wait_for(options, "conn:send")
  if not self.outgoing and type(message) == "string" and submit_alone(self, message, false) then
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
