-- What became of the calls, added up: in memory that does not grow with their number.
local failure = require "beamlua.cli.failure"
local histogram = require "beamlua.load.histogram"
local series = require "beamlua.load.series"

local Tally = {}
Tally.__index = Tally

local tally = {}

local late = 0.01 -- seconds after its planned time, beyond what a timer may be late
local most_sorts = 50 -- of failures
local most_slow = 512 -- calls that may be asked about afterwards

tally.late = late

---@class beamlua.tally
---@field started integer
---@field ended integer
---@field failed integer
---@field late integer begun so much after their planned time
---@field executed { yes: integer, no: integer, unknown: integer }

--- phases: the names of the parts that calls are measured by, in order.
---@param began number by driver.now()
---@param phases string[]
---@param open boolean latency counts from the planned time
---@param interval number? seconds between calls that are expected of each caller of a closed model
---@return beamlua.tally
function tally.new(began, phases, open, interval)
  local self = setmetatable({ began = began, names = phases, open = open, interval = interval }, Tally)
  self.started, self.ended, self.failed, self.late = 0, 0, 0, 0
  self.executed = { yes = 0, no = 0, unknown = 0 }
  self.connections, self.lost, self.bytes = 0, 0, 0
  self.latency, self.failures = histogram.new(), histogram.new()
  self.service = open and histogram.new() or nil -- from the start, not from the planned time
  self.lateness = open and histogram.new() or nil
  self.corrected = interval and histogram.new() or nil
  self.phases = {}
  for _, name in ipairs(phases) do
    self.phases[name] = histogram.new()
  end
  self.series = series.new(began)
  self.sorts, self.sort_count = {}, 0
  self.slow = {}
  return self
end

-- ---- Failures ----

local function new_sort(self, err)
  local sort = { kind = err.kind, status = err.status, count = 0, executed = {}, message = err.message, hint = err.hint }
  sort.code = failure.code(err)
  self.sort_count = self.sort_count + 1
  return sort
end

local function sort_of(self, err)
  local key = err.status and ("%s %s"):format(err.kind, err.status) or err.kind
  if not self.sorts[key] and self.sort_count >= most_sorts then
    key = "other"
    err = { kind = "other", message = "more kinds than are told apart", executed = err.executed }
  end
  local sort = self.sorts[key] or new_sort(self, err)
  self.sorts[key] = sort
  sort.count = sort.count + 1
  self.first_failure = self.first_failure or sort
  return sort
end

local function note_failure(self, err, seconds)
  local sort, executed = sort_of(self, err), err.executed or "unknown"
  sort.executed[executed] = (sort.executed[executed] or 0) + 1
  self.executed[executed] = self.executed[executed] + 1
  self.failed = self.failed + 1
  self.failures:add(seconds)
end

-- ---- The slowest ----

local function least_of(slow)
  local least = 1
  for i = 2, #slow do
    least = slow[i].seconds < slow[least].seconds and i or least
  end
  return least
end

-- Those that waited for a container are among the slowest: they can be asked about when all is over.
local function keep_slow(self, task_id, seconds)
  local slow = self.slow
  if #slow < most_slow then
    slow[#slow + 1] = { task_id = task_id, seconds = seconds }
    self.least = #slow == most_slow and least_of(slow) or nil
  elseif seconds > slow[self.least].seconds then
    slow[self.least] = { task_id = task_id, seconds = seconds }
    self.least = least_of(slow)
  end
end

-- ---- Calls ----

--- One begins.
---@param planned number by driver.now()
---@param now number
---@param in_flight integer with this one
function Tally:begin(planned, now, in_flight)
  self.started = self.started + 1
  if self.lateness then
    self.lateness:add(now - planned)
    self.late = self.late + (now - planned > late and 1 or 0)
  end
  self.series:note(now, in_flight)
end

--- One has ended.
---@param call table planned, began, ended; task_id, bytes; and its parts by their names, if `total` is among them
---@param err beam.error?
function Tally:finish(call, err)
  local seconds = call.ended - call.planned
  self.ended = self.ended + 1
  self.latency:add(seconds)
  self.series:add(call.ended, seconds, not err)
  if self.service then
    self.service:add(call.ended - call.began)
  end
  if self.corrected then
    self.corrected:add_corrected(seconds, self.interval)
  end
  if err then
    note_failure(self, err, seconds)
  else
    self.executed.yes = self.executed.yes + 1
  end
  self.bytes = self.bytes + (call.bytes or 0)
  if call.task_id then
    keep_slow(self, call.task_id, seconds)
  end
  if call.total then
    self:measure(call)
  end
end

--- The parts that a call, or an opening, took.
---@param times table<string, number> seconds; 0: did not happen
function Tally:measure(times)
  local names, phases = self.names, self.phases
  for i = 1, #names do
    local took = times[names[i]]
    if took and took > 0 then
      phases[names[i]]:add(took)
    end
  end
  if (times.tcp or 0) > 0 then
    self.connections = self.connections + 1
  end
end

--- What a beam.core.counter added up: calls that ended well, after each of which another one began.
---@param taken table
---@param now number
function Tally:absorb(taken, now)
  local total = taken.parts.total
  self.started, self.ended = self.started + taken.count, self.ended + taken.count
  self.executed.yes = self.executed.yes + taken.count
  self.bytes, self.connections = self.bytes + taken.bytes, self.connections + taken.connections
  self.latency:absorb(total)
  for name, of in pairs(self.phases) do
    of:absorb(taken.parts[name])
  end
  for i = 1, #total, 2 do
    local seconds = histogram.middle(total[i])
    self.series:add_some(now, seconds, total[i + 1])
    if self.corrected then
      self.corrected:add_corrected(seconds, self.interval, total[i + 1])
    end
  end
end

--- A connection was lost, or could not be made; what became of its messages is told by them.
---@param err beam.error
function Tally:lose(err)
  self.lost = self.lost + 1
  sort_of(self, err)
end

--- The failures, the most frequent first.
---@return table[]
function Tally:failure_list()
  local list = {}
  for _, sort in pairs(self.sorts) do
    list[#list + 1] = sort
  end
  table.sort(list, function(one, other)
    return one.count > other.count or one.count == other.count and one.message < other.message
  end)
  return list
end

return tally
