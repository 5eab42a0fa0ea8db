-- beam.json beside bare lua-cjson: how many times as fast each encodes and decodes the same document, in the same run.
-- usage: json.lua [MEBIBYTES]   with a size, one document of that size
-- A * marks where lua-cjson alone is exact too, to the kind of each number and to what is an empty array.
local cjson = require "cjson"
local json = require "beam.json"

local function list(n, item)
  local result = {}
  for i = 1, n do
    result[i] = item(i)
  end
  return result
end

local function row(i)
  return { sku = "item-" .. i, count = i, price = i + 0.25, note = "a short note", tags = json.array() }
end

local function nested(depth)
  return depth > 0 and { name = "level " .. depth, child = nested(depth - 1), list = { { depth } } } or { name = "leaf" }
end

local function line(i)
  return ('line "%d"\n\tof text, with an é and some more of it to be read'):format(i)
end

local token = { choices = { { delta = { content = " token" }, index = 0 } }, id = "chatcmpl-123", model = "m", created = 1732143567 }

local documents = {
  { "small message", { event = "Echo this back", ok = true } },
  { "message with integers", { event = "Echo this back", id = 17, ok = true } },
  { "one token of a stream", token },
  { "1 KiB object", { user = { name = "Ada Lovelace", id = 4711 }, items = list(11, row) } },
  { "100 KiB of floats", list(6000, function(i) return i / 7 + 0.01 end) },
  { "short floats", list(10000, function(i) return i / 8 + 0.0625 end) },
  { "integers", list(10000, function(i) return i * 37 end) },
  { "nested 60 deep", nested(60) },
  { "strings with escapes", list(500, line) },
  { "long strings", list(20, function() return ("The quick brown fox jumps over the lazy dog. "):rep(100) end) },
}

-- ---- Exactness ----

local kind_of = math.type or type

local function identical(a, b)
  if kind_of(a) ~= kind_of(b) then
    return false
  elseif type(a) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not identical(value, b[key]) then
      return false
    end
  end
  return next(a) ~= nil or json.is_array(a) == json.is_array(b)
end

local function mark(exact)
  return exact and "*" or " "
end

-- ---- Time ----

local function seconds(count, fn, argument)
  collectgarbage()
  local start = os.clock()
  for _ = 1, count do
    fn(argument)
  end
  return (os.clock() - start) / count
end

-- The best of some rounds in turn, so that both meet the same machine.
local function compare(ours, theirs, argument, rounds)
  local count = math.max(1, math.floor(0.01 / math.max(seconds(1, theirs, argument), 1e-7)))
  local best, reference = math.huge, math.huge
  for _ = 1, rounds do
    best = math.min(best, seconds(count, ours, argument))
    reference = math.min(reference, seconds(count, theirs, argument))
  end
  return best, reference / best
end

local function measure(name, value, rounds)
  local text = assert(json.encode(value))
  local encode_time, encode_ratio = compare(json.encode, cjson.encode, value, rounds)
  local decode_time, decode_ratio = compare(json.decode, cjson.decode, text, rounds)
  print(("  %-22s %8d B   encode %5.2f%s %6.0f MB/s   decode %5.2f%s %6.0f MB/s"):format(
    name, #text,
    encode_ratio, mark(identical(value, json.decode(cjson.encode(value)))), #text / encode_time / 1e6,
    decode_ratio, mark(identical(value, cjson.decode(text))), #text / decode_time / 1e6))
end

if arg[1] then
  local rows = list(math.floor(tonumber(arg[1]) * 2 ^ 20 / 85), row)
  measure(arg[1] .. " MiB", rows, 2)
else
  for _, document in ipairs(documents) do
    measure(document[1], document[2], 7)
  end
end
