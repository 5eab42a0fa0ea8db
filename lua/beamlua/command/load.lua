-- beamlua load NAME [INPUT], beamlua load SCRIPT.lua: many calls, and how long they took. What is done is in beamlua/load/:
--
--   plan.lua      what is to be done        script.lua    a script's hooks
--   schedule.lua  when calls begin          caller.lua    one call           calls.lua   runs them
--   tally.lua     what became of them       histogram.lua, series.lua        starts.lua  cold and warm
--   report.lua    all of it as a table      text.lua, page.lua               live.lua    the line meanwhile
local errors = require "beam.error"
local live = require "beamlua.load.live"
local on_signal = require("beam.driver.on_signal").on_signal
local output = require "beamlua.cli.output"
local plan_of = require("beamlua.load.plan").of
local report_of = require("beamlua.load.report").of
local starts_of = require("beamlua.load.starts").of
local terminal = require "beamlua.cli.terminal"
local whereabouts = require "beamlua.cli.errors.whereabouts"
local write_file = require "beam.base.write_file"

local signals = { INT = 130, TERM = 143 }

-- The first signal ends the run, with its report; the second one is what it always is.
local function end_on_signal(plan)
  local function stop(name)
    plan.stopped = name
    for signal in pairs(signals) do
      on_signal(signal)
    end
    if plan.changed then
      plan.changed:wake()
    end
  end
  for signal in pairs(signals) do
    on_signal(signal, stop)
  end
end

local function release_signals()
  for signal in pairs(signals) do
    on_signal(signal)
  end
end

-- ---- What is said at the end ----

local function write_page(path, report)
  local ok, problem = write_file(path, require("beamlua.load.page").text(report))
  if not ok then
    return nil, errors.new { kind = "invalid", message = "the page cannot be written: " .. problem }
  end
  return true
end

local function tell(context, report)
  if context.options.html then
    local ok, err = write_page(context.options.html, report)
    if not ok then
      return nil, err
    end
  end
  if context.options.json then
    return output.json(report)
  end
  output.write(require("beamlua.load.text").of(report, terminal.columns(1), terminal.painter(1)))
  return true
end

local function code_of(plan, tally)
  local first = tally.first_failure
  return plan.stopped and signals[plan.stopped:gsub("^SIG", "")] or first and first.code or 0
end

-- What was meant by a name that Beam does not know.
local function explain(plan, report)
  for _, sort in ipairs(report.errors) do
    local err = { executed = "no", status = sort.status, message = sort.message }
    whereabouts.explain(plan.client, plan.name, plan.realtime and "asgi" or "endpoint", err)
    if err.hint then
      sort.hint, sort.message = err.hint, ("%s (%s)"):format(sort.message, err.hint)
    end
  end
end

-- ---- The whole ----

local function run(context, plan)
  local done
  local function begun(...)
    end_on_signal(plan)
    done = live.start(plan, ...)
  end
  local outcome, err = require(plan.realtime and "beamlua.load.talks" or "beamlua.load.calls").run(plan, begun)
  release_signals()
  if done then
    done()
  end
  if not outcome then
    return nil, err
  end
  local report = report_of(plan, outcome)
  if not plan.stopped then
    report.starts = starts_of(plan.client, outcome.tally, plan.containers)
    explain(plan, report)
  end
  if plan.hooks.done then
    plan.hooks.done(report)
  end
  local ok, problem = tell(context, report)
  return ok and code_of(plan, outcome.tally), problem
end

return function(context)
  local plan, err = plan_of(context)
  if not plan then
    return nil, err
  end
  return run(context, plan)
end
