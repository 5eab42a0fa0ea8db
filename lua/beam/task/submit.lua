-- Submits a task to a task queue or a function: once. Beam has no key that would make a second submission harmless, so that one of
-- which nobody knows whether it arrived is an error that says so, and is not repeated.
local answer = require "beam.http.answer"
local attempts = require "beam.http.attempts"
local config = require "beam.settings.config"
local driver = require "beam.driver"
local errors = require "beam.error"
local exchange = require "beam.http.exchange"
local known_id = require "beam.rest.known_id"
local mistake = require "beam.base.mistake"
local request = require "beam.http.request"
local upload = require "beam.http.upload"

local known = request.known(upload.options)
known.raw, known.method = nil, nil

local kinds = { taskqueue = true, ["function"] = true, schedule = true }

local maybe = "the task may be in the queue: look with beam.tasks { deployment = … } before it is submitted again"
local surely = "err.task_id is the task's: ask beam.task(err.task_id) before it is submitted again"

-- What a call's error means for a submission: there is no handler that a 500 or an unreadable answer could be of.
local function as_submission(err, response)
  err.task_id = err.task_id or response and response.headers["x-task-id"]
  if err.executed == "yes" then
    err.executed, err.retryable = "unknown", false
  end
  if err.executed == "unknown" then
    err.hint = err.task_id and surely or maybe
  end
  return err
end

local function task_id_of(value, what, response)
  local id = type(value) == "table" and value.task_id or nil
  if require("beam.task").is_id(id) then
    return id
  end
  local message = what .. ": the answer has no task_id"
  return nil,
    errors.new {
      kind = "http",
      message = message,
      phase = "response",
      status = response.status,
      body = value,
      executed = "unknown",
      hint = "is this a task queue or a function? beam.call is for endpoints",
    }
end

local as_it_is = {}

local function attempt(prepared, source, auth, left)
  local what = request.name(prepared)
  prepared.auth, prepared.timeout = auth, left
  local value, err, response = answer.read(what, auth.scheme, as_it_is, exchange.run(prepared, nil, source))
  prepared.auth = nil
  if err then
    return nil, as_submission(err, response), response
  end
  local id, problem = task_id_of(value, what, response)
  return id, problem, response
end

---@class beam.submit_options: beam.request_options
---@field body string|file*|fun(): string?|nil in place of input: an open file, or a function that gives the next piece
---@field body_size integer? bytes of body, if they are known
---@field file string? path of a file that is sent as it is, in place of input

--- Submits a task. What Beam refused for now (429) is tried again; what may have arrived is not.
---@param settings beam.settings
---@param target string|beam.target|beam.submit_options kind "taskqueue" where it says nothing else; or "function"
---@param input table?
---@param options beam.submit_options?
---@return beam.task? task
---@return beam.error? err executed "unknown": it may have been submitted
return function(settings, target, input, options)
  options = request.gather("beam.submit", known, target, input, options)
  local called = config.override(settings, options)
  local prepared, resolved, source = request.prepare(called, options, "beam.submit", "taskqueue")
  if not prepared then
    return nil, answer.describe(resolved, nil, 0, driver.now())
  elseif not kinds[resolved.kind] and not resolved.url then
    mistake(("beam.submit: a taskqueue, a function or a schedule takes tasks, not one of kind %s: see beam.call"):format(resolved.kind))
  end
  local started = driver.now()
  local try = known_id.trying(called, resolved, prepared, options.spent, function(auth, left)
    return attempt(prepared, source, auth, left)
  end)
  local id, err, response, count = attempts.run(called, resolved, options, try, prepared, "beam.submit")
  if err then
    return nil, answer.describe(upload.explain(options, err), response, count, started)
  end
  local task = require "beam.task"
  return task.new(task.settings(settings, options), id)
end
