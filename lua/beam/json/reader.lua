-- A JSON reader (RFC 8259) in plain Lua, exact where lua-cjson is not: what lua/binding/json/reader.c is in C, to the words of
-- its messages. Two liberties: NaN and Infinity, which Python's json writes, are read as null; and control characters in
-- strings pass, as they do with lua-cjson. Bytes that are no UTF-8 pass too: a WebSocket has refused them already. A byte order mark at the
-- start is passed over (section 8.1).
local values = require "beam.json.values"
local utf8_text = require "beam.json.text"

local find, sub, byte = string.find, string.sub, string.byte
local byte_order_mark = "\239\187\191"
local null, max_depth, has_integers = values.null, values.max_depth, values.has_integers

local function fail(position, what)
  error({ json = ("invalid JSON at character %d: %s"):format(position, what) }, 0)
end

-- The first characters of a long number.
local function shown(literal)
  return #literal > 40 and sub(literal, 1, 40) .. "..." or literal
end

local function integer(literal, position)
  local number = tonumber(literal)
  if has_integers then
    if math.type(number) ~= "integer" then -- it has become a float
      fail(position, "the integer " .. shown(literal) .. " does not fit in 64 bits")
    end
  elseif math.abs(number) >= values.max_exact and literal:match "%d+" ~= "9007199254740992" then
    fail(position, "the integer " .. shown(literal) .. " is beyond 2^53, which this Lua cannot hold (Lua 5.3 and later can)")
  end
  return number
end

-- tonumber of Lua 5.1 wants the locale's point; that of LuaJIT gives up on an exponent of many digits.
local function float(literal)
  local number = tonumber(literal) or tonumber((literal:gsub("%.", (("%.1f"):format(0):sub(2, -2)))))
  if not number then
    local is_zero = find(literal, "[eE]%-") or not find(literal:match "^[^eE]+", "[1-9]")
    number = (is_zero and 0 or math.huge) * (sub(literal, 1, 1) == "-" and -1 or 1)
  end
  return number
end

local function read_number(s, position)
  local _, last = find(s, "^-?%d+", position)
  if not last then
    fail(position, "a value was expected")
  elseif find(s, "^-?0%d", position) then
    fail(position, "a number with a leading zero")
  end
  local _, fraction = find(s, "^%.%d+", last + 1)
  local _, exponent = find(s, "^[eE][+-]?%d+", (fraction or last) + 1)
  local stop = exponent or fraction or last
  if find(s, "^[0-9A-Za-z.+-]", stop + 1) then
    fail(position, "a malformed number")
  end
  local literal = sub(s, position, stop)
  if stop == last then
    return integer(literal, position), stop + 1
  end
  local number = float(literal)
  if number == math.huge or number == -math.huge then
    fail(position, "the number " .. shown(literal) .. " is too large for a double")
  end
  return number, stop + 1
end

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function read_unicode(s, position)
  local _, last, digits = find(s, "^\\u(%x%x%x%x)", position)
  local code = last and tonumber(digits, 16) or fail(position, "\\u wants four hexadecimal digits")
  if code < 0xD800 or code > 0xDFFF then
    return utf8_text.encode(code), last + 1
  end
  local _, low_last, low_digits = find(s, "^\\u([dD][c-fC-F]%x%x)", last + 1)
  if code > 0xDBFF or not low_last then
    fail(position, "a lone surrogate \\u" .. digits .. ", which no UTF-8 text can hold")
  end
  return utf8_text.encode(0x10000 + (code - 0xD800) * 1024 + tonumber(low_digits, 16) - 0xDC00), low_last + 1
end

local function read_string(s, start)
  local pieces, position = {}, start + 1
  while true do
    local _, last = find(s, '^[^"\\]+', position)
    if last then
      pieces[#pieces + 1] = sub(s, position, last)
      position = last + 1
    end
    local c = byte(s, position)
    if c == 34 then
      return table.concat(pieces), position + 1
    elseif c == 92 and sub(s, position + 1, position + 1) == "u" then
      pieces[#pieces + 1], position = read_unicode(s, position)
    elseif c == 92 then
      pieces[#pieces + 1] = escapes[sub(s, position + 1, position + 1)] or fail(position, "an unknown escape")
      position = position + 2
    else
      fail(position, "the string has no end")
    end
  end
end

local function skip(s, position)
  local _, last = find(s, "^[ \t\r\n]*", position)
  return last + 1
end

local read_value

local function read_array(s, position, depth)
  local list, n = {}, 0
  position = skip(s, position + 1)
  if byte(s, position) == 93 then
    return values.array(list), position + 1
  end
  while true do
    n = n + 1
    list[n], position = read_value(s, position, depth)
    position = skip(s, position)
    local c = byte(s, position)
    if c == 93 then
      return values.array(list), position + 1
    elseif c ~= 44 then
      fail(position, "',' or ']' was expected")
    end
    position = skip(s, position + 1)
  end
end

local function read_object(s, position, depth)
  local object = {}
  position = skip(s, position + 1)
  if byte(s, position) == 125 then
    return object, position + 1
  end
  while true do
    if byte(s, position) ~= 34 then
      fail(position, "a key in quotes was expected")
    end
    local key
    key, position = read_string(s, position)
    position = skip(s, position)
    if byte(s, position) ~= 58 then
      fail(position, "':' was expected")
    end
    object[key], position = read_value(s, skip(s, position + 1), depth)
    position = skip(s, position)
    local c = byte(s, position)
    if c == 125 then
      return object, position + 1
    elseif c ~= 44 then
      fail(position, "',' or '}' was expected")
    end
    position = skip(s, position + 1)
  end
end

local words = { ["true"] = true, ["false"] = false, null = null, NaN = null, Infinity = null, ["-Infinity"] = null }

function read_value(s, position, depth)
  local c = byte(s, position)
  if c == 34 then
    return read_string(s, position)
  elseif c == 123 or c == 91 then
    if depth == max_depth then
      fail(position, "nested deeper than " .. max_depth .. " levels")
    end
    return (c == 123 and read_object or read_array)(s, position, depth + 1)
  end
  local _, last, word = find(s, "^(-?[A-Za-z]+)", position)
  if last and words[word] ~= nil then
    return words[word], last + 1
  end
  return read_number(s, position)
end

--- The value of a JSON text, or nil and what is wrong with it.
local function read(s)
  if find(s, "^\255\254") or find(s, "^\254\255") then
    return nil, "invalid JSON at character 1: the text is UTF-16 or UTF-32, and JSON is UTF-8"
  end
  local first = sub(s, 1, 3) == byte_order_mark and 4 or 1
  local ok, value, position = pcall(read_value, s, skip(s, first), 0)
  if ok then
    position = skip(s, position)
    if position > #s then
      return value
    end
    return nil, ("invalid JSON at character %d: the text goes on after its value"):format(position)
  elseif type(value) == "table" and value.json then
    return nil, value.json
  end
  error(value, 0)
end

return read
