-- The synchronous call (wire.md section 4): one HTTP exchange, its answer as a value or as an error that says what
-- became of the handler.
local config = require "beam.config"
local driver = require "beam.driver"
local errors = require "beam.error"
local exchange = require "beam.http.exchange"
local headers = require "beam.headers"
local json = require "beam.json"
local log = require "beam.log"
local options_of = require "beam.options"

local call = {}

---@class beam.call_options: beam.options, beam.target
---@field input table? becomes the JSON object that is sent; none: {}
---@field method string? default POST
---@field headers table<string, string>? further request headers
---@field raw boolean? input is a string that is sent as it is, and the result is the text of the answer
---@field max_body integer? bytes of the answer, decoded; default 64 MiB
local own = { input = true, method = true, headers = true, raw = true, max_body = true }
local known = options_of.known(own, "ready_timeout")
local later = { retry = true }

---@class beam.call_info
---@field status integer
---@field headers table<string, string> names in lower case
---@field raw string the answer as it came, after decompression
---@field attempts integer
---@field elapsed number seconds
---@field task_id string?

-- ---- The request ----

-- call(target, input, options) and call{ target, input = , … } as one table.
local function gather(target, input, given)
  local options = options_of.gather("beam.call", known, later, target, given or input ~= nil and {} or nil)
  if input ~= nil then
    options.input = input
  end
  return options
end

local largest = 2 ^ 53

-- The name of an integer that is not exact as a float64, if there is one.
local function beyond_float64(value, name)
  if type(value) == "table" then
    for key, item in pairs(value) do
      local found = beyond_float64(item, tostring(key))
      if found then
        return found
      end
    end
  elseif math.type and math.type(value) == "integer" and (value > largest or value < -largest) then
    return name
  end
end

-- Beam's gateway reads numbers of endpoints and task queues as float64: such an integer arrives as another one.
local function warn_of_rounding(input, text)
  local name = text:find "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d" and beyond_float64(input, "input")
  if name then
    log.write("warning", ("the integer at '%s' is beyond 2^53, where Beam rounds: send it as a string"):format(name))
  end
end

local bodiless = { GET = true, HEAD = true }

-- Returns the body to send, or nil and an error. Beam takes an object and nothing else.
local function encode(input, method, raw)
  if bodiless[method] then
    if input ~= nil then
      error("beam.call: a " .. method .. " has no body for input: use path = '?name=value'", 0)
    end
    return nil
  elseif raw and (input == nil or type(input) == "string") then
    return input
  elseif input ~= nil and type(input) ~= "table" then
    error("beam.call: input is a table, not a " .. type(input) .. " (raw = true sends a string as it is)", 0)
  end
  local text, problem = json.encode(input or {})
  if not text then
    return nil, errors.new { kind = "json", message = "the input cannot be written as JSON: " .. problem, phase = "none" }
  elseif text:sub(1, 1) ~= "{" then
    error("beam.call: input is an array, and Beam wants an object: name it, as in { items = {…} }", 0)
  end
  warn_of_rounding(input, text)
  return text
end

-- What the core is told but for the credentials, which are asked for anew for each attempt.
local function prepare(settings, options)
  local url, target = options_of.locate(options, "endpoint", "http", settings.gateway)
  local method = (options.method or "POST"):upper()
  local body, err = encode(options.input, method, options.raw)
  if err then
    return nil, err
  end
  local request = options_of.transport(settings)
  request.url, request.method, request.body = url, method, body
  request.headers = headers.to_pairs(options.headers)
  request.timeout = settings.timeout
  request.max_body = options.max_body
  return request, target
end

-- ---- One attempt ----

local function read(response, what, raw)
  local body = response.body or ""
  if raw then
    return body
  elseif body == "" then
    return json.null
  end
  local value, problem = json.decode(body)
  if value == nil then
    return nil,
      errors.new {
        kind = "json",
        message = ("%s: the answer is no JSON: %s"):format(what, problem),
        phase = "response",
        status = response.status,
        executed = "yes",
        hint = "raw = true gives it as it is",
      }
  end
  local err = errors.from_validation(what, response, value)
  if err then
    return nil, err
  end
  return value
end

-- Returns the result, or nil and an error; then the response, if there was one.
local function attempt(settings, request, target, raw)
  local auth, refused = options_of.credentials(settings, target)
  if not auth then
    return nil, refused
  end
  request.auth = auth
  local what = request.method .. " " .. request.url:gsub("%?.*$", "")
  local failure, response = exchange.run(request)
  request.auth = nil
  if failure then
    return nil, errors.from_core(failure, what), response
  elseif response.status < 200 or response.status > 299 then
    return nil, errors.from_response(what, response, auth.scheme), response
  end
  local value, err = read(response, what, raw)
  return value, err, response
end

local function describe(report, response, started)
  report.attempts = 1
  report.elapsed = driver.now() - started
  if response then
    report.status = report.status or response.status
    report.headers = response.headers
    report.raw = response.body
    report.task_id = response.headers["x-task-id"]
  end
  return report
end

--- Calls a deployment and waits for its answer. One attempt; `executed` and `retryable` of an error say what another
--- one would mean.
---@param settings beam.settings
---@param target string|beam.target|beam.call_options
---@param input table?
---@param options beam.call_options?
---@return any result nil on failure; beam.null for an empty answer
---@return beam.call_info|beam.error info
function call.call(settings, target, input, options)
  options = gather(target, input, options)
  settings = config.override(settings, options)
  local request, target_or_err = prepare(settings, options)
  if not request then
    return nil, target_or_err
  end
  local started = driver.now()
  local result, problem, response = attempt(settings, request, target_or_err, options.raw)
  if problem then
    return nil, describe(problem, response, started)
  end
  return result, describe({}, response, started)
end

return call
