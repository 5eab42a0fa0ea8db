-- A request to a deployment: from what beam.call, beam.stream and beam.submit are given to what the core is told. The credentials are not
-- in it: they are asked for anew for each attempt.
local ascii = require "beam.base.ascii"
local attempts = require "beam.http.attempts"
local errors = require "beam.error"
local headers = require "beam.settings.headers"
local json = require "beam.json"
local log = require "beam.log"
local mistake = require "beam.base.mistake"
local options_of = require "beam.settings.options"
local upload = require "beam.http.upload"

local request = {}

---@class beam.request_options: beam.options, beam.target, beam.attempt_options
---@field input table? becomes the JSON object that is sent; none: {}
---@field method string? default POST
---@field headers table<string, string>? further request headers
---@field raw boolean? input is a string that is sent as it is, and the result is the text of the answer
---@field max_body integer? bytes of the answer, decoded; default 64 MiB
local types = {
  method = { string = true },
  headers = { table = true },
  raw = { boolean = true },
  max_body = { number = true },
}

-- ---- Options ----

--- The names of the options of a function that sends a request: these, those of a target, and what may be told otherwise than the client.
---@param own table<string, true>? what it has besides
---@return table<string, true>
function request.known(own)
  local names = { input = true, retry = true, idempotent = true }
  for _, more in ipairs { types, own or {} } do
    for name in pairs(more) do
      names[name] = true
    end
  end
  return options_of.known(names, "ready_timeout")
end

--- f(target, input, options) and f{ target, input = , … } as one table, checked.
---@param where string "beam.call"
---@param known table<string, true>
---@return beam.request_options
function request.gather(where, known, target, input, given)
  if given == nil and type(target) == "string" then
    return { target, input = input } -- there is nothing to check
  elseif target == nil then
    mistake(where .. ": what is called comes first: the name of a deployment, its id or its URL; it is nil")
  end
  local options = options_of.gather(where, known, {}, target, given or input ~= nil and {} or nil)
  if input ~= nil then
    options.input = input
  end
  for name, allowed in pairs(types) do
    local value = options[name]
    if value ~= nil and not allowed[type(value)] then
      mistake(("%s: option '%s' cannot be a %s"):format(where, name, type(value)))
    end
  end
  options_of.check_bytes(options.max_body, where .. ": option 'max_body'")
  attempts.check(options, where)
  return options
end

-- ---- The body ----

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
  elseif math.type(value) == "integer" and (value > largest or value < -largest) then
    return name
  end
end

-- Beam's gateway reads numbers of endpoints and task queues as float64: such an integer arrives as another one.
local function warn_of_rounding(input)
  local name = beyond_float64(input, "input")
  log.write("warning", ("the integer at '%s' is beyond 2^53, where Beam rounds: send it as a string"):format(name))
end

local bodiless = { GET = true, HEAD = true }

--- The body to send, or nil and an error; nil alone where there is none. Beam takes an object and nothing else: other input raises.
---@param input any
---@param method string
---@param raw boolean? a string is sent as it is
---@param where string "beam.call"
---@param codec table? that of the client (json/codec.lua); default: beam.json
---@return string? body, beam.error? err
function request.encode(input, method, raw, where, codec)
  if bodiless[method] then
    if input ~= nil then
      mistake(("%s: a %s has no body for input: use path = '?name=value'"):format(where, method))
    end
    return nil
  elseif raw and (input == nil or type(input) == "string") then
    return input
  elseif input ~= nil and type(input) ~= "table" then
    mistake(("%s: input is a table, not a %s (raw = true sends a string as it is)"):format(where, type(input)))
  end
  local text, large
  if input == nil then
    text = "{}" -- whatever a codec makes of an empty table
  else
    text, large = (codec or json).encode_checked(input)
  end
  if not text then
    return nil, errors.new { kind = "json", message = "the input cannot be written as JSON: " .. large, phase = "none" }
  elseif text:byte() ~= 123 then -- {
    mistake(where .. ": input is an array, and Beam wants an object: name it, as in { items = {…} }")
  end
  if large then
    warn_of_rounding(input)
  end
  return text
end

-- Returns the body to send or, where it comes in pieces, nil and its source; or nil, nil and an error.
local function body_of(options, method, where, codec)
  if not upload.is_given(options, where) then
    local body, err = request.encode(options.input, method, options.raw, where, codec)
    return body, nil, err
  elseif bodiless[method] then
    mistake(("%s: a %s has no body"):format(where, method))
  elseif type(options.body) == "string" then
    return options.body
  end
  return nil, upload.source(options)
end

-- ---- The whole ----

--- What the core is told, but for `auth` and `timeout`, which are those of an attempt.
---@param settings beam.settings after config.override
---@param options beam.request_options from request.gather
---@param where string "beam.call"
---@param kind string the kind of deployment, if the target names none: "endpoint", "taskqueue"
---@return beam.core.http_options?, beam.target|beam.error
---@return beam.upload? source of the body, if it comes in pieces
function request.prepare(settings, options, where, kind)
  local url, target = options_of.locate(options, kind, "http", settings.gateway)
  if target.kind == "bot" and not target.url then
    mistake(where .. ": a bot is a WebSocket and takes no calls: see beam.realtime")
  end
  local method = options.method and ascii.upper(options.method) or "POST"
  local body, source, err = body_of(options, method, where, settings.json)
  if err then
    return nil, err
  end
  local prepared = options_of.transport(settings)
  prepared.url, prepared.method, prepared.body = url, method, body
  prepared.headers = options.headers and headers.to_pairs(options.headers)
  prepared.max_body = options.max_body
  if settings.traceparent then
    require("beam.observe.trace_context").pass(prepared, settings)
  end
  if source then
    upload.announce(prepared, source)
    options.spent = function()
      return upload.is_spent(source)
    end
  end
  return prepared, target, source
end

--- What an error calls it: "POST https://…", without the query, which may hold a token.
---@param prepared beam.core.http_options
---@return string
function request.name(prepared)
  return prepared.method .. " " .. prepared.url:gsub("[?#].*$", "")
end

return request
