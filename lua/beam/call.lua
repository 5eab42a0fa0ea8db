-- The synchronous call (docs/wire.md section 4): a request, an answer as a value or as an error that says what became of the handler.
-- Whether it is tried again is decided in http/attempts.lua.
local answer = require "beam.http.answer"
local attempts = require "beam.http.attempts"
local config = require "beam.settings.config"
local driver = require "beam.driver"
local exchange = require "beam.http.exchange"
local observers = require "beam.observe.observers"
local known_id = require "beam.rest.known_id"
local plans = require "beam.http.plan"
local request = require "beam.http.request"
local secrets = require "beam.settings.secrets"
local upload = require "beam.http.upload"

local call = {}

---@class beam.call_options: beam.request_options
---@field body string|file*|(fun(): string?, any)|nil sent as it is, in place of input; a function gives piece after piece, then nil
---@field body_size integer? bytes of it, where it is not known from the body itself
---@field file string? path of a file that is sent as it is, in place of input

local known = request.known(upload.options)

-- Whether nothing is told but a target that is a text and the input.
local function is_plain(options)
  for name in pairs(options) do
    if name ~= 1 and name ~= "input" then
      return false
    end
  end
  return type(options[1]) == "string"
end

--- The call itself.
---@param settings beam.settings
---@param options beam.call_options from request.gather; options.scope: a beam.scope that can cancel it
---@param where string "beam.call"
---@return any result nil on failure; beam.null for an empty answer
---@return beam.call_info|beam.error info
function call.run(settings, options, where)
  settings = config.settings_for(settings, options)
  local prepared, target, source = request.prepare(settings, options, where, "endpoint")
  if not prepared then
    return nil, answer.describe(target, nil, 0, driver.now())
  end
  local started, how = driver.now(), { raw = options.raw, codec = settings.json }
  local try = known_id.trying(settings, target, prepared, options.spent, function(auth, left)
    prepared.auth, prepared.timeout = auth, left
    return answer.read(prepared, auth.scheme, how, exchange.run(prepared, options.scope, source))
  end)
  local result, err, response, count = attempts.run(settings, target, options, try, prepared, where)
  if err then
    return nil, answer.describe(upload.explain(options, err), response, count, started)
  end
  if options.scope == nil and is_plain(options) then
    plans.keep(settings, options[1], target, prepared)
  end
  return result, answer.info(response, count, started)
end

-- ---- The same again ----

-- The first attempt has failed: on as any other call.
local function go_on(settings, plan, body, started, err, response)
  local count, result
  local deadline = started + settings.timeout
  result, err, response, count = attempts.go_on(settings, plan.target, {}, function(auth, left)
    local prepared = plans.prepare(plan, body)
    prepared.auth, prepared.timeout = auth, left
    return answer.read(prepared, auth.scheme, plan.how, exchange.run(prepared))
  end, settings.timeout, deadline, plan.auth, err, response)
  if err then
    return nil, answer.describe(err, response, count, started)
  end
  return result, answer.info(response, count, started)
end

local function call_again(settings, plan, input)
  local body, unwritable = request.encode(input, "POST", nil, "beam.call", settings.json)
  local started = driver.now()
  if not body then
    return nil, answer.describe(unwritable, nil, 0, started)
  end
  local auth = plan.auth
  if auth.secret then
    secrets.learn_auth(auth)
  end
  local result, err, response =
    answer.read(plan.request, auth.scheme, plan.how, exchange.send(plan.core, body, settings.timeout))
  if err then
    return go_on(settings, plan, body, started, err, response)
  end
  return result, answer.info(response, 1, started)
end

--- Calls a deployment and waits for its answer. What Beam has not run is tried again, under one deadline (`timeout`).
---@param settings beam.settings
---@param target string|beam.target|beam.call_options
---@param input table?
---@param options beam.call_options?
---@return any result nil on failure; beam.null for an empty answer
---@return beam.call_info|beam.error info
function call.call(settings, target, input, options)
  local plan = options == nil and not observers.call and plans.find(settings, target)
  if plan then
    return call_again(settings, plan, input)
  end
  return call.run(settings, request.gather("beam.call", known, target, input, options), "beam.call")
end

return call
