-- Figures of this process for a monitoring system: calls, attempts, connections, messages, and how long things took. Nothing is counted,
-- and nothing costs anything, before beam.metrics() has been called for the first time (observe/observers.lua).
local driver = require "beam.driver"
local buckets = require "beam.observe.buckets"
local errors = require "beam.error"
local observers = require "beam.observe.observers"
local task_state = require "beam.task.state"
local types = require "beam.base.types"

local metrics = {}

local sums = { "attempts", "reconnects", "sent", "received", "written", "expired", "dropped", "unknown", "app_pings" }
local gauges = { "queued", "queued_bytes", "in_flight", "inbox", "waiting_requests" }
local sweep_after = 64 -- connections begun, until those that have ended are put together

local known = { dict = "string" }

local counting -- what has been counted, once there is anything

local function add(list, key, amount)
  list[key] = (list[key] or 0) + amount
end

-- ---- Calls ----

local parts = { "queued", "dns", "tcp", "tls", "wait", "body" } -- of an exchange

-- What did not happen, as a TLS handshake over a connection that was open, took no time and does not count.
local function count_times(times)
  for _, part in ipairs(times and parts or {}) do
    local seconds = times[part]
    if seconds and seconds > 0 then
      buckets.add_to(counting.phases, part, seconds)
    end
  end
end

local function finish_call(begun, result, err, response, count)
  buckets.add(counting.durations, driver.now() - begun)
  add(counting.calls, err and err.kind or "ok", 1)
  if response and response.status or err and err.status then
    add(counting.statuses, err and err.status or response.status, 1)
  end
  counting.attempts = counting.attempts + (count or 0)
  counting.retries = counting.retries + math.max(0, (count or 0) - 1)
  return result, err, response, count
end

local function tried(result, err, response)
  count_times(response and response.times)
  return result, err, response
end

local function pass(...)
  return ...
end

-- A stream has ended when its last item has been read, or somebody has enough of it.
local function count_stream(stream, ...)
  if stream then
    observers.to_end_of(stream, function(_, err)
      add(counting.streams, err and err.kind or "ok", 1)
    end)
  end
  return stream, ...
end

local function count_call(run, settings, target, options, try, request, name)
  local function timed_try(...)
    return tried(try(...))
  end
  local done = name == "beam.stream" and count_stream or pass
  return done(finish_call(driver.now(), run(settings, target, options, timed_try, request, name)))
end

-- ---- Connections ----

local weak = { __mode = "v" } -- a connection that was forgotten ends, although it is counted

-- Those that have ended are added to what they were before; those that were forgotten as they were when somebody looked at them last.
local function sweep()
  local live = {}
  for _, entry in ipairs(counting.connections) do
    local conn = entry.ref.conn
    if conn and conn.state ~= "closed" then
      live[#live + 1] = entry
    else
      local figures = conn and conn:stats() or entry.seen
      for _, name in ipairs(sums) do
        add(counting.past, name, figures[name] or 0)
      end
    end
  end
  counting.connections, counting.begun = live, 0
end

local function count_connection(conn)
  table.insert(counting.connections, { ref = setmetatable({ conn = conn }, weak), seen = {} })
  counting.opened, counting.begun = counting.opened + 1, counting.begun + 1
  if counting.begun >= sweep_after then
    sweep()
  end
end

local opening = { dns = true, tcp = true, proxy = true, tls = true, queued = true }

-- A phase of an attempt has ended: attempts that fail have those that they came to.
local function count_phase(conn, before, phase)
  local now = driver.now()
  if opening[before] and conn.phase_began then
    buckets.add_to(counting.connection_phases, before, now - conn.phase_began)
  end
  if phase == "open" then
    buckets.add(counting.openings, now - conn.attempt_began)
  end
  conn.phase_began = now
end

-- ---- Messages ----

local function answered(begun, answer, err, kind)
  if err then
    add(counting.requests, err.kind or "other", 1)
  else
    add(counting.requests, "ok", 1)
    buckets.add(counting.round_trips, driver.now() - begun)
  end
  return answer, err, kind
end

local function count_request(run, ...)
  return answered(driver.now(), run(...))
end

-- ---- Tasks ----

-- One that somebody stopped watching has no outcome.
local function count_task(events)
  observers.to_end_of(events, function(self, err)
    local status = self.seen and self.seen.status
    if err or status and task_state.is_final(status) then
      add(counting.tasks, err and err.kind or status, 1)
    end
  end)
end

-- ---- Counting ----

local function begin()
  counting = {
    calls = {},
    statuses = {},
    attempts = 0,
    retries = 0,
    durations = buckets.new(),
    phases = {},
    streams = {},
    connections = {},
    opened = 0,
    begun = 0,
    past = {},
    openings = buckets.new(),
    connection_phases = {},
    requests = {},
    round_trips = buckets.new(),
    queue_waits = buckets.new(),
    tasks = {},
  }
  observers.around("call", count_call)
  observers.to("connection", count_connection)
  observers.to("phase", count_phase)
  observers.around("request", count_request)
  observers.to("waited", function(_, seconds)
    buckets.add(counting.queue_waits, seconds)
  end)
  observers.to("watched", count_task)
end

local function connections_now()
  local figures = { begun = counting.opened, states = {} }
  for _, name in ipairs(sums) do
    figures[name] = counting.past[name] or 0
  end
  for _, name in ipairs(gauges) do
    figures[name] = 0
  end
  for _, entry in ipairs(counting.connections) do
    local conn = entry.ref.conn
    local own = conn and conn:stats() or entry.seen
    entry.seen = own
    add(figures.states, conn and conn.state or "closed", 1)
    for _, names in ipairs { sums, gauges } do
      for _, name in ipairs(names) do
        figures[name] = figures[name] + (own[name] or 0)
      end
    end
  end
  return figures
end

---@class beam.metrics
---@field calls table<string, integer> by their outcome: "ok", or the kind of the error
---@field statuses table<integer, integer> calls by the status of their last answer
---@field attempts integer
---@field retries integer
---@field durations beam.histogram seconds of calls, with all attempts and waits
---@field phases table<string, beam.histogram> seconds of attempts at calls, by part: queued, dns, tcp, tls, wait (for the first byte), body
---@field streams table<string, integer> streams that had begun and have ended, by their outcome
---@field bounds number[] of all histograms
---@field connections table begun, states (how many there are in each), attempts, reconnects, sent, received, written, expired, dropped,
---unknown, app_pings, queued, queued_bytes, in_flight, inbox, waiting_requests
---@field openings beam.histogram seconds from the beginning of an attempt to connect until it was open
---@field connection_phases table<string, beam.histogram> of attempts to connect: dns, tcp, proxy, tls, queued (until Beam has a container)
---@field requests table<string, integer> conn:request by outcome: "ok", or the kind of the error
---@field round_trips beam.histogram seconds from a request to its answer
---@field queue_waits beam.histogram seconds that messages waited to be sent, of those that did
---@field tasks table<string, integer> tasks that were watched, by their last state; or the kind of the error
local Metrics = { __name = "beam.metrics" }
Metrics.__index = Metrics

function Metrics:__tostring()
  if self.dict then
    return require("beam.observe.workers").text(self.dict)
  end
  return require("beam.observe.prometheus").text { { figures = self } }
end

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local copied = {}
  for key, item in pairs(value) do
    copied[key] = copy(item)
  end
  return copied
end

local copied = { "calls", "statuses", "attempts", "retries", "durations", "phases", "streams", "openings", "connection_phases" }
for _, name in ipairs { "requests", "round_trips", "queue_waits", "tasks" } do
  copied[#copied + 1] = name
end

--- The figures of this process since they were asked for first.
---@return beam.metrics
local function snapshot()
  if not counting then
    begin()
  end
  sweep()
  local figures = { bounds = copy(buckets.bounds), connections = connections_now() }
  for _, name in ipairs(copied) do
    figures[name] = copy(counting[name])
  end
  return setmetatable(figures, Metrics)
end

--- The figures of this process since the first call of this function, which begins to count: a table, and by tostring the text that
--- Prometheus reads. Inside nginx { dict = "name" } of a lua_shared_dict makes that text the one of all workers, each with a label.
---@param options { dict: string? }?
---@return beam.metrics
function metrics.snapshot(options)
  local dict = options and options.dict
  if options then
    errors.check_options(options, known, "beam.metrics")
    types.check(options, known, "beam.metrics")
  end
  local figures = snapshot()
  if dict then
    require("beam.observe.workers").publish(dict, snapshot)
    figures.dict = dict
  end
  return figures
end

return metrics
