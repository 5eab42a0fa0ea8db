-- An answer that is read item by item, as it comes: for item in beam.stream { "generate", input = {…} } do … end
--
--   http/response_stream.lua --bytes--> http/event_stream.lua --items--> stream/items.lua --values--> stream/reader.lua --> the loop
--
-- It is tried again as a call is, until the first byte of its body: what came after that is nobody's to ask for twice.
local answer = require "beam.http.answer"
local ascii = require "beam.base.ascii"
local attempts = require "beam.http.attempts"
local config = require "beam.settings.config"
local driver = require "beam.driver"
local event_stream = require "beam.http.event_stream"
local known_id = require "beam.rest.known_id"
local mistake = require "beam.base.mistake"
local reader = require "beam.stream.reader"
local request = require "beam.http.request"
local response_stream = require "beam.http.response_stream"
local upload = require "beam.http.upload"
local seconds = require "beam.settings.seconds"

local stream = {}

local longest_refusal = 1024 * 1024 -- bytes of an answer that is no success

---@class beam.stream_options: beam.call_options
---@field format "sse"|"data"|"lines"|"whole"|"raw"|"auto"|nil default: by the content type and by what comes
---@field raw boolean? items are texts as they came, and input is a string
---@field unwrap boolean? false: Beam's {"data": x}, around items that are no objects, stays
---@field max_item integer? bytes of one item, default 16 MiB
---@field idle_timeout number? seconds without a byte after which it is given up
local own = { format = true, unwrap = true, max_item = true, idle_timeout = true, body = true, body_size = true, file = true }
local known = request.known(own)

-- ---- Options ----

local function check(options)
  local format = options.format
  if format ~= nil and not event_stream.is_format(format) then
    mistake("beam.stream: format is 'sse', 'data', 'lines', 'whole', 'raw' or 'auto'")
  elseif options.unwrap ~= nil and type(options.unwrap) ~= "boolean" then
    mistake("beam.stream: option 'unwrap' cannot be a " .. type(options.unwrap))
  end
  seconds.check(options.idle_timeout, "beam.stream: option 'idle_timeout'")
  local bytes = options.max_item
  if bytes ~= nil and not (type(bytes) == "number" and bytes > 0) then
    mistake "beam.stream: option 'max_item' wants a number of bytes above 0"
  end
end

-- ---- Opening ----

local formats = {
  ["text/event-stream"] = "sse",
  ["application/x-ndjson"] = "lines",
  ["application/ndjson"] = "lines",
  ["application/jsonl"] = "lines",
  ["application/x-jsonlines"] = "lines",
  ["application/json"] = "whole",
}

local function format_of(headers)
  local kind = ascii.lower((headers["content-type"] or ""):match "^[ \t]*([^; \t]*)")
  return formats[kind] or "auto"
end

-- Reads an answer to its end; no more than a bound of it, as far as it comes.
local function read_all(body, longest)
  local pieces, size = {}, 0
  while size < longest do
    local piece = body:read()
    if not piece then
      break
    end
    pieces[#pieces + 1] = piece
    size = size + #piece
  end
  body:close()
  return table.concat(pieces)
end

local function response_of(body, text)
  return { status = body.status, headers = body.headers, body = text }
end

-- Beam tells of input that does not fit with status 200: in the place of a first item.
local function check_whole(self, what, response)
  local text, err = self:read_whole()
  if text then
    response.body = text
    text, err = answer.value(what, response, true)
  end
  if not text then
    self:close()
  end
  return err
end

local function attempt(prepared, source, auth, what, options)
  local body, failure = response_stream.open(prepared, source)
  if not body then
    return answer.read(what, auth.scheme, {}, failure)
  elseif body.status < 200 or body.status > 299 then
    return answer.read(what, auth.scheme, {}, nil, response_of(body, read_all(body, longest_refusal)))
  end
  local self = reader.new(body, what, options.format or format_of(body.headers), options)
  local response = response_of(body)
  local err = self.format == "whole" and check_whole(self, what, response)
  if err then
    return nil, err, response
  end
  return self, nil, response
end

--- Calls a deployment and gives what it answers item by item. Tried again as beam.call, until an answer has begun.
---@param settings beam.settings
---@param target string|beam.target|beam.stream_options
---@param input table?
---@param given beam.stream_options?
---@return beam.stream? stream to be called by `for`; nil on failure
---@return beam.error? err
---@return nil
---@return beam.stream? closing for Lua 5.4's `for`, which then closes it however the loop ends
function stream.open(settings, target, input, given)
  local options = request.gather("beam.stream", known, target, input, given)
  check(options)
  settings = config.override(settings, options)
  options.codec = settings.json
  local prepared, where, source = request.prepare(settings, options, "beam.stream", "endpoint")
  if not prepared then
    return nil, answer.describe(where, nil, 0, driver.now())
  end
  local started = driver.now()
  local try = known_id.trying(settings, where, prepared, options.spent, function(auth, left)
    prepared.auth, prepared.timeout = auth, left
    return attempt(prepared, source, auth, request.name(prepared), options)
  end)
  local self, err, response, count = attempts.run(settings, where, options, try, prepared, "beam.stream")
  prepared.auth = nil
  if err then
    return nil, answer.describe(upload.explain(options, err), response, count, started)
  end
  self.attempts = count
  return self, nil, nil, self
end

return stream
