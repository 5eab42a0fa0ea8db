-- What beamlua load adds up and shows, from calls that were never made: schedules, spans of time, reports, the page.
local histogram = require "beamlua.load.histogram"
local page = require "beamlua.load.page"
local report_of = require("beamlua.load.report").of
local schedule = require "beamlua.load.schedule"
local series = require "beamlua.load.series"
local tally_of = require "beamlua.load.tally"
local text = require "beamlua.load.text"
local units = require "beamlua.load.units"

local function plain(_, said)
  return said
end

describe("a schedule", function()
  it("of a closed model begins one when there is room, until the end or the count", function()
    local made = schedule.new({ concurrency = 2, duration = 1, count = 3 }, 100)
    assert.equal(100.5, made:due(100.5, 1))
    assert.is_nil(made:due(100.5, 2))
    assert.is_nil(made:pause(100.5, 2))
    assert.equal(100.6, made:due(100.6, 0))
    assert.equal(100.7, made:due(100.7, 0))
    assert.is_nil(made:due(100.8, 0))
    assert.is_true(made:is_over(100.8))
    assert.is_nil(schedule.new({ concurrency = 2, duration = 1 }, 100):due(101, 0))
  end)

  it("of an open model plans each, whatever became of those before", function()
    local made = schedule.new({ rate = 10, concurrency = 3, duration = 1 }, 100)
    assert.equal(100, made:due(100, 0))
    assert.is_nil(made:due(100.05, 0))
    assert.is_true(math.abs(made:pause(100.05, 0) - 0.05) < 1e-9)
    assert.is_true(math.abs(made:due(100.4, 0) - 100.1) < 1e-9) -- late, and counted from then
    assert.is_true(math.abs(made:due(100.4, 1) - 100.2) < 1e-9)
    assert.is_nil(made:due(100.4, 3)) -- no room; it goes on waiting in no memory
    assert.is_nil(made:pause(100.4, 3))
    assert.equal(10, made:planned(101.5))
    assert.is_nil(made:due(101.5, 0))
    assert.is_true(made:is_over(101.5))
    local begun = 0
    made = schedule.new({ rate = 1000, concurrency = 1e9, count = 70 }, 0)
    while made:due(5, 0) do
      begun = begun + 1
    end
    assert.same({ 70, 70 }, { begun, made:planned(5) })
  end)
end)

describe("what happened when", function()
  it("is kept in no more than 240 spans, however long it lasts, and misses nobody", function()
    local made = series.new(50)
    for i = 0, 99999 do
      made:add(50 + i * 0.01, 0.001 * (1 + i % 7), i % 10 ~= 0)
      made:note(50 + i * 0.01, i % 13)
    end
    local list, calls, failed, seconds = made:list(1050), 0, 0, 0
    assert.is_true(#list <= 240 and #list > 60, #list)
    for _, span in ipairs(list) do
      calls, failed, seconds = calls + span.calls, failed + span.failed, seconds + span.seconds
      assert.is_true(math.abs(span.rate - 100) < 2, span.rate)
    end
    assert.same({ 100000, 10000 }, { calls, failed })
    assert.is_true(math.abs(seconds - 1000) < 1e-6)
    assert.equal(12, list[1].in_flight)
  end)
end)

-- 1000 calls in 10 seconds, of which one in a hundred fails, with what a server may say against us.
local function run(plan, cruel)
  local tally = tally_of.new(0, { "queued", "tcp", "wait", "total" }, plan.rate ~= nil, plan.expected_rate and 1 / plan.expected_rate)
  for i = 1, 1000 do
    local at = i / 100
    tally:begin(at, at + 0.001, 2)
    local call = { planned = at, began = at + 0.001, ended = at + 0.01 + i / 1e5, bytes = 10, task_id = "task-" .. i }
    call.queued, call.tcp, call.wait, call.total = 0.001, i == 1 and 0.002 or 0, 0.008, 0.009 + i / 1e5
    tally:finish(call, i % 100 == 0 and { kind = "http", status = 500, executed = "yes", message = cruel or "it failed" } or nil)
  end
  plan.concurrency, plan.name, plan.beamlua = 2, "multiply", "1"
  return report_of(plan, { tally = tally, began = 0, ended = 10.03, planned = 1000, abandoned = 1, what = "POST http://127.0.0.1/" })
end

describe("a report", function()
  it("has all of it", function()
    local report = run { rate = 100 }
    assert.same({ "open", 1000, 10, 1000, 0, 1 }, {
      report.model,
      report.ended,
      report.failed,
      report.planned,
      report.not_started,
      report.connections,
    })
    assert.same({ yes = 1000, no = 0, unknown = 0 }, report.executed)
    assert.is_true(math.abs(report.latency.p50 - 0.015) < 0.0001, report.latency.p50)
    assert.is_true(math.abs(report.service.p50 - 0.014) < 0.0001)
    assert.is_true(math.abs(report.lateness.max - 0.001) < 1e-5)
    assert.equal(histogram.error(), report.percentile_error)
    local counts = {}
    for _, of in ipairs(report.phases) do
      counts[of.phase] = of.count
    end
    assert.same({ queued = 1000, tcp = 1, wait = 1000, total = 1000 }, counts)
    assert.same({ "http", 500, 10, 35 }, {
      report.errors[1].kind,
      report.errors[1].status,
      report.errors[1].count,
      report.errors[1].exit_code,
    })
  end)

  it("keeps the slowest, to be asked about", function()
    local tally = tally_of.new(0, {}, false)
    for i = 1, 5000 do
      tally:finish({ planned = 0, began = 0, ended = ((i * 7919) % 5000) / 1000, task_id = i })
    end
    local least = math.huge
    for _, one in ipairs(tally.slow) do
      least = math.min(least, one.seconds)
    end
    assert.equal(512, #tally.slow)
    assert.equal((5000 - 512) / 1000, least)
  end)

  it("has so many sorts of failures and no more", function()
    local tally = tally_of.new(0, {}, false)
    for status = 400, 599 do
      tally:finish({ planned = 0, began = 0, ended = 1 }, { kind = "http", status = status, message = "x", executed = "no" })
    end
    assert.is_true(#tally:failure_list() <= 51)
    assert.same({ 200, 200 }, { tally.failed, tally.executed.no })
  end)

  it("says in the terminal what its percentiles are worth", function()
    local open, closed, corrected = run { rate = 100 }, run {}, run { expected_rate = 50 }
    assert.truthy(text.of(open, 80, plain):find("from the planned time", 1, true))
    assert.truthy(text.of(closed, 80, plain):find("coordinated omission). --rate or --expected-rate", 1, true))
    local said = text.of(corrected, 80, plain)
    assert.truthy(said:find "\n  corrected  " and said:find("Corrected as if 50.0 calls a second had been due", 1, true))
    for line in said:gmatch "[^\n]+" do
      assert.is_true(#line < 250, line)
    end
  end)

  it("is a page on which nothing that a server says is markup", function()
    local cruel = [[</td><script>alert("1")</script>&amp;' onload=x]]
    local made = page.text(run({ rate = 100 }, cruel))
    assert.is_nil(made:find("<script", 1, true))
    assert.truthy(made:find("&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)", 1, true))
    assert.is_nil(made:find "nan[^%a]" or made:find "%-?inf[^%a]")
    assert.truthy(made:find("class=\"planned\"", 1, true))
  end)

  it("is a page also where nothing, or one thing, happened", function()
    for calls = 0, 1 do
      local tally = tally_of.new(0, { "wait" }, true)
      for _ = 1, calls do
        tally:begin(0, 0, 1)
        tally:finish { planned = 0, began = 0, ended = 0.5 }
      end
      local plan = { rate = 1, concurrency = 1, beamlua = "1" }
      local report = report_of(plan, { tally = tally, began = 0, ended = 1, planned = 1, abandoned = 0, what = "POST x" })
      local made = page.text(report)
      assert.is_nil(made:find "nan[^%a]" or made:find "%-?inf[^%a]", made)
      assert.truthy(text.of(report, 80, plain):find "calls +%d")
    end
  end)
end)

describe("numbers", function()
  it("are as people read them", function()
    local said = {}
    for _, seconds in ipairs { 0.0000123, 0.00099949, 0.001, 0.0123456, 0.25, 0.9999, 1.5, 12.34, 100 } do
      said[#said + 1] = units.time(seconds)
    end
    assert.same({ "12 µs", "999 µs", "1.00 ms", "12.3 ms", "250 ms", "1.00 s", "1.50 s", "12.3 s", "100 s" }, said)
    assert.same({ "0", "999", "1,000", "1,234,567" }, { units.count(0), units.count(999), units.count(1000), units.count(1234567) })
    assert.same({ "0.0 %", "0.010 %", "50.0 %" }, { units.share(0, 0), units.share(1, 10000), units.share(1, 2) })
  end)
end)
