-- Task queues and functions (docs/wire.md section 6): a submission is answered with the task's id at once, and the task has a life of its
-- own, in a coroutine that belongs to no server.
local responses = require "beam.serve.response"
local base64 = require "beam.base64"
local callbacks = require "beam.serve.app.callbacks"
local driver = require "beam.driver"
local json = require "beam.json"
local payload = require "beam.serve.app.payload"
local run = require "beam.serve.app.run"
local slots = require "beam.serve.app.slots"
local task_context = require "beam.serve.app.task_context"

local task_queue = {}

-- What the API shows of what the handler returned: a value of its own, as JSON has it. Or nil and why it cannot be shown.
local function as_result(value, options)
  if options.result == "pickle" then
    if type(value) ~= "string" then
      return nil, "a handler whose results are pickles returns their bytes, a string"
    end
    return { base64 = base64.encode(value) }
  elseif value == nil then
    return json.null
  end
  local text, message = json.encode { result = responses.body(value) } -- as deep as it is when it is shown
  if not text then
    return nil, "the handler's result cannot be sent: " .. message
  end
  return json.decode(text).result
end

-- Ends the task, or sends it round again.
local function settle(task, results, attempt, log)
  local options = task.deployment.options
  if results[1] then
    local result, problem = as_result(responses.value(results), options)
    task.result, task.returned = result, result
    return task:set(problem and "ERROR" or "COMPLETE", problem)
  end
  local reason = run.describe(results)
  log("error", ("%s %s: the handler failed: %s"):format(task.deployment.kind, task.deployment.name, reason))
  task:set(attempt <= options.retries and "RETRY" or "ERROR", reason)
end

local function live(task, context, input, log)
  local deployment, attempt = task.deployment, 0
  repeat
    if not slots.enter(task) then
      return
    end
    attempt = attempt + 1
    task:set "RUNNING"
    local results = run.attempt(task, deployment.options.timeout, deployment.handler, input, context)
    slots.leave(task)
    if results then
      settle(task, results, attempt, log)
    end
  until task:is_final()
end

-- A task queue says 429; functions and schedules, of everything, 500 (it has not run).
local function refuse_full(exchange, deployment)
  local limit = deployment.options.max_pending
  if deployment.kind == "taskqueue" then
    return exchange:json(429, { error = ("exceeded max pending tasks: %d"):format(limit) })
  end
  exchange:json(500, { error = ("concurrency_limit_reached: %d tasks are in flight"):format(limit) })
end

--- Takes a task, or refuses it.
---@param exchange table beam/serve/exchange.lua
---@param deployment beam.serve.deployment
function task_queue.submit(exchange, deployment)
  local server, options = exchange.server, deployment.options
  local input, args = payload.read(exchange.body, exchange.query_lists)
  if not input then
    return exchange:json(400, { error = "invalid request payload" })
  elseif deployment.in_flight >= options.max_pending then
    return refuse_full(exchange, deployment)
  end
  local task = server.app.tasks:add(deployment)
  callbacks.expect(task, input)
  local context = task_context.new(server.app.tasks, task, { args = args })
  local warm_at = server.faults:warm_up(exchange, deployment)
  driver.attend(function()
    slots.wait_until(task, warm_at, driver.now() + options.ttl)
    if not task:is_final() then
      live(task, context, input, function(level, line)
        server:log(level, line)
      end)
    end
  end)
  if not server.faults:lose_answer(exchange) then
    exchange:json(200, { task_id = task.id })
  end
end

return task_queue
