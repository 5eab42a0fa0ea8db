-- What an item of a stream means: JSON as a value, other text as it is, or an error that was written into the stream.
local answer_error = require "beam.http.answer_error"
local errors = require "beam.error"
local json = require "beam.json"

local items = {}

local begins_as_json = '^\239?\187?\191?%s*[{%["]' -- perhaps after a byte order mark

-- docs/wire.md section 4: Beam wraps what is no object.
local function unwrap(value)
  if type(value) == "table" and value.data ~= nil then
    local first = next(value)
    if next(value, first) == nil then
      return value.data
    end
  end
  return value
end

local function unreadable(item)
  return errors.new {
    kind = "json",
    message = ("an item is no JSON: %s"):format(errors.quote(item.data)),
    phase = "response",
    executed = "yes",
    body = item.data,
    hint = "raw = true gives items as they are",
  }
end

-- A line between the items. Beam writes {"error": "Internal server error"} at its deadline.
local function from_line(item)
  local body = answer_error.decode_body(item.data)
  if type(body) ~= "table" then
    return errors.new {
      kind = "protocol",
      message = ("between the items stands a line that is none: %s"):format(errors.quote(item.data)),
      phase = "response",
      executed = "yes",
      body = body,
      hint = "format = 'raw' gives the answer as it is",
    }
  end
  return errors.new {
    kind = "http",
    message = ("the stream was ended by an error: %s"):format(errors.quote(answer_error.text_of(body))),
    phase = "response",
    executed = "yes",
    body = body,
    hint = "a deadline may have passed: beamlua logs TASK says more",
  }
end

-- In server-sent events numbers, true, false and null are text as likely as JSON (the pieces of a text that a language model writes): only
-- what is unmistakable is decoded.
local function of_event(text, codec)
  if text:find(begins_as_json) then
    local value = codec.decode(text)
    if value ~= nil then
      return value
    end
  end
  return text
end

--- The value of an item.
---@param item beam.stream_item
---@param format string
---@param options { raw: boolean?, unwrap: boolean? }
---@param codec table? that of the client (json/codec.lua); default: beam.json
---@return any value nil on failure
---@return beam.error? err
function items.value(item, format, options, codec)
  codec = codec or json
  if item.unframed then
    return nil, from_line(item)
  elseif options.raw or format == "raw" then
    return item.data
  elseif format == "sse" then
    return of_event(item.data, codec)
  elseif format == "whole" and not item.data:find "%S" then
    return codec.null
  end
  local value = codec.decode(item.data)
  if value == nil and format == "data" and not item.data:find(begins_as_json) then
    return item.data
  elseif value == nil then
    return nil, unreadable(item)
  elseif format == "data" and options.unwrap ~= false then
    return unwrap(value)
  end
  return value
end

return items
