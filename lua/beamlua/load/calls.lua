-- Runs calls by a schedule until it is over, or somebody ends it.
local driver = require "beam.driver"
local failed_check = require("beamlua.load.script").failed_check
local new_caller = require("beamlua.load.caller").new
local new_schedule = require("beamlua.load.schedule").new
local new_tally = require("beamlua.load.tally").new
local starts = require "beamlua.load.starts"

local calls = {}

local look_every = 0.05 -- seconds, at what was counted meanwhile

local phases = { "queued", "dns", "tcp", "tls", "wait", "body", "total" }

-- What became of a call, for the tally; the script may find fault with it.
local function judge(self, place)
  local hook = self.plan.hooks.response
  if not hook and not place.response and not place.failure then
    return nil
  end
  local value, info = self.caller:read(place)
  local err = value == nil and info or nil
  if hook then
    local fine, why = hook(value, info, place.number)
    err = err or fine == false and failed_check(why) or nil
  end
  return err
end

local function settle(self)
  local caller, tally = self.caller, self.tally
  local place = caller:take()
  while place do
    tally:finish(place, judge(self, place))
    caller:give_back(place)
    place = caller:take()
  end
end

-- The request that the script wants; nil: it wants no more.
local function ask(self, number)
  local hooks = self.plan.hooks
  if not hooks.request then
    return self.caller.usual
  end
  local input, differing = hooks.request(number)
  if input == nil and differing == nil then
    return nil
  end
  local given = { input = input }
  for name, value in pairs(differing or {}) do
    given[name] = value
  end
  local prepared, err = self.caller:other(given)
  return prepared or error(err, 0)
end

local function begin(self, planned, now)
  local caller = self.caller
  local prepared = ask(self, self.schedule.begun)
  if not prepared then
    self.ended = true
    return
  end
  caller:start(self.schedule.begun, planned, now, prepared)
  self.tally:begin(planned, now, caller.in_flight)
end

local function begin_due(self)
  local schedule, caller, plan = self.schedule, self.caller, self.plan
  while not (self.ended or plan.stopped) do
    local now = driver.now()
    local planned = schedule:due(now, caller.in_flight)
    if not planned then
      return
    end
    begin(self, planned, now)
  end
end

-- What the counter has added up. When the time is over, nothing more begins by itself.
local function take_counted(self)
  local counter, now = self.counter, driver.now()
  if not counter then
    return
  elseif self.plan.stopped or now >= self.schedule.ending then
    counter:allow(0)
  end
  local taken = counter:take()
  self.schedule:pass(taken.count, taken.allowed)
  if taken.count > 0 then
    self.tally:absorb(taken, now)
    self.tally.series:note(now, self.caller.in_flight)
  end
end

local function go_on(self)
  local stopped = self.plan.stopped or self.ended or self.schedule:is_over(driver.now())
  return not self.plan.stopped and (self.caller.in_flight > 0 or not stopped)
end

local function pause(self)
  local now = driver.now()
  local seconds = not self.ended and self.schedule:pause(now, self.caller.in_flight) or nil
  if self.counter then
    seconds = math.min(look_every, math.max(0.001, self.schedule.ending - now))
  end
  if not self.caller:has_done() and (not seconds or seconds > 0) then
    self.caller.changed:wait(seconds)
  end
end

local function run(self)
  while go_on(self) do
    take_counted(self)
    settle(self)
    begin_due(self)
    if go_on(self) then
      pause(self)
    end
  end
  take_counted(self)
  settle(self)
end

local function interval_of(plan)
  return plan.expected_rate and plan.concurrency / plan.expected_rate or nil
end

local function measure(plan, caller, told)
  local began = driver.now()
  local self = { plan = plan, caller = caller, ended = false, schedule = new_schedule(plan, began) }
  self.tally = new_tally(began, phases, plan.rate ~= nil, interval_of(plan))
  if not (plan.rate or plan.hooks.request or plan.hooks.response) then
    self.counter = caller:count()
    self.schedule:share(self.counter)
  end
  told(self.tally, self.schedule, function()
    return caller.in_flight
  end)
  local ok, problem = pcall(run, self)
  local abandoned = caller:abandon()
  if not ok then
    error(problem, 0)
  end
  local ended = driver.now()
  local planned = self.schedule:planned(ended)
  return { tally = self.tally, began = began, ended = ended, planned = planned, abandoned = abandoned, what = caller.usual.what }
end

--- Runs them. Waits.
---@param plan table beamlua/load/plan.lua; plan.stopped ends it, plan.changed:wake() makes it look
---@param told fun(tally: beamlua.tally, schedule: table, in_flight: fun(): integer) called when it begins
---@return table? outcome { tally, schedule, began, ended, abandoned }, beam.error? err
function calls.run(plan, told)
  local caller, err = new_caller(plan.client.settings, plan.given, plan.timeout, plan.hooks.response ~= nil)
  if not caller then
    return nil, err
  end
  plan.changed = caller.changed
  if plan.hooks.setup then
    plan.hooks.setup(plan.client)
  end
  local warm, problem = true, nil
  if plan.warmup then
    warm, problem = require("beamlua.load.warmup").calls(plan, caller)
  end
  if not warm then
    caller:abandon()
    return nil, problem
  elseif not plan.name:find "://" then -- who names a URL may have nothing to do with Beam
    plan.containers = starts.before(plan)
  end
  return measure(plan, caller, told)
end

return calls
