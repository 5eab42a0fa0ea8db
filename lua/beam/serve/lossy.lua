-- JSON of what handlers and requests said, which may be no UTF-8: an error's text, a line of a log, a path. One of them must not take an
-- answer away that tells of others: as Go's encoder in Beam's gateway does it, U+FFFD stands for each byte that cannot be written.
local json = require "beam.json"
local utf8_text = require "beam.json.text"

local lossy = {}

local function kept(sequence)
  return sequence
end

local function replacement()
  return "\239\191\189"
end

local function replaced(run)
  return utf8_text.rewrite(run, kept, replacement)
end

local function text_of(text)
  return (text:gsub("[\128-\255]+", replaced))
end

-- A copy with texts that can be written; arrays and objects stay what they are.
local function cleaned(value)
  if type(value) == "string" then
    return text_of(value)
  elseif type(value) ~= "table" or value == json.null then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in next, value do
    rawset(copy, type(key) == "string" and text_of(key) or key, cleaned(item))
  end
  return copy
end

--- The JSON of a value.
---@param value any without cycles
---@return string? text nil for what has no JSON besides: a function, a number that is none
---@return string? problem
function lossy.encode(value)
  local text = json.encode(value)
  if text then
    return text
  end
  return json.encode(cleaned(value))
end

return lossy
