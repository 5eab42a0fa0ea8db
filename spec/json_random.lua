-- Random JSON texts and random values, sound and broken, the same for the same seed on every Lua.
local json = require "beam.json"

local random_json = {}

local has_integers = math.type ~= nil

--- A source of whole numbers: random(n) is 1 to n.
function random_json.source(seed)
  seed = seed * 7919 % 2147483647
  return function(n)
    seed = (seed * 16807) % 2147483647
    return seed % n + 1
  end
end

--- Compares with the kinds of numbers and the marks of arrays, unlike assert.same.
function random_json.identical(a, b)
  if type(a) ~= type(b) or (has_integers and math.type(a) ~= math.type(b)) then
    return false
  elseif type(a) ~= "table" then
    return a == b and (a ~= 0 or has_integers or 1 / a == 1 / b)
  end
  for key, value in pairs(a) do
    if not random_json.identical(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return next(a) ~= nil or json.is_array(a) == json.is_array(b)
end

local function one_of(random, list)
  return list[random(#list)]
end

-- ---- Values ----

-- What is special in JSON, in UTF-8 and to a search for numbers and empty arrays.
local characters = { "a", "Z", "0", " ", '"', "\\", "/", "\n", "\0", "\31", "\127", "é", "\226\128\168", "\240\159\152\128" }
for _, text in ipairs { "[]", ":1.0,", "9e9", "99999999999999999999", ("x"):rep(40), ("\\"):rep(300) } do
  table.insert(characters, text)
end

local function random_string(random)
  local parts = {}
  for i = 1, random(8) - 1 do
    parts[i] = one_of(random, characters)
  end
  return table.concat(parts)
end

local function random_number(random)
  local kind = random(6)
  if kind == 1 then
    return random(1000) - 500
  elseif kind == 2 then
    local high, low = random(2 ^ 22) - 1, random(2 ^ 31 - 2)
    return has_integers and math.tointeger(high * 2147483648 + low) or high * 2147483648 + low
  elseif kind == 3 and has_integers then
    return math.mininteger + random(2 ^ 31 - 2) * 4294967311
  elseif kind == 4 then
    return random(1e6) / random(1e6) * 10.0 ^ (random(600) - 300)
  elseif kind == 5 then
    return random(1e6) / random(1e6) * (random(2) == 1 and 1 or -1)
  end
  return random(1000) / 8 + 0.0
end

--- What JSON can hold.
function random_json.value(random, depth)
  local kind = random(depth > 5 and 4 or 7)
  if kind == 1 then
    return random(2) == 1
  elseif kind == 2 then
    return json.null
  elseif kind == 3 then
    return random_number(random)
  elseif kind == 4 then
    return random_string(random)
  end
  local value = kind == 5 and {} or json.array()
  for i = 1, random(5) - 1 do
    value[kind == 5 and random_string(random) or i] = random_json.value(random, depth + 1)
  end
  return value
end

local spoilt = { 0 / 0, 1 / 0, -1 / 0, print, "\255", "é\195", "\237\160\128", io.stdout, { [2] = 1 }, { 1, x = 1 }, { [true] = 1 } }

-- One table somewhere in a value.
local function some_table(random, value)
  local inner = {}
  for _, item in pairs(value) do
    if type(item) == "table" then
      inner[#inner + 1] = item
    end
  end
  -- the order of pairs differs from run to run: the first by size is the same table, or one as good
  table.sort(inner, function(a, b)
    return #(json.encode(a) or "") < #(json.encode(b) or "")
  end)
  return #inner > 0 and random(3) > 1 and some_table(random, one_of(random, inner)) or value
end

--- Something that may have a part which JSON cannot hold, or an array whose items do not stand in their order.
function random_json.any(random)
  local value = { random_json.value(random, 1), random_json.value(random, 1) }
  local target, kind = some_table(random, value), random(6)
  if kind == 1 then
    target[random_string(random)] = one_of(random, spoilt)
  elseif kind == 2 then
    target[random(4)] = one_of(random, spoilt)
  elseif kind == 3 then
    target[random(2) == 1 and "again" or #target + 1] = value -- contains itself, or is `value` with itself in it
  elseif kind == 4 then
    value[1] = { 1, target, [4] = true, [3] = json.null }
    value[2] = { [3] = "c", [2] = "b", [1] = random(3) > 1 and "a" or nil }
  elseif kind == 5 then
    target[random(3)] = nil
  end
  return value
end

-- ---- Texts ----

local function digits(random, n)
  local list = {}
  for i = 1, n do
    list[i] = random(10) - 1
  end
  return table.concat(list)
end

local function number_text(random)
  local text = (random(3) == 1 and "-" or "") .. (random(3) == 1 and "0" or random(9) .. digits(random, random(random(4) == 1 and 24 or 6) - 1))
  if random(2) == 1 then
    text = text .. "." .. digits(random, random(random(3) == 1 and 20 or 4))
  end
  if random(4) == 1 then
    text = text .. one_of(random, { "e", "E", "e+", "E-" }) .. digits(random, random(3))
  end
  return text
end

local escapes = { "\\n", "\\u0000", "\\u00E9", "\\u2028", "\\ud83d\\uDE00", "\\/", "\\\\", '\\"', "\\b\\f\\r\\t", "é", "\240\159\152\128", "[]" }

local function string_text(random)
  local parts = {}
  for i = 1, random(6) - 1 do
    parts[i] = random(2) == 1 and one_of(random, escapes) or ("plain text "):sub(1, random(11))
  end
  return '"' .. table.concat(parts) .. '"'
end

local function space(random)
  return random(6) == 1 and one_of(random, { " ", "\n", "\t ", "\r\n" }) or ""
end

--- A JSON text in any spelling.
function random_json.text(random, depth)
  local kind = random(depth > 5 and 5 or 8)
  if kind == 1 then
    return one_of(random, { "true", "false", "null", "NaN", "-Infinity" })
  elseif kind <= 3 then
    return number_text(random)
  elseif kind <= 5 then
    return string_text(random)
  end
  local parts = {}
  for i = 1, random(5) - 1 do
    local item = space(random) .. random_json.text(random, depth + 1) .. space(random)
    parts[i] = kind == 8 and item or space(random) .. string_text(random) .. space(random) .. ":" .. item
  end
  local inner = table.concat(parts, ",") .. (#parts == 0 and space(random) or "")
  return kind == 8 and "[" .. inner .. "]" or "{" .. inner .. "}"
end

local pieces = { '"', "\\", "[", "]", "{", "}", ",", ":", "0", "-", ".", "e", "+", "\\u", "\\ud800", "\\udc00", "null", "\0", "\255", "\t", "[[", "x" }

--- The text with something taken out, put in or cut off.
function random_json.spoil(random, text)
  for _ = 1, random(3) do
    local at, kind = random(#text + 1), random(5)
    if kind == 1 then
      text = text:sub(1, at - 1)
    elseif kind == 2 then
      text = text:sub(1, at - 1) .. text:sub(at + random(3))
    else
      text = text:sub(1, at - 1) .. one_of(random, pieces) .. text:sub(at + (kind == 3 and 1 or 0))
    end
  end
  return text
end

return random_json
