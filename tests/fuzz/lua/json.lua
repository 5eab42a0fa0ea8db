-- JSON in C, in Lua, and of others. Any text: both readers say the same of it, value or message; what was read is written the same by
-- both writers, and read again it is the same. lua-cjson, where it is, reads the same of what both take. Any value, built from the bytes:
-- both writers write it, or refuse it, with the same words.
local values = require "beam.json.values"
local read = require "beam.json.reader"
local write = require "beam.json.writer"
values.explain = write
local decode, encode, encode_checked = require("beam.core").json(values)
local has_cjson, cjson = pcall(require, "cjson.safe")

local function kind(value)
  return math.type(value) or type(value)
end

local function same(a, b, path)
  if type(a) ~= "table" or type(b) ~= "table" then
    assert(kind(a) == kind(b) and (a == b or a ~= a and b ~= b), ("%s: %s, and %s"):format(path, tostring(a), tostring(b)))
    assert(a ~= 0 or 1 / a == 1 / b, path .. ": another zero")
    return
  end
  assert(values.is_marked(a) == values.is_marked(b), path .. ": the mark of an array")
  for key, value in pairs(a) do
    same(value, b[key], path .. "." .. tostring(key))
  end
  for key in pairs(b) do
    assert(a[key] ~= nil, path .. "." .. tostring(key) .. " is one too many")
  end
end

-- What lua-cjson 2.1.0 has for it: floats for integers, no marks, its own null.
local function alike(ours, theirs, path)
  if type(ours) == "number" and type(theirs) == "number" then
    assert(ours + 0.0 == theirs + 0.0 or theirs ~= theirs, ("%s: %.17g, and lua-cjson %.17g"):format(path, ours, theirs))
  elseif type(ours) == "table" then
    assert(type(theirs) == "table", path .. ": lua-cjson has no table")
    for key, value in pairs(ours) do
      alike(value, theirs[key], path .. "." .. tostring(key))
    end
    for key in pairs(theirs) do
      assert(ours[key] ~= nil, path .. "." .. tostring(key) .. ": lua-cjson has it besides")
    end
  elseif ours ~= values.null or type(theirs) ~= "number" then -- it takes NaN and Infinity for numbers
    assert(ours == theirs, ("%s: %s, and lua-cjson %s"):format(path, tostring(ours), tostring(theirs)))
  end
end

-- What lua-cjson takes and the standard does not, or a double or a table of ours cannot hold. It also compares letters without their case.
local lax = { "%f[%d]0%d", "%.%D", "%.$", "%D%.", "^%.", "[xXpP]", "[nN][aA][nN]", "[iI][nN][fF]",
  "%-%D", "%-$", "%+", "[eE]$", "[eE]%D", "%z" }
local beyond = { "does not fit in 64 bits", "too large for a double", "nested deeper", "lone surrogate" }

local function any(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then
      return true
    end
  end
end

local function ask_cjson(text, value, message)
  local theirs, refused = cjson.decode(text)
  if refused or theirs == nil then
    return -- control characters, a byte order mark, depths
  elseif value ~= nil then
    alike(value, theirs, "value")
  else
    assert(any(message, beyond) or any(text, lax), "lua-cjson takes what is refused: " .. message)
  end
end

local function reread(text)
  local value, message = decode(text)
  assert(not message, message)
  return value
end

local function try_text(text)
  local in_c, message_in_c = decode(text)
  local in_lua, message_in_lua = read(text)
  assert(message_in_c == message_in_lua, ("in C: %s; in Lua: %s"):format(message_in_c, message_in_lua))
  if has_cjson then
    ask_cjson(text, in_c, message_in_c)
  end
  if in_c == nil then
    return
  end
  same(in_c, in_lua, "value")
  local written = encode(in_c)
  assert(written == write(in_c), "written otherwise in Lua")
  if written then -- a text with bytes that are no UTF-8 is read, and not written
    same(in_c, reread(written), "again")
  else
    assert(select(2, encode(in_c)):find "UTF%-8", "what was read cannot be written")
  end
end

-- ---- Values ----

local atoms = { 0, -1, 1.5, -0.0, 1e300, 1 / 0, 0 / 0, 2 ^ 53, math.maxinteger, math.mininteger, true, false, values.null, print, 1e15 }

-- A table that stands in another one twice is written twice, and so on: a few that are shared are enough.
local most_shared = 8

local function builder(bytes)
  local at, made, shared = 1, {}, 0
  local function next_byte()
    at = at + 1
    return bytes:byte(at - 1) or 0
  end
  local build
  local function build_table(what, depth)
    local t = {}
    made[#made + 1] = t
    for i = 1, next_byte() % 6 do
      if what % 3 == 0 then
        t[i] = build(depth)
      elseif what % 3 == 1 then
        t[bytes:sub(at, at + next_byte() % 9)] = build(depth)
      else -- holes, floats, booleans as keys
        t[({ i, 2 ^ i, i + 0.5, true, "k", -i })[next_byte() % 6 + 1]] = build(depth)
      end
    end
    return what & 8 ~= 0 and values.array(t) or t
  end
  function build(depth)
    local what = next_byte()
    if what < 80 then
      return atoms[what % #atoms + 1]
    elseif what < 120 then
      local first = at
      at = at + next_byte() % 20
      return bytes:sub(first, at)
    elseif what < 130 then
      return (string.unpack("<d", bytes:sub(at, at + 7) .. ("\0"):rep(8)))
    elseif what < 134 and made[1] and shared < most_shared then
      shared = shared + 1
      return made[what % #made + 1]
    elseif depth > 140 then
      return 1
    end
    return build_table(what, depth + 1)
  end
  return build
end

local function try_value(bytes)
  local value = builder(bytes)(0)
  local text, large = encode_checked(value)
  local text_in_lua, large_in_lua = write(value)
  assert(text == text_in_lua, ("in C: %s; in Lua: %s"):format(text or large, text_in_lua or large_in_lua))
  assert(large == large_in_lua, ("in C: %s; in Lua: %s"):format(large, large_in_lua))
  if text then
    assert(#encode(reread(text)) == #text, "written again it is another text")
  end
end

return function(bytes)
  if bytes:byte(1) == 1 then
    try_value(bytes:sub(2))
  else
    try_text(bytes)
  end
end
