-- How it goes, on a line of stderr that is written over; nothing where no person looks on.
local driver = require "beam.driver"
local terminal = require "beamlua.cli.terminal"
local units = require "beamlua.load.units"

local live = {}

local every = 0.5 -- seconds

local function line_of(self, now)
  local tally, seconds = self.tally, math.max(now - self.began, 1e-3)
  local of = self.plan.duration and ("/%s"):format(units.time(self.plan.duration)) or ""
  local ended = self.plan.count and ("%s/%s"):format(units.count(tally.ended), units.count(self.plan.count)) or units.count(tally.ended)
  local behind = self.schedule and self.plan.rate and self.schedule:planned(now) - tally.started or 0
  return ("%.0f s%s  %s  %s/s  p50 %s  p99 %s  max %s  under way %d%s%s"):format(
    seconds,
    of,
    ended,
    units.rate(tally.ended / seconds),
    units.time(tally.latency:percentile(50)),
    units.time(tally.latency:percentile(99)),
    units.time(tally.latency:percentile(100)),
    self.in_flight(),
    behind > 1 and ("  behind %s"):format(units.count(behind)) or "",
    tally.failed > 0 and ("  failed %s"):format(units.count(tally.failed)) or ""
  )
end

local function show_for_ever(self)
  while not self.over do
    driver.sleep(every)
    if not self.over then
      local text = line_of(self, driver.now())
      local most = terminal.columns(2) - 1
      local cut = utf8.len(text) and utf8.len(text) > most and text:sub(1, most) or text
      io.stderr:write("\r", cut, "\27[K")
      io.stderr:flush()
    end
  end
end

--- Begins to show.
---@param plan table
---@param tally beamlua.tally
---@param schedule table?
---@param in_flight fun(): integer
---@return fun() done the line is gone
function live.start(plan, tally, schedule, in_flight)
  if not terminal.is(2) or os.getenv "TERM" == "dumb" then
    return function() end
  end
  local self = { plan = plan, tally = tally, schedule = schedule, in_flight = in_flight, began = driver.now(), over = false }
  driver.spawn(show_for_ever, self)
  return function()
    if not self.over then
      self.over = true
      io.stderr:write "\r\27[K"
    end
  end
end

return live
