-- What happened when: spans of time of the same length, each with its calls, failures, latencies and the most that were under way. There
-- are never more than `most` of them: when they do not suffice, neighbours are joined.
local histogram = require "beamlua.load.histogram"

local Series = {}
Series.__index = Series

local series = {}

local most, first_step = 240, 0.1 -- spans; seconds of one at the beginning
local enough = 10 -- calls of a span that say something

---@class beamlua.series
---@field step number seconds of a span
---@field spans table[]

---@param began number by driver.now()
---@return beamlua.series
function series.new(began)
  return setmetatable({ began = began, step = first_step, spans = {}, from = began, to = began }, Series)
end

local function new_span()
  return { calls = 0, failed = 0, in_flight = 0, latency = histogram.new(2) }
end

local function join(one, other)
  if other then
    one.calls, one.failed = one.calls + other.calls, one.failed + other.failed
    one.in_flight = math.max(one.in_flight, other.in_flight)
    one.latency:join(other.latency)
  end
  return one
end

local function halve(self)
  local spans = self.spans
  for i = 1, math.ceil(#spans / 2) do
    spans[i] = join(spans[2 * i - 1], spans[2 * i])
  end
  for i = #spans, math.ceil(#spans / 2) + 1, -1 do
    spans[i] = nil
  end
  self.step = self.step * 2
end

-- Most of what comes belongs to the span that the last one belonged to.
local function span_at(self, at)
  if at < self.to and at >= self.from then
    return self.current
  end
  local number = 1 + math.max(0, math.floor((at - self.began) / self.step))
  while number > most do
    for i = #self.spans + 1, most do
      self.spans[i] = new_span()
    end
    halve(self)
    number = 1 + math.floor((at - self.began) / self.step)
  end
  for i = #self.spans + 1, number do
    self.spans[i] = new_span()
  end
  self.from = self.began + (number - 1) * self.step
  self.to, self.current = self.from + self.step, self.spans[number]
  return self.current
end

--- A call has ended.
---@param at number by driver.now()
---@param seconds number its latency
---@param ok boolean
function Series:add(at, seconds, ok)
  local span = span_at(self, at)
  span.calls = span.calls + 1
  if not ok then
    span.failed = span.failed + 1
  end
  span.latency:add(seconds)
end

--- So many calls of about that latency have ended well.
---@param at number
---@param seconds number
---@param times integer
function Series:add_some(at, seconds, times)
  local span = span_at(self, at)
  span.calls = span.calls + times
  span.latency:add(seconds, times)
end

--- So many are under way.
---@param at number
---@param in_flight integer
function Series:note(at, in_flight)
  local span = span_at(self, at)
  if in_flight > span.in_flight then
    span.in_flight = in_flight
  end
end

--- For the report; joins spans that would say too little. To be called once, at the end.
---@param ended number
---@return table[] spans { at, seconds, calls, failed, in_flight, rate, p50, p90, p99, max }
function Series:list(ended)
  local calls = 0
  for _, span in ipairs(self.spans) do
    calls = calls + span.calls
  end
  while #self.spans > 12 and calls / #self.spans < enough do
    halve(self)
  end
  local list, last = {}, #self.spans
  if last > 1 and ended - self.began - (last - 1) * self.step < self.step / 2 then -- too short for a rate of its own
    join(self.spans[last - 1], table.remove(self.spans))
    last = last - 1
  end
  for i, span in ipairs(self.spans) do
    local at = (i - 1) * self.step
    local rest = ended - self.began - at
    local seconds = math.max(1e-3, i == last and rest or self.step)
    list[i] = {
      at = at,
      seconds = seconds,
      calls = span.calls,
      failed = span.failed,
      in_flight = span.in_flight,
      rate = span.calls / seconds,
      p50 = span.latency:percentile(50),
      p90 = span.latency:percentile(90),
      p99 = span.latency:percentile(99),
      max = span.latency:percentile(100),
    }
  end
  return list
end

return series
