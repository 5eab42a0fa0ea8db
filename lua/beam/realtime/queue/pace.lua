-- Pace: `rate` messages a second, evenly.
--
-- Beam serves about ten on one connection (docs/wire.md section 5); what is sent faster waits where nobody sees it. More offered than
-- sent is said once in ten seconds, as only the user can mend it; for two windows one after the other: a burst, or an outage, passes.
local Pace = {}
Pace.__index = Pace
Pace.__name = "beam.pace"

local pace = {}

local window = 5 -- seconds
local tolerance = 1.05 -- of messages offered to messages sent, and one more

---@param rate number messages a second
---@param warn fun(line: string)?
function pace.new(rate, warn)
  -- `start` is the window's; `offered` and `sent` count in it; `outran`: more was offered than sent in the one before
  local never = -math.huge
  return setmetatable({ rate = rate, warn = warn, next_at = never, start = never, offered = 0, sent = 0, outran = false }, Pace)
end

--- A further message wants to go out.
function Pace:offer()
  self.offered = self.offered + 1
end

local function end_window(self, now, waiting)
  local outruns = self.offered > self.sent * tolerance + 1
  if outruns and self.outran and self.warn then
    local seconds = now - self.start
    local line = "%.1f messages a second are offered and %.1f are sent, %d wait: send less often, or let coalesce replace what waits"
    self.warn(line:format(self.offered / seconds, self.sent / seconds, waiting))
    outruns = false
  end
  self.start, self.offered, self.sent, self.outran = now, 0, 0, outruns
end

--- How long the next message has to wait.
---@param now number
---@param waiting integer messages
---@return number seconds 0: it may go
function Pace:wait(now, waiting)
  if now - self.start >= window then
    end_window(self, now, waiting)
  end
  return math.max(0, self.next_at - now)
end

--- A message went out. Who comes late by less than a turn keeps the turns, so that timers which are late do not add up.
function Pace:went(now)
  local interval = 1 / self.rate
  self.sent = self.sent + 1
  self.next_at = (now - self.next_at < interval and self.next_at or now) + interval
end

return pace
