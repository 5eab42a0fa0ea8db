-- Watching over an attempt: the timers and events that tell a connection how its peer does. What to make of them is
-- beam/realtime/liveness.lua's.
local driver = require "beam.driver"
local errors = require "beam.error"
local liveness = require "beam.realtime.liveness"
local log = require "beam.log"

local heartbeat = {}

local long_queued = 5 -- seconds in the handshake that are worth a line

-- ---- Beam's app ping ----

--- {"type":"ping"} as a text message, right after open and then every 5 s (docs/wire.md section 5). It wants no answer: an answer would
--- be fed to the handler. A handler may send the same object; who needs that turns the filter off.
---@param text string
---@return boolean
function heartbeat.is_app_ping(text)
  return text:find '^%s*{%s*"type"%s*:%s*"ping"%s*}%s*$' ~= nil
end

-- ---- In the handshake ----

local function tell_queued(self)
  local line = "%s has kept us waiting in the handshake for %d s: its app starts cold (Beam takes up to 15 minutes for that), "
    .. "or another client holds its one connection"
  log.write("warning", line:format(self.url, long_queued))
end

--- The upgrade was sent; its answer may take minutes.
function heartbeat.queued(self)
  self.timers:set("queued", long_queued, tell_queued)
end

-- ---- Open ----

--- The first frame came, or the connection has held for a while: it is more than a 101 that nobody stands behind.
function heartbeat.ready(self)
  local attempt = self.attempt
  if attempt and not attempt.is_ready then
    attempt.is_ready, self.was_ready, self.failures = true, true, 0
    self.timers:stop "ready"
    if self.state == "open" then
      self:enter_phase "ready"
    end
  end
end

local acts = {}

function acts.ping(self)
  local flight = self.flight
  flight:mark()
  self.attempt.ws:ping(tostring(flight.marked))
end

local busy = "an app answers no ping while a synchronous handler works; for one that takes longer than Beam's 600 s, or a request's "
  .. "timeout, raise stalled.handler"

local function give_up(self, message, hint)
  self:lose(errors.new {
    kind = "timeout",
    message = message,
    phase = "open",
    code = 1006,
    executed = "unknown",
    retryable = true,
    hint = hint,
  })
end

function acts.dead(self)
  local now, watched = driver.now(), self.attempt.liveness
  local text = "%s has been silent for %.3g s, and left a ping unanswered for %.3g s"
  give_up(self, text:format(self.url, now - watched.heard, now - watched.asked), busy)
end

function acts.lost(self)
  local text = "the network to %s is dead: nothing that was sent to it has arrived for %.3g s"
  give_up(self, text:format(self.url, self.attempt.liveness.bytes.unanswered))
end

function acts.stalled(self)
  local seconds = driver.now() - self.attempt.liveness.alive
  local what = ("%s is connected, but its app has given no sign for %.3g s: the handler has died or is stuck"):format(self.url, seconds)
  if self.handlers and self.handlers:has "stalled" then
    self.handlers:post("stalled", seconds)
  else
    log.write("warning", what)
  end
  if self.policy.liveness.reconnects then
    give_up(self, what, "raise stalled.handler above the time that the longest handler takes")
  end
end

function acts.idle(self)
  if self.state ~= "open" then -- it is being closed: what waits goes out first
    return
  end
  self.verdict = errors.new {
    kind = "timeout",
    message = ("no message to or from %s for %g s (idle_timeout)"):format(self.url, self.idle_timeout),
    phase = "open",
    code = 1000,
  }
  self:begin_close(1000, "idle")
end

-- The core knows when a message came last: so nothing is to be done for each.
local function hear_messages(self, now, seconds)
  local attempt = self.attempt
  if seconds and self.received ~= attempt.received_seen then
    attempt.received_seen = self.received
    attempt.liveness:message(now - seconds)
  end
end

local function look_at_bytes(self, now)
  local ws = self.attempt.ws
  local received, sent, unacknowledged, unfinished, unanswered, heard = ws:progress()
  hear_messages(self, now, heard)
  return {
    received = received,
    acknowledged = sent - unacknowledged,
    leaving = ws:pending() + unacknowledged,
    unfinished = unfinished,
    unanswered = unanswered,
  }
end

-- The seconds of silence that prove nothing, as an input may be out: a request waits; fewer messages came back than were sent; or more,
-- of an app that has several for one input, and none that was sent is older than the longest handler.
local function patience(self, now)
  local attempt, busy_after = self.attempt, self.policy.liveness.busy_after
  if self.sent ~= attempt.sent_seen then
    attempt.sent_seen, attempt.sent_at = self.sent, now
  end
  local timeout = self.requests:longest_timeout()
  local unanswered = self.sent - attempt.sent_before - (self.received - attempt.received_before)
  if timeout or unanswered > 0 or unanswered < 0 and attempt.sent_plain and now - attempt.sent_at < busy_after then
    return math.max(busy_after, timeout or 0)
  end
end

local function look(self)
  local attempt = self.attempt
  local verdict, seconds
  repeat
    local now = driver.now()
    verdict, seconds = attempt.liveness:look(now, look_at_bytes(self, now), patience(self, now))
    if verdict then
      acts[verdict](self)
    end
  until not verdict or self.attempt ~= attempt or attempt.closing
  if self.attempt == attempt and not attempt.closing and seconds < math.huge then
    self.timers:set("look", seconds, look)
  end
end

--- The attempt is open.
function heartbeat.start(self)
  local attempt, options, now = self.attempt, self.policy.liveness, driver.now()
  attempt.liveness = liveness.new(options, self.pings_expected or options.pings_expected, now)
  attempt.sent_before, attempt.received_before = self.sent, self.received
  attempt.received_seen, attempt.sent_seen, attempt.sent_at = self.received, self.sent, now
  self.timers:stop "queued"
  self.timers:set("ready", self.policy.ready_after, heartbeat.ready)
  look(self)
end

--- A frame came that is no message: the app's ping, or one of the WebSocket's own.
function heartbeat.heard(self, is_app)
  local watched, now = self.attempt.liveness, driver.now()
  watched.heard = now
  if is_app then
    local expected = watched.pings_expected
    watched:app_ping(now)
    if not expected then
      self.pings_expected = true
      look(self)
    end
  end
  heartbeat.ready(self)
end

return heartbeat
