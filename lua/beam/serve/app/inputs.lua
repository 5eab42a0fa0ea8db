-- The input schema of an endpoint: inputs = { x = "number", name = "string?" }. What does not fit never reaches the handler; Beam answers
-- it with status 200 (docs/wire.md section 4).
local json = require "beam.json"

local inputs = {}

local function is_integer(value)
  return type(value) == "number" and value % 1 == 0
end

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

local function is_of(kind)
  return function(value)
    return type(value) == kind
  end
end

local checks = {
  string = is_of "string",
  number = is_of "number",
  boolean = is_of "boolean",
  integer = is_integer,
  array = json.is_array,
  object = is_object,
  any = function()
    return true
  end,
}

--- Raises if it is no schema.
---@param schema table<string, string>?
---@param where string for the message
function inputs.check_schema(schema, where)
  for name, kind in pairs(schema or {}) do
    if type(name) ~= "string" or type(kind) ~= "string" or not checks[kind:gsub("%?$", "")] then
      local message = "%s: inputs are fields and their kinds, like { x = \"number\", name = \"string?\" }; field '%s' is none: %s"
      error(message:format(where, tostring(name), "string, number, integer, boolean, array, object, any"), 0)
    end
  end
end

local function invalid(field, message)
  return { error = "ValidationError", message = message, field = field }
end

--- What Beam says about an input that does not fit; nil if it does. Of several the first by name.
---@param schema table<string, string>?
---@param input table
---@return { error: string, message: string, field: string }?
function inputs.check(schema, input)
  local names = {}
  for name in pairs(schema or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local kind, optional = schema[name]:match "^([A-Za-z]+)(%??)$"
    local value = input[name]
    if (value == nil or value == json.null) and optional == "" then
      return invalid(name, ("Field '%s' is required"):format(name))
    elseif value ~= nil and value ~= json.null and not checks[kind](value) then
      return invalid(name, ("Field '%s' must be of type %s"):format(name, kind))
    end
  end
end

return inputs
