-- When calls begin.
--
--   closed   so many at a time: the next one begins when one has ended. A server that stalls holds the calls back as well, and what would
--            have been slow is never asked (coordinated omission)
--   open     at planned times, whatever became of those before: number n at n / rate. One that cannot begin in time, as too many are under
--            way, begins as soon as it can and counts from its planned time on
local schedule = {}

-- ---- Closed ----

local Closed = { model = "closed" }
Closed.__index = Closed

--- The planned time of a call that is to begin now; nil: none is.
---@param now number
---@param in_flight integer
---@return number?
function Closed:due(now, in_flight)
  if in_flight >= self.concurrency or self.begun >= self.count or now >= self.ending then
    return nil
  elseif self.counter and not self.counter:claim() then
    return nil
  end
  self.begun = self.begun + 1
  return now
end

--- Most calls begin by themselves, from now on: a counter has what is left of the count.
---@param counter beam.core.counter
function Closed:share(counter)
  self.counter = counter
  counter:allow(math.min(self.count, 2 ^ 53))
end

--- So many began by themselves.
---@param count integer
---@param left integer that may yet begin
function Closed:pass(count, left)
  self.begun = self.begun + count
  self.exhausted = left == 0
end

--- Seconds until a call may be due without one having ended before; nil: none.
function Closed.pause() end

--- How many were to have begun by then.
---@return integer
function Closed:planned()
  return self.begun
end

--- Whether no further call will begin.
---@param now number
---@return boolean
function Closed:is_over(now)
  return self.begun >= self.count or now >= self.ending or self.exhausted == true
end

-- ---- Open ----

local Open = { model = "open" }
Open.__index = Open

local grace = 0.1 -- seconds after the end for those that were planned before it: timers are late, and so may this machine be

-- Planned times are those before the end; what is left after it is not begun any more.
function Open:due(now, in_flight)
  local planned = self.start + self.begun / self.rate
  if planned > now or in_flight >= self.concurrency or self:is_over(now) then
    return nil
  end
  self.begun = self.begun + 1
  return planned
end

function Open:pause(now, in_flight)
  if in_flight >= self.concurrency or self:is_over(now) then
    return nil
  end
  return math.max(0, self.start + self.begun / self.rate - now)
end

function Open:planned(now)
  local seconds = math.min(now, self.ending) - self.start
  return math.min(self.count, math.max(self.begun, math.ceil(seconds * self.rate)))
end

function Open:is_over(now)
  return self.begun >= self.count or now >= self.ending + grace or self.start + self.begun / self.rate >= self.ending
end

---@param plan { rate: number?, concurrency: integer, duration: number?, count: integer? }
---@param start number by driver.now()
function schedule.new(plan, start)
  local made = { start = start, begun = 0, rate = plan.rate, concurrency = plan.concurrency }
  made.count, made.ending = plan.count or math.huge, start + (plan.duration or math.huge)
  return setmetatable(made, plan.rate and Open or Closed)
end

return schedule
