-- The work of one map: from an input to its call to its result.
--
-- There are never more than `concurrency` calls in flight, nor more than `window` inputs that were taken and whose results have not been
-- handed over: a loop that does not keep up stops the taking. No coroutine waits for room: who ends a call goes on with the next input;
-- with no room it ends, and the next result that is handed over starts another. So a map that is forgotten holds nothing up.
local driver = require "beam.driver"
local errors = require "beam.error"
local protect = require "beam.driver.protect"
local log = require "beam.log"
local new_caller = require("beam.map.caller").new
local new_results = require("beam.map.results").new
local new_scope = require("beam.driver.scope").new
local reader_of = require("beam.map.inputs").reader

local Run = {}
Run.__index = Run
Run.__name = "beam.map.run"

-- ---- Figures ----

function Run:figures()
  return {
    total = self.total,
    taken = self.taken,
    done = self.succeeded + self.failed,
    succeeded = self.succeeded,
    failed = self.failed,
    canceled = self.canceled,
    in_flight = self.in_flight,
    waiting = self.waiting,
    dropped = self.dropped,
    attempts = self.attempts,
    elapsed = self.started and (self.finished or driver.now()) - self.started or 0,
  }
end

local function report(self)
  if self.progress then
    self.progress:draw(self:figures())
  end
  if self.on_progress then
    local ok, err = protect.hook(self.on_progress, self.succeeded + self.failed, self.total, self.failed, self.in_flight)
    if not ok then
      self.on_progress = false
      log.write("error", "beam.map: on_progress failed and is not called again: " .. tostring(err))
    end
  end
end

-- ---- The end ----

--- Nothing is taken any more, and nothing is in flight; results may wait.
---@return boolean
function Run:has_ended()
  return self.exhausted and self.in_flight == 0
end

-- After whatever may have been the last of it.
local function look_for_end(self)
  if not self:has_ended() or self.finished then
    return
  end
  self.finished = driver.now()
  if self.progress then
    self.progress:draw(self:figures(), true)
  end
  self.changed:wake_all()
end

-- No more inputs are taken. `err` is why, if there may have been more.
local function stop(self, err)
  if not self.exhausted then
    self.exhausted, self.cut_short = true, err or false
    look_for_end(self)
  end
end

local function out_of_time(self)
  return errors.timeout("end of the map", self.deadline, { hint = "this input, and those after it, were not sent" })
end

--- Seconds until the deadline of the whole, math.huge without one. Notices that it has passed.
---@return number
function Run:time_left()
  if self.due == math.huge then
    return math.huge
  end
  local left = self.due - driver.now()
  if left <= 0 then
    stop(self, self.taken ~= self.total and out_of_time(self) or nil)
  end
  return left
end

--- Takes no more inputs, and ends the calls that are in flight with errors of kind "canceled".
function Run:cancel()
  stop(self)
  self.scope:cancel()
end

--- The same, and nothing is handed over any more.
function Run:close()
  self.closed = true
  self:cancel()
  while self.results:take() do
    self.waiting, self.dropped = self.waiting - 1, self.dropped + 1
  end
  self.changed:wake_all()
end

-- ---- From an input to its result ----

-- Whether another input may be taken now.
local function has_room(self)
  return not self.exhausted
    and self.in_flight < self.concurrency
    and self.in_flight + self.waiting < self.window
    and self:time_left() > 0
end

-- Takes an input; may wait. Returns its position; nil: there is none, or it came too late.
local function take(self)
  local input, err = self.next_input()
  if self.exhausted then
    return nil
  elseif input == nil then
    stop(self, err)
    return nil
  end
  self.taken, self.in_flight = self.taken + 1, self.in_flight + 1
  return self.taken, input
end

local function count(self, result, info)
  self.in_flight = self.in_flight - 1
  self.attempts = self.attempts + (info.attempts or 0)
  if result ~= nil then
    self.succeeded = self.succeeded + 1
  else
    self.failed = self.failed + 1
    self.canceled = self.canceled + (info.kind == "canceled" and 1 or 0)
  end
end

local function settle(self, position, input, result, info)
  info.input = input
  count(self, result, info)
  if self.closed then
    self.dropped = self.dropped + 1
  else
    self.waiting = self.waiting + 1
    self.results:put { position = position, result = result, info = info }
    self.changed:wake()
  end
  report(self)
  look_for_end(self)
end

local function answer(self, position, input)
  local ok, result, info = protect.hook(self.call, input, math.max(self:time_left(), 0.001))
  if ok then
    settle(self, position, input, result, info)
  else -- it raised: the input makes no sense, or a function of the user's failed
    result.attempts, result.elapsed = 0, 0
    settle(self, position, input, nil, result)
  end
end

local work

local function answer_and_work(self, position, input)
  answer(self, position, input)
  work(self)
end

-- Takes inputs while there is room, and calls: the last of them itself, the others in coroutines of their own. Only one takes at a time, as
-- an iterator that waits must not be asked again.
function work(self)
  while not self.taking and has_room(self) do
    self.taking = true
    local position, input = take(self)
    while position and has_room(self) do
      driver.spawn(answer_and_work, self, position, input)
      position, input = take(self)
    end
    self.taking = false
    if not position then
      return
    end
    answer(self, position, input)
  end
end

--- Starts what there is room for.
function Run:feed()
  if not self.taking and has_room(self) then
    driver.spawn(work, self)
  end
end

-- ---- From its result to the loop ----

--- The deadline counts from here.
function Run:start()
  self.started = driver.now()
  self.due = self.started + self.deadline
end

--- A result that has come, or nil.
---@return beam.map_item?
function Run:take_result()
  local item = self.results:take()
  if not item then
    return nil
  end
  self.waiting = self.waiting - 1
  if self.waiting > 0 then -- for whoever else asks for results
    self.changed:wake()
  end
  self:feed()
  return item
end

--- Waits until there may be a result, or the end has come.
function Run:wait()
  local left = self:time_left()
  if not self:has_ended() then
    self.changed:wait(left > 0 and left < math.huge and left or nil)
  end
end

-- ---- Making one ----

local run = {}

local counts = { "taken", "in_flight", "waiting", "succeeded", "failed", "canceled", "dropped", "attempts" }

---@param settings beam.settings
---@param options beam.request_options those of each call
---@param own table those of the map, from beam.map.options
function run.new(settings, options, own)
  local scope = new_scope()
  local call, what = new_caller(settings, options, scope)
  local next_input, total = reader_of(own.inputs)
  local self = setmetatable({
    what = what,
    call = call,
    next_input = next_input,
    total = own.total or total,
    concurrency = own.concurrency,
    window = own.window,
    deadline = own.deadline,
    due = math.huge,
    started = false,
    finished = false,
    scope = scope,
    results = new_results(own.ordered),
    changed = driver.signal(), -- a result has come, or the end
    on_progress = own.on_progress or false,
    progress = own.progress and require("beam.map.progress").new(own.name) or false,
    taking = false, -- an input is asked for
    exhausted = false, -- no input is asked for any more
    cut_short = false, -- why, if there may have been more
    closed = false,
  }, Run)
  for _, name in ipairs(counts) do
    self[name] = 0
  end
  return self
end

return run
