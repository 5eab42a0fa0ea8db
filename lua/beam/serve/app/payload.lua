-- What a handler of an endpoint gets (docs/wire.md section 4): a JSON object, its `args` and `kwargs` taken out, joined by the
-- query parameters.
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
  local number = text:find "^[+-]?[%d.]+[%deE+-]*$" and tonumber(text)
  return number and number + 0.0 or text
end

--- The input (a table of named arguments) and the list of positional ones; or nil for what Beam answers with 400.
function payload.read(body, query)
  local object = {}
  if body ~= "" then
    object = json.decode(body)
    if type(object) ~= "table" or json.is_array(object) then
      return nil
    end
  end
  object = as_float64(object)
  local args = json.is_array(object.args) and object.args or {}
  local input = object
  if type(object.kwargs) == "table" and not json.is_array(object.kwargs) then
    input = object.kwargs -- every other key is dropped, silently: so does Beam
  elseif json.is_array(object.args) then
    input.args = nil
  end
  for name, value in pairs(query) do
    input[name] = numeric(value)
  end
  return input, args
end

return payload
