-- Random documents through the reader and the writer in C and through those in Lua, which must do the same. SEEDS=100000 plays
-- as many; a failure names its seed.
local json = require "beam.json"
local random_json = require "json_random"
local read = require "beam.json.reader"
local values = require "beam.json.values"
local write = require "beam.json.writer"

local gave_up = {}
values.explain = function()
  return nil, gave_up
end
local decode, encode, encode_checked = require("beam.core").json(values)
local seeds = tonumber(os.getenv "SEEDS" or 1500)
local identical = random_json.identical

local ways = { { "C", decode, encode }, { "Lua", read, write }, { "beam.json", json.decode, json.encode } }

-- The same tuple, or a message that shows both.
local function same(seed, what, a, b)
  local equal = identical(a[1], b[1]) and a[2] == b[2]
  if not equal then
    error(("seed %d: %q\n  %s, %s\n  %s, %s"):format(seed, what, tostring(a[1]), tostring(a[2]), tostring(b[1]), tostring(b[2])), 0)
  end
end

-- The same text; LuaJIT's string.format rounds a 5 at the end to another last digit than the C library's.
local function alike(a, b)
  return a == b or jit and a and b and identical(read(a), read(b))
end

describe("JSON at random", function()
  for _, way in ipairs(ways) do
    it("gives back what it was given, by " .. way[1], function()
      for seed = 1, seeds do
        local value = random_json.value(random_json.source(seed), 1)
        local text = assert(way[3](value))
        local back = way[2](text)
        assert(identical(value, back), "seed " .. seed .. ": " .. text)
        assert(identical(back, (way[2](assert(way[3](back))))), "seed " .. seed .. ", again: " .. text)
      end
    end)

    it("reads what any other has written, by " .. way[1], function()
      for seed = 1, seeds / 4 do
        local value = random_json.value(random_json.source(seed), 1)
        for _, other in ipairs(ways) do
          assert(identical(value, (way[2](assert(other[3](value))))), "seed " .. seed .. ", written by " .. other[1])
        end
      end
    end)
  end

  it("is read by the reader in C as by the one in Lua, to the words of the message", function()
    for seed = 1, seeds * 2 do
      local random = random_json.source(seed)
      local text = random_json.text(random, 1)
      if seed % 2 == 0 then
        text = random_json.spoil(random, text)
      end
      same(seed, text, { decode(text) }, { read(text) })
    end
  end)

  it("is written by the writer in C as by the one in Lua, or by neither", function()
    local written = 0
    for seed = 1, seeds do
      local value = random_json.any(random_json.source(seed))
      local text, large = encode_checked(value)
      local expected, expected_large = write(value)
      written = written + (text and 1 or 0)
      assert(text == encode(value), "seed " .. seed)
      assert(alike(text, expected), ("seed %d: %s\n  %s"):format(seed, tostring(text), tostring(expected)))
      assert(large == expected_large or not text and large == gave_up, "seed " .. seed)
    end
    assert(written > seeds / 5 and written < seeds * 4 / 5, "of both kinds: " .. written)
  end)

  it("is written by the writer in C, however many tables it has", function()
    local rows = {}
    for i = 1, 1000 do
      rows[i] = { { i }, {}, json.array() }
    end
    assert.equal(write(rows), encode(rows))
  end)

  it("keeps every double", function()
    local random = random_json.source(1)
    for _ = 1, seeds * 5 do
      local mantissa = (random(2 ^ 26) - 1) * 2 ^ 27 + random(2 ^ 27) - 1
      local value = math.ldexp and math.ldexp(mantissa, random(2098) - 1075 - 52) or mantissa * 2.0 ^ (random(1900) - 1000)
      for _, number in ipairs { value, random(1e6) / 10 ^ random(8), mantissa / 2 ^ 53 } do
        local text = assert(encode { number })
        assert(alike(text, write { number }), text)
        assert(identical(number, decode(text)[1]), text)
      end
    end
  end)
end)
