-- Sending to a connection. The methods here are those of beam/connection.lua's connections.
--
--   send -> outgoing transforms -> socket -> in flight -> written, or unknown
--                              \-> queue -/            \-> expired, dropped
--
-- A message takes the straight way to the socket while the connection is open and nothing waits; else it joins the queue,
-- which pump() empties. Each message ends exactly once, with one of the outcomes above: `written` once a pong or our
-- close handshake proves that the peer has read it, `unknown` if the connection was lost before that.
local driver = require "beam.driver"
local errors = require "beam.error"
local in_flight = require "beam.in_flight"
local json = require "beam.json"

---@class beam.connection
local Sending = {}

---@class beam.entry a message that somebody follows
---@field message table|string as it was sent
---@field data string as it goes over the wire
---@field binary boolean
---@field request beam.request? who waits for its answer
---@field asked boolean? it was a request, so that an answer comes
---@field unknown boolean? it was in flight when a connection was lost

-- ---- Errors ----

local function not_open(self)
  local now = self.state == "closed" and self.err and self.err.message or "it is " .. self.state
  local message = ("a message to %s was not sent: %s"):format(self.url, now)
  return nil, errors.new { kind = "closed", message = message, phase = self:error_phase(), code = self.err and self.err.code }
end

local function too_much(self, pending)
  return nil,
    errors.new {
      kind = "queue_full",
      message = ("%d bytes wait to be sent to %s, which reads too slowly"):format(pending, self.url),
      phase = self:error_phase(),
      retryable = true,
      hint = "send less at a time, or raise max_pending",
    }
end

local function queue_full(self)
  local box = self.box
  return nil,
    errors.new {
      kind = "queue_full",
      message = ("%d messages of %d bytes wait to be sent to %s"):format(box:count(), box.bytes, self.url),
      phase = self:error_phase(),
      retryable = true,
      hint = "send less often, raise queue.max or queue.max_bytes, or say with queue.overflow what may be dropped",
    }
end

local function request_not_sent(self, outcome)
  if self.state == "closed" then
    return select(2, not_open(self))
  end
  return errors.new {
    kind = outcome == "expired" and "timeout" or "queue_full",
    message = ("the request to %s was not sent: it was %s in the queue"):format(self.url, outcome),
    phase = self:error_phase(),
    retryable = true,
  }
end

-- ---- Outcomes ----

--- A message has come to its end.
---@param entry beam.entry
---@param outcome "written"|"expired"|"dropped"|"unknown"
function Sending:settle(entry, outcome)
  if entry.unknown and outcome ~= "written" then
    outcome = "unknown"
  end
  self.outcomes[outcome] = self.outcomes[outcome] + 1
  local request = entry.request
  if request and not request.placed then
    entry.request = nil
    request.err = request_not_sent(self, outcome)
    request.signal:wake()
  end
  if self.handlers then
    self.handlers:post("outcome", entry.message, outcome)
  end
end

local function settle_all(self, outcome, count, entries)
  self.outcomes[outcome] = self.outcomes[outcome] + count - #entries
  for _, entry in ipairs(entries) do
    self:settle(entry, outcome)
  end
end

--- The peer answered a ping.
function Sending:pong(data)
  settle_all(self, "written", self.flight:settle(data))
  if self.box:count() > 0 then
    self:pump()
  elseif self.flight:count() == 0 then
    self.direct = self:may_be_direct()
    self.flushed:wake_all()
  end
end

--- The connection is over; all that was sent over it was read by the peer, or nobody knows.
---@param clean boolean
function Sending:land(clean)
  local count, entries = self.flight:take_all()
  self.flight = in_flight.new()
  if clean then
    return settle_all(self, "written", count, entries)
  elseif not self.reconnect_hooks then
    return settle_all(self, "unknown", count, entries)
  end
  self.outcomes.unknown = self.outcomes.unknown + count - #entries
  for _, entry in ipairs(entries) do
    entry.unknown, entry.request = true, nil
    self.unknown[#self.unknown + 1] = entry
  end
end

-- ---- Onto the wire ----

--- Asks the peer how far it has read.
function Sending:mark()
  local data = self.flight:mark()
  if data then
    self.attempt.ws:ping(data)
  end
end

local function mark_later(self)
  self.marks_later = false
  self:mark()
end

local function went(self, entry)
  local flight = self.flight
  self.sent = self.sent + 1
  flight:add(entry)
  if flight.sent >= flight.mark_at then
    self:mark()
  elseif not self.marks_later then
    self.marks_later = true
    self.attempt_timers:set("mark", in_flight.within, mark_later)
  end
  if self.idle_timeout then
    self.liveness.used = driver.now()
  end
end

local function write(self, data, binary)
  local ws = self.attempt.ws
  if binary then
    return ws:send_binary(data)
  end
  return ws:send(data)
end

-- ---- The queue ----

--- Whether a message that is sent now needs no queue.
function Sending:may_be_direct()
  return self.state == "open" and not self.reconciling and self.box:count() == 0 and not self.box.pace
end

local function has_room(self)
  local pending = self.attempt.ws:pending()
  return self.flight:count() < in_flight.max and (pending == 0 or pending < self.max_pending)
end

-- Returns whether the next one may follow.
local function write_entry(self, entry)
  local ok, err = write(self, entry.data, entry.binary)
  if not ok and err.kind == "closed" then -- the end is on its way
    self.box:requeue({ entry }, driver.now())
    return false
  elseif not ok then
    self:settle(entry, "dropped")
    self:report(errors.from_core(err, self.url))
    return true
  end
  local request = entry.request
  if request then
    self.requests:add(request)
  elseif entry.asked then
    self.requests:add_nobody(entry.asked.key, entry.asked.value)
  end
  went(self, entry)
  return true
end

local function pump(self)
  self:pump()
end

--- Sends what waits, as far as the connection, the pace and the network allow.
function Sending:pump()
  local attempt, box = self.attempt, self.box
  if not (attempt and attempt.opened) or attempt.closing or self.reconciling then
    return
  end
  while box:count() > 0 and has_room(self) do
    local entry, wait = box:pop(driver.now())
    if not entry and wait then
      self.attempt_timers:set("pace", wait, pump)
    end
    if not entry or not write_entry(self, entry) then
      break
    end
  end
  if box:count() == 0 then
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
  local at = self.box.next_expiry
  if at < math.huge and self.box:count() > 0 then
    self.timers:set("expiry", at - driver.now() + 0.001, expire)
  end
end

function expire(self)
  self.box:expire(driver.now())
  expire_later(self)
  if self.box:count() == 0 then
    self.flushed:wake_all()
  end
end

local function enqueue(self, entry)
  if self.state ~= "open" and (self.state == "closed" or self.state == "closing" or not self.queues) then
    return not_open(self)
  end
  if not self.box:push(entry, driver.now()) then
    return queue_full(self)
  end
  self.direct = false
  self:pump()
  if self.box:count() > 0 and self.box.next_expiry < math.huge and not self.timers:is_set "expiry" then
    expire_later(self)
  end
  return true
end

-- The entries of a list of what a script wants to be sent: those in `state` once, however often they stand in it, and
-- messages, which are made ones.
local function entries_of(self, list, state)
  local entries = {}
  for _, item in ipairs(list) do
    if state[item] == "asked" then
      state[item] = "again"
      entries[#entries + 1] = item
    elseif not state[item] then
      for _, entry in ipairs(self:prepare(item)) do
        entries[#entries + 1] = entry
      end
    end
  end
  return entries
end

--- Puts what on_reconnect returned before the queue; what else it was asked about stays unknown.
function Sending:send_again(list)
  local state = {}
  for _, entry in ipairs(self.asked_about) do
    state[entry] = "asked"
  end
  local entries = entries_of(self, list, state)
  if self.state == "closed" then -- meanwhile: all of them have been settled
    return
  end
  local asked_about = self.asked_about
  self.asked_about = {}
  for _, entry in ipairs(asked_about) do
    if state[entry] == "asked" then
      self:settle(entry, "unknown")
    end
  end
  self.box:requeue(entries, driver.now())
end

-- ---- Calls ----

local function encode(self, message)
  if type(message) == "string" then
    return message
  end
  local text, problem = json.encode(message)
  if not text then
    return nil, errors.new { kind = "json", message = "the message cannot be written as JSON: " .. problem, phase = self:error_phase() }
  end
  return text
end

--- Sends data, or lets it wait.
---@param self beam.connection
---@param request beam.request?
---@return true?, beam.error?
local function submit(self, data, binary, message, request)
  if not self.direct or self.flight:count() >= in_flight.max then
    local entry = { message = message, data = data, binary = binary, request = request }
    if request then
      local ttl = self.box.ttl
      entry.expires = ttl and math.min(request.expires, driver.now() + ttl) or request.expires
      entry.asked = { key = request.key, value = request.value }
      request.entry = entry
    end
    return enqueue(self, entry)
  end
  local pending = self.attempt.ws:pending()
  if pending > 0 and pending + #data > self.max_pending then
    return too_much(self, pending)
  end
  local ok, err = write(self, data, binary)
  if not ok and err.kind == "closed" then -- the end is on its way
    self.direct = false
    return submit(self, data, binary, message, request)
  elseif not ok then
    return nil, errors.from_core(err, self.url)
  end
  local entry
  if self.follows then
    entry = { message = message, data = data, binary = binary, asked = request and { key = request.key, value = request.value } }
  end
  if request then
    self.requests:add(request)
  end
  went(self, entry)
  return true
end

-- Messages of a chain of transforms, from the second result on; `request` belongs to the first.
local function submit_all(self, request, ok, ...)
  if not ok then
    return nil, (...)
  end
  for i = 1, select("#", ...) do
    local message = (select(i, ...))
    local data, err = encode(self, message)
    if not data then
      return nil, err
    end
    ok, err = submit(self, data, false, message, i == 1 and request or nil)
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
---@param request beam.request?
---@return true?, beam.error?
function Sending:dispatch(message, request)
  if self.outgoing then
    return submit_all(self, request, self.outgoing(message, self))
  end
  local data, err = encode(self, message)
  if not data then
    return nil, err
  end
  return submit(self, data, false, message, request)
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
    local data, err = encode(self, results[i])
    if data then
      entries[#entries + 1] = { message = results[i], data = data, binary = false }
    else
      self:report(err)
    end
  end
  return entries
end

--- Sends a message: a table as JSON, a string as it is. While the connection is not open it waits in the queue.
---@param message table|string
---@return true? accepted
---@return beam.error? err
function Sending:send(message)
  check(message, "conn:send")
  return self:dispatch(message)
end

---@param bytes string
---@return true?, beam.error?
function Sending:send_binary(bytes)
  if type(bytes) ~= "string" then
    error("conn:send_binary wants a string, not a " .. type(bytes), 2)
  end
  return submit(self, bytes, true, bytes)
end

-- ---- Waiting for outcomes ----

local function lost_count(self)
  local outcomes = self.outcomes
  return outcomes.expired + outcomes.dropped + outcomes.unknown
end

local function not_written(self, count)
  return errors.new {
    kind = self.state == "closed" and "closed" or "queue_full",
    message = ("%d messages to %s were not written, or nobody knows"):format(count, self.url),
    phase = self:error_phase(),
    executed = "unknown",
    hint = "on_outcome tells what became of each, on_reconnect decides what is sent again",
  }
end

--- Whether a message has no outcome yet.
function Sending:is_unsettled()
  return self.state ~= "closed" and (self.box:count() > 0 or self.flight:count() > 0 or #self.unknown > 0 or self.reconciling)
end

--- Waits until every message that was sent has its outcome.
---@param timeout number? seconds; nil: as long as it takes
---@return true? all were written
---@return beam.error? err
function Sending:flush(timeout)
  local before = lost_count(self)
  local deadline = timeout and driver.now() + timeout
  while self:is_unsettled() do
    if self.state == "open" then
      self:mark()
    end
    local left = deadline and math.max(0, deadline - driver.now())
    if not self.flushed:wait(left) and self:is_unsettled() then
      return nil, errors.timeout("end of what was sent to " .. self.url, timeout, { phase = self:error_phase(), executed = "unknown" })
    end
  end
  local lost = lost_count(self) - before
  if lost > 0 then
    return nil, not_written(self, lost)
  end
  return true
end

--- The messages that wait to be sent; once the connection is closed, those that never were.
---@return (table|string)[]
function Sending:unsent()
  local messages = {}
  for i, entry in ipairs(self.left or self.box:entries()) do
    messages[i] = entry.message
  end
  return messages
end

--- What on_reconnect was asked about is not sent again.
function Sending:settle_asked_about()
  local entries = self.asked_about
  self.asked_about = {}
  for _, entry in ipairs(entries) do
    self:settle(entry, "unknown")
  end
end

--- Nothing more will be sent: what waits is dropped, and is what unsent() gives from now on.
function Sending:drop_queue()
  self:land(false)
  self:settle_asked_about()
  for _, entry in ipairs(self.unknown) do
    self:settle(entry, "unknown")
  end
  self.unknown = {}
  self.left = self.box:take_all()
  for _, entry in ipairs(self.left) do
    self:settle(entry, "dropped")
  end
  self.flushed:wake_all()
end

return Sending
