-- From the outbox to the socket: what waits goes out in its order, as soon as it may. The methods here are those of
-- beam/realtime/connection.lua's connections.
local driver = require "beam.driver"
local errors = require "beam.error"
local observers = require "beam.observe.observers"
local in_flight = require "beam.realtime.queue.in_flight"
local log = require "beam.log"

---@class beam.connection
local Pumping = {}

-- ---- Errors ----

function Pumping:not_open()
  local now = self.state == "closed" and self.err and self.err.message or "it is " .. self.state
  local message = ("a message to %s was not sent: %s"):format(self.url, now)
  return nil, errors.new { kind = "closed", message = message, phase = self:error_phase(), code = self.err and self.err.code }
end

-- ---- Onto the wire ----

local function mark_later(self)
  self.attempt.marks_later = false
  self:mark()
end

--- The peer is asked how far it has read, some time after a message that nothing else has settled by then.
function Pumping:mark_in_time()
  local attempt = self.attempt
  if self.state == "open" and not attempt.marks_later then
    attempt.marks_later = true
    self.timers:set("mark", in_flight.within, mark_later)
  end
end

--- A message was handed to the socket.
---@param entry beam.entry? who wants to know what becomes of it
function Pumping:went(entry)
  local attempt = self.attempt
  self.sent = self.sent + 1
  if self.flight:add(entry) then
    self:mark()
  elseif not attempt.marks_later then
    self:mark_in_time()
  end
  if self.idle_timeout then
    attempt.liveness.used = driver.now()
  end
end

--- Hands data to the socket.
---@param limit number? bytes that may wait for the network
---@return boolean?, beam.core.error|integer? problem as ws:send says it
function Pumping:write(data, binary, limit)
  local ws = self.attempt.ws
  if binary then
    return ws:send_binary(data, limit)
  end
  return ws:send(data, limit)
end

-- ---- The outbox ----

--- Whether a message that is sent now needs no queue.
function Pumping:may_be_direct()
  return self.state == "open" and not self.reconciling and self.outbox:count() == 0 and not self.outbox.pace
end

-- Runs some time after as much was in flight as may be.
local function tell_unproven(self)
  local attempt = self.attempt
  if self.state ~= "open" or self.flight:count() < in_flight.max or attempt.told_unproven then
    return
  end
  attempt.told_unproven = true
  local why = self.paused and "nothing is read, as the inbox is full" or "no ping is answered, as some servers do not"
  local line = "%s: %d messages wait to be sent until there is a proof that the %d before them were read: %s (docs/realtime.md)"
  log.write("warning", line:format(self.url, self.outbox:count(), in_flight.max, why))
end

local function has_room(self)
  if self.flight:count() >= in_flight.max then
    if not self.timers:is_set "unproven" then
      self.timers:set("unproven", in_flight.unproven, tell_unproven)
    end
    return false
  end
  local pending = self.attempt.ws:pending()
  return pending == 0 or pending < self.max_pending
end

-- Returns whether the next one may follow.
local function write_entry(self, entry)
  local ok, err = self:write(entry.data, entry.binary)
  if not ok and err.kind == "closed" then -- the end is on its way
    self.outbox:requeue({ entry }, driver.now())
    self:expire_in_time()
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
    self.attempt.sent_plain = true
  end
  self:went(self.follows and entry or nil)
  if entry.queued_at and observers.waited then
    observers.waited(self, driver.now() - entry.queued_at)
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
function Pumping:pump()
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
      self.timers:set("pace", wait, pump)
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

local function expire(self)
  self.outbox:expire(driver.now())
  self.room:wake()
  self:expire_in_time()
  if self.outbox:count() == 0 then
    self.flushed:wake_all()
  end
end

--- What waits ends when its time is over, whatever becomes of the connection.
function Pumping:expire_in_time()
  local at = self.outbox.next_expiry
  if self.outbox:count() > 0 and at < math.huge and not (self.timers:is_set "expiry" and self.expires_at <= at) then
    self.expires_at = at
    self.timers:set("expiry", at - driver.now() + 0.001, expire)
  end
end

--- An entry joins the outbox.
---@param entry beam.entry
---@return true?, beam.error?
function Pumping:enqueue(entry)
  if self.state ~= "open" and (self.state == "closed" or self.state == "closing" or not self.policy.queues) then
    return self:not_open()
  end
  entry.queued_at = observers.waited and driver.now() or nil
  if not self:own_outbox():push(entry, driver.now()) then
    return self:queue_full()
  end
  self.direct = false
  self:pump()
  self:expire_in_time()
  return true
end

return Pumping
