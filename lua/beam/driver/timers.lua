-- The timers of one owner, each with a name: setting one stops the one of that name before, and all can be stopped at
-- once, so that a timer never outlives what it was set for.
--
-- The owner is held weakly: a timer keeps nothing alive that nobody else wants. What fires runs as an event function
-- does (beam/driver/init.lua): it changes state and wakes.
local driver = require "beam.driver"

local Timers = {}
Timers.__index = Timers
Timers.__name = "beam.timers"

local timers = {}

local weak = { __mode = "v" }

---@param owner table handed to what fires
function timers.new(owner)
  return setmetatable({ owner = setmetatable({ owner }, weak), running = {} }, Timers)
end

--- Calls fire(owner) once, in `seconds`.
---@param name string
---@param seconds number
---@param fire fun(owner: table)
function Timers:set(name, seconds, fire)
  self:stop(name)
  local owner, running = self.owner, self.running
  local timer
  timer = driver.context():timer(math.max(0, seconds), function()
    if running[name] ~= timer then
      return
    end
    running[name] = nil
    driver.detach()
    local held = owner[1]
    if held then
      fire(held)
    end
  end)
  running[name] = timer
  driver.attach()
end

---@return boolean
function Timers:is_set(name)
  return self.running[name] ~= nil
end

--- Nothing happens if there is none of that name.
function Timers:stop(name)
  local timer = self.running[name]
  if timer then
    self.running[name] = nil
    timer:stop()
    driver.detach()
  end
end

-- Not by pairs: LuaJIT 2.1-20230119 (Debian 12), having compiled a pairs loop whose body empties the table, can run round
-- in it for ever.
function Timers:stop_all()
  local name = next(self.running)
  while name do
    self:stop(name)
    name = next(self.running)
  end
end

return timers
