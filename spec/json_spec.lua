local cjson = require "cjson"
local json = require "beam.json"

local has_integers = math.type ~= nil

local function refused(pattern, value, message)
  assert.is_nil(value)
  assert.is_string(message)
  assert.is_truthy(message:find(pattern), message)
end

-- Compares with the kinds of numbers, unlike assert.same.
local function identical(a, b)
  if type(a) ~= type(b) or (has_integers and math.type(a) ~= math.type(b)) then
    return false
  elseif type(a) ~= "table" then
    return a == b and (a ~= 0 or has_integers or 1 / a == 1 / b)
  end
  for key, value in pairs(a) do
    if not identical(value, b[key]) then
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

-- A generator of our own, so that a failing seed fails on every Lua.
local function generator(seed)
  return function(n)
    seed = (seed * 16807) % 2147483647
    return seed % n + 1
  end
end

-- What is special in JSON, in UTF-8 and to a search for numbers and empty arrays.
local alphabet = { "a", "Z", "0", " ", '"', "\\", "/", "\n", "\0", "\127", "é", "\226\128\168", "\240\159\152\128" }
for _, text in ipairs { "[]", ":1.0,", "9e9", "99999999999999999999" } do
  table.insert(alphabet, text)
end

local function random_string(random)
  local parts = {}
  for i = 1, random(8) - 1 do
    parts[i] = alphabet[random(#alphabet)]
  end
  return table.concat(parts)
end

local function random_number(random)
  local kind = random(5)
  if kind == 1 then
    return random(1000) - 500
  elseif kind == 2 then
    local high, low = random(2 ^ 22) - 1, random(2 ^ 31 - 2)
    return has_integers and math.tointeger(high * 2147483648 + low) or high * 2147483648 + low
  elseif kind == 3 and has_integers then
    return math.mininteger + random(2 ^ 31 - 2) * 4294967311
  elseif kind == 4 then
    return random(1e6) / random(1e6) * 10.0 ^ (random(600) - 300)
  end
  return random(1000) / 8 + 0.0
end

local function random_value(random, depth)
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
    value[kind == 5 and random_string(random) or i] = random_value(random, depth + 1)
  end
  return value
end

describe("beam.json", function()
  it("gives back what it was given, whatever it is", function()
    for seed = 1, 1500 do
      local value = random_value(generator(seed * 7919), 1)
      local text = assert(json.encode(value))
      local back = json.decode(text)
      assert.is_true(identical(value, back), "seed " .. seed .. ": " .. text)
      assert.is_true(identical(back, json.decode(assert(json.encode(back)))), "seed " .. seed .. ", again: " .. text)
    end
  end)

  it("reads what another writer wrote as that writer meant it", function()
    for seed = 1, 300 do -- lua-cjson is exact for this subset
      local random = generator(seed)
      local value = { text = random_string(random), list = { random(1e6), true, random_string(random) }, one = { two = random(99) / 4 } }
      local decoded = json.decode(cjson.encode(value))
      assert.same(value, decoded)
    end
  end)

  it("keeps empty arrays apart from empty objects", function()
    assert.equal("[[],{},[[]],[]]", json.encode(json.decode "[[],{},[[]],[ ]]"))
    assert.equal("[]", json.encode(json.array()))
    assert.equal("{}", json.encode {})
    assert.equal('{"a":[]}', json.encode { a = json.array {} })
    assert.is_true(json.is_array(json.decode "[]"))
    assert.is_false(json.is_array(json.decode "{}"))
    assert.is_true(json.is_array(json.decode "[1]"))
    assert.is_false(json.is_array "[]")
  end)

  it("keeps null, false and strings that look like JSON", function()
    assert.equal(json.null, json.decode "null")
    assert.equal(cjson.null, json.null)
    assert.equal(false, json.decode "false")
    assert.equal("null", json.encode(json.null))
    assert.equal('{"a":null}', json.encode(json.decode '{"a" : null}'))
    assert.equal("[] 12345678901234567890", json.decode '"[] 12345678901234567890"')
  end)

  it("keeps integers and floats as far as this Lua can hold them", function()
    for _, digits in ipairs { "0", "-1", "99999999999999", "999999999999999", "9007199254740991", "-9007199254740992" } do
      local text = "[" .. digits .. "]"
      assert.equal(text, json.encode(json.decode(text)))
    end
    for _, text in ipairs { "[0.1]", "[0.30000000000000004]", "[1.7976931348623157e+308]", "[123456.789012345]" } do
      assert.equal(text, json.encode(json.decode(text)))
    end
    if has_integers then
      assert.equal("integer", math.type(json.decode('{"x":12}').x))
      assert.equal("float", math.type(json.decode('{"x":12.0}').x))
      local extremes = "[9223372036854775807,-9223372036854775808,1.0]"
      assert.equal(extremes, json.encode(json.decode(extremes)))
      refused("character 2: .*64 bits", json.decode "[9223372036854775808]")
    else
      refused("character 2: .*beyond 2%^53", json.decode "[9007199254740993]")
      refused("beyond 2%^53", json.decode '{"id":-1732143567123456789}')
    end
    refused("too large", json.decode "[1e999]")
  end)

  it("refuses NaN and infinities on the way out, by their path, and reads them as null", function()
    refused("value%.users%[2%]%.score .*NaN", json.encode { users = { { score = 1 }, { score = 0 / 0 } } })
    refused('value%["odd key"%] .*infinite', json.encode { ["odd key"] = -math.huge })
    refused("value as JSON: NaN", json.encode(0 / 0))
    assert.equal('[null,null,null,{"a":null}]', json.encode(json.decode '[NaN, Infinity,-Infinity,{"a":NaN}]'))
  end)

  it("carries all of Unicode and refuses what is none", function()
    local all = { "\0\1\31\127", "é\226\128\168\226\128\169", "\237\159\191\238\128\128", "\240\144\128\128\244\143\191\191" }
    assert.same(all, json.decode(assert(json.encode(all))))
    assert.same({ "\240\159\152\128\0\226\128\168" }, json.decode '["\\ud83d\\uDE00\\u0000\\u2028"]')
    for _, bad in ipairs { "\255", "a\128", "\192\128", "\224\159\191", "\237\160\128", "\244\144\128\128", "\240\159\152" } do
      refused("value%.k as JSON: byte %d of the string is not UTF%-8", json.encode { k = bad })
      refused("as JSON: byte %d of the string", json.encode { [bad] = 1 })
      refused("value as JSON: byte", json.encode(bad))
    end
    for _, lone in ipairs { '["\\ud83d"]', '["\\ude00"]', '["\\ud83d\\u0041"]', '["\\ud83dx"]' } do
      refused("lone surrogate", json.decode(lone))
    end
  end)

  it("bounds nesting and finds cycles, both ways", function()
    local function nested(n)
      return ("["):rep(n) .. ("]"):rep(n)
    end
    assert.equal(nested(128), json.encode(json.decode(nested(128))))
    refused("deeper than 128", json.decode(nested(129)))
    refused("deeper than 128", json.decode(('{"a":'):rep(100000)))
    refused("deeper than 128", json.decode(('[1,'):rep(129) .. "1" .. ("]"):rep(129)))
    refused("deeper than 128", json.encode { json.decode(nested(128)) })
    local value = { list = {} }
    value.list[1] = value
    refused("value%.list%[1%] as JSON: the table contains itself", json.encode(value))
    local shared = { 1 }
    assert.equal("[[1],[1]]", json.encode { shared, shared })
  end)

  it("refuses tables that are neither array nor object", function()
    refused("both positions and names", json.encode { 1, 2, x = 3 })
    refused("both positions and names", json.encode(json.array { x = 3 }))
    refused("holes: 2 items up to position 3", json.encode { 1, nil, 3 })
    refused("holes: 1 items up to position 5", json.encode { deep = { [5] = 1 } })
    refused("neither a string nor a position %(1.5%)", json.encode { [1.5] = 1 })
    refused("neither a string nor a position", json.encode { [true] = 1 })
    refused("value%.f as JSON: a function", json.encode { f = print })
    assert.error_matches(function()
      json.decode(nil)
    end, "wants a string, not a nil")
  end)

  it("says where a text is wrong", function()
    for text, position in pairs {
      [""] = 1, ["["] = 2, ["[1,]"] = 4, ['{"a"}'] = 5, ["{a:1}"] = 2, ["[01]"] = 2, ["[0x10]"] = 2, ["[1] 2"] = 5, ["nul"] = 1,
      ['"a'] = 3, ['"\\x"'] = 2, ["[.5]"] = 2, ["[+1]"] = 2, ["[1 2]"] = 4,
      ["{'a':1}"] = 2, ["[1e]"] = 2, ["12x"] = 1, ['["\\u12g4"]'] = 3,
    } do
      refused("^invalid JSON at character " .. position .. ": ", json.decode(text))
    end
  end)

  it("leaves the global lua-cjson as it was", function()
    json.encode { ("x"):rep(2 * 1024 * 1024) }
    assert.equal("[" .. string.format("%.14g", 1 / 3) .. "]", cjson.encode { 1 / 3 })
    assert.is_true(pcall(cjson.decode, ("["):rep(200) .. ("]"):rep(200)))
  end)

  it("carries a big document", function()
    local rows = {}
    for i = 1, 20000 do
      rows[i] = { id = i, name = "row " .. i, tags = json.array(), ratio = i / 7 }
    end
    local back = json.decode(assert(json.encode(rows)))
    assert.equal(20000, #back)
    assert.equal(20000 / 7, back[20000].ratio)
    assert.is_true(json.is_array(back[1].tags))
  end)
end)
