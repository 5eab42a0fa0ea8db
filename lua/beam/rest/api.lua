-- The REST API (docs/wire.md sections 2 and 6): one request, its answer as a value or as an error. Which requests there are is in
--
--   v1.lua   the gateway's own API (beta9), with a workspace in each path      v2.lua   Beam's public one
--
-- Nothing that is asked here runs a handler, so that whatever fails on the way is tried again.
local answer_error = require "beam.http.answer_error"
local attempts = require "beam.http.attempts"
local driver = require "beam.driver"
local errors = require "beam.error"
local exchange = require "beam.http.exchange"
local json = require "beam.json"
local options_of = require "beam.settings.options"
local query_of = require "beam.rest.query"
local retry = require "beam.retry"

local api = {}

local longest_attempt = 30 -- seconds; the API answers in far less
local longest = 120 -- seconds for all attempts, where nothing else is said
local max_body = 64 * 1024 * 1024
local default_retry = retry.backoff { base = 0.25, max = 8, attempts = 7 } -- some 10 s in all

-- What may pass, and what a person can do about the rest.
local passing = { [408] = true, [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }
local passing_failures = { dns = true, connect = true, tls = true, timeout = true, closed = true, http = true }
local hints = {
  [400] = "Beam did not understand the question: check the ids and the filters",
  [403] = "the token is valid, but not for this workspace",
  [404] = "Beam knows nothing of this id in the token's workspace; or the API is another one: see the options api and api_version",
  [405] = "the API is another one: see the options api and api_version",
  [429] = "too many requests: try again later",
}

local may_be_done = "an attempt before this one failed, and may have done it: look before you ask again"

-- ---- Failures ----

--- The API refused.
---@param what string "GET https://…"
---@param response beam.response
---@param scheme string how we authenticated
---@return beam.error
function api.from_answer(what, response, scheme)
  local err = answer_error.from_response(what, response, scheme)
  err.executed, err.retryable = "no", passing[response.status] or false
  if response.status ~= 401 then
    err.hint = hints[response.status]
  end
  return err
end

--- An error of the core while the API was asked.
---@param failure beam.core.error
---@param what string "GET https://…"
---@return beam.error
function api.from_core(failure, what)
  local err = errors.from_core(failure, what)
  if failure.sent then
    err.executed, err.retryable, err.hint = "no", passing_failures[err.kind] or false, nil
  end
  return err
end

-- ---- Requests ----

--- What the core is told but for the credentials.
---@param settings beam.settings
---@param method string
---@param path string below the API's address
---@param options { query: table?, body: table?, accept: string? }
---@return beam.core.http_options request, string what "GET https://…", without the query
function api.prepare(settings, method, path, options)
  local request = options_of.transport(settings)
  request.method, request.url = method, settings.api .. path .. query_of(options.query)
  request.headers = { { "accept", options.accept or "application/json" } }
  if options.body then
    request.body = assert(json.encode(options.body))
    table.insert(request.headers, { "content-type", "application/json" })
  end
  return request, method .. " " .. settings.api .. path
end

local function read(response, what)
  if not response.body or response.body == "" then
    return json.null
  end
  local value, problem = json.decode(response.body)
  if value == nil then
    return nil,
      errors.new {
        kind = "json",
        message = ("%s: the answer is no JSON: %s"):format(what, problem),
        phase = "response",
        status = response.status,
        raw = response.body,
        hint = "is this Beam's API? See the options api and api_version",
      }
  end
  return value
end

local function attempt(request, what, auth, left)
  request.auth, request.timeout = auth, math.min(left, longest_attempt)
  local failure, response = exchange.run(request)
  request.auth = nil
  if failure then
    return nil, api.from_core(failure, what), response
  elseif response.status < 200 or response.status > 299 then
    return nil, api.from_answer(what, response, auth.scheme), response
  end
  local value, err = read(response, what)
  return value, err, response
end

---@class beam.api_options
---@field query table<string, any>? lists become "a,b"
---@field body table? sent as JSON
---@field timeout number? seconds for all attempts together; default: the client's timeout, at most 120
---@field retry beam.retry_policy|false|nil default: some 10 s

--- One request; tried again as the policy says.
---@param settings beam.settings
---@param method string
---@param path string "/api/v1/…"
---@param options beam.api_options?
---@return any value beam.null for an empty answer; nil on failure
---@return beam.error? err executed "no": nothing that the API is asked runs a handler
---@return string? doubt of what was changed in several attempts: one before the last may have done it
function api.request(settings, method, path, options)
  options = options or {}
  local request, what = api.prepare(settings, method, path, options)
  request.max_body = max_body
  local timeout = options.timeout or math.min(settings.timeout, longest)
  if timeout <= 0 then
    return nil, errors.timeout("answer to " .. what, 0)
  end
  local policy = { retry = options.retry == nil and default_retry or options.retry, timeout = timeout }
  local value, err, _, count = attempts.run(settings, {}, policy, function(auth, left)
    return attempt(request, what, auth, left)
  end, request, "beam.api")
  local doubt = method ~= "GET" and count > 1 and may_be_done or nil
  if err and doubt and not err.retryable then
    err.hint = doubt
  end
  return value, err, doubt
end

--- The list that a value of the API is; null is an empty one, as Go writes it. Anything else is none, and no empty one either.
---@param what string "tasks"
---@param value any
---@param err beam.error?
---@return table[]? records, beam.error? err
function api.list(what, value, err)
  if err then
    return nil, err
  elseif value == nil or value == json.null then
    return json.array {}
  elseif type(value) == "table" and (json.is_array(value) or next(value) == nil) then
    return value
  end
  return nil, errors.new { kind = "http", message = what .. ": Beam's answer is no list", body = value, phase = "response" }
end

--- The API that these settings choose: the module v1.lua or v2.lua, with the same functions.
---@param settings beam.settings
function api.of(settings)
  return require("beam.rest." .. settings.api_version)
end

--- Seconds until a deadline of driver.now(); nil: none.
function api.left(deadline)
  return deadline and deadline - driver.now()
end

return api
