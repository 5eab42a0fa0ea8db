-- JSON with nothing lost on the way: what is read and written again is what came in.
--
-- A reader and a writer in C, part of beam.core, do it alike on every Lua and whatever lua-cjson is installed. To find out whether
-- lua-cjson itself would carry a document exactly takes longer than to carry it (docs/json.md has the figures), and each of its
-- releases is inexact in its own way. What it has for null and for arrays is ours: values go from one to the other. Without
-- beam.core the reader and the writer in Lua do the same, slower.
local values = require "beam.json.values"
local read = require "beam.json.reader"
local write = require "beam.json.writer"

local json = { null = values.null, array = values.array, is_array = values.is_array }

local function decode_in_lua(text)
  if type(text) ~= "string" then
    error("json.decode wants a string, not a " .. type(text), 2)
  end
  return read(text)
end

local function encode_in_lua(value)
  local text, problem = write(value)
  if text then
    return text
  end
  return nil, problem
end

-- beam.core loads the transport: not before there is something to read or to write.
local function choose()
  local loaded, core = pcall(require, "beam.core")
  if loaded and core.json then
    values.explain = write
    json.decode, json.encode, json.encode_checked = core.json(values)
  else
    json.decode, json.encode, json.encode_checked = decode_in_lua, encode_in_lua, write
  end
end

--- The value of a JSON text. null is json.null, arrays are marked (json.is_array). Bare NaN and Infinity, which Python
--- writes, are read as null.
---@param text string
---@return any value nil: it is no JSON, or has a number that this Lua cannot hold
---@return string? message what is wrong, at which byte
function json.decode(text)
  choose()
  return json.decode(text)
end

--- The JSON text of a value (compact). A table with items 1..n is an array, one with string keys an object; an empty one is
--- an object unless json.array marks it.
---@param value any
---@return string? text
---@return string? message what cannot be written, by its path
function json.encode(value)
  choose()
  return json.encode(value)
end

--- The same, and whether an integer beyond 2^53 is in it, which a reader that has floats only would round.
---@param value any
---@return string? text
---@return boolean|string large or the message
function json.encode_checked(value)
  choose()
  return json.encode_checked(value)
end

return json
