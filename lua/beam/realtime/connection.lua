-- A realtime connection that stays (docs/wire.md section 5): what it is made of, its handlers and its figures. The rest of it:
--
--   life.lua      states, attempts, retries            watch.lua    liveness
--   room.lua      waiting for room to send
--   send.lua      from send() to the socket or queue   settle.lua   what became of what was sent
--   pump.lua      from the queue to the socket
--   receive.lua   from the socket to receive()         request.lua  request()
--   close.lua     close()
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local handlers = require "beam.realtime.handlers"
local in_flight = require "beam.realtime.queue.in_flight"
local log = require "beam.log"
local new_arrivals = require("beam.realtime.arrivals").new
local new_inbox = require("beam.realtime.inbox").new
local new_outbox = require("beam.realtime.queue.outbox").new
local new_requests = require("beam.realtime.requests").new
local new_timers = require("beam.driver.timers").new
local transform = require "beam.realtime.transform"

local connection = {}

---@class beam.connection
---@field state "connecting"|"open"|"waiting"|"closing"|"closed"
---@field phase string how far it has come: none dns tcp proxy tls queued open ready, waiting, closing, closed
---@field url string
---@field err beam.error? why it is closed
---@field last_error beam.error? why the last attempt ended
local Connection = {}
local meta = { __name = "beam.connection", __index = Connection }
for _, part in ipairs { "life", "send", "pump", "room", "settle", "receive", "request", "close" } do
  for name, method in pairs(require("beam.realtime." .. part)) do
    Connection[name] = method
  end
end

function meta.__tostring(self)
  return ("beam.connection to %s (%s)"):format(self.url, self.state)
end

-- ---- Making one ----

-- What the garbage collector has to end when nobody can reach the connection any more: without a close frame it would
-- leave a ghost that holds Beam's slot.
local function guard(guarded, url, outbox)
  return compat.guard(function()
    for _, timers in ipairs(guarded.timers) do
      timers:stop_all()
    end
    if guarded.attempt and not guarded.attempt.over then
      guarded.attempt:abandon(1001)
    end
    if outbox:count() > 0 then
      log.write("warning", ("a connection to %s was forgotten while %d messages waited to be sent"):format(url, outbox:count()))
    end
  end)
end

local function outbox_of(self, options)
  options.on_outcome = function(entry, outcome)
    self:settle(entry, outcome)
  end
  options.warn = function(line)
    log.write("warning", self.url .. ": " .. line)
  end
  return new_outbox(options)
end

-- What is never set is there as false, so that the hot path finds it in the object.
local function set_policy(self, policy)
  self.plan, self.retry, self.reconnect = policy.plan, policy.retry, policy.reconnect
  self.find_address = policy.find_address
  self.reconnect_hooks = false
  self.incoming, self.outgoing = policy.incoming or false, policy.outgoing or false
  self.filters_pings = policy.filters_pings
  self.liveness_options = policy.liveness
  self.pings_expected, self.busy_after = policy.pings_expected, policy.busy_after
  self.reconnects_stalled = policy.reconnects_stalled
  self.idle_timeout = policy.liveness.idle_after
  self.ready_after, self.close_timeout = policy.ready_after, policy.close_timeout
  self.max_pending = policy.max_pending
  self.queues = policy.queues
  self.waits_for_room, self.room_timeout = policy.waits_for_room, policy.room_timeout
  self.outbox = outbox_of(self, policy.outbox)
  self.inbox_bounds = policy.inbox
  self.inbox = new_arrivals(policy.inbox.max, policy.inbox.max_bytes, policy.filters_pings, not policy.incoming, policy.codec)
  self.raw = policy.incoming and new_inbox(policy.inbox.max, policy.inbox.max_bytes) or false
  self.codec = policy.codec or false
  if policy.codec then
    self.decoded = self.decoder(policy.codec)
  end
end

local function set_state(self)
  self.state, self.phase = "connecting", "none"
  self.attempt, self.attempt_began = false, driver.now()
  self.direct, self.paused, self.reconciling, self.transforming = false, false, false, false
  self.was_open, self.was_ready, self.is_ready, self.renewed, self.marks_later = false, false, false, false, false
  self.failures, self.attempts, self.opens = 0, 0, 0
  self.sent, self.received, self.app_pings = 0, 0, 0
  self.greeted = false -- what came first was no answer
  self.sent_before, self.received_before, self.sent_plain = 0, 0, false -- on this attempt: what its figures began with
  self.outcomes = { written = 0, expired = 0, dropped = 0, unknown = 0 }
  self.unknown = {} -- entries that on_reconnect will be asked about
  self.asked_about = {} -- those that it is being asked about; should the connection end first, its answer comes too late
  self.flight = in_flight.new()
  self.requests = new_requests()
  self.timers, self.attempt_timers = new_timers(self), new_timers(self)
  self.arrived, self.changed, self.flushed, self.room = driver.signal(), driver.signal(), driver.signal(), driver.signal()
  self.hearing = false -- messages are being given to requests
  self.awaits_room = false -- somebody may wait at `room`
  self.follows = false -- somebody asks for outcomes: entries are kept of what is sent
  self.handlers = false
end

---@param url string
---@param policy table what beam/realtime.lua makes of the options
---@return beam.connection
function connection.new(url, policy)
  local self = setmetatable({ url = url }, meta)
  set_state(self)
  set_policy(self, policy)
  self.guarded = { attempt = false, timers = { self.timers, self.attempt_timers } }
  self.guard = guard(self.guarded, url, self.outbox)
  return self
end

meta.__close = function(self)
  self:close()
end

-- ---- Policies that change while it lives ----

--- From now on what is sent goes through this transform, or through none.
---@param fn function?
function Connection:set_outgoing(fn)
  self.outgoing = transform.chain(fn, "outgoing") or false
end

--- From now on what comes goes through this transform. There is no way back: messages may be on their way through it.
---@param fn function
function Connection:set_incoming(fn)
  self.incoming = transform.chain(fn, "incoming")
  self.raw = self.raw or new_inbox(self.inbox_bounds.max, self.inbox_bounds.max_bytes)
  self.inbox:keep(false)
end

--- From now on messages are handed on as they came, kind "text" or "binary", but for what a transform made of them.
function Connection:leave_undecoded()
  self.inbox.undecoded = true
end

-- ---- Event style, figures ----

--- Something of the user's failed, and the connection lives on.
function Connection:report(err)
  if self.handlers and self.handlers:has "error" then
    self.handlers:post("error", err)
  else
    log.write("error", ("%s: %s"):format(self.url, tostring(err)))
  end
end

--- Calls `fn` when something happens: open(conn), message(message, conn, kind), phase(phase, conn, seconds),
--- stalled(seconds, conn), outcome(message, conn, outcome), close(err, conn), error(err, conn: what a function of the user's raised).
--- They run one after the other and may wait. With a message handler the messages go there. reconnect(conn, unknown) runs
--- in a coroutine of its own while the queue is held: it returns what is to be sent again.
---@param name "open"|"message"|"phase"|"stalled"|"outcome"|"reconnect"|"close"|"error"
---@param fn function
---@return beam.connection self
function Connection:on(name, fn)
  if not handlers.names[name] and name ~= "reconnect" or type(fn) ~= "function" then
    error("conn:on wants open, message, phase, stalled, outcome, reconnect, close or error, and a function", 2)
  end
  self.follows = self.follows or name == "outcome" or name == "reconnect"
  if name == "reconnect" then
    self.reconnect_hooks = self.reconnect_hooks or {}
    table.insert(self.reconnect_hooks, fn)
    return self
  end
  if not self.handlers then
    self.handlers = handlers.new(self)
    if self:is_at_end() then
      self.handlers:ended(self.err, true)
    end
  end
  self.handlers:add(name, fn)
  return self
end

--- Counts since the connection was made, and what waits now.
---@return table<string, integer>
function Connection:stats()
  local open = self.attempt and self.attempt.opened
  local unread, unread_bytes = self.inbox:waiting()
  return {
    attempts = self.attempts,
    reconnects = math.max(0, self.opens - 1),
    failures = self.failures, -- in a row
    sent = self.sent,
    written = self.outcomes.written,
    expired = self.outcomes.expired,
    dropped = self.outcomes.dropped,
    unknown = self.outcomes.unknown + #self.unknown + #self.asked_about,
    queued = self.outbox:count(),
    queued_bytes = self.outbox.bytes,
    in_flight = self.flight:count(),
    pending = open and self.attempt.ws:pending() or 0,
    received = self.received,
    app_pings = self.app_pings,
    inbox = unread + (self.raw and self.raw:count() or 0),
    inbox_bytes = unread_bytes + (self.raw and self.raw.bytes or 0),
    waiting_requests = self.requests:count(),
    late = self.requests.late,
  }
end

return connection
