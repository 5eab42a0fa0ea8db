-- Figures of this process for a monitoring system: calls, attempts, connections, messages. Nothing is counted, and nothing costs anything,
-- before beam.metrics() has been called for the first time: only then two functions of the module are replaced by ones that count.
local metrics = {}

local bounds = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 } -- seconds

local sums = { "attempts", "reconnects", "sent", "received", "written", "expired", "dropped", "unknown", "app_pings" }
local sweep_after = 64 -- connections begun, until those that have ended are put together

local counting -- what has been counted, once there is anything

-- ---- Calls ----

local function add(list, key, amount)
  list[key] = (list[key] or 0) + amount
end

local function observe(seconds)
  local histogram = counting.durations
  histogram.count, histogram.sum = histogram.count + 1, histogram.sum + seconds
  for i, bound in ipairs(bounds) do
    if seconds <= bound then
      histogram[i] = histogram[i] + 1
    end
  end
end

local function finish_call(driver, begun, result, err, response, count)
  observe(driver.now() - begun)
  add(counting.calls, err and err.kind or "ok", 1)
  if response and response.status or err and err.status then
    add(counting.statuses, err and err.status or response.status, 1)
  end
  counting.attempts = counting.attempts + (count or 0)
  counting.retries = counting.retries + math.max(0, (count or 0) - 1)
  return result, err, response, count
end

local function count_calls()
  local attempts, driver = require "beam.http.attempts", require "beam.driver"
  local run = attempts.run
  function attempts.run(...)
    return finish_call(driver, driver.now(), run(...))
  end
end

-- ---- Connections ----

-- Those that have ended are added to what they were before.
local function sweep()
  local live = {}
  for _, conn in ipairs(counting.connections) do
    if conn.state == "closed" then
      local figures = conn:stats()
      for _, name in ipairs(sums) do
        add(counting.past, name, figures[name] or 0)
      end
    else
      live[#live + 1] = conn
    end
  end
  counting.connections, counting.begun = live, 0
end

local function count_connections()
  local realtime = require "beam.realtime"
  local start = realtime.start
  function realtime.start(...)
    local conn = start(...)
    table.insert(counting.connections, conn)
    counting.opened, counting.begun = counting.opened + 1, counting.begun + 1
    if counting.begun >= sweep_after then
      sweep()
    end
    return conn
  end
end

local function begin()
  counting = { calls = {}, statuses = {}, attempts = 0, retries = 0, connections = {}, opened = 0, begun = 0, past = {} }
  counting.durations = { count = 0, sum = 0 }
  for i = 1, #bounds do
    counting.durations[i] = 0
  end
  count_calls()
  count_connections()
end

local gauges = { "queued", "queued_bytes", "in_flight", "inbox", "waiting_requests" }

local function connections_now()
  local figures = { begun = counting.opened, states = {} }
  for _, name in ipairs(sums) do
    figures[name] = counting.past[name] or 0
  end
  for _, name in ipairs(gauges) do
    figures[name] = 0
  end
  for _, conn in ipairs(counting.connections) do
    local own = conn:stats()
    add(figures.states, conn.state, 1)
    for _, names in ipairs { sums, gauges } do
      for _, name in ipairs(names) do
        figures[name] = figures[name] + (own[name] or 0)
      end
    end
  end
  return figures
end

-- ---- Prometheus' text format ----

local function number(value)
  return value % 1 == 0 and ("%d"):format(value) or ("%.9g"):format(value)
end

local function family(lines, name, kind, help)
  lines[#lines + 1] = ("# HELP beam_%s %s\n# TYPE beam_%s %s"):format(name, help, name, kind)
end

local function single(lines, name, kind, help, value)
  family(lines, name, kind, help)
  lines[#lines + 1] = ("beam_%s %s"):format(name, number(value))
end

local function labelled(lines, name, kind, help, label, values)
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(one, other)
    return tostring(one) < tostring(other)
  end)
  family(lines, name, kind, help)
  for _, key in ipairs(keys) do
    lines[#lines + 1] = ('beam_%s{%s="%s"} %s'):format(name, label, key, number(values[key]))
  end
end

local function durations(lines, histogram)
  family(lines, "call_seconds", "histogram", "Seconds of a call, with all its attempts and waits.")
  for i, bound in ipairs(bounds) do
    lines[#lines + 1] = ('beam_call_seconds_bucket{le="%s"} %d'):format(bound, histogram[i])
  end
  lines[#lines + 1] = ('beam_call_seconds_bucket{le="+Inf"} %d'):format(histogram.count)
  lines[#lines + 1] = ("beam_call_seconds_sum %s\nbeam_call_seconds_count %d"):format(number(histogram.sum), histogram.count)
end

---@class beam.metrics
---@field calls table<string, integer> by their outcome: "ok", or the kind of the error
---@field statuses table<integer, integer> calls by the status of their last answer
---@field attempts integer
---@field retries integer
---@field durations table seconds of calls: count, sum, and for each bound in `bounds` how many took no longer
---@field bounds number[]
---@field connections table begun, states (how many there are in each), attempts, reconnects, sent, received, written, expired, dropped,
---unknown, app_pings, queued, queued_bytes, in_flight, inbox, waiting_requests
local Metrics = { __name = "beam.metrics" }
Metrics.__index = Metrics

function Metrics:__tostring()
  local lines, conns = {}, self.connections
  local outcomes = { written = conns.written, expired = conns.expired, dropped = conns.dropped, unknown = conns.unknown }
  labelled(lines, "calls_total", "counter", "Calls that have ended, by outcome.", "outcome", self.calls)
  labelled(lines, "call_statuses_total", "counter", "Calls by the status of their last answer.", "status", self.statuses)
  single(lines, "attempts_total", "counter", "Requests made for calls.", self.attempts)
  single(lines, "retries_total", "counter", "Requests beyond the first of each call.", self.retries)
  durations(lines, self.durations)
  labelled(lines, "connections", "gauge", "Realtime connections, by state.", "state", conns.states)
  single(lines, "connections_total", "counter", "Realtime connections begun.", conns.begun)
  single(lines, "connection_attempts_total", "counter", "Attempts to connect.", conns.attempts)
  single(lines, "reconnects_total", "counter", "Connections that came back.", conns.reconnects)
  labelled(lines, "messages_total", "counter", "Messages.", "way", { sent = conns.sent, received = conns.received })
  labelled(lines, "message_outcomes_total", "counter", "What became of messages that were sent.", "outcome", outcomes)
  single(lines, "queued_messages", "gauge", "Messages that wait to be sent.", conns.queued)
  single(lines, "queued_bytes", "gauge", "Their bytes.", conns.queued_bytes)
  single(lines, "in_flight_messages", "gauge", "Messages written that nothing has settled.", conns.in_flight)
  single(lines, "inbox_messages", "gauge", "Messages that the program has not taken.", conns.inbox)
  single(lines, "app_pings_total", "counter", "Pings of apps.", conns.app_pings)
  return table.concat(lines, "\n") .. "\n"
end

local function copy(list)
  local copied = {}
  for key, value in pairs(list) do
    copied[key] = value
  end
  return copied
end

--- The figures of this process since the first call of this function, which begins to count: a table, and by tostring the text that
--- Prometheus reads.
---@return beam.metrics
function metrics.snapshot()
  if not counting then
    begin()
  end
  sweep()
  return setmetatable({
    calls = copy(counting.calls),
    statuses = copy(counting.statuses),
    attempts = counting.attempts,
    retries = counting.retries,
    durations = copy(counting.durations),
    bounds = copy(bounds),
    connections = connections_now(),
  }, Metrics)
end

return metrics
