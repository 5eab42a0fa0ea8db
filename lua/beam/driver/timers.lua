-- The timers of one owner, each with a name: setting one stops the one of that name before, and all can be stopped at
-- once, so that a timer never outlives what it was set for.
--
-- The owner is held weakly: a timer keeps nothing alive that nobody else wants. What fires runs as an event function
-- does (beam/driver/init.lua): it changes state and wakes.
--
-- One alarm serves all owners: each stands among its deadlines once, with its next one.
local driver = require "beam.driver"
local new_alarm = require("beam.driver.alarm").new

---@class beam.timers
---@field owner table[] the owner, weakly
---@field deadline number? of the next; its place among the deadlines is `position`
local Timers = {}
Timers.__index = Timers
Timers.__name = "beam.timers"

local timers = {}

local weak = { __mode = "v" }
local EACH = 3 -- self[i] to self[i + 2]: name, deadline and function of one that runs

local alarm, deadlines

---@param owner table handed to what fires
function timers.new(owner)
  return setmetatable({ owner = setmetatable({ owner }, weak), deadline = false, position = nil }, Timers)
end

-- ---- The next one of an owner ----

local function find(self, name)
  for i = 1, #self, EACH do
    if self[i] == name then
      return i
    end
  end
end

local function find_next(self)
  local next
  for i = 1, #self, EACH do
    next = next and self[next + 1] <= self[i + 1] and next or i
  end
  return next
end

local function remove(self, i)
  local last = #self - EACH + 1
  self[i], self[i + 1], self[i + 2] = self[last], self[last + 1], self[last + 2]
  self[last + 2], self[last + 1], self[last] = nil, nil, nil
  driver.detach()
end

-- They have changed.
local function settle(self)
  local next = find_next(self)
  local deadline = next and self[next + 1] or false
  if deadline ~= self.deadline then
    deadlines:remove(self)
    self.deadline = deadline
    if deadline then
      deadlines:add(self, deadline)
    end
  end
  if not deadlines:first() then
    alarm:stop()
  end
end

local function fire_next(self)
  local next = find_next(self)
  local fire, owner = self[next + 2], self.owner[1]
  self.deadline = false
  remove(self, next)
  settle(self)
  if owner then
    fire(owner)
  end
end

alarm = new_alarm(fire_next)
deadlines = alarm.deadlines

-- ---- Setting and stopping ----

--- Calls fire(owner) once, in `seconds`.
---@param name string
---@param seconds number
---@param fire fun(owner: table)
function Timers:set(name, seconds, fire)
  local context, i = driver.context(), find(self, name)
  if not i then
    i = #self + 1
    driver.attach()
  end
  self[i], self[i + 1], self[i + 2] = name, context:now() + math.max(0, seconds), fire
  settle(self)
  alarm:arm(context)
end

---@return boolean
function Timers:is_set(name)
  return find(self, name) ~= nil
end

--- Nothing happens if there is none of that name.
function Timers:stop(name)
  local i = find(self, name)
  if i then
    remove(self, i)
    settle(self)
  end
end

---@param but string? the name of one that goes on
function Timers:stop_all(but)
  for i = #self - EACH + 1, 1, -EACH do
    if self[i] ~= but then
      remove(self, i)
    end
  end
  settle(self)
end

return timers
