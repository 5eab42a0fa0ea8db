-- How often each duration came, in memory that does not grow: HdrHistogram's bucketing (Gil Tene). A duration is a whole number of
-- microseconds. The first 2048 of them have a bucket each; from there on every doubling of the duration has 1024 buckets of the same
-- width. So a bucket is nowhere wider than 1/1024 of what lies in it:
--
--   what a percentile says is the largest of its bucket: not below the exact one, and above it by less than 0.1 % (0.098), both but for
--   the half microsecond of rounding
--
-- The second precision, of 2 digits, has 256 and 128 buckets, and 0.8 % (0.79).
local floor = math.floor

local Histogram = {}
Histogram.__index = Histogram

local histogram = {}

local halves = { [2] = 128, [3] = 1024 } -- buckets of a doubling, by the digits of the precision
local most_missing = 100000 -- durations that one long one stands for
local longest = 24 * 3600 * 1000000 -- microseconds; what is longer counts as that

---@class beamlua.histogram
---@field count integer
---@field sum number seconds
---@field least number seconds; exact, as are the next one and the sum
---@field most number
---@field half integer buckets of a doubling

--- An empty one.
---@param digits 2|3|nil its precision; default 3
---@return beamlua.histogram
function histogram.new(digits)
  local half = halves[digits or 3]
  return setmetatable({ half = half, counts = {}, count = 0, sum = 0, least = math.huge, most = 0, last = -1 }, Histogram)
end

--- By how much a percentile may be above the exact one, as a fraction of it.
---@param digits 2|3|nil
---@return number
function histogram.error(digits)
  return 1 / halves[digits or 3]
end

-- ---- Buckets ----

-- The number of the bucket of a duration, from 0.
local function index_of(half, microseconds)
  local whole, doublings = 2 * half, 0
  while microseconds >= whole do
    microseconds = microseconds / 2
    doublings = doublings + 1
  end
  return doublings * half + floor(microseconds)
end

-- The microseconds from which a bucket takes, and those of the next one.
local function bounds_of(half, index)
  if index < 2 * half then
    return index, index + 1
  end
  local doublings = math.floor(index / half) - 1
  local width = 2 ^ doublings
  local from = (index - doublings * half) * width
  return from, from + width
end

-- ---- Adding ----

--- Adds a duration.
---@param seconds number
---@param times integer? how often it came; default 1
function Histogram:add(seconds, times)
  times = times or 1
  local index = floor(seconds * 1000000 + 0.5)
  if index >= 2 * self.half then
    index = index_of(self.half, index < longest and index or longest)
  elseif index < 0 then
    index = 0
  end
  local counts = self.counts
  counts[index] = (counts[index] or 0) + times
  self.count, self.sum = self.count + times, self.sum + seconds * times
  if index > self.last then
    self.last = index
  end
  if seconds < self.least then
    self.least = seconds
  end
  if seconds > self.most then
    self.most = seconds
  end
end

--- Adds a duration, and what was not measured while it lasted: who asks every `interval` seconds would have waited an interval less at
--- the next question, and so on (HdrHistogram's correction for coordinated omission).
---@param seconds number
---@param interval number seconds
---@param times integer? how often; default 1
function Histogram:add_corrected(seconds, interval, times)
  self:add(seconds, times)
  local missing = math.min(most_missing, math.floor(seconds / interval + 1e-9) - 1)
  for i = 1, missing do
    self:add(seconds - i * interval, times)
  end
end

--- Adds what a beam.core.counter took: its buckets are those of 3 digits, which this one has to have.
---@param taken table count, sum, least, most, and pairs of a bucket and how often
function Histogram:absorb(taken)
  local counts = self.counts
  for i = 1, #taken, 2 do
    local index = taken[i]
    counts[index] = (counts[index] or 0) + taken[i + 1]
    self.last = index > self.last and index or self.last
  end
  if taken.count > 0 then
    self.count, self.sum = self.count + taken.count, self.sum + taken.sum
    self.least, self.most = math.min(self.least, taken.least), math.max(self.most, taken.most)
  end
end

--- The seconds in the middle of a bucket of 3 digits.
---@param index integer
---@return number
function histogram.middle(index)
  local from, above = bounds_of(halves[3], index)
  return (from + above - 1) / 2000000
end

--- Adds all that another one of the same precision has.
---@param other beamlua.histogram
function Histogram:join(other)
  for index, times in pairs(other.counts) do
    self.counts[index] = (self.counts[index] or 0) + times
  end
  self.count, self.sum = self.count + other.count, self.sum + other.sum
  self.last = math.max(self.last, other.last)
  self.least, self.most = math.min(self.least, other.least), math.max(self.most, other.most)
end

--- A copy without some durations that were added. Its least and most are as exact as its buckets.
---@param durations number[]
---@return beamlua.histogram
function Histogram:without(durations)
  local made = histogram.new(self.half == halves[2] and 2 or 3)
  made.sum, made.least, made.most = self.sum, self.least, self.most
  for index, times in pairs(self.counts) do
    made.counts[index] = times
  end
  for _, seconds in ipairs(durations) do
    local index = index_of(self.half, math.floor(seconds * 1000000 + 0.5))
    made.counts[index] = made.counts[index] - 1
    made.sum = made.sum - seconds
  end
  for index, times in pairs(made.counts) do
    made.count = made.count + times
    made.last = times > 0 and index > made.last and index or made.last
  end
  local _, above = bounds_of(self.half, math.max(made.last, 0))
  made.most = math.min(made.most, (above - 1) / 1000000)
  return made
end

-- ---- Asking ----

--- The duration that `percent` of all did not exceed; nil where there are none.
---@param percent number 0 to 100
---@return number? seconds
function Histogram:percentile(percent)
  local rank = math.max(1, math.ceil(percent / 100 * self.count - 1e-9))
  if rank >= self.count or rank == 1 then
    return self.count > 0 and (rank >= self.count and self.most or self.least) or nil
  end
  local seen = 0
  for index = 0, self.last do
    seen = seen + (self.counts[index] or 0)
    if seen >= rank then
      local _, above = bounds_of(self.half, index)
      return math.max(self.least, math.min(self.most, (above - 1) / 1000000))
    end
  end
end

---@return number? seconds
function Histogram:mean()
  return self.count > 0 and self.sum / self.count or nil
end

--- For a picture: how many were in each of `parts` spans of equal length on a logarithmic scale, from the least to what 99.9 percent
--- did not exceed; the last one has all that was longer.
---@param parts integer
---@return { from: number, to: number, count: integer }[]
function Histogram:spans(parts)
  if self.count == 0 then
    return {}
  end
  local low = math.max(self.least, 1e-6)
  local high = math.max(self:percentile(99.9), low * 1.05)
  local step, spans = (high / low) ^ (1 / parts), {}
  for i = 1, parts do
    spans[i] = { from = low * step ^ (i - 1), to = low * step ^ i, count = 0 }
  end
  spans[parts].to = math.max(self.most, spans[parts].to)
  for index, times in pairs(self.counts) do
    local from, above = bounds_of(self.half, index)
    local middle = (from + above - 1) / 2000000
    local at = middle <= low and 1 or math.min(parts, 1 + math.floor(math.log(middle / low) / math.log(step)))
    spans[at].count = spans[at].count + times
  end
  return spans
end

return histogram
