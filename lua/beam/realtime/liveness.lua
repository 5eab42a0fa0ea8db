-- Is the other side still there? A pure policy: it is told what came and when, and says what is to be done. It has no
-- clock and no timer of its own.
--
--   silence for `ping_after`                      -> "ping"      any frame ends the silence
--   still nothing `dead_after` later              -> "dead"      the network, or the whole peer
--   frames, but no app ping and no message        -> "stalled"   a handler that died behind a live socket, where Beam's
--     for `stalled_after`                                        gateway still answers pings (docs/wire.md section 5)
--   no message either way for `idle_after`        -> "idle"
--
-- Bytes are life: a message on its way, in either direction, is a sign of everything for as long as it moves. While an input is out
-- that may still be answered, silence alone proves nothing for the `patience` of who asks: Beam's runner is one thread, and answers
-- no ping while a handler works. What is "lost" even then is a peer whose system confirms nothing for `dead_after`; so that there is
-- something to confirm, the pings go on.
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
---@field busy_after number? seconds that an answer may take: what `patience` is made of
---@field pings_expected boolean?
---@field reconnects boolean? "stalled" is an end

---@class beam.liveness_bytes what beam.core's websocket:progress() and pending() say
---@field received integer
---@field acknowledged integer
---@field leaving integer not taken by our system, or not confirmed by the peer's
---@field unfinished integer of a message that is coming
---@field unanswered number seconds

local none = { received = 0, acknowledged = 0, leaving = 0, unfinished = 0, unanswered = 0 }

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
    bytes = none, -- as they were at the last look
    asked = false, -- when the first ping was sent that nothing answered
    moved = now, -- since then: when bytes were last seen to move
    asked_again = now, -- when the last one was
    asked_at = 0, -- how many bytes are acknowledged once the first one is; 0: it went out at once
    stalled = false, -- it was said; once until the next sign
    paused = false,
    due = false, -- when the next look was wanted
  }, Liveness)
end

--- The app's own ping came: from now on its absence says something.
function Liveness:app_ping(now)
  self.alive, self.stalled, self.pings_expected = now, false, true
end

--- A message came, perhaps a while ago.
---@param at number
function Liveness:message(at)
  self.heard, self.alive, self.used = math.max(self.heard, at), math.max(self.alive, at), math.max(self.used, at)
  self.stalled = false
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

-- ---- Bytes ----

-- Whether a message is on its way and moves: comes in, or leaves, as nothing that fits into one look does.
local function moves(before, bytes)
  local arrives = bytes.unfinished > 0 and bytes.unfinished ~= before.unfinished
  return arrives or bytes.leaving > 0 and before.leaving > 0 and bytes.acknowledged > before.acknowledged
end

-- What is acknowledged behind the ping says that the peer's system lives, and not that it has read the ping.
local function answers(self, before, bytes)
  local confirmed = before.acknowledged < self.asked_at and bytes.acknowledged > before.acknowledged
  return bytes.received > before.received or confirmed
end

local function compare(self, now, bytes)
  local before = self.bytes
  if moves(before, bytes) then
    self.alive, self.used = now, now
  end
  if self.asked and answers(self, before, bytes) then
    self.moved = now
  end
  self.lost = math.min(before.unanswered, bytes.unanswered) >= self.options.dead_after
  self.bytes = bytes
end

-- ---- Verdicts ----

-- A frame answers if it is heard at the time of the ping or later.
local function ask(self, now)
  if not self.asked then
    local bytes = self.bytes
    self.asked, self.moved, self.asked_at = now, now, bytes.leaving > 0 and bytes.acknowledged + bytes.leaving or 0
    self.heard = math.min(self.heard, now - 1e-6)
  end
  self.asked_again = now
  return "ping"
end

-- The answer to a jump: ask at once, and wait the whole time for the answer.
local function jumped(self, now)
  forgive(self, now)
  self.used = now
  return self.options.ping_after and ask(self, now)
end

-- When silence is death.
local function death(self, patience)
  return self.moved + math.max(self.options.dead_after, patience)
end

local function silence(self, now, patience)
  local options = self.options
  if self.asked and self.heard >= self.asked then
    self.asked = false
  end
  if not self.asked then
    return now - self.heard >= options.ping_after and ask(self, now)
  elseif now >= death(self, patience) then
    return "dead"
  elseif self.lost and now - self.asked >= options.dead_after then
    return "lost"
  elseif now - self.asked_again >= options.dead_after then
    return ask(self, now)
  end
end

local function decide(self, now, patience)
  local options = self.options
  if self.due and now - self.due > tolerance then
    self.due = false
    local verdict = jumped(self, now)
    if verdict then
      return verdict
    end
  end
  local verdict = options.ping_after and silence(self, now, patience)
  if verdict then
    return verdict
  elseif options.stalled_after and self.pings_expected and not self.stalled and now - self.alive >= options.stalled_after then
    self.stalled = true
    return "stalled"
  elseif options.idle_after and now - self.used >= options.idle_after then
    self.used = now -- it is said again no sooner, should the end take its time
    return "idle"
  end
end

-- ---- When to look again ----

-- A ping without an answer: often enough to see bytes move; and soon again, where the peer's system seems to be silent.
local function next_answer(self, now, patience)
  local dead_after = self.options.dead_after
  local soon = self.bytes.unanswered >= dead_after and math.min(1, dead_after / 4) or dead_after / 4
  return math.min(death(self, patience), now + soon)
end

local function next_look(self, now, patience)
  local options, at = self.options, math.huge
  if options.ping_after then
    at = self.asked and next_answer(self, now, patience) or self.heard + options.ping_after
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
---@param bytes beam.liveness_bytes? nil: nobody knows
---@param patience number? seconds of silence that prove nothing, as an input is out that may be answered
---@return "ping"|"dead"|"lost"|"stalled"|"idle"|nil verdict
---@return number seconds until the next look
function Liveness:look(now, bytes, patience)
  local verdict
  patience = patience or 0
  if not self.paused then
    compare(self, now, bytes or none)
    verdict = decide(self, now, patience)
  end
  local seconds
  if self.paused then
    seconds = self.options.ping_after or self.options.stalled_after or self.options.idle_after or math.huge
  else
    seconds = next_look(self, now, patience) - now
  end
  self.due = now + seconds
  return verdict or nil, seconds
end

return liveness
