-- Begins to make spans, when the first client with on_span is made: of calls, connections, requests and tasks. Other clients have none.
local observers = require "beam.observe.observers"
local span = require "beam.observe.span"
local task_state = require "beam.task.state"
local traced_calls = require "beam.observe.traced_calls"
local traced_connections = require "beam.observe.traced_connections"

local tracing = {}

-- ---- Tasks: one span while it is watched, with what is asked meanwhile below it ----

local function end_task(live, events, err)
  local status = events.seen and events.seen.status
  live:set("beam.task.status", status)
  if err then
    live:fail(err.status and tostring(err.status) or err.kind, err.message)
  elseif status and task_state.is_final(status) and status ~= "COMPLETE" then
    live:fail(status, "the task ended as " .. status)
  end
  live:finish()
end

local function watch_task(events, settings)
  if not settings.on_span then
    return
  end
  local live = span.begin(settings, "beam.task", "internal")
  live:set("beam.task.id", events.id)
  events.settings = setmetatable({ traceparent = live:traceparent() }, { __index = settings })
  observers.to_end_of(events, function(_, err)
    end_task(live, events, err)
  end)
end

local begun = false

function tracing.begin()
  if begun then
    return
  end
  begun = true
  observers.around("call", traced_calls.call)
  observers.to("connection", traced_connections.connection)
  observers.to("attempt", traced_connections.attempt)
  observers.to("phase", traced_connections.phase)
  observers.around("request", traced_connections.request)
  observers.to("watched", watch_task)
end

return tracing
