-- The life of a connection: its states, the attempts, and what they report. The methods here are those of
-- beam/realtime/connection.lua's connections.
--
--   connecting --> open --> closing --> closed       connecting: an attempt is under way, or being prepared
--     ^    \        |                     ^          waiting: the retry policy is asked, or its time runs
--     |     v       v                     |          closed: for good, with the reason in conn.err
--     +--- waiting <+ --------------------+
--
-- The invariant: an attempt is open; or an attempt, a timer or one of our coroutines is under way; or it is closed and
-- said so. Attempts (beam/realtime/attempt.lua) and timers (beam/driver/timers.lua) report events, which change the state and wake. What
-- belongs to an attempt is deaf once that attempt is over. Every function of the user's runs in a coroutine, never
-- inside an event, and after each of them the state is looked at again: the connection may have been closed meanwhile.
local answer_error = require "beam.http.answer_error"
local attempt = require "beam.realtime.attempt"
local driver = require "beam.driver"
local errors = require "beam.error"
local headers = require "beam.settings.headers"
local observers = require "beam.observe.observers"
local protect = require "beam.driver.protect"
local heartbeat = require "beam.realtime.heartbeat"

---@class beam.connection
local Life = {}

-- ---- Changes of state ----

function Life:enter_phase(phase)
  local before = self.phase
  if phase ~= before then
    self.phase = phase
    if observers.phase then
      observers.phase(self, before, phase)
    end
    if self.handlers and phase ~= "none" then
      self.handlers:post("phase", phase, driver.now() - self.attempt_began)
    end
  end
end

--- Where an error of ours happened: errors know no "ready".
function Life:error_phase()
  return self.state == "open" and "open" or self.phase
end

function Life:enter(state, phase)
  self.state = state
  self:enter_phase(phase)
  self.changed:wake_all()
  self.room:wake_all() -- who waits for room looks whether there can be any
end

local function set_attempt(self, one)
  self.attempt, self.guarded.attempt = one, one
  self.direct, self.paused = false, false
end

--- Nothing will come any more.
function Life:no_more_messages()
  self.arrived:wake_all()
  if self.handlers then
    self.handlers:ended(self.err, self:was_open() or not self.awaited)
  end
end

--- It is over for good.
function Life:finish(err)
  self:hear()
  self:tell_dropped()
  self.timers:stop_all()
  set_attempt(self, false)
  self.err, self.state = err, "closed"
  self:drop_outbox()
  self.requests:fail(err)
  self:enter("closed", "closed")
  if self.raw and (self.transforming or self.raw:count() > 0) then
    self:start_transforming()
  else
    self:no_more_messages()
  end
end

local consider

-- The attempt is over, because of `err`: wait, and try again.
local function lost(self, err)
  self:hear()
  self.timers:stop_all "expiry"
  set_attempt(self, false)
  self:land()
  self.requests:fail(err)
  self.last_error = err
  self.failures = self.failures + 1
  self:enter("waiting", "waiting")
  driver.defer(function()
    consider(self, err)
  end)
end

local function over(self, err)
  if self.state == "closing" then
    self:finish(err)
  else
    lost(self, err)
  end
end

--- Gives up the attempt that is open.
function Life:lose(err)
  self.attempt:abandon(1001)
  over(self, err)
end

-- ---- Attempts ----

local events = {}

-- Starts what was planned.
local function begin(self, core)
  core.arrivals = self.inbox.ring or nil
  self.policy.dial:began(core.auth)
  if observers.attempt then
    observers.attempt(self, core)
  end
  self.url = core.url:gsub("%?.*$", "")
  self.guarded.url = self.url
  local one, err = attempt.start(self.timers.owner, events, core)
  if not one then
    return lost(self, err)
  end
  self.figures.attempts = self.figures.attempts + 1
  set_attempt(self, one)
end

-- Runs in a coroutine.
local function try(self)
  self.attempt_began = driver.now()
  self:enter("connecting", "none")
  local dial = self.policy.dial
  local ok, core, err = protect.hook(dial.ask, dial, self.failures + 1)
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
  local dial = self.policy.dial
  local ok, core = protect.hook(dial.ask, dial, self.failures + 1)
  if self.state ~= "waiting" then
    return true
  elseif not ok or not core or dial:had_secret_of(core.auth) then
    return false
  end
  self.attempt_began = driver.now()
  self:enter("connecting", "none")
  begin(self, core)
  return true
end

-- The seconds to wait, or nil: no further attempt.
local function ask_retry(self, err)
  if self:was_open() and not self.policy.reconnect then
    return nil
  end
  local ok, seconds = protect.hook(self.policy.retry, self.failures, err, self)
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
  elseif self.policy.dial:find_address(err) then
    return try_later(self)
  end
  local seconds = self.state == "waiting" and ask_retry(self, err)
  if self.state ~= "waiting" then
    return
  elseif seconds then
    self.timers:set("retry", seconds, try_later)
  else
    self:finish(err)
  end
end

--- Makes the first attempt.
function Life:start()
  driver.background(try, self)
end

---@return boolean
function Life:was_open()
  return self.figures.opens > 0
end

--- Waits until it has been open, or is closed for good.
---@return boolean was_open
function Life:wait_open()
  while not self:was_open() and self.state ~= "closed" do
    self.changed:wait()
  end
  return self:was_open()
end

-- ---- What the attempt reports: change the state, wake ----

function events.message(self, data, binary)
  if self.policy.filters_pings and not binary and heartbeat.is_app_ping(data) then
    self.figures.app_pings = self.figures.app_pings + 1
    return heartbeat.heard(self, true)
  end
  if not self.attempt.is_ready then
    heartbeat.ready(self)
  end
  self:arrive(data, binary)
end

--- Messages or app pings were kept.
function Life:heed_arrivals()
  local messages, pings = self:hear()
  self.figures.app_pings = self.figures.app_pings + pings
  if messages > 0 then
    heartbeat.ready(self)
  end
  if pings > 0 then
    heartbeat.heard(self, true)
  end
end

events.arrived = Life.heed_arrivals

function events.ping(self)
  heartbeat.heard(self)
end

function events.pong(self, data)
  heartbeat.heard(self)
  self:pong(data)
end

function events.drained(self)
  if self.outbox:count() > 0 then
    self:pump()
  end
end

local shown = { dns = "dns", tcp = "tcp", proxy = "proxy", tls = "tls", upgrade = "queued" }

function events.phase(self, phase)
  if shown[phase] and self.state == "connecting" then
    self:enter_phase(shown[phase])
    if phase == "upgrade" then
      heartbeat.queued(self)
    end
  end
end

function events.open(self)
  local first = not self:was_open()
  self.attempt.opened, self.renewed = true, false
  self.figures.opens = self.figures.opens + 1
  self.policy.dial:opened()
  self:enter("open", "open")
  heartbeat.start(self)
  self:pause_if_full()
  if first and self.handlers then
    self.handlers:post "open"
  elseif not first and self.reconnect_hooks and not self.reconciling then
    self.reconciling = true
    driver.defer(function()
      self:reconcile()
    end)
  end
  self.direct = self:may_be_direct()
  self:pump()
end

-- Why it ended, and what that means for who used it.
local function ending(self, code, reason, err, response)
  local refused = response and response.status and response.status ~= 101
  if refused and not (err and err.phase == "proxy") then
    response.headers = headers.to_table(response.headers)
    return answer_error.from_rejection(self.url, response, self.policy.dial:scheme())
  elseif not self.attempt.opened then
    return errors.from_attempt(err or { kind = "canceled", message = "closed before it was open", host = "" }, self.url)
  end
  return errors.from_close(self.url, code, reason or "", err)
end

function events.closed(self, code, reason, err, response)
  over(self, self.verdict or ending(self, code, reason, err, response))
end

return Life
