-- The timers of one owner, each with a name: setting one stops the one of that name before, and all can be stopped at
-- once, so that a timer never outlives what it was set for.
--
-- The owner is held weakly: a timer keeps nothing alive that nobody else wants. What fires runs as an event function
-- does (beam/driver/init.lua): it changes state and wakes.
--
-- One timer of the context serves all owners: each stands among the deadlines once, with its next one.
local driver = require "beam.driver"
local new_deadlines = require("beam.driver.deadlines").new

---@class beam.timers
---@field owner table[] the owner, weakly
---@field deadline number? of the next; its place among the deadlines is `position`
local Timers = {}
Timers.__index = Timers
Timers.__name = "beam.timers"

local timers = {}

local weak = { __mode = "v" }
local EACH = 3 -- self[i] to self[i + 2]: name, deadline and function of one that runs

local deadlines = new_deadlines()
local alarm, alarm_at, alarm_context -- the context's timer for the first of them

---@param owner table handed to what fires
function timers.new(owner)
  return setmetatable({ owner = setmetatable({ owner }, weak), deadline = false, position = nil }, Timers)
end

-- ---- The context's timer ----

local on_alarm

local function disarm()
  if alarm then
    alarm:stop()
    alarm = nil
  end
end

-- It may fire for a timer that was stopped: those are most of them, and cost the context nothing then.
local function arm(context)
  local first, due = deadlines:first()
  if not first or alarm and alarm_context == context and alarm_at <= due then
    return
  end
  disarm()
  alarm_at, alarm_context = due, context
  alarm = context:timer(math.max(0, alarm_at - context:now()), on_alarm)
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
    disarm()
  end
end

local function fire_next(self)
  local next = find_next(self)
  local fire, owner = self[next + 2], self.owner[1]
  remove(self, next)
  settle(self)
  if owner then
    fire(owner)
  end
end

function on_alarm()
  alarm = nil
  local now, problem = alarm_context:now(), nil
  local first, due = deadlines:first()
  while first and due <= now do
    local ok, err = pcall(fire_next, first)
    problem = problem or not ok and err or nil
    first, due = deadlines:first()
  end
  arm(alarm_context)
  if problem then
    error(problem, 0)
  end
end

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
  arm(context)
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
