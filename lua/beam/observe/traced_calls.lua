-- The spans of what goes over HTTP: one of the whole, with all its waits, and one below it of each attempt, whose traceparent is sent
-- along.
-- Attributes have the names that OpenTelemetry gave them, and "beam." before them where it has none.
local context = require "beam.observe.trace_context"
local observers = require "beam.observe.observers"
local span = require "beam.observe.span"

local traced = {}

local base_of = setmetatable({}, { __mode = "k" }) -- what a request's headers were before ours came to them; one may send many (beam.map)

local function base_headers(request)
  if base_of[request] == nil then
    base_of[request] = request.headers or false
  end
  return base_of[request] or nil
end

local default_ports = { http = 80, https = 443, ws = 80, wss = 443 }

--- Where something is sent to.
---@param live beam.live_span
---@param url string
function traced.set_server(live, url)
  if not live.sampled then
    return
  end
  local scheme, authority = url:match "^([a-z]+)://([^/?#]+)"
  local host, port = (authority or ""):match "^(.-):?(%d*)$"
  live:set("url.full", (url:gsub("[?#].*$", ""))) -- a query may have a token in it
  live:set("server.address", host and host:gsub("^%[(.*)%]$", "%1"))
  live:set("server.port", tonumber(port) or default_ports[scheme])
end

--- Which deployment it is for.
---@param live beam.live_span
---@param target beam.target
function traced.set_target(live, target)
  live:set("beam.deployment.name", target.name)
  live:set("beam.deployment.version", target.version and tostring(target.version))
  live:set("beam.deployment.id", target.id)
  live:set("beam.deployment.kind", target.kind)
end

local function set_error(live, err)
  live:fail(err.status and tostring(err.status) or err.kind, err.message)
end

-- ---- One attempt ----

local parts = { "queued", "dns", "tcp", "tls", "wait", "body" }

local function end_attempt(live, result, err, response)
  local status = response and response.status or err and err.status
  live:set("http.response.status_code", status)
  for _, part in ipairs(response and response.times and parts or {}) do
    live:set("beam.seconds." .. part, response.times[part])
  end
  if err then
    set_error(live, err)
  end
  live:finish()
  return result, err, response
end

local function begin_attempt(whole, request, count)
  local live = whole:child(request.method, "client")
  live:set("http.request.method", request.method)
  live:set("http.request.resend_count", count > 1 and count - 1 or nil)
  traced.set_server(live, request.url)
  request.headers = context.put(base_headers(request), live:traceparent(), live.span.tracestate)
  return live
end

local function traced_try(whole, request, try)
  local count = 0
  return function(...)
    count = count + 1
    return end_attempt(begin_attempt(whole, request, count), try(...))
  end
end

-- ---- The whole ----

local function end_whole(whole, name, options, result, err, response, count)
  whole:set("beam.attempts", count)
  whole:set("beam.task.id", err and err.task_id or response and response.headers and response.headers["x-task-id"])
  if err then
    whole:set("beam.executed", err.executed)
    set_error(whole, err)
  elseif name == "beam.submit" then
    whole:set("beam.task.id", result)
    options.traceparent = whole:traceparent() -- what is asked of the task belongs to it
  elseif name == "beam.stream" then -- its items are to come
    observers.to_end_of(result, function(_, problem)
      if problem then
        set_error(whole, problem)
      end
      whole:finish()
    end)
    return result, err, response, count
  end
  whole:finish()
  return result, err, response, count
end

--- Around attempts.run (observe/observers.lua).
function traced.call(run, settings, target, options, try, request, name)
  if not settings.on_span then
    return run(settings, target, options, try, request, name)
  end
  name = name or "beam.http"
  local whole = span.begin(settings, target.name and name .. " " .. target.name or name, "internal")
  traced.set_target(whole, target)
  if request then
    try = traced_try(whole, request, try)
  end
  return end_whole(whole, name, options, run(settings, target, options, try, request, name))
end

return traced
