-- What came back, as a value or as an error that says what became of the handler; and the facts about it that go with either.
local answer_error = require "beam.http.answer_error"
local driver = require "beam.driver"
local errors = require "beam.error"
local json = require "beam.json"

local answer = {}

---@class beam.call_info
---@field status integer
---@field headers table<string, string> names in lower case
---@field raw string the answer as it came, after decompression
---@field attempts integer
---@field elapsed number seconds, with all attempts and waits
---@field task_id string?
---@field times beam.call_times of the last attempt

---@class beam.call_times seconds, 0: did not happen
---@field queued number before the request went, without the next three: for its turn, CA certificates, another's connection
---@field dns number the next three: 0 over a connection that was open
---@field tcp number
---@field tls number
---@field wait number from the request to the first byte of the answer
---@field body number from there to its end
---@field total number the sum of all of them

local function name_of(what)
  return type(what) == "string" and what or require("beam.http.request").name(what)
end

--- The value of a whole answer with a status of success.
---@param what string|beam.core.http_options as that of answer.read
---@param response beam.response
---@param raw boolean? its text is the value
---@param codec table? that of the client (json/codec.lua); default: beam.json
---@return any value json.null for an empty answer; nil on failure
---@return beam.error? err
function answer.value(what, response, raw, codec)
  local body = response.body or ""
  if body == "" then
    return raw and body or (codec or json).null
  end
  local value, problem, err
  if not raw or body:find("ValidationError", 1, true) then
    value, problem = (raw and json or codec or json).decode(body)
  end
  if type(value) == "table" and value.error then
    err = answer_error.from_validation(name_of(what), response, value)
  end
  if err or raw then
    return not err and body or nil, err
  elseif value == nil then
    return nil, answer_error.from_unreadable(name_of(what), response, problem)
  end
  return value
end

--- What became of an exchange.
---@param what string|beam.core.http_options "POST https://…", or the request, whose name is made where it is wanted
---@param scheme string of the credentials
---@param how { raw: boolean?, codec: table? }
---@param failure beam.core.error|beam.error|nil a beam.error is that of an upload
---@param response beam.response?
---@return any value
---@return beam.error? err
---@return beam.response? response
function answer.read(what, scheme, how, failure, response)
  local status = not failure and response.status
  if status and status >= 200 and status <= 299 then
    local value, err = answer.value(what, response, how.raw, how.codec)
    return value, err, response
  elseif failure and response and response.headers then
    answer_error.hide(response)
  end
  if errors.is(failure) then
    return nil, failure, response
  elseif failure then
    return nil, errors.from_core(failure, name_of(what)), response
  end
  return nil, answer_error.from_response(name_of(what), response, scheme), response
end

--- What is known of how a value came: the response itself, which nobody else has any more.
---@param response beam.response
---@param count integer of attempts
---@param started number driver.now() when it began
---@return beam.call_info
function answer.info(response, count, started)
  response.raw, response.body = response.body, nil
  response.attempts, response.elapsed = count, driver.now() - started
  response.task_id = response.headers["x-task-id"]
  return response
end

--- Adds to an error what is known of how it came.
---@param err beam.error
---@param response beam.response? of the last attempt
---@param count integer of attempts
---@param started number driver.now() when it began
---@return beam.error err
function answer.describe(err, response, count, started)
  err.attempts = count
  err.elapsed = driver.now() - started
  if response then
    err.status = err.status or response.status
    err.headers = response.headers
    err.raw = response.body
    err.times = response.times
    err.task_id = err.task_id or response.headers["x-task-id"]
  end
  return err
end

return answer
