-- A JSON writer in plain Lua: what lua/binding/json/writer.c is in C, and precise about what cannot be written and where it
-- stands.
local values = require "beam.json.values"
local utf8_text = require "beam.json.text"

local format, concat = string.format, table.concat
local null, empty_array, max_depth = values.null, values.empty_array, values.max_depth
local math_type = math.type or function()
  return "float"
end

-- The path of a value, as a script would write it: "value.users[3].name".
local function path_text(path)
  local parts = { "value" }
  for i = 1, #path do
    local key = path[i]
    if type(key) == "number" then
      parts[#parts + 1] = "[" .. key .. "]"
    else
      parts[#parts + 1] = key:find "^[A-Za-z_][0-9A-Za-z_]*$" and "." .. key or format("[%q]", key)
    end
  end
  return concat(parts)
end

local function fail(state, what)
  error({ json = "cannot write " .. path_text(state.path) .. " as JSON: " .. what }, 0)
end

local short = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(c)
  return short[c] or format("\\u%04x", c:byte())
end

local function write_string(state, s)
  local bad = utf8_text.bad_utf8(s)
  if bad then
    fail(state, "byte " .. bad .. " of the string is not UTF-8 (encode binary data first, as base64 for instance)")
  end
  return '"' .. s:gsub('[^ !#-[%]^-~\128-\255]', escape) .. '"'
end

-- The shortest of 15, 16 and 17 digits that reads back as the same double. An integral float keeps its ".0" where Lua
-- tells floats from integers; elsewhere it is an integer as far as a double is exact.
local function write_number(state, n)
  if n ~= n or n == math.huge or n == -math.huge then
    fail(state, (n ~= n and "NaN" or "an infinite number") .. " is no JSON (use beam.null)")
  elseif math_type(n) == "integer" then
    state.large = state.large or n > values.max_exact or n < -values.max_exact
    return format("%d", n)
  elseif math_type(0) ~= "integer" and n % 1 == 0 and n >= -values.max_exact and n <= values.max_exact then
    return n == 0 and 1 / n < 0 and "-0.0" or format("%.0f", n)
  end
  for digits = 15, 17 do
    local s = format("%." .. digits .. "g", n)
    if tonumber(s) == n then
      s = s:gsub(",", ".") -- some locales have a comma
      return s:find "[.e]" and s or s .. ".0"
    end
  end
end

local write_value

local function write_array(state, t, n)
  local parts, depth = {}, #state.path + 1
  for i = 1, n do
    state.path[depth] = i
    parts[i] = write_value(state, rawget(t, i))
  end
  state.path[depth] = nil
  return "[" .. concat(parts, ",") .. "]"
end

local function write_object(state, t)
  local parts, depth = {}, #state.path + 1
  for key, value in next, t do
    state.path[depth] = key
    parts[#parts + 1] = write_string(state, key) .. ":" .. write_value(state, value)
  end
  state.path[depth] = nil
  return "{" .. concat(parts, ",") .. "}"
end

-- The number of items of an array, nil for an object; anything between the two is refused.
local function array_length(state, t)
  local strings, numbers, highest = 0, 0, 0
  for key in next, t do
    if type(key) == "string" then
      strings = strings + 1
    elseif type(key) == "number" and key >= 1 and key % 1 == 0 then
      numbers, highest = numbers + 1, math.max(highest, key)
    else
      fail(state, "a table key is a " .. type(key) .. " that is neither a string nor a position (" .. tostring(key) .. ")")
    end
  end
  if strings > 0 and (numbers > 0 or values.is_marked(t)) then
    fail(state, "the table has both positions and names as keys: it is neither an array nor an object")
  elseif highest > numbers then
    fail(state, format("the array has holes: %d items up to position %d (fill them with beam.null)", numbers, highest))
  end
  return (numbers > 0 or values.is_marked(t)) and numbers or nil
end

local function write_table(state, t)
  if state.open[t] then
    fail(state, "the table contains itself")
  elseif #state.path >= max_depth then
    fail(state, "nested deeper than " .. max_depth .. " levels")
  end
  state.open[t] = true
  local n = array_length(state, t)
  local text = n and write_array(state, t, n) or write_object(state, t)
  state.open[t] = nil
  return text
end

function write_value(state, value)
  local kind = type(value)
  if kind == "table" then
    return write_table(state, value)
  elseif kind == "string" then
    return write_string(state, value)
  elseif kind == "number" then
    return write_number(state, value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value == null or value == nil then
    return "null"
  elseif empty_array ~= nil and value == empty_array then
    return "[]"
  end
  fail(state, "a " .. kind .. " is no JSON")
end

--- The JSON text of a value and whether an integer beyond 2^53 is in it, or nil and what cannot be written, where.
local function write(value)
  local state = { path = {}, open = {}, large = false }
  local ok, text = pcall(write_value, state, value)
  if ok then
    return text, state.large
  elseif type(text) == "table" and text.json then
    return nil, text.json
  end
  error(text, 0)
end

return write
