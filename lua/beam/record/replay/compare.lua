-- Whether two messages are the same, and where they differ.
--
-- JSON is compared by its values: the order of keys is no difference (lua-cjson's is by chance). Everything else, and with `exact` JSON as
-- well, is compared to the byte.
local json = require "beam.json"

local compare = {}

local shown = 160 -- bytes of a message in a report

local type_of = math.type or type -- luacheck: ignore 143

local function step_into(path, key)
  return type(key) == "number" and ("%s[%d]"):format(path, key) or path == "" and key or path .. "." .. key
end

-- The path of the first difference of two values; nil: they are the same.
local function first_difference(a, b, path)
  if type(a) ~= "table" or type(b) ~= "table" then
    return (a ~= b or type_of(a) ~= type_of(b)) and path or nil
  elseif json.is_array(a) ~= json.is_array(b) then
    return path
  end
  local keys = {}
  for _, value in ipairs { a, b } do
    for key in pairs(value) do
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local found = first_difference(a[key], b[key], step_into(path, key))
    if found then
      return found
    end
  end
end

-- Only documents: bare numbers and strings are compared as text.
local function document(text)
  if text:find "^%s*[%[{]" then
    return (json.decode(text))
  end
end

local function first_byte(a, b)
  local low, high = 0, math.min(#a, #b)
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if a:sub(1, middle) == b:sub(1, middle) then
      low = middle
    else
      high = middle - 1
    end
  end
  return low + 1
end

--- Whether two texts are the same.
---@param expected string
---@param got string
---@param exact boolean? to the byte
---@return boolean same
---@return string? how "form": the same value, written otherwise; or where they differ: "they differ at x.y", "they differ from byte 3"
function compare.texts(expected, got, exact)
  if expected == got then
    return true
  end
  local a, b = document(expected), document(got)
  if a ~= nil and b ~= nil then
    local path = first_difference(a, b, "")
    if not path then
      return not exact, exact and "they differ in form only: the order of keys, or spaces" or "form"
    elseif path ~= "" then
      return false, "they differ at " .. path
    end
  end
  return false, ("they differ from byte %d"):format(first_byte(expected, got))
end

local function is_printable(text)
  return not text:find "[%z\1-\8\11-\31\127]" and json.encode(text) ~= nil
end

--- A message, for people: a long one from where it differs from the other.
---@param data string
---@param other string?
---@return string
function compare.show(data, other)
  if data == "" then
    return "nothing"
  elseif not is_printable(data) then
    return ("%d bytes"):format(#data)
  elseif #data <= shown then
    return data
  end
  local first = other and math.max(1, first_byte(data, other) - 40) or 1
  local piece = data:sub(first, first + shown - 1)
  return ("%s%s%s (%d bytes)"):format(first > 1 and "…" or "", piece, first + shown <= #data and "…" or "", #data)
end

--- "expected …, got …" of two that are not the same.
---@return string
function compare.explain(expected, got, how)
  return ("expected %s, got %s (%s)"):format(compare.show(expected, got), compare.show(got, expected), how)
end

return compare
