-- JSON through lua-cjson, with nothing lost on the way: what is read and written again is what came in.
--
-- lua-cjson 2.1.0 (Debian 12 and 13) has no empty arrays, writes 14 digits, reads every number as a float and accepts invalid
-- UTF-8; later releases mend some of it. So lua-cjson carries what the loaded release carries exactly, found out by trying it
-- here, and beam/json/reader.lua and writer.lua carry the rest. The state of the global lua-cjson is never touched.
local values = require "beam.json.values"
local read = require "beam.json.reader"
local write = require "beam.json.writer"
local utf8_text = require "beam.json.text"

local json = { null = values.null, array = values.array, is_array = values.is_array }

local null, max_depth, has_integers = values.null, values.max_depth, values.has_integers
local find, format = string.find, string.format
local rawlen = rawlen or function(t) -- luacheck: ignore 113
  return #t
end
local math_type = math.type
local large_text = 1024 * 1024 -- after a longer one the codec, which keeps its buffer, is made anew

local codec, encode, decode

local function new_codec()
  codec = values.cjson.new()
  codec.decode_invalid_numbers(false)
  codec.decode_max_depth(max_depth)
  pcall(codec.encode_number_precision, 16) -- refused by 2.1.0
  if codec.decode_array_with_array_mt then
    codec.decode_array_with_array_mt(true)
  end
  encode, decode = codec.encode, codec.decode
end
new_codec()

-- What the loaded lua-cjson can do.
local digits = codec.encode_number_precision()
local number_format = "%." .. digits .. "g"
local exact_below = 10 ^ (digits - 1) -- an integer below this is written whole
local carries_empty_arrays = codec.decode_array_with_array_mt ~= nil and encode(values.array()) == "[]"
local carries_integers = has_integers
  and math_type(decode("[1]")[1]) == "integer"
  and encode { math.maxinteger } == format("[%d]", math.maxinteger)

-- ---- Reading ----

-- Whether lua-cjson reads this text exactly, but for integers that come as floats. Cheap: it looks into strings too, and a
-- wrong "no" only costs time.
local function read_exactly(text)
  if not carries_empty_arrays and find(text, "%[%s*%]") then
    return false
  elseif find(text, "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d") then -- may be an integer beyond 2^53
    return false
  elseif find(text, "%d[eE]") or find(text, "%d%.[^%d]") then -- may be out of range; "1." passes lua-cjson
    return false
  end
  return not has_integers or carries_integers or not find(text, "%d%.0+[^%d]") and not find(text, "%d%.0+$")
end

-- Makes integers of integral floats again, in place. No text that said "1.0" comes here.
local to_integer = math.tointeger
local function restore_integers(t)
  for key, value in next, t do
    local kind = type(value)
    if kind == "number" then
      if value % 1 == 0 then
        t[key] = to_integer(value)
      end
    elseif kind == "table" then
      restore_integers(value)
    end
  end
  return t
end

--- The value of a JSON text, or nil and a message. null is json.null, an empty array is marked (json.is_array).
--- Bare NaN and Infinity, which Python writes, are read as null.
function json.decode(text)
  if type(text) ~= "string" then
    error("json.decode wants a string, not a " .. type(text), 2)
  end
  if not read_exactly(text) or utf8_text.bad_utf8(text) then
    return read(text)
  end
  local ok, value = pcall(decode, text)
  if not ok or (type(value) ~= "table" and type(value) ~= "string") then
    return read(text)
  elseif has_integers and not carries_integers and type(value) == "table" then
    return restore_integers(value)
  end
  return value
end

-- ---- Writing ----

local function number_is_exact(n)
  if n % 1 == 0 then
    if has_integers then -- an integral float needs its ".0"
      return math_type(n) == "integer" and (carries_integers or n < exact_below and n > -exact_below)
    end
    return n < exact_below and n > -exact_below and (n ~= 0 or 1 / n > 0) -- not -0
  end
  return n - n == 0 and tonumber((format(number_format, n))) == n -- neither NaN nor infinite
end

-- Whether lua-cjson writes this table exactly. A "no" is looked at by the writer, which also words the errors.
local function write_exactly(t, depth)
  if depth > max_depth or getmetatable(t) ~= nil and not (carries_empty_arrays and values.is_marked(t)) then
    return false
  end
  local length, count = rawlen(t), 0
  for key, value in next, t do
    if length > 0 then
      if type(key) ~= "number" or key < 1 or key > length or key % 1 ~= 0 then
        return false
      end
      count = count + 1
    elseif type(key) ~= "string" then
      return false
    end
    local kind = type(value)
    if kind == "number" then
      if not number_is_exact(value) then
        return false
      end
    elseif kind == "table" then
      if not write_exactly(value, depth + 1) then
        return false
      end
    elseif kind ~= "string" and kind ~= "boolean" and value ~= null then
      return false
    end
  end
  return count == length
end

--- The JSON text of a value (compact), or nil and a message that names the value that cannot be written.
--- A table with items 1..n is an array, one with string keys an object; an empty one is an object unless json.array marks it.
function json.encode(value)
  if type(value) ~= "table" or not write_exactly(value, 1) then
    return write(value)
  end
  local ok, text = pcall(encode, value)
  if not ok or utf8_text.bad_utf8(text) then
    return write(value)
  elseif #text > large_text then
    new_codec()
  end
  return text
end

return json
