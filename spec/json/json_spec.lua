local has_cjson, cjson = pcall(require, "cjson") -- Debian has none for Lua 5.5

local has_integers = math.type ~= nil

local function refused(pattern, value, message)
  assert.is_nil(value)
  assert.is_string(message)
  assert.is_truthy(message:find(pattern), message)
end

-- A JSON module of its own: over beam.core, over another, or (false) without.
local function load_json(core)
  local kept = package.loaded["beam.core"]
  package.loaded["beam.json"] = nil
  package.loaded["beam.core"] = core == nil and kept or core
  local json = require "beam.json"
  json.encode(true) -- now it has chosen
  package.loaded["beam.core"] = kept
  return json
end

require "beam.core"
local function behaves(json)
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

  it("passes over a byte order mark, at the start only", function()
    local mark = "\239\187\191"
    assert.same({ a = 1 }, json.decode(mark .. ' {"a":1}'))
    assert.equal(mark .. "x", json.decode('"' .. mark .. 'x"'))
    refused("character 4: a value was expected", json.decode(mark))
    refused("character 4: a value was expected", json.decode(mark .. mark .. "1"))
    refused("character 2: the text goes on", json.decode("1" .. mark))
    refused("character 1: a value was expected", json.decode "\239\187{}")
  end)

  it("names the encodings that are none of JSON's by their marks", function()
    for _, text in ipairs { "\255\254{\0}\0", "\254\255\0{\0}", "\255\254\0\0{\0\0\0}\0\0\0", "\255\254" } do
      refused("character 1: the text is UTF%-16 or UTF%-32, and JSON is UTF%-8", json.decode(text))
    end
    refused("character 1: a value was expected", json.decode "\255{}")
  end)

  it("keeps null, false and strings that look like JSON", function()
    assert.equal(json.null, json.decode "null")
    assert.equal(has_cjson and cjson.null or require("beam.core").null, json.null)
    assert.equal("userdata", type(json.null))
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

  it("takes the last of two equal keys", function()
    assert.same({ a = 2 }, json.decode '{"a":1,"a":[],"\\u0061":2}')
  end)

  it("reads bytes that are no UTF-8, and refuses to write them", function()
    local value = json.decode '{"k":"a\255"}'
    assert.same({ k = "a\255" }, value)
    refused("value%.k as JSON: byte 2 of the string is not UTF%-8", json.encode(value))
  end)

  it("keeps an array an array when it becomes empty", function()
    local value = json.decode '{"list":[1]}'
    table.remove(value.list)
    assert.equal('{"list":[]}', json.encode(value))
  end)

  it("tells of integers beyond 2^53", function()
    assert.same({ "[9007199254740992]", false }, { json.encode_checked { json.decode "9007199254740992" } })
    if has_integers then
      assert.same({ '{"a":[9007199254740993]}', true }, { json.encode_checked { a = { math.tointeger(2 ^ 53) + 1 } } })
      assert.same({ "[-9223372036854775808]", true }, { json.encode_checked { math.mininteger } })
    else
      assert.same({ "[9007199254740994.0]", false }, { json.encode_checked { 2 ^ 53 + 2 } })
    end
  end)

  it("shows of a long number its first digits", function()
    local _, message = json.decode("[1" .. ("0"):rep(100) .. "]")
    assert.is_truthy(message:find("the integer 1" .. ("0"):rep(39) .. "... ", 1, true), message)
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
end

describe("beam.json", function()
  behaves(load_json())

  it("takes a time in proportion to the document", function()
    local json = load_json()
    local function seconds(text)
      local start = os.clock()
      local value = assert(json.decode(text))
      assert(json.encode(value))
      collectgarbage()
      return os.clock() - start
    end
    for _, piece in ipairs { '"a long \\n string, ', '"key":[{}],', "1," } do
      local function document(bytes)
        local body = piece:rep(math.floor(bytes / #piece))
        return piece == "1," and "[" .. body .. "1]"
          or piece:find ":" and "{" .. body .. '"end":1}'
          or '["' .. body:gsub('"', "") .. '"]'
      end
      local small, large = seconds(document(256 * 1024)), seconds(document(8 * 1024 * 1024))
      assert(large < 32 * 8 * (small + 0.001), ("%s: %.3f s for 256 KiB, %.3f s for 8 MiB"):format(piece, small, large))
    end
  end)

  it("leaves the global lua-cjson as it was", function()
    load_json().encode { ("x"):rep(2 * 1024 * 1024) }
    if not has_cjson then
      return
    end
    assert.equal("[" .. string.format("%.14g", 1 / 3) .. "]", cjson.encode { 1 / 3 })
    assert.is_true(pcall(cjson.decode, ("["):rep(200) .. ("]"):rep(200)))
  end)

  it("loads the transport when there is something to read or write", function()
    local kept, loads = package.loaded["beam.core"], 0
    package.loaded["beam.core"], package.loaded["beam.json"] = nil, nil
    package.preload["beam.core"] = function()
      loads = loads + 1
      return kept
    end
    local fresh = require "beam.json"
    assert.equal(0, loads)
    assert.equal("[1]", fresh.encode(fresh.decode "[1]"))
    assert.equal(1, loads)
    package.preload["beam.core"], package.loaded["beam.core"] = nil, kept
  end)

  -- lua-cjson's releases after 2.1.0 have marks of their own.
  it("writes what another lua-cjson has marked as an array", function()
    local kept = package.loaded.cjson
    local newer = setmetatable({ array_mt = {}, empty_array_mt = {}, empty_array = io.stdout }, { __index = kept })
    package.loaded.cjson = newer
    local modules = { "values", "reader", "writer" }
    local function forget()
      for _, name in ipairs(modules) do
        package.loaded["beam.json." .. name] = nil
      end
    end
    for _, core in ipairs { package.loaded["beam.core"], { json = false } } do
      forget()
      local json = load_json(core)
      local value = { setmetatable({}, newer.array_mt), setmetatable({}, newer.empty_array_mt), newer.empty_array, {} }
      assert.equal("[[],[],[],{}]", json.encode(value))
      assert.equal(newer.array_mt, getmetatable(json.decode "[]"))
      refused("value as JSON: a userdata", json.encode(io.stderr))
    end
    package.loaded.cjson = kept
    forget()
  end)
end)

describe("beam.json without beam.core", function()
  behaves(load_json { json = false })
end)
