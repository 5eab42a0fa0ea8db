-- How fast messages go out: `rate` a second, evenly. Beam serves about ten on one connection (wire.md section 5); what is
-- sent faster waits where nobody sees it.
--
-- It also notices when more is offered than goes out, which only the user can mend, and says so once in ten seconds.
local Pace = {}
Pace.__index = Pace
Pace.__name = "beam.pace"

local pace = {}

local window = 10 -- seconds over which what is offered is compared with what is sent
local pause = 1 -- seconds beyond the next turn in which nobody asks for it: there was no connection, or nothing to send

---@param rate number messages a second
---@param most integer messages that may wait
---@param warn fun(line: string)?
function pace.new(rate, most, warn)
  return setmetatable({
    rate = rate,
    warn = warn,
    backlog = math.min(most, math.max(2, rate)), -- so many waiting are more than a burst
    next_at = -math.huge,
    asked = -math.huge,
    start = 0, -- of the window
    offered = 0, -- in it
    sent = 0,
  }, Pace)
end

--- A further message wants to go out.
function Pace:offer()
  self.offered = self.offered + 1
end

local function begin_window(self, now)
  self.start, self.offered, self.sent = now, 0, 0
end

local function end_window(self, now, waiting)
  if self.warn and self.offered > self.sent and waiting >= self.backlog then
    local seconds = now - self.start
    local line = "%.1f messages a second are offered and %.1f are sent, %d wait: send less often, or let coalesce replace what waits"
    self.warn(line:format(self.offered / seconds, self.sent / seconds, waiting))
  end
  begin_window(self, now)
end

--- How long the next message has to wait.
---@param now number
---@param waiting integer messages
---@return number seconds 0: it may go
function Pace:wait(now, waiting)
  if now - self.asked > 1 / self.rate + pause then
    begin_window(self, now) -- what piled up in an outage is worked off: no reason to warn
  elseif now - self.start >= window then
    end_window(self, now, waiting)
  end
  self.asked = now
  return math.max(0, self.next_at - now)
end

--- A message went out. Who comes late by less than a turn keeps the turns, so that timers which are late do not add up.
function Pace:went(now)
  local interval = 1 / self.rate
  self.sent = self.sent + 1
  self.next_at = (now - self.next_at < interval and self.next_at or now) + interval
end

return pace
