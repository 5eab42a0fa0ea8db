-- A value as a person reads it: tables opened up to a depth, a number of items and a width, cycles named, keys in order, errors with their
-- hint, and no secret that this process has used. No metamethod of a table is run but its __tostring.
local errors = require "beam.error"
local json = require "beam.json"
local mistake = require "beam.base.mistake"
local secrets = require "beam.settings.secrets"
local types = require "beam.base.types"
local values = require "beam.json.values"
local visible = require "beam.base.visible"

local inspect = {}

local defaults = { depth = 5, items = 100, length = 2000, width = 80 }
local most_in_all = 2000 -- items of all tables together: five levels of a hundred would be ten thousand million

--- Columns that a table may take on one line, if nothing is said.
inspect.width = defaults.width

local raw_length = rawlen or function(value)
  return #value -- Lua 5.1 asks no metamethod for it
end

local function paint_plain(_, text)
  return text
end

-- ---- What is no table ----

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function quoted(text, longest)
  text = secrets.hide(text)
  local rest = #text - longest
  local shown = rest > 0 and text:sub(1, longest):gsub("[\192-\255][\128-\191]*$", "") or text
  shown = shown:gsub('[\1-\31\127"\\]', function(c)
    return escapes[c] or ("\\%d"):format(c:byte())
  end)
  return '"' .. visible.line(shown) .. '"' .. (rest > 0 and (" … %d bytes more"):format(rest) or "")
end

-- An error of ours: its kind, what failed, what to do.
local function error_text(err, paint)
  local hint = err.hint and paint("grey", " (" .. visible.lines(err.hint) .. ")") or ""
  return paint("red", err.kind .. ": ") .. visible.lines(err.message) .. hint
end

-- What is shown by its own __tostring, or by what Lua makes of it.
local function named(value, longest)
  local ok, text = pcall(tostring, value)
  if not ok or type(text) ~= "string" then
    return "<" .. type(value) .. ", whose __tostring fails>"
  elseif #text > longest then
    text = text:sub(1, longest) .. (" … %d bytes more"):format(#text - longest)
  end
  return visible.lines(secrets.hide(text))
end

local function scalar(self, value)
  local kind, paint = type(value), self.paint
  if value == json.null then
    return paint("magenta", "beam.null")
  elseif kind == "string" then
    return paint("green", quoted(value, self.length))
  elseif kind == "number" or kind == "boolean" then
    return paint("yellow", tostring(value))
  elseif kind == "nil" then
    return paint("magenta", "nil")
  end
  return paint("cyan", named(value, self.length))
end

-- ---- Tables ----

local function is_opened(value)
  if type(value) ~= "table" then
    return false
  end
  local meta = debug.getmetatable(value)
  return type(meta) ~= "table" or not (rawget(meta, "__tostring") or rawget(meta, "__name")) or values.is_marked(value)
end

--- Whether it is a table that would be opened.
inspect.is_opened = is_opened

local function key_text(self, key)
  if type(key) == "string" and key:find "^[A-Za-z_][0-9A-Za-z_]*$" then
    return secrets.hide(key)
  end
  return "[" .. (is_opened(key) and named(key, self.length) or scalar(self, key)) .. "]"
end

local order = { number = 1, string = 2 }

local function comes_before(a, b)
  local first, second = order[type(a)] or 3, order[type(b)] or 3
  if first ~= second then
    return first < second
  elseif first == 3 then
    return named(a, 100) < named(b, 100)
  end
  return a < b
end

local function sorted_keys(value, length)
  local keys = {}
  for key in next, value do
    if not (type(key) == "number" and key % 1 == 0 and key >= 1 and key <= length) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, comes_before)
  return keys
end

local show

-- The items of a table as texts; what is beyond the bounds is counted.
local function items(self, value, depth)
  local list, length = {}, raw_length(value)
  local keys = sorted_keys(value, length)
  local room = math.min(self.items, self.left)
  self.left = self.left - math.min(room, length + #keys)
  for i = 1, math.min(length, room) do
    list[i] = show(self, rawget(value, i), depth + 1)
  end
  for i = 1, math.min(#keys, room - #list) do
    list[#list + 1] = key_text(self, keys[i]) .. " = " .. show(self, rawget(value, keys[i]), depth + 1)
  end
  local left = length + #keys - #list
  if left > 0 then
    list[#list + 1] = self.paint("grey", ("… %d more"):format(left))
  end
  return list
end

-- How wide it looks, without the colours.
local function columns(text)
  local _, continued = text:gsub("\27%[%d*m", ""):gsub("[\128-\191]", "")
  return #text:gsub("\27%[%d*m", "") - continued
end

local function layout(self, list, depth)
  local total, broken = 4 + depth * 2, false
  for _, item in ipairs(list) do
    total = total + columns(item) + 2
    broken = broken or item:find("\n", 1, true)
  end
  if total <= self.width and not broken then
    return "{ " .. table.concat(list, ", ") .. " }"
  end
  local indent = ("  "):rep(depth + 1)
  return "{\n" .. indent .. table.concat(list, ",\n" .. indent) .. ",\n" .. ("  "):rep(depth) .. "}"
end

function show(self, value, depth)
  if errors.is(value) then
    return error_text(value, self.paint)
  elseif not is_opened(value) then
    return scalar(self, value)
  elseif self.path[value] then
    return self.paint("grey", "<cycle>")
  elseif next(value) == nil then
    return values.is_marked(value) and "beam.array {}" or "{}"
  elseif depth >= self.depth then
    return self.paint("grey", "{…}")
  end
  self.path[value] = true
  local text = layout(self, items(self, value, depth), depth)
  self.path[value] = nil
  return text
end

-- ---- The function ----

---@class beam.inspect_options
---@field depth integer? levels of tables in tables, default 5
---@field items integer? of one table, default 100; of all together 2000
---@field length integer? bytes of a string, default 2000
---@field width integer? columns that a table may take on one line, default 80
local known = { depth = "number", items = "number", length = "number", width = "number", paint = "function" }

local function check(options)
  errors.check_options(options, known, "beam.inspect")
  types.check(options, known, "beam.inspect")
  for name in pairs(defaults) do
    if options[name] and (options[name] < 0 or options[name] ~= options[name]) then
      mistake(("beam.inspect: option '%s' wants a number, 0 or more"):format(name))
    end
  end
end

--- A value as text, for a person: tables opened, their keys in order, cycles named, credentials hidden, all of it bounded. JSON's null is
--- beam.null, an empty array beam.array {}.
---@param value any
---@param options beam.inspect_options?
---@return string
function inspect.inspect(value, options)
  options = options or {}
  check(options)
  local self = { path = {}, left = most_in_all, paint = options.paint or paint_plain }
  for name, default in pairs(defaults) do
    self[name] = options[name] or name == "width" and inspect.width or default
  end
  return show(self, value, 0)
end

return inspect
