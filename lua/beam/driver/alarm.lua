-- One timer of the context for many deadlines (beam/driver/deadlines.lua): it is set for the first of them.
--
-- It may ring for a deadline that was taken out: what ends early, which is most of it, then costs the context no timer.
local new_deadlines = require("beam.driver.deadlines").new

---@class beam.alarm
---@field deadlines beam.deadlines an item that ends early is removed here
---@field timer beam.core.timer? of `context`, for `due`
local Alarm = {}
Alarm.__index = Alarm
Alarm.__name = "beam.alarm"

local function call_due(self, now)
  local deadlines, call = self.deadlines, self.call
  local first, due = deadlines:first()
  while first and due <= now do
    deadlines:remove(first)
    call(first)
    first, due = deadlines:first()
  end
end

-- Of those that fail the first one is told, when all have been called.
local function ring(self)
  self.timer = nil
  local now, problem = self.context:now(), nil
  repeat
    local ok, err = pcall(call_due, self, now)
    problem = problem or not ok and err or nil
  until ok
  self:arm(self.context)
  if problem then
    error(problem, 0)
  end
end

local longest = 1e9 -- seconds for which a timer is set; it rings early then, and is set again

--- Sees to it that the context's timer rings in time for the first deadline.
---@param context beam.core.context it may be another one than before
function Alarm:arm(context)
  local first, due = self.deadlines:first()
  if not first or self.timer and self.context == context and self.due <= due then
    return
  end
  self:stop()
  self.due, self.context = due, context
  self.timer = context:timer(math.min(longest, math.max(0, due - context:now())), self.ring)
end

--- It rings no more, until it is armed again.
function Alarm:stop()
  if self.timer then
    self.timer:stop()
    self.timer = nil
  end
end

---@param call fun(item: table) an event function: called with an item whose time has come, and which is out of the deadlines by then
---@return beam.alarm
local function new(call)
  local alarm = setmetatable({ deadlines = new_deadlines(), call = call, timer = nil, due = nil, context = nil }, Alarm)
  function alarm.ring()
    ring(alarm)
  end
  return alarm
end

return { new = new }
