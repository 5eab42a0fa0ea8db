-- Percentiles of lua/beamlua/load/histogram.lua beside the exact ones.
local histogram = require "beamlua.load.histogram"

local asked = { 0, 1, 25, 50, 75, 90, 99, 99.9, 99.99, 100 }

local function exact(sorted, percent)
  return sorted[math.max(1, math.ceil(percent / 100 * #sorted - 1e-9))]
end

-- Numbers that look as latencies do: most small, some a thousand times as large; the same on each Lua.
local function durations(count)
  local state = 4711
  local function random()
    state = (state * 16807) % 2147483647
    return state / 2147483647
  end
  local list = {}
  for i = 1, count do
    local scale = random() < 0.9 and 0.004 or random() < 0.9 and 0.08 or 20
    list[i] = 0.00002 - scale * math.log(random())
  end
  return list
end

local function filled(list, digits)
  local made = histogram.new(digits)
  for _, seconds in ipairs(list) do
    made:add(seconds)
  end
  table.sort(list)
  return made
end

describe("a histogram", function()
  for digits, bound in pairs { [2] = 1 / 128, [3] = 1 / 1024 } do
    it(("of %d digits is never below the exact percentile, and above it by less than its bound"):format(digits), function()
      assert.equal(bound, histogram.error(digits))
      local list = durations(50000)
      local made = filled(list, digits)
      assert.equal(50000, made.count)
      local largest = 0
      for _, percent in ipairs(asked) do
        local right, said = exact(list, percent), made:percentile(percent)
        assert.is_true(said >= right - 0.51e-6, ("p%s: %.7f below %.7f"):format(percent, said, right))
        assert.is_true(said <= right * (1 + bound) + 0.51e-6, ("p%s: %.7f above %.7f"):format(percent, said, right))
        largest = math.max(largest, said / right - 1)
      end
      assert.is_true(largest > bound / 20) -- the bound is not out of all proportion
    end)
  end

  it("has a bucket for each microsecond up to two milliseconds", function()
    for microseconds = 1, 2047, 7 do
      local made = histogram.new()
      made:add(microseconds / 1e6)
      made:add(1)
      assert.is_true(math.abs(made:percentile(50) * 1e6 - microseconds) <= 0.5 + 1e-6)
    end
  end)

  it("holds its bound at every doubling's edge", function()
    for doubling = 11, 36 do
      for _, beside in ipairs { -1, 0, 1 } do
        local seconds = (2 ^ doubling + beside) / 1e6
        local made = histogram.new()
        made:add(seconds)
        made:add(seconds * 3)
        local said = made:percentile(50)
        assert.is_true(said >= seconds - 0.51e-6 and said <= seconds * (1 + 1 / 1024) + 0.51e-6, ("%.6f for %.6f"):format(said, seconds))
      end
    end
  end)

  it("knows sum, mean, least and most exactly", function()
    local made = filled { 0.25, 0.5, 3 }
    assert.same({ 3, 3.75, 1.25, 0.25, 3 }, { made.count, made.sum, made:mean(), made.least, made.most })
    assert.same({ 0.25, 3 }, { made:percentile(0), made:percentile(100) })
  end)

  it("has no percentile when it is empty, and takes what is no duration", function()
    local made = histogram.new()
    assert.is_nil(made:percentile(50))
    assert.is_nil(made:mean())
    assert.same({}, made:spans(10))
    made:add(-0.001)
    made:add(1e9) -- thirty years: as a day
    assert.equal(2, made.count)
  end)

  it("is joined with another as if it had had all", function()
    local list = durations(3000)
    local one, other, whole = histogram.new(), histogram.new(), histogram.new()
    for i, seconds in ipairs(list) do
      (i % 3 == 0 and one or other):add(seconds)
      whole:add(seconds)
    end
    one:join(other)
    for _, percent in ipairs(asked) do
      assert.equal(whole:percentile(percent), one:percentile(percent))
    end
    assert.equal(whole.count, one.count)
  end)

  it("adds what a stall kept from being measured", function()
    local made = histogram.new()
    for _ = 1, 100 do
      made:add_corrected(0.001, 0.01)
    end
    assert.equal(100, made.count)
    made:add_corrected(1, 0.01) -- 0.99, 0.98 … 0.01 were not asked
    assert.equal(200, made.count)
    assert.is_true(math.abs(made:percentile(75) - 0.5) < 0.011, made:percentile(75))
    assert.equal(1, made:percentile(100))
  end)

  it("stays as small as it is, however many it takes", function()
    local made = filled(durations(2000))
    local function buckets()
      local count = 0
      for _ in pairs(made.counts) do
        count = count + 1
      end
      return count
    end
    local before = buckets()
    for _, seconds in ipairs(durations(2000)) do
      made:add(seconds, 1000)
    end
    assert.equal(before, buckets())
    assert.equal(2002000, made.count)
  end)

  it("is shown in spans that miss nobody", function()
    local made = filled(durations(5000))
    local spans, sum = made:spans(20), 0
    assert.equal(20, #spans)
    for i, span in ipairs(spans) do
      sum = sum + span.count
      assert.is_true(span.from < span.to)
      assert.is_true(i == 1 or math.abs(span.from - spans[i - 1].to) < 1e-9)
    end
    assert.equal(5000, sum)
    assert.equal(made.most, spans[20].to)
  end)
end)
