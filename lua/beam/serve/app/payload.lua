-- What a handler of an endpoint gets (docs/wire.md section 4): a JSON object, its `args` and `kwargs` taken out, joined by the query
-- parameters. Only the first JSON value of a body is read, as Go's decoder does it.
local compat = require "beam.base.compat"
local json = require "beam.json"

local payload = {}

-- Numbers cross Go's float64 in Beam's gateway: an integer beyond 2^53 arrives rounded, here as there.
local function as_float64(value)
  if type(value) == "number" and math.type and math.type(value) == "integer" then
    local rounded = value + 0.0
    return math.tointeger(rounded) or rounded
  elseif type(value) == "table" then
    for key, item in pairs(value) do
      value[key] = as_float64(item)
    end
  end
  return value
end

local function numeric(text)
  local number = text:find "^[+-]?[%d.][%d.eE+-]*$" and tonumber(text)
  return number and number + 0.0 or text
end

-- One parameter is a number if it looks like one; of several a list, of numbers if all do.
local function parameter(values)
  if #values == 1 then
    return numeric(values[1])
  end
  local numbers = {}
  for i, text in ipairs(values) do
    numbers[i] = numeric(text)
    if type(numbers[i]) == "string" then
      return json.array { compat.unpack(values) }
    end
  end
  return json.array(numbers)
end

-- Where the string that begins at a quote ends: at the quote that is not escaped. Each byte is looked at once.
local function end_of_string(text, at)
  local backslashes, following
  repeat
    backslashes, following, at = text:match('^[^"\\]*(\\*)(.?)()', at + 1)
    at = at - 1
  until following == "" or following == '"' and #backslashes % 2 == 0
  return following ~= "" and at or nil
end

-- Where the object at the start of a text ends.
local function end_of_object(text)
  local depth, at = 0, text:match "^%s*(){"
  while at do
    local c = text:sub(at, at)
    if c == '"' then
      at = end_of_string(text, at)
    else
      depth = depth + (c == "{" and 1 or -1)
    end
    if depth == 0 or not at then
      return at
    end
    at = text:find('["{}]', at + 1)
  end
end

local function read_object(body)
  local object = json.decode(body)
  if object == nil then
    local last = end_of_object(body)
    object = last and last < #body and json.decode(body:sub(1, last)) or nil
  end
  return type(object) == "table" and not json.is_array(object) and object or nil
end

--- The input (a table of named arguments) and the list of positional ones; or nil for what Beam answers with 400.
---@param body string
---@param query_lists table<string, string[]>
---@return table? input, table? args
function payload.read(body, query_lists)
  local object = body == "" and {} or read_object(body)
  if not object then
    return nil
  end
  object = as_float64(object)
  local args = json.is_array(object.args) and object.args or {}
  local input = object
  if type(object.kwargs) == "table" and not json.is_array(object.kwargs) then
    input = object.kwargs -- every other key is dropped, silently: so does Beam
  elseif json.is_array(object.args) then
    input.args = nil
  end
  for name, values in pairs(query_lists) do
    input[name] = parameter(values)
  end
  return input, args
end

return payload
