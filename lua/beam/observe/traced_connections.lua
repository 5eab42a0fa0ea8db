-- The spans of a realtime connection: one from its beginning until it is open, one from each loss until it is open again, and below them
-- one of each attempt. Its requests are traces of their own, with a link to it: it may live for days.
local context = require "beam.observe.trace_context"
local driver = require "beam.driver"
local span = require "beam.observe.span"
local traced_calls = require "beam.observe.traced_calls"
local config = require "beam.settings.config"

local traced = {}

---@class beam.connection_trace
---@field settings beam.settings
---@field target beam.target what it was opened with
---@field first beam.live_span that of the first opening
---@field opening beam.live_span|false
---@field tries integer of this opening
---@field attempt beam.live_span|false
local traces = setmetatable({}, { __mode = "k" }) -- by connection

local function begin_opening(trace, name, settings)
  local target = trace.target
  trace.tries = 0
  trace.opening = span.begin(settings, target.name and name .. " " .. target.name or name, "internal")
  traced_calls.set_target(trace.opening, target)
  return trace.opening
end

local function fail(live, err)
  if err then
    live:fail(err.status and tostring(err.status) or err.code and tostring(err.code) or err.kind, err.message)
  end
end

-- ---- What is told (observe/observers.lua) ----

function traced.connection(conn, settings, options)
  if not settings.on_span then
    return
  end
  local target = { name = options.name or options[1], version = options.version, id = options.id, kind = "asgi" }
  if type(target.name) == "string" and target.name:find "[/:]" then
    target.name = target.name:match "^([^/:]+)/[^/]+$" -- with a version; a URL has no name
  end
  local trace = { settings = setmetatable({ traceparent = false }, { __index = settings }), target = target, attempt = false }
  trace.first = begin_opening(trace, "beam.realtime", config.override(settings, options))
  traces[conn] = trace
end

--- An attempt is about to begin: what is sent says which trace it belongs to.
function traced.attempt(conn, core)
  local trace = traces[conn]
  if not trace or not trace.opening then
    return
  end
  local live = trace.opening:child("connect", "client")
  live:set("http.request.method", "GET")
  live:set("http.request.resend_count", trace.tries > 0 and trace.tries or nil)
  traced_calls.set_server(live, core.url)
  core.headers = context.put(core.headers, live:traceparent(), live.span.tracestate)
  trace.attempt, trace.tries, trace.began = live, trace.tries + 1, driver.now()
end

local timed = { dns = true, tcp = true, proxy = true, tls = true, queued = true }

local function end_attempt(trace, err)
  local live = trace.attempt
  if live then
    fail(live, err)
    live:set("http.response.status_code", not err and 101 or err.status)
    live:finish(true)
    trace.attempt = false
  end
end

local function end_opening(trace, err)
  if trace.opening then
    trace.opening:set("beam.attempts", trace.tries)
    fail(trace.opening, err)
    trace.opening:finish(true)
    trace.opening = false
  end
end

function traced.phase(conn, before, phase)
  local trace = traces[conn]
  if not trace then
    return
  elseif trace.attempt and timed[before] then
    trace.attempt:set("beam.seconds." .. before, driver.now() - trace.began)
  end
  trace.began = driver.now()
  if phase == "open" then
    end_attempt(trace)
    end_opening(trace)
  elseif phase == "waiting" then
    end_attempt(trace, conn.last_error)
    if not trace.opening then
      local live = begin_opening(trace, "beam.reconnect", trace.settings)
      live:link(trace.first)
      live:set("beam.loss", conn.last_error and conn.last_error.message)
    end
  elseif phase == "closed" then
    end_attempt(trace, conn.err)
    end_opening(trace, conn.err)
  end
end

-- ---- Requests ----

local function end_request(live, answer, err, kind)
  if err then
    live:set("beam.executed", err.executed)
    fail(live, err)
  end
  live:finish()
  return answer, err, kind
end

--- Around conn:request.
function traced.request(run, conn, message, options)
  local trace = traces[conn]
  if not trace then
    return run(conn, message, options)
  end
  local settings = trace.settings
  if options and options.traceparent then
    settings = setmetatable({ traceparent = options.traceparent, tracestate = options.tracestate }, { __index = settings })
  end
  local name = trace.target.name
  local live = span.begin(settings, name and "beam.request " .. name or "beam.request", "client")
  live:link(trace.first)
  traced_calls.set_target(live, trace.target)
  traced_calls.set_server(live, conn.url)
  return end_request(live, run(conn, message, options))
end

return traced
