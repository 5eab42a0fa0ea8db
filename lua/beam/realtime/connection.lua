-- A realtime connection that stays (docs/wire.md section 5): what it is made of, its handlers and its figures. The rest of it:
--
--   life.lua      states, attempts, retries            heartbeat.lua  liveness
--   room.lua      waiting for room to send
--   send.lua      from send() to the socket or queue   settle.lua   what became of what was sent
--   pump.lua      from the queue to the socket
--   deliver.lua   from the socket to the inbox         receive.lua  receive()
--   request.lua   request()                            close.lua    close()
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local errors = require "beam.error"
local handlers = require "beam.realtime.handlers"
local in_flight = require "beam.realtime.queue.in_flight"
local log = require "beam.log"
local new_arrivals = require("beam.realtime.arrivals").new
local new_inbox = require("beam.realtime.inbox").new
local new_timers = require("beam.driver.timers").new
local outbox = require "beam.realtime.queue.outbox"
local requests = require "beam.realtime.requests"
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
for _, part in ipairs { "life", "send", "pump", "room", "settle", "deliver", "receive", "request", "close" } do
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
local function end_forgotten(guarded)
  guarded.timers:stop_all()
  if guarded.attempt and not guarded.attempt.over then
    guarded.attempt:abandon(1001)
  end
  local waiting = guarded.outbox:count()
  if waiting > 0 then
    log.write("warning", ("a connection to %s was forgotten while %d messages waited to be sent"):format(guarded.url, waiting))
  end
end

-- There may be tens of thousands of connections that only wait: what few of them ever have is made when it is needed, and these stand in
-- its place.
local nobody, none = driver.signal(), {}

-- What is never set is there as false, so that the hot path finds it in the object.
local function new(url, policy)
  return {
    url = url,
    policy = policy,
    state = "connecting",
    phase = "none",
    attempt = false,
    attempt_began = driver.now(),
    direct = false,
    paused = false,
    reconciling = false,
    asked = false, -- the coroutine in which on_reconnect runs
    transforming = false,
    renewed = false, -- new credentials were tried after a 401
    was_ready = false,
    sent = 0,
    received = 0,
    figures = { attempts = 0, opens = 0, app_pings = 0, written = 0, expired = 0, dropped = 0, unknown = 0 },
    failures = 0, -- in a row
    flight = in_flight.new(),
    requests = requests.none,
    outbox = outbox.none,
    inbox = new_arrivals(policy.inbox, policy.filters_pings, not policy.incoming, policy.codec),
    hearing = false, -- messages are being given to requests
    unknown = none, -- entries that on_reconnect will be asked about
    asked_about = none, -- those that it is being asked about; should the connection end first, its answer comes too late
    arrived = driver.signal(),
    changed = driver.signal(),
    room = nobody,
    flushed = nobody,
    awaits_room = false, -- somebody may wait at `room`
    waits_for_room = policy.waits_for_room,
    room_timeout = policy.room_timeout,
    max_pending = policy.max_pending,
    idle_timeout = policy.liveness.idle_after,
    follows = false, -- somebody asks for outcomes: entries are kept of what is sent
    handlers = false,
    reconnect_hooks = false,
    incoming = policy.incoming or false,
    outgoing = policy.outgoing or false,
    raw = policy.incoming and new_inbox(policy.inbox.max, policy.inbox.max_bytes) or false,
    codec = policy.codec or false,
  }
end

---@param url string
---@param policy beam.policy what beam/realtime.lua makes of the options
---@return beam.connection
function connection.new(url, policy)
  local self = setmetatable(new(url, policy), meta)
  self.timers = new_timers(self)
  self.guarded = compat.guard_table({ attempt = false, timers = self.timers, outbox = outbox.none, url = url }, end_forgotten)
  if policy.codec then
    self.decoded = self.decoder(policy.codec)
  end
  if policy.outbox.rate then
    self:own_outbox()
  end
  return self
end

-- ---- What is made when it is needed ----

--- The queue in front of the socket.
function Connection:own_outbox()
  if self.outbox == outbox.none then
    local options = {
      on_outcome = function(entry, outcome)
        self:settle(entry, outcome)
      end,
      failed = function(raised)
        self:report(errors.new { kind = "script", message = "coalesce failed: " .. tostring(raised), cause = raised })
      end,
      warn = function(line)
        log.write("warning", self.url .. ": " .. line)
      end,
    }
    self.outbox = outbox.new(setmetatable(options, { __index = self.policy.outbox }))
    self.guarded.outbox = self.outbox
  end
  return self.outbox
end

--- The requests that wait for answers.
function Connection:own_requests()
  if self.requests == requests.none then
    self.requests = requests.new()
  end
  return self.requests
end

--- A signal that somebody is about to wait for.
---@param name "room"|"flushed"
---@return beam.signal
function Connection:own_signal(name)
  if self[name] == nobody then
    self[name] = driver.signal()
  end
  return self[name]
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
  self.raw = self.raw or new_inbox(self.policy.inbox.max, self.policy.inbox.max_bytes)
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
    if self:has_all() then
      self.handlers:ended(self.err, true)
    end
  end
  self.handlers:add(name, fn)
  return self
end

--- Counts since the connection was made, and what waits now.
---@return table<string, integer>
function Connection:stats()
  local figures, open = self.figures, self.attempt and self.attempt.opened
  local unread, unread_bytes = self.inbox:waiting()
  return {
    attempts = figures.attempts,
    reconnects = math.max(0, figures.opens - 1),
    failures = self.failures, -- in a row
    sent = self.sent,
    written = figures.written,
    expired = figures.expired,
    dropped = figures.dropped,
    unknown = figures.unknown + #self.unknown + #self.asked_about,
    queued = self.outbox:count(),
    queued_bytes = self.outbox.bytes,
    in_flight = self.flight:count(),
    pending = open and self.attempt.ws:pending() or 0,
    received = self.received,
    app_pings = figures.app_pings,
    inbox = unread + (self.raw and self.raw:count() or 0),
    inbox_bytes = unread_bytes + (self.raw and self.raw.bytes or 0),
    waiting_requests = self.requests:count(),
    late = self.requests.late,
  }
end

return connection
