-- The calls of a map: what they have in common is made once, what differs is the input.
local answer = require "beam.http.answer"
local attempts = require "beam.http.attempts"
local config = require "beam.settings.config"
local driver = require "beam.driver"
local exchange = require "beam.http.exchange"
local request = require "beam.http.request"

local caller = {}

--- Checks the options and returns a function that makes one call as beam.call does.
---@param settings beam.settings
---@param options beam.request_options from request.gather, without an input
---@param scope beam.scope ends the calls when it is cancelled
---@return fun(input: any, left: number): any, beam.call_info|beam.error `left` seconds for all attempts, besides the timeout of the options
---@return string name what is called, "POST https://…"
function caller.new(settings, options, scope)
  settings = config.override(settings, options)
  local prepared, target = request.prepare(settings, options, "beam.map", "endpoint")
  local what, longest = request.name(prepared), settings.timeout
  local policy = { retry = options.retry, idempotent = options.idempotent, scope = scope }
  local method, raw = prepared.method, options.raw
  local how = { raw = raw, codec = settings.json }
  return function(input, left)
    local body, unwritable = request.encode(input, method, raw, "beam.map", settings.json)
    if unwritable then
      return nil, answer.describe(unwritable, nil, 0, driver.now())
    end
    local started = driver.now()
    policy.timeout = left < longest and left or longest
    local result, err, response, count = attempts.run(settings, target, policy, function(auth, seconds)
      prepared.body, prepared.auth, prepared.timeout = body, auth, seconds -- the core copies them before anybody waits
      return answer.read(what, auth.scheme, how, exchange.run(prepared, scope))
    end, prepared, "beam.map")
    if err then
      return nil, answer.describe(err, response, count, started)
    end
    return result, answer.info(response, count, started)
  end, what
end

return caller
