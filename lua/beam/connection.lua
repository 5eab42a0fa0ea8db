-- A realtime connection that stays (wire.md section 5).
--
--   connecting --> open --> closing --> closed       connecting: an attempt is under way, or being prepared
--     ^    \        |                     ^          waiting: the retry policy is asked, or its time runs
--     |     v       v                     |          closed: for good, with the reason in conn.err
--     +--- waiting <+ --------------------+
--
-- The invariant: an attempt is open; or an attempt, a timer or one of our coroutines is under way; or it is closed and
-- said so. Attempts (beam/attempt.lua) and timers (beam/timers.lua) report events, which change the state and wake. What
-- belongs to an attempt, `attempt_timers` too, is deaf once that attempt is over. Every function of the user's runs in a coroutine, never
-- inside an event, and after each of them the state is looked at again: the connection may have been closed meanwhile.
--
-- The rest of a connection: beam/sending.lua, reading.lua, asking.lua (the caller's side), watch.lua (liveness).
local attempt = require "beam.attempt"
local compat = require "beam.compat"
local driver = require "beam.driver"
local errors = require "beam.error"
local handlers = require "beam.handlers"
local headers = require "beam.headers"
local heartbeat = require "beam.heartbeat"
local in_flight = require "beam.in_flight"
local log = require "beam.log"
local new_inbox = require("beam.inbox").new
local new_outbox = require("beam.outbox").new
local new_requests = require("beam.requests").new
local new_timers = require("beam.timers").new
local protected = require("beam.protect").call
local watch = require "beam.watch"

local connection = {}

---@class beam.connection
---@field state "connecting"|"open"|"waiting"|"closing"|"closed"
---@field phase string how far it has come: none dns tcp proxy tls queued open ready, waiting, closing, closed
---@field url string
---@field err beam.error? why it is closed
---@field last_error beam.error? why the last attempt ended
local Connection = {}
local meta = { __name = "beam.connection", __index = Connection }
for _, part in ipairs { "beam.sending", "beam.reading", "beam.asking" } do
  for name, method in pairs(require(part)) do
    Connection[name] = method
  end
end

function meta.__tostring(self)
  return ("beam.connection to %s (%s)"):format(self.url, self.state)
end

-- ---- Making one ----

-- What the garbage collector has to end when nobody can reach the connection any more: without a close frame it would
-- leave a ghost that holds Beam's slot.
local function guard(life, url, box)
  return compat.guard(function()
    for _, timers in ipairs(life.timers) do
      timers:stop_all()
    end
    if life.attempt and not life.attempt.over then
      life.attempt:abandon(1001)
    end
    if box:count() > 0 then
      log.write("warning", ("a connection to %s was forgotten while %d messages waited to be sent"):format(url, box:count()))
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
  self.reconnect_hooks = false
  self.incoming, self.outgoing = policy.incoming or false, policy.outgoing or false
  self.filters_pings = policy.filters_pings
  self.liveness_options = policy.liveness
  self.pings_expected = policy.pings_expected
  self.reconnects_stalled = policy.reconnects_stalled
  self.idle_timeout = policy.liveness.idle_after
  self.ready_after, self.close_timeout = policy.ready_after, policy.close_timeout
  self.max_pending = policy.max_pending
  self.queues = policy.queues
  self.box = outbox_of(self, policy.outbox)
  self.inbox = new_inbox(policy.inbox.max, policy.inbox.max_bytes)
  self.raw = policy.incoming and new_inbox(policy.inbox.max, policy.inbox.max_bytes) or false
end

local function set_state(self)
  self.state, self.phase = "connecting", "none"
  self.attempt, self.attempt_began = false, driver.now()
  self.direct, self.paused, self.reconciling, self.transforming = false, false, false, false
  self.was_open, self.was_ready, self.is_ready, self.renewed, self.marks_later = false, false, false, false, false
  self.failures, self.attempts, self.opens = 0, 0, 0
  self.sent, self.received, self.app_pings = 0, 0, 0
  self.outcomes = { written = 0, expired = 0, dropped = 0, unknown = 0 }
  self.unknown = {} -- entries that on_reconnect will be asked about
  self.asked_about = {} -- those that it is being asked about; should the connection end first, its answer comes too late
  self.flight = in_flight.new()
  self.requests = new_requests()
  self.timers, self.attempt_timers = new_timers(self), new_timers(self)
  self.arrived, self.changed, self.flushed = driver.signal(), driver.signal(), driver.signal()
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
  self.life = { attempt = false, timers = { self.timers, self.attempt_timers } }
  self.guard = guard(self.life, url, self.box)
  return self
end

-- ---- Changes of state ----

--- Something of the user's failed, and the connection lives on.
function Connection:report(err)
  if self.handlers and self.handlers:has "error" then
    self.handlers:post("error", err)
  else
    log.write("error", ("%s: %s"):format(self.url, tostring(err)))
  end
end

-- Calls a function of the user's. Returns false and a beam.error if it raised.
local function finished(ok, ...)
  if ok then
    return true, ...
  end
  local cause, traceback = ...
  if errors.is(cause) then
    return false, cause
  end
  return false, errors.new { kind = "script", message = tostring(cause), cause = cause, traceback = traceback }
end

local function call(fn, ...)
  return finished(protected(fn, ...))
end

function Connection:enter_phase(phase)
  if phase ~= self.phase then
    self.phase = phase
    if self.handlers and phase ~= "none" then
      self.handlers:post("phase", phase, driver.now() - self.attempt_began)
    end
  end
end

--- Where an error of ours happened: errors know no "ready".
function Connection:error_phase()
  return self.state == "open" and "open" or self.phase
end

local function enter(self, state, phase)
  self.state = state
  self:enter_phase(phase)
  self.changed:wake_all()
end

local function set_attempt(self, one)
  self.attempt, self.life.attempt = one, one
  self.direct, self.is_ready, self.marks_later, self.paused = false, false, false, false
end

--- Nothing will come any more.
function Connection:no_more_messages()
  self.arrived:wake_all()
  if self.handlers then
    self.handlers:ended(self.err, self.was_open)
  end
end

-- It is over for good.
local function finish(self, err)
  self.timers:stop_all()
  self.attempt_timers:stop_all()
  set_attempt(self, false)
  self.err, self.state = err, "closed"
  self:drop_queue()
  self.requests:fail(err)
  enter(self, "closed", "closed")
  if self.raw and (self.transforming or self.raw:count() > 0) then
    self:start_transforming()
  else
    self:no_more_messages()
  end
end

local consider

-- The attempt is over, because of `err`: wait, and try again.
local function lost(self, err)
  self.attempt_timers:stop_all()
  set_attempt(self, false)
  self:land(false)
  self.requests:fail(err)
  self.last_error = err
  self.failures = self.failures + 1
  enter(self, "waiting", "waiting")
  driver.defer(function()
    consider(self, err)
  end)
end

local function over(self, err)
  if self.state == "closing" then
    finish(self, err)
  else
    lost(self, err)
  end
end

--- Gives up the attempt that is open.
function Connection:lose(err)
  self.attempt:abandon(1001)
  over(self, err)
end

-- ---- Attempts ----

local events = {}

-- Starts what was planned. `refused` compares without keeping the secret in a table that somebody may print.
local function begin(self, core)
  local secret = core.auth.secret
  self.is_same_secret = function(auth)
    return auth.secret == secret
  end
  self.url, self.scheme = core.url:gsub("%?.*$", ""), core.auth.scheme
  local one, err = attempt.start(self, events, core)
  if not one then
    return lost(self, err)
  end
  self.attempts = self.attempts + 1
  set_attempt(self, one)
end

-- Runs in a coroutine.
local function try(self)
  self.attempt_began = driver.now()
  enter(self, "connecting", "none")
  local ok, core, err = call(self.plan, self.failures + 1)
  if self.state ~= "connecting" then
    return
  elseif not ok or not core then
    return lost(self, ok and err or core)
  end
  begin(self, core)
end

local function try_later(self)
  driver.defer(function()
    if self.state == "waiting" then
      try(self)
    end
  end)
end

-- After a 401: credentials that are not those which were refused get one try at once.
local function renew(self)
  if self.renewed then
    return false
  end
  self.renewed = true
  local ok, core = call(self.plan, self.failures + 1)
  if self.state ~= "waiting" then
    return true
  elseif not ok or not core or self.is_same_secret(core.auth) then
    return false
  end
  self.attempt_began = driver.now()
  enter(self, "connecting", "none")
  begin(self, core)
  return true
end

-- The seconds to wait, or nil: no further attempt.
local function ask_retry(self, err)
  if self.was_open and not self.reconnect then
    return nil
  end
  local ok, seconds = call(self.retry, self.failures, err, self)
  if not ok then
    self:report(seconds)
  elseif type(seconds) == "number" and seconds >= 0 then
    return math.min(seconds, 4e6)
  elseif seconds then
    self:report(errors.new { kind = "script", message = "retry returned " .. tostring(seconds) .. ", and not a number of seconds" })
  end
end

-- Runs in a coroutine.
function consider(self, err)
  if self.state ~= "waiting" or err.status == 401 and renew(self) then
    return
  end
  local seconds = ask_retry(self, err)
  if self.state ~= "waiting" then
    return
  elseif seconds then
    self.timers:set("retry", seconds, try_later)
  else
    finish(self, err)
  end
end

--- Makes the first attempt.
function Connection:start()
  driver.spawn(try, self)
end

--- Waits until it has been open, or is closed for good.
---@return boolean was_open
function Connection:wait_open()
  while not self.was_open and self.state ~= "closed" do
    self.changed:wait()
  end
  return self.was_open
end

-- ---- Open again: what becomes of what was in flight ----

-- A hook may do what it likes with its list.
local function copy(list)
  local copied = {}
  for i, item in ipairs(list) do
    copied[i] = item
  end
  return copied
end

local function call_hooks(self)
  local unknown, again = self.unknown, {}
  self.unknown, self.asked_about = {}, unknown
  for _, hook in ipairs(self.reconnect_hooks) do
    local ok, list = call(hook, self, copy(unknown))
    if not ok then
      self:report(list)
    end
    for _, item in ipairs(ok and type(list) == "table" and list or {}) do
      again[#again + 1] = item
    end
  end
  self:send_again(again)
end

-- Runs in a coroutine; the queue is held until it is done.
local function reconcile(self)
  repeat
    local opens = self.opens
    local ok, err = call(call_hooks, self)
    if not ok then
      self:report(err)
      self:settle_asked_about()
    end
  until opens == self.opens
  self.reconciling = false
  self:pump()
  self.flushed:wake_all()
end

-- ---- What the attempt reports: change the state, wake ----

function events.message(self, data, binary)
  if self.filters_pings and not binary and heartbeat.is_app_ping(data) then
    return watch.heard(self, true)
  end
  watch.message(self)
  self:arrive(data, binary)
end

function events.ping(self)
  watch.heard(self)
end

function events.pong(self, data)
  watch.heard(self)
  self:pong(data)
end

function events.drained(self)
  if self.box:count() > 0 then
    self:pump()
  end
end

local shown = { dns = "dns", tcp = "tcp", proxy = "proxy", tls = "tls", upgrade = "queued" }

function events.phase(self, phase)
  if shown[phase] and self.state == "connecting" then
    self:enter_phase(shown[phase])
    if phase == "upgrade" then
      watch.queued(self)
    end
  end
end

function events.open(self)
  local first = not self.was_open
  self.attempt.opened, self.was_open, self.renewed = true, true, false
  self.opens = self.opens + 1
  enter(self, "open", "open")
  watch.start(self)
  self:pause_if_full()
  if first and self.handlers then
    self.handlers:post "open"
  elseif not first and self.reconnect_hooks and not self.reconciling then
    self.reconciling = true
    driver.defer(function()
      reconcile(self)
    end)
  end
  self.direct = self:may_be_direct()
  self:pump()
end

-- Why it ended, and what that means for who used it.
local function ending(self, code, reason, err, response)
  if response and response.status and response.status ~= 101 then
    response.headers = headers.to_table(response.headers)
    return errors.from_rejection(self.url, response, self.scheme)
  elseif not self.attempt.opened then
    return errors.from_attempt(err or { kind = "canceled", message = "closed before it was open", host = "" }, self.url)
  end
  return errors.from_close(self.url, code, reason or "", err)
end

function events.closed(self, code, reason, err, response)
  local said = self.attempt.closing
  if said and not err and (code == said or code == 1005) then -- the peer answered our close frame: it has read all before it
    self:land(true)
  end
  over(self, self.verdict or ending(self, code, reason, err, response))
end

-- ---- Ending ----

local function check_close(code, reason)
  local valid = code == nil
    or type(code) == "number"
      and code % 1 == 0
      and (code == 1000 or code == 1001 or code == 1003 or code >= 1007 and code <= 1014 or code >= 3000 and code <= 4999)
  if not valid then
    error("conn:close: the code is 1000, 1001, 1003, 1007 to 1014 or 3000 to 4999", 3)
  elseif reason ~= nil and (type(reason) ~= "string" or #reason > 123) then
    error("conn:close: the reason is a string of up to 123 bytes", 3)
  end
end

local function canceled(self, code, reason)
  if self.was_open then
    return errors.from_close(self.url, code, reason or "")
  end
  return errors.from_attempt({ kind = "canceled", message = "closed before it was open", host = "" }, self.url)
end

--- Sends the close frame, whatever still waits.
function Connection:say_close()
  local one = self.attempt
  if not one or one.closing then
    return
  end
  local code, reason = self.close_code, self.close_reason
  one.closing = code
  self.attempt_timers:stop_all()
  if not one:close(code, reason) then
    one:close(code) -- the reason is no UTF-8
  end
end

--- Starts to close it: at once if it is not open; else what waits is sent first, for up to close_timeout.
function Connection:begin_close(code, reason)
  if self.state == "closing" or self.state == "closed" then
    return
  elseif self.state ~= "open" then
    if self.attempt then
      self.attempt:abandon(code)
    end
    return finish(self, canceled(self, code, reason))
  end
  self.close_code, self.close_reason = code, reason
  self.direct = false
  enter(self, "closing", "closing")
  if self.box:count() == 0 and not self.reconciling then
    return self:say_close()
  end
  self.attempt_timers:set("close", self.close_timeout, self.say_close)
  self:pump()
end

--- Starts to close it without waiting for anything, as a program does that ends.
function Connection:end_with(code)
  self:begin_close(code)
  self:say_close()
end

--- Closes the connection for good. If it is open, what waits in the queue is sent first, for up to close_timeout; then the
--- close frame, and the peer's is awaited. May be called in any state, any number of times. What had come before can
--- still be received.
---@param code integer? default 1000
---@param reason string? up to 123 bytes
---@return true
---@return (table|string)[]? unsent what never was sent, if there is any
function Connection:close(code, reason)
  check_close(code, reason)
  self:begin_close(code or 1000, reason)
  while self.state ~= "closed" do
    self.changed:wait()
  end
  return true, #self.left > 0 and self:unsent() or nil
end

meta.__close = function(self)
  self:close()
end

-- ---- Event style, figures ----

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
  return {
    attempts = self.attempts,
    reconnects = math.max(0, self.opens - 1),
    failures = self.failures, -- in a row
    sent = self.sent,
    written = self.outcomes.written,
    expired = self.outcomes.expired,
    dropped = self.outcomes.dropped,
    unknown = self.outcomes.unknown + #self.unknown + #self.asked_about,
    queued = self.box:count(),
    queued_bytes = self.box.bytes,
    in_flight = self.flight:count(),
    pending = open and self.attempt.ws:pending() or 0,
    received = self.received,
    app_pings = self.app_pings,
    inbox = self.inbox:count() + (self.raw and self.raw:count() or 0),
    inbox_bytes = self.inbox.bytes + (self.raw and self.raw.bytes or 0),
    waiting_requests = self.requests:count(),
    late = self.requests.late,
  }
end

return connection
