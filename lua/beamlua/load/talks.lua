-- Messages over connections to a realtime app, instead of calls: on each connection one message at a time, which awaits its answer. Each
-- connection is a coroutine; one that is lost comes back by itself.
local driver = require "beam.driver"
local failed_check = require("beamlua.load.script").failed_check
local json = require "beam.json"
local new_schedule = require("beamlua.load.schedule").new
local new_tally = require("beamlua.load.tally").new
local retry = require "beam.retry"

local talks = {}

local phases = { "dns", "tcp", "proxy", "tls", "upgrade", "total" }
local names = { queued = "upgrade" } -- of connections' phases; the others are called the same

-- ---- Connections ----

-- How long each part of an opening took, from the times at which the parts began.
local function watch_opening(self)
  local part, since, times
  return function(phase, _, seconds)
    if phase == "dns" or not times or phase == "waiting" then
      times = {}
    elseif part then
      times[part] = seconds - since
    end
    part, since = names[phase] or phase, seconds
    if phase == "open" then
      times.total = seconds
      self.tally:measure(times)
      self.opened:wake_all()
      self.first = self.first or driver.now()
    end
  end
end

local function open(self)
  local given = self.plan.given
  return self.plan.client.realtime {
    self.plan.name,
    headers = given.headers,
    version = given.version,
    wait = false,
    retry = function(attempt, err, conn)
      if not (self.over or self.plan.stopped) then
        self.tally:lose(err)
      end
      return retry.default(attempt, err, conn)
    end,
    on_phase = watch_opening(self),
  }
end

-- Waits until it is open. False: it never will be, or it is time to end.
local function await_open(self, conn)
  while conn.state ~= "open" and conn.state ~= "closed" and not self.over do
    self.opened:wait(0.1)
  end
  return conn.state == "open" and not self.over
end

-- ---- Messages ----

-- nil: the script wants no more.
local function message_of(self, number)
  local hook = self.plan.hooks.request
  if hook then
    return hook(number)
  end
  return self.message
end

local function judge(self, reply, err, number)
  local hook = self.plan.hooks.response
  if hook then
    local fine, why = hook(reply, err or {}, number)
    if fine == false and not err then
      return failed_check(why)
    end
  end
  return err
end

local function ask(self, conn, planned)
  self.number = self.number + 1
  local number = self.number
  local message = message_of(self, number)
  if message == nil then
    self.over = true
    return
  end
  self.in_flight = self.in_flight + 1
  local began = driver.now()
  self.tally:begin(planned, began, self.in_flight)
  local reply, err = conn:request(message, { timeout = self.plan.timeout })
  self.in_flight = self.in_flight - 1
  if self.plan.stopped then
    self.abandoned = self.abandoned + 1
    return
  end
  local call = { planned = planned, began = began, ended = driver.now() }
  self.tally:finish(call, judge(self, reply, reply == nil and err or nil, number))
end

local function left(self)
  return not (self.over or self.plan.stopped) and self.number < (self.plan.count or math.huge)
end

-- Its next planned time, or nil when it is over.
local function next_time(self, schedule)
  while left(self) do
    local planned = schedule:due(driver.now(), 0)
    if planned then
      return planned
    elseif schedule:is_over(driver.now()) then
      return nil
    end
    self.hurry:wait(schedule:pause(driver.now(), 0))
  end
end

-- The planned times of the connections lie between each other's. A connection that opens later begins with what is due then.
local function schedule_of(self, place)
  local plan, count = self.plan, self.plan.concurrency
  local rate = plan.rate and plan.rate / count
  local made = new_schedule({ rate = rate, concurrency = 1, duration = plan.duration }, self.first + (rate and place / plan.rate or 0))
  made.ending = self.first + (plan.duration or math.huge)
  if rate and not plan.count then
    made.begun = math.max(0, math.ceil((driver.now() - made.start) * rate))
    self.passed = self.passed + made.begun
  end
  return made
end

local function talk(self, place)
  local conn = open(self)
  self.conns[place] = conn
  if await_open(self, conn) then
    local schedule = schedule_of(self, place - 1)
    local planned = next_time(self, schedule)
    while planned and conn.state ~= "closed" do
      ask(self, conn, planned)
      planned = next_time(self, schedule)
    end
  end
end

-- ---- The whole ----

-- When the time is over for those, too, that never came to send.
local function end_in_time(self)
  local plan = self.plan
  while self.talking > 0 and not plan.stopped do
    local due = plan.duration and (self.first or self.began) + plan.duration - driver.now()
    if self.over or due and due <= 0 then
      self.over = true
      self.opened:wake_all()
      self.hurry:wake_all()
      due = nil
    end
    plan.changed:wait(due and math.min(due, 0.2) or 0.2)
  end
end

local function start_all(self)
  for place = 1, self.plan.concurrency do
    self.talking = self.talking + 1
    driver.spawn(function()
      local ok, problem = pcall(talk, self, place)
      self.problem = self.problem or not ok and problem or nil
      self.over = self.over or not ok
      self.talking = self.talking - 1
      self.plan.changed:wake()
    end)
  end
end

-- How many were to have been sent by connections that were open by then.
local function planned_by(self, ended)
  local plan = self.plan
  if not plan.rate then
    return nil
  end
  local seconds = math.min(ended - (self.first or self.began), plan.duration or math.huge)
  return math.min(plan.count or math.huge, math.max(self.tally.started, math.ceil(seconds * plan.rate) - self.passed))
end

local function text_of(plan)
  return plan.given.input or json.decode "{}"
end

--- Runs them. Waits.
---@param plan table beamlua/load/plan.lua
---@param told fun(tally: beamlua.tally, schedule: table?, in_flight: fun(): integer)
---@return table outcome as beamlua/load/calls.lua's
function talks.run(plan, told)
  plan.changed = driver.signal()
  if plan.hooks.setup then
    plan.hooks.setup(plan.client)
  end
  local began = driver.now()
  local self = { plan = plan, began = began, number = 0, in_flight = 0, talking = 0, abandoned = 0, passed = 0, conns = {}, over = false }
  self.opened, self.hurry, self.message = driver.signal(), driver.signal(), text_of(plan)
  self.tally = new_tally(began, phases, plan.rate ~= nil)
  told(self.tally, nil, function()
    return self.in_flight
  end)
  start_all(self)
  end_in_time(self)
  local ended = driver.now()
  for _, conn in pairs(self.conns) do
    conn:close()
  end
  if self.problem then
    error(self.problem, 0)
  end
  return {
    tally = self.tally,
    began = began,
    ended = ended,
    asking = ended - (self.first or began), -- seconds
    planned = planned_by(self, ended),
    abandoned = self.in_flight,
    what = plan.client.address(plan.name, "asgi"),
  }
end

return talks
