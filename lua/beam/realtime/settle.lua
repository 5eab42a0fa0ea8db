-- What becomes of what was sent. The methods here are those of beam/realtime/connection.lua's connections.
--
-- Each message ends exactly once: `written` once a pong, or the answer to a request with a key, proves that the peer has read it,
-- `unknown` if the connection ended before that, `expired` or `dropped` if it never was sent. When the connection is open again,
-- on_reconnect is asked about those whose fate is unknown, but for requests that have an answer; what it returns has not ended yet.
--
-- A close handshake proves nothing: the peer's close frame may be one of its own, sent before it read what came last. So a
-- ping goes out before our close frame too, and its pong is the proof.
local driver = require "beam.driver"
local errors = require "beam.error"
local protect = require "beam.driver.protect"
local in_flight = require "beam.realtime.queue.in_flight"
local seconds = require "beam.settings.seconds"

---@class beam.connection
local Settling = {}

local function request_not_sent(self, outcome)
  if self.state == "closed" then
    return select(2, self:not_open())
  end
  return errors.new {
    kind = outcome == "expired" and "timeout" or "queue_full",
    message = ("the request to %s was not sent: it was %s in the queue"):format(self.url, outcome),
    phase = self:error_phase(),
    retryable = true,
  }
end

--- A message has come to its end.
---@param entry beam.entry
---@param outcome "written"|"expired"|"dropped"|"unknown"
function Settling:settle(entry, outcome)
  if entry.unknown and outcome ~= "written" then
    outcome = "unknown"
  end
  self.figures[outcome] = self.figures[outcome] + 1
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
  self.figures[outcome] = self.figures[outcome] + count - #entries
  for _, entry in ipairs(entries) do
    self:settle(entry, outcome)
  end
end

local function settle_written(self, count, entries)
  settle_all(self, "written", count, entries)
  if self.flight:count() <= in_flight.max / 2 then
    self.room:wake()
  end
  if self.outbox:count() > 0 then
    self:pump()
  elseif self.flight:count() == 0 then
    self.direct = self:may_be_direct()
    self.flushed:wake_all()
  end
end

--- The peer answered a ping.
function Settling:pong(data)
  settle_written(self, self.flight:settle(data))
end

--- The peer answered a request, which was message `number` of those in flight, by its key.
---@param number integer
function Settling:answered(number)
  settle_written(self, self.flight:answer(number))
end

local function copy(list)
  local copied = {}
  for i, item in ipairs(list) do
    copied[i] = item
  end
  return copied
end

-- Of the entries, those that on_reconnect is to be asked about. A request whose asker has an answer is none of them: sent again it would
-- run twice.
local function unanswered(self, entries)
  local open = copy(self.unknown)
  for _, entry in ipairs(entries) do
    entry.unknown, entry.request = true, nil
    if entry.answered then
      self:settle(entry, "unknown")
    else
      open[#open + 1] = entry
    end
  end
  return open
end

--- The connection is over: nobody knows what the peer has read of what is still in flight.
function Settling:land()
  local count, entries = self.flight:take_all()
  self.flight = in_flight.new()
  if not self.reconnect_hooks then
    return settle_all(self, "unknown", count, entries)
  end
  self.figures.unknown = self.figures.unknown + count - #entries
  self.unknown = unanswered(self, entries)
end

--- Asks the peer how far it has read.
function Settling:mark()
  local data = self.flight:mark()
  if data then
    self.attempt.ws:ping(data)
  end
end

-- ---- Open again: what becomes of what was in flight ----

local function ask_hook(self, fn, unknown)
  self.asked = coroutine.running()
  return fn(self, unknown)
end

--- Raises where on_reconnect waits for what goes out when it has returned.
---@param what string what cannot be done there
function Settling:check_unasked(what)
  if self.asked == coroutine.running() then
    local why = "on_reconnect would wait for itself: nothing is sent before it returns"
    error(("%s: %s; use conn:send, return the message, or call it in beam.spawn"):format(what, why), 3)
  end
end

local function call_hooks(self)
  local unknown, again = self.unknown, {}
  self.unknown, self.asked_about = {}, unknown
  for _, fn in ipairs(self.reconnect_hooks) do
    local ok, list = protect.hook(ask_hook, self, fn, copy(unknown)) -- it may do what it likes with its list
    self.asked = false
    if not ok then
      self:report(list)
    end
    for _, item in ipairs(ok and type(list) == "table" and list or {}) do
      again[#again + 1] = item
    end
  end
  self:send_again(again)
end

--- Runs in a coroutine; the queue is held until it is done.
function Settling:reconcile()
  repeat
    local opens = self.figures.opens
    local ok, err = protect.hook(call_hooks, self)
    if not ok then
      self:report(err)
      self:settle_asked_about()
    end
  until opens == self.figures.opens
  self.reconciling = false
  self:pump()
  self.flushed:wake_all()
end

-- The entries of a list of what a script wants to be sent: those in `state` once, however often they stand in it, and
-- messages, which are made ones.
local function entries_of(self, list, state)
  local entries = {}
  for _, item in ipairs(list) do
    if state[item] == "asked" then
      state[item] = "again"
      item.expires, item.queued_at = nil, nil -- the time that it had was for the first time
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
function Settling:send_again(list)
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
  if #entries > 0 then
    self:own_outbox():requeue(entries, driver.now())
    self:expire_in_time()
  end
end

-- ---- Waiting for outcomes ----

local function lost_count(self)
  local figures = self.figures
  return figures.expired + figures.dropped + figures.unknown
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
function Settling:is_unsettled()
  return self.state ~= "closed" and (self.outbox:count() > 0 or self.flight:count() > 0 or #self.unknown > 0 or self.reconciling)
end

--- Waits until every message that was sent has its outcome.
---@param timeout number? seconds; nil: as long as it takes
---@return true? all were written
---@return beam.error? err
function Settling:flush(timeout)
  seconds.check_wait(timeout, "conn:flush")
  self:check_unasked "conn:flush"
  local before = lost_count(self)
  local deadline = timeout and driver.now() + timeout
  while self:is_unsettled() do
    if self.state == "open" then
      self:mark()
    end
    local left = deadline and math.max(0, deadline - driver.now())
    if not self:own_signal("flushed"):wait(left) and self:is_unsettled() then
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
function Settling:unsent()
  local messages = {}
  for i, entry in ipairs(self.left or self.outbox:entries()) do
    messages[i] = entry.message
  end
  return messages
end

--- What on_reconnect was asked about is not sent again.
function Settling:settle_asked_about()
  local entries = self.asked_about
  self.asked_about = {}
  for _, entry in ipairs(entries) do
    self:settle(entry, "unknown")
  end
end

--- Nothing more will be sent: what waits is dropped, and is what unsent() gives from now on.
function Settling:drop_outbox()
  self:land()
  self:settle_asked_about()
  for _, entry in ipairs(self.unknown) do
    self:settle(entry, "unknown")
  end
  self.unknown = {}
  self.left = self.outbox:take_all()
  for _, entry in ipairs(self.left) do
    self:settle(entry, "dropped")
  end
  self.flushed:wake_all()
end

return Settling
