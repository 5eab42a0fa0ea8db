-- What a run came to, as one table: what --json prints, and what the terminal and the page are made of. Times are seconds.
local histogram = require "beamlua.load.histogram"
local json = require "beam.json"
local late = require("beamlua.load.tally").late

local report = {}

local percentiles = { { "p50", 50 }, { "p75", 75 }, { "p90", 90 }, { "p99", 99 }, { "p99_9", 99.9 } }

-- Microseconds are as fine as it gets.
local function rounded(number)
  return number and (number % 1 == 0 and number or math.floor(number * 1e6 + 0.5) / 1e6)
end

--- The figures of a histogram.
---@param of beamlua.histogram
---@return table
function report.figures(of)
  local figures = { count = of.count }
  if of.count > 0 then
    figures.mean, figures.min, figures.max = rounded(of:mean()), rounded(of.least), rounded(of.most)
    for _, row in ipairs(percentiles) do
      figures[row[1]] = rounded(of:percentile(row[2]))
    end
  end
  return figures
end

local function phases_of(tally)
  local list = {}
  for _, name in ipairs(tally.names) do
    if tally.phases[name].count > 0 then
      local figures = report.figures(tally.phases[name])
      figures.phase = name
      list[#list + 1] = figures
    end
  end
  return json.array(list)
end

local function errors_of(tally)
  local list = {}
  for i, sort in ipairs(tally:failure_list()) do
    list[i] = {
      kind = sort.kind,
      status = sort.status,
      count = sort.count,
      executed = sort.executed,
      message = sort.message,
      hint = sort.hint,
      exit_code = sort.code,
    }
  end
  return json.array(list)
end

local function spans_of(tally, ended)
  local list = tally.series:list(ended)
  for _, span in ipairs(list) do
    for name, value in pairs(span) do
      span[name] = rounded(value)
    end
  end
  return json.array(list)
end

local function histogram_of(tally)
  local list = tally.latency:spans(math.max(5, math.min(24, math.ceil(tally.ended / 10))))
  for _, span in ipairs(list) do
    span.from, span.to = rounded(span.from), rounded(span.to)
  end
  return json.array(list)
end

-- What an open model promises, and what it kept of that.
local function add_schedule(made, plan, outcome)
  local tally = outcome.tally
  made.planned = outcome.planned
  made.not_started = math.max(0, outcome.planned - tally.started)
  made.rate_planned = plan.rate
  made.late = { count = tally.late, threshold = late }
  made.lateness = report.figures(tally.lateness)
  made.service = report.figures(tally.service)
end

--- The report.
---@param plan table
---@param outcome table of beamlua/load/calls.lua
---@return table
function report.of(plan, outcome)
  local tally, seconds = outcome.tally, math.max(outcome.ended - outcome.began, 1e-6)
  local made = {
    beamlua = plan.beamlua,
    name = plan.name,
    what = outcome.what,
    when = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() - math.floor(seconds)),
    model = plan.rate and "open" or "closed",
    concurrency = plan.concurrency,
    seconds = rounded(seconds),
    started = tally.started,
    ended = tally.ended,
    failed = tally.failed,
    abandoned = outcome.abandoned,
    rate = rounded(tally.ended / math.max(outcome.asking or seconds, 1e-6)),
    bytes = tally.bytes,
    connections = tally.connections,
    lost = plan.realtime and tally.lost or nil,
    realtime = plan.realtime or nil,
    executed = tally.executed,
    latency = report.figures(tally.latency),
    latency_failed = tally.failed > 0 and report.figures(tally.failures) or nil,
    phases = phases_of(tally),
    errors = errors_of(tally),
    spans = spans_of(tally, outcome.ended),
    histogram = histogram_of(tally),
    percentile_error = histogram.error(),
    interrupted = plan.stopped,
  }
  if plan.rate then
    add_schedule(made, plan, outcome)
  end
  if tally.corrected then
    made.rate_expected = plan.expected_rate
    made.corrected = report.figures(tally.corrected)
  end
  return made
end

return report
