-- JSON where beam.core is not there: lua-cjson carries what the loaded release carries exactly, found out by trying it here;
-- beam/json/reader.lua and writer.lua carry the rest. So a document is looked at before it is written and after it is read.
--
-- lua-cjson 2.1.0 (Debian 12 and 13) has no empty arrays, writes 14 digits, reads every number as a float and accepts invalid
-- UTF-8; later releases mend some of it. The state of the global lua-cjson is never touched.
local values = require "beam.json.values"
local read = require "beam.json.reader"
local utf8_text = require "beam.json.text"

local plain = {}

local null, max_depth, has_integers = values.null, values.max_depth, values.has_integers
local find, format, math_type = string.find, string.format, math.type
local getmetatable, is_marked, next, type = getmetatable, values.is_marked, next, type
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
local exact_below = 10 ^ (digits - 1) -- an integer below this is written whole; it is below 2^53 too
local carries_empty_arrays = codec.decode_array_with_array_mt ~= nil and encode(values.array()) == "[]"
local carries_integers = has_integers
  and math_type(decode("[1]")[1]) == "integer"
  and encode { math.maxinteger } == format("[%d]", math.maxinteger)

-- ---- Reading ----

-- What a document held that its text has to be asked about.
local seen_empty, seen_integral
local to_integer = math.tointeger

-- Looks at what lua-cjson made of a text; makes integers of its integral floats, in place. False: a number has lost digits.
local function examine(t)
  local empty = true
  for key, value in next, t do
    empty = false
    local kind = type(value)
    if kind == "table" then
      if not examine(value) then
        return false
      end
    elseif kind == "number" and not (carries_integers and math_type(value) == "integer") then
      if value % 1 == 0 then
        if value >= values.max_exact or value <= -values.max_exact then
          return false
        elseif to_integer then
          seen_integral = true
          t[key] = to_integer(value)
        end
      elseif value - value ~= 0 then -- infinite
        return false
      end
    end
  end
  seen_empty = seen_empty or empty
  return true
end

local exponents = {}
for digit = 0, 9 do
  exponents[2 * digit + 1], exponents[2 * digit + 2] = digit .. "e", digit .. "E"
end

-- A digit and an "e": in a long text by plain searches, which all together are ten times as fast as a pattern.
local function may_have_exponent(text)
  if #text < 200 then
    return find(text, "%d[eE]")
  end
  for i = 1, #exponents do
    if find(text, exponents[i], 1, true) then
      return true
    end
  end
end

-- 16 digits and more around a point: 1234567.0000000001 becomes an integral double.
local eight = ("%d"):rep(8)
local function may_be_rounded(text)
  return find(text, "%." .. eight) or find(text, eight .. "%.")
end

-- Whether a text writes an integral number as a float: 1.0, 1e3. It may err towards yes: it looks into strings too.
local function may_have_integral_float(text)
  return find(text, ".0", 1, true) and find(text, "%d%.0+%s*[,%]}]")
    or may_be_rounded(text)
    or may_have_exponent(text) and find(text, "%d[eE][+-]?%d+%s*[,%]}]")
end

local function is_exact(text, value)
  seen_empty, seen_integral = false, false
  if not examine(value) then
    return false
  end
  return not (seen_empty and not carries_empty_arrays and find(text, "%[%s*%]"))
    and not (seen_integral and not carries_integers and may_have_integral_float(text))
end

function plain.decode(text)
  local ok, value = pcall(decode, text)
  if ok and (type(value) == "string" or type(value) == "table" and is_exact(text, value)) then
    return value
  end
  return read(text)
end

-- ---- Writing ----

local function number_is_exact(n)
  if n % 1 == 0 then
    if has_integers then -- an integral float needs its ".0"
      return math_type(n) == "integer" and n < exact_below and n > -exact_below
    end
    return n < exact_below and n > -exact_below and (n ~= 0 or 1 / n > 0) -- not -0
  end
  return n - n == 0 and tonumber((format(number_format, n))) == n -- neither NaN nor infinite
end

local write_exactly

local function value_is_exact(value, depth)
  local kind = type(value)
  if kind == "number" then
    return number_is_exact(value)
  elseif kind == "table" then
    return write_exactly(value, depth + 1)
  end
  return kind == "boolean" or value == null
end

-- Whether lua-cjson writes this table exactly. A "no" is looked at by the writer, which also words the errors.
function write_exactly(t, depth)
  if depth > max_depth or getmetatable(t) and not (carries_empty_arrays and is_marked(t)) then
    return false
  end
  local length, count = #t, 0
  if length == 0 then
    for key, value in next, t do
      if type(key) ~= "string" or type(value) ~= "string" and not value_is_exact(value, depth) then
        return false
      end
    end
    return true
  end
  for key, value in next, t do
    if type(key) ~= "number" or key < 1 or key > length or key % 1 ~= 0 then
      return false
    elseif type(value) ~= "string" and not value_is_exact(value, depth) then
      return false
    end
    count = count + 1
  end
  return count == length
end

--- Returns the text and false, as no integer in it is beyond 2^53; nil for what only the writer can write, or nobody.
function plain.encode(value)
  if type(value) ~= "table" or not write_exactly(value, 1) then
    return nil
  end
  local ok, text = pcall(encode, value)
  if not ok or utf8_text.bad_utf8(text) then
    return nil
  elseif #text > large_text then
    new_codec()
  end
  return text, false
end

return plain
