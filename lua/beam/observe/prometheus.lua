-- Figures in Prometheus' text format (version 0.0.4): of this process, or of several, each with a label that tells them apart.
local secrets = require "beam.settings.secrets"

local prometheus = {}

local function number(value)
  return value % 1 == 0 and ("%d"):format(value) or (("%.9g"):format(value):gsub(",", ".")) -- some locales have a comma
end

local escapes = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function label(name, value)
  return ('%s="%s"'):format(name, (secrets.hide(tostring(value)):gsub('[\\"\n]', escapes)))
end

-- { "a=\"1\"", … } as it stands behind a name.
local function labels(...)
  local list = {}
  for i = 1, select("#", ...) do
    local one = (select(i, ...))
    if one then
      list[#list + 1] = one
    end
  end
  return list[1] and "{" .. table.concat(list, ",") .. "}" or ""
end

local function sorted_keys(values)
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(one, other)
    return tostring(one) < tostring(other)
  end)
  return keys
end

-- ---- One family: its head, then the samples of each process ----

local Text = {}
Text.__index = Text

function Text:line(format, ...)
  self[#self + 1] = format:format(...)
end

function Text:head(name, kind, help)
  self:line("# HELP beam_%s %s", name, help)
  self:line("# TYPE beam_%s %s", name, kind)
end

-- of(figures) gives a number.
function Text:single(name, kind, help, of)
  self:head(name, kind, help)
  for _, process in ipairs(self.processes) do
    self:line("beam_%s%s %s", name, labels(process.label), number(of(process.figures)))
  end
end

-- of(figures) gives numbers by what the label says.
function Text:labelled(name, kind, help, by, of)
  self:head(name, kind, help)
  for _, process in ipairs(self.processes) do
    local values = of(process.figures)
    for _, key in ipairs(sorted_keys(values)) do
      self:line("beam_%s%s %s", name, labels(process.label, label(by, key)), number(values[key]))
    end
  end
end

local function histogram(self, name, bounds, one, ...)
  local first, second = ...
  for i, bound in ipairs(bounds) do
    self:line("beam_%s_bucket%s %d", name, labels(first, second, label("le", number(bound))), one[i])
  end
  self:line("beam_%s_bucket%s %d", name, labels(first, second, label("le", "+Inf")), one.count)
  self:line("beam_%s_sum%s %s", name, labels(first, second), number(one.sum))
  self:line("beam_%s_count%s %d", name, labels(first, second), one.count)
end

-- of(figures) gives a histogram.
function Text:histogram(name, help, of)
  self:head(name, "histogram", help)
  for _, process in ipairs(self.processes) do
    histogram(self, name, process.figures.bounds, of(process.figures), process.label)
  end
end

-- of(figures) gives histograms by what the label says.
function Text:histograms(name, help, by, of)
  self:head(name, "histogram", help)
  for _, process in ipairs(self.processes) do
    local all = of(process.figures)
    for _, key in ipairs(sorted_keys(all)) do
      histogram(self, name, process.figures.bounds, all[key], process.label, label(by, key))
    end
  end
end

-- ---- All of them ----

local function field(name)
  return function(figures)
    return figures[name]
  end
end

local function of_connections(...)
  local names = { ... }
  return function(figures)
    local own = figures.connections
    if not names[2] then
      return own[names[1]]
    end
    local values = {}
    for _, name in ipairs(names) do
      values[name] = own[name]
    end
    return values
  end
end

local function calls(text)
  text:labelled("calls_total", "counter", "Calls that have ended, by outcome.", "outcome", field "calls")
  text:labelled("call_statuses_total", "counter", "Calls by the status of their last answer.", "status", field "statuses")
  text:single("attempts_total", "counter", "Requests made for calls.", field "attempts")
  text:single("retries_total", "counter", "Requests beyond the first of each call.", field "retries")
  text:histogram("call_seconds", "Seconds of a call, with all its attempts and waits.", field "durations")
  text:histograms("call_phase_seconds", "Seconds of the parts of attempts at calls.", "phase", field "phases")
  text:labelled("streams_total", "counter", "Streams that had begun and have ended, by outcome.", "outcome", field "streams")
  text:labelled("tasks_total", "counter", "Tasks that were watched to their end, by their last state.", "status", field "tasks")
end

local function connections(text)
  local of = of_connections
  text:labelled("connections", "gauge", "Realtime connections, by state.", "state", of "states")
  text:single("connections_total", "counter", "Realtime connections begun.", of "begun")
  text:single("connection_attempts_total", "counter", "Attempts to connect.", of "attempts")
  text:single("reconnects_total", "counter", "Connections that came back.", of "reconnects")
  text:histogram("connection_opening_seconds", "Seconds from the beginning of an attempt to connect until it was open.", field "openings")
  text:histograms("connection_phase_seconds", "Seconds of the parts of attempts to connect.", "phase", field "connection_phases")
end

local function messages(text)
  local of = of_connections
  text:labelled("messages_total", "counter", "Messages.", "way", of("sent", "received"))
  local outcomes = of("written", "expired", "dropped", "unknown")
  text:labelled("message_outcomes_total", "counter", "What became of messages that were sent.", "outcome", outcomes)
  text:single("queued_messages", "gauge", "Messages that wait to be sent.", of "queued")
  text:single("queued_bytes", "gauge", "Their bytes.", of "queued_bytes")
  text:single("in_flight_messages", "gauge", "Messages written that nothing has settled.", of "in_flight")
  text:single("inbox_messages", "gauge", "Messages that the program has not taken.", of "inbox")
  text:single("waiting_requests", "gauge", "Requests that wait for their answer.", of "waiting_requests")
  text:single("app_pings_total", "counter", "Pings of apps.", of "app_pings")
  text:labelled("requests_total", "counter", "Requests over connections that have ended, by outcome.", "outcome", field "requests")
  text:histogram("request_seconds", "Seconds from a request over a connection to its answer.", field "round_trips")
  text:histogram("queue_seconds", "Seconds that messages waited to be sent, of those that did.", field "queue_waits")
end

--- What a server that is asked for them answers as its content type.
prometheus.content_type = "text/plain; version=0.0.4; charset=utf-8"

---@param processes { label: string?, figures: beam.metrics }[] label: as prometheus.label makes it
---@return string
function prometheus.text(processes)
  local text = setmetatable({ processes = processes }, Text)
  calls(text)
  connections(text)
  messages(text)
  return table.concat(text, "\n") .. "\n"
end

prometheus.label = label

return prometheus
