-- Is the other side still there? A pure policy: it is told what came and when, and says what is to be done. It has no
-- clock and no timer of its own.
--
--   silence for `ping_after`                      -> "ping"      any frame ends the silence
--   still nothing `dead_after` later              -> "dead"      the network, or the whole peer
--   frames, but no app ping and no message        -> "stalled"   a handler that died behind a live socket, where Beam's
--     for `stalled_after`                                        gateway still answers pings (docs/wire.md section 5)
--   no message either way for `idle_after`        -> "idle"
--
-- What is not known is not held against the peer: while reading is paused nothing is decided, and when the clock jumped
-- (a suspended machine, a program that did not step), the peer is asked before it is judged.
local Liveness = {}
Liveness.__index = Liveness
Liveness.__name = "beam.liveness"

local liveness = {}

local tolerance = 5 -- seconds that a look may come late; later is a jump

---@class beam.liveness_options
---@field ping_after number|false seconds
---@field dead_after number seconds
---@field stalled_after number|false seconds
---@field idle_after number|false seconds

---@param options beam.liveness_options
---@param pings_expected boolean the app is known to send pings: without, it may only be a silent one
---@param now number
function liveness.new(options, pings_expected, now)
  return setmetatable({
    options = options,
    pings_expected = pings_expected,
    heard = now, -- the last frame of any kind; written by who receives them
    alive = now, -- the last sign of the app: its ping, or a message
    used = now, -- the last message, either way
    asked = false, -- when a ping was sent that nothing answered
    stalled = false, -- it was said; once until the next sign
    paused = false,
    due = false, -- when the next look was wanted
  }, Liveness)
end

--- The app's own ping came: from now on its absence says something.
function Liveness:app_ping(now)
  self.alive, self.stalled, self.pings_expected = now, false, true
end

--- A message came.
function Liveness:message(now)
  self.alive, self.stalled, self.used = now, false, now
end

-- What happened before is not known: as if everything was heard just now.
local function forgive(self, now)
  self.heard, self.alive = now, now
  self.asked = false
end

---@param paused boolean reading is paused: nothing can be heard
function Liveness:pause(paused, now)
  if self.paused and not paused then
    forgive(self, now)
  end
  self.paused = paused
end

-- A frame answers if it is heard at the time of the ping or later.
local function ask(self, now)
  self.asked = now
  self.heard = math.min(self.heard, now - 1e-6)
  return "ping"
end

-- The answer to a jump: ask at once, and wait the whole time for the answer.
local function jumped(self, now)
  forgive(self, now)
  self.used = now
  return self.options.ping_after and ask(self, now)
end

local function silence(self, now)
  local options = self.options
  if self.asked and self.heard >= self.asked then
    self.asked = false
  end
  if self.asked and now - self.asked >= options.dead_after then
    return "dead"
  elseif not self.asked and now - self.heard >= options.ping_after then
    return ask(self, now)
  end
end

local function decide(self, now)
  local options = self.options
  if self.due and now - self.due > tolerance then
    self.due = false
    local verdict = jumped(self, now)
    if verdict then
      return verdict
    end
  end
  local verdict = options.ping_after and silence(self, now)
  if verdict then
    return verdict
  elseif options.stalled_after and self.pings_expected and not self.stalled and now - self.alive >= options.stalled_after then
    self.stalled = true
    return "stalled"
  elseif options.idle_after and now - self.used >= options.idle_after then
    return "idle"
  end
end

local function next_look(self, now)
  local options, at = self.options, math.huge
  if options.ping_after then
    at = self.asked and self.asked + options.dead_after or self.heard + options.ping_after
  end
  if options.stalled_after and self.pings_expected then
    at = math.min(at, (self.stalled and now or self.alive) + options.stalled_after)
  end
  if options.idle_after then
    at = math.min(at, self.used + options.idle_after)
  end
  return math.max(at, now + 0.001)
end

--- What is to be done now. To be called again until it says nothing, then in `seconds` (math.huge: never).
---@param now number
---@return "ping"|"dead"|"stalled"|"idle"|nil verdict
---@return number seconds until the next look
function Liveness:look(now)
  local verdict
  if not self.paused then
    verdict = decide(self, now)
  end
  local seconds
  if self.paused then
    seconds = self.options.ping_after or self.options.stalled_after or self.options.idle_after or math.huge
  else
    seconds = next_look(self, now) - now
  end
  self.due = now + seconds
  return verdict or nil, seconds
end

return liveness
