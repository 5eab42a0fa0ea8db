-- A value as the prompt shows it: tables opened up to a depth, a number of items and a width, cycles named, errors with their hint.
local inspect = {}

local deepest, most_items, longest_string = 5, 100, 2000

local json_null, errors

local function paint_plain(_, text)
  return text
end

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function quoted(text, longest)
  local rest = #text - longest
  local shown = rest > 0 and text:sub(1, longest) or text
  shown = shown:gsub('[^ !#-[%]^-~\128-\255]', function(c)
    return escapes[c] or ("\\%d"):format(c:byte())
  end)
  if not utf8.len(shown) then
    shown = shown:gsub("[\128-\255]", function(c)
      return ("\\x%02x"):format(c:byte())
    end)
  end
  return '"' .. shown .. '"' .. (rest > 0 and (" … %d bytes more"):format(rest) or "")
end

-- An error of ours: its kind, what failed, what to do.
local function error_text(err, paint)
  local hint = err.hint and paint("grey", " (" .. err.hint .. ")") or ""
  return paint("red", err.kind .. ": ") .. err.message .. hint
end

local function scalar(value, paint)
  local kind = type(value)
  if value == json_null then
    return paint("magenta", "beam.null")
  elseif kind == "string" then
    return paint("green", quoted(value, longest_string))
  elseif kind == "number" or kind == "boolean" then
    return paint("yellow", tostring(value))
  elseif kind == "nil" then
    return paint("magenta", "nil")
  end
  return paint("cyan", tostring(value))
end

local function is_opened(value)
  local meta = getmetatable(value)
  return type(value) == "table" and not (type(meta) == "table" and (meta.__tostring or meta.__name))
end

local function key_text(key, paint)
  if type(key) == "string" and key:find "^[A-Za-z_][0-9A-Za-z_]*$" then
    return key
  end
  return "[" .. (is_opened(key) and tostring(key) or scalar(key, paint)) .. "]"
end

local order = { number = 1, string = 2 }

local function sorted_keys(value, length)
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b)
    local first, second = order[type(a)] or 3, order[type(b)] or 3
    if first ~= second then
      return first < second
    elseif first == 3 then
      return tostring(a) < tostring(b)
    end
    return a < b
  end)
  return keys
end

local show

-- The items of a table as texts; what is beyond the bound is counted.
local function items(value, depth, path, paint)
  local list, length = {}, rawlen(value)
  local keys = sorted_keys(value, length)
  for i = 1, math.min(length, most_items) do
    list[i] = show(rawget(value, i), depth + 1, path, paint)
  end
  for i = 1, math.min(#keys, most_items - #list) do
    list[#list + 1] = key_text(keys[i], paint) .. " = " .. show(rawget(value, keys[i]), depth + 1, path, paint)
  end
  local left = length + #keys - #list
  if left > 0 then
    list[#list + 1] = paint("grey", ("… %d more"):format(left))
  end
  return list
end

-- How wide it looks, without the colours.
local function width(text)
  local plain = text:gsub("\27%[%d*m", "")
  return utf8.len(plain) or #plain
end

local function layout(list, depth)
  local total, broken = 4 + depth * 2, false
  for _, item in ipairs(list) do
    total = total + width(item) + 2
    broken = broken or item:find "\n"
  end
  if total <= inspect.width and not broken then
    return "{ " .. table.concat(list, ", ") .. " }"
  end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(list, ",\n" .. indent) .. ",\n" .. ("  "):rep(depth) .. "}"
end

function show(value, depth, path, paint)
  if errors.is(value) then
    return error_text(value, paint)
  elseif not is_opened(value) then
    return scalar(value, paint)
  elseif path[value] then
    return paint("grey", "<cycle>")
  elseif next(value) == nil then
    return "{}"
  elseif depth >= deepest then
    return paint("grey", "{…}")
  end
  path[value] = true
  local text = layout(items(value, depth, path, paint), depth)
  path[value] = nil
  return text
end

--- Columns that a table may take on one line.
inspect.width = 80

---@param value any
---@param paint (fun(colour: string, text: string): string)? default: no colours
---@return string
function inspect.text(value, paint)
  errors = errors or require "beam.error"
  json_null = json_null or require("beam.json").null
  return show(value, 0, {}, paint or paint_plain)
end

return inspect
