-- A call to an endpoint (docs/wire.md section 4): the handler runs once, its value is the answer, its error a 500 with the traceback. A
-- call is a task as well: its X-Task-Id can be asked about, and whoever leaves before a worker took it cancels it.
--
-- A handler that returns an iterator function streams: each item goes out as `data: {json}\n\n`, as Beam's runner does it.
local lossy = require "beam.serve.lossy"
local responses = require "beam.serve.response"
local callbacks = require "beam.serve.app.callbacks"
local driver = require "beam.driver"
local events = require "beam.serve.app.event_stream"
local inputs = require "beam.serve.app.inputs"
local json = require "beam.json"
local payload = require "beam.serve.app.payload"
local run = require "beam.serve.app.run"
local slots = require "beam.serve.app.slots"
local task_context = require "beam.serve.app.task_context"

local endpoint = {}

local full = "Request queue full"

-- ---- Running ----

local function event_text(item)
  if type(item) ~= "table" or json.is_array(item) then
    item = { data = item }
  end
  local text, message = json.encode(item)
  return text and "data: " .. text .. "\n\n" or error(message, 0)
end

local function stream_items(exchange, iterate, state, item)
  local stream = events.begin(exchange, { { "content-type", "text/plain; charset=utf-8" }, exchange.task_header })
  exchange.stream = stream
  item = iterate(state, item)
  while item ~= nil and not stream:is_over() do
    stream:write(event_text(item))
    item = iterate(state, item)
  end
end

local function deliver_items(exchange, first, ...)
  if type(first) == "function" then
    return stream_items(exchange, first, ...)
  end
  return first, ...
end

local function handle(exchange, handler, input, context)
  return deliver_items(exchange, handler(input, context))
end

-- ---- Answering ----

local function respond(exchange, status, headers, body)
  headers[#headers + 1] = exchange.task_header
  if not exchange.server.faults:lose_answer(exchange) then
    exchange:respond(status, headers, body)
  end
end

local function refuse(exchange, status, message)
  exchange:json(status, { error = message }, { exchange.task_header })
end

-- A stream that has begun ends as Beam's does: with what is no event.
local function finish_stream(exchange, failed)
  if failed then
    exchange.stream:write '{"error":"Internal server error"}\n'
  end
  exchange.stream:finish()
end

local function fail(exchange, task, results)
  local traceback = run.describe(results)
  exchange.server:log("error", ("%s: the handler failed: %s"):format(exchange.shown, traceback))
  task:set("ERROR", traceback)
  if exchange.stream then
    return finish_stream(exchange, true)
  end
  respond(exchange, 500, { { "content-type", "application/json" } }, lossy.encode { error = traceback })
end

local function succeed(exchange, task, results)
  local status, headers, body, value = 200, nil, nil, nil
  if not exchange.stream then
    value = responses.value(results)
    status, headers, body = responses.render(value)
  end
  if not status then
    local message = "the handler's result cannot be sent: " .. headers
    task:set("ERROR", message)
    return respond(exchange, 500, { { "content-type", "application/json" } }, lossy.encode { error = message })
  end
  if task.callback_url then -- nobody else asks for it, and tasks are kept
    task.returned = responses.body(value)
  end
  task:set "COMPLETE"
  if exchange.stream then
    return finish_stream(exchange, false)
  end
  respond(exchange, status, headers, body)
end

-- The task has ended before its handler did.
local function abandon(exchange, task)
  if exchange.stream then
    return finish_stream(exchange, true)
  elseif task.status == "TIMEOUT" then
    return refuse(exchange, 502, "Backend route unavailable")
  elseif task.failure_reason == full then
    return refuse(exchange, 429, full)
  elseif task.status == "EXPIRED" then
    return refuse(exchange, 504, "Timed out waiting for a backend container")
  elseif not exchange:is_over() then
    return refuse(exchange, 500, "The task was cancelled")
  end
  exchange:log "(client left)"
end

-- ---- The call ----

local function perform(exchange, deployment, task, input, args)
  local refusal = exchange.server.faults:refuse_start(exchange)
  local invalid = not refusal and inputs.check(deployment.options.inputs, input)
  if refusal then
    slots.leave(task)
    return task:set("ERROR", refusal)
  elseif invalid then
    slots.leave(task)
    task:set "COMPLETE"
    return exchange:json(200, invalid, { exchange.task_header })
  end
  local fields = { args = args, method = exchange.method, headers = exchange.headers, query = exchange.query }
  local context = task_context.new(exchange.server.app.tasks, task, fields)
  task:set "RUNNING"
  local results = run.attempt(task, deployment.options.timeout, handle, exchange, deployment.handler, input, context)
  slots.leave(task)
  if not results then
    abandon(exchange, task)
  elseif results[1] then
    succeed(exchange, task, results)
  else
    fail(exchange, task, results)
  end
end

-- A container, then a slot; whoever leaves meanwhile cancels the task.
local function wait_for_slot(exchange, deployment, task)
  local function is_gone()
    return exchange:is_over()
  end
  local warm_at = exchange.server.faults:warm_up(exchange, deployment)
  slots.wait_until(task, warm_at, driver.now() + deployment.options.ttl, is_gone)
  return not task:is_final() and slots.enter(task, is_gone)
end

--- Answers a call.
---@param exchange table beam/serve/exchange.lua
---@param deployment beam.serve.deployment
function endpoint.call(exchange, deployment)
  local input, args = payload.read(exchange.body, exchange.query_lists)
  if not input then
    return exchange:json(400, { error = "invalid request payload" })
  elseif deployment.in_flight >= deployment.options.max_pending then
    return exchange:json(429, { error = ("exceeded max pending tasks: %d"):format(deployment.options.max_pending) })
  end
  slots.bound(deployment)
  local task = exchange.server.app.tasks:add(deployment)
  callbacks.expect(task, input)
  exchange.task, exchange.task_header = task, { "x-task-id", task.id }
  if wait_for_slot(exchange, deployment, task) then
    perform(exchange, deployment, task, input, args)
  else
    abandon(exchange, task)
  end
end

return endpoint
