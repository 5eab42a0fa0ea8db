-- beam.inspect: values for a person, bounded, without secrets, and without running anybody's metamethods.
local beam = require "beam"
local inspect = beam.inspect

describe("beam.inspect", function()
  it("opens tables, with their keys in order", function()
    assert.equal('{ 1, "two", { a = true }, [-1] = 0, x = 1.5, y = beam.null }', inspect { 1, "two", { a = true }, y = beam.null, x = 1.5, [-1] = 0 })
    assert.equal('{ ["a b"] = 1, ["end of\\nit"] = 2 }', inspect { ["a b"] = 1, ["end of\nit"] = 2 })
    assert.equal("nil", inspect(nil))
    assert.equal('"text"', inspect "text")
    assert.equal("{}", inspect {})
    assert.equal("beam.array {}", inspect(beam.array {}))
    assert.equal("{ 1, 2 }", inspect(beam.array { 1, 2 }))
  end)

  it("names cycles, and shows what stands there twice", function()
    local one = { n = 1 }
    one.again = one
    assert.equal("{ again = <cycle>, n = 1 }", inspect(one))
    local shared = { 1 }
    assert.equal("{ { 1 }, { 1 } }", inspect { shared, shared })
  end)

  it("has bounds: depth, items, length, width, and all together", function()
    assert.equal("{ a = {…} }", inspect({ a = { b = 1 } }, { depth = 1 }))
    assert.equal("{ 1, 2, … 3 more }", inspect({ 1, 2, 3, 4, 5 }, { items = 2 }))
    assert.equal('"ab" … 4 bytes more', inspect("abcdef", { length = 2 }))
    assert.equal("{\n  1,\n  2,\n}", inspect({ 1, 2 }, { width = 5 }))
    local deep = {}
    for i = 1, 100 do
      deep[i] = {}
      for k = 1, 100 do
        deep[i][k] = { k, k, k }
      end
    end
    assert.is_true(#inspect(deep) < 60000)
    assert.error_matches(function()
      inspect(1, { dept = 1 })
    end, "dept")
    assert.error_matches(function()
      inspect(1, { depth = "x" })
    end, "'depth' wants a number")
  end)

  it("runs no metamethod but __tostring, and survives that", function()
    local function no()
      error "a metamethod was run"
    end
    local wary = setmetatable({ 1, x = 2 }, { __index = no, __len = no, __pairs = no, __eq = no, __lt = no, __metatable = false })
    assert.equal("{ 1, x = 2 }", inspect(wary))
    assert.equal("point 1", inspect(setmetatable({}, { __tostring = function()
      return "point 1"
    end })))
    assert.equal("<table, whose __tostring fails>", inspect(setmetatable({}, { __tostring = no })))
    assert.is_true(#inspect(setmetatable({}, { __tostring = function()
      return ("x"):rep(1e6)
    end })) < 2100)
  end)

  it("shows no secret that was used, and nothing that a terminal obeys", function()
    local app = require("beam.serve").new()
    local server = assert(app.listen { pause = 0, token = "very-secret-token", log = function() end })
    beam.client({ gateway = server.url, token = "very-secret-token" }).call("x", {}, { retry = false })
    app.close()
    assert.equal('{ header = "Bearer [secret]" }', inspect { header = "Bearer very-secret-token" })
    assert.is_nil(inspect({ ["very-secret-token"] = 1, other = setmetatable({}, { __tostring = function()
      return "very-secret-token"
    end }) }):find("very-secret", 1, true))
    assert.equal('"\\27[2J\\r\\xff\\u{202e}é"', inspect "\27[2J\r\255\226\128\174é")
    assert.is_nil(inspect(setmetatable({}, { __tostring = function()
      return "\27[2J"
    end })):find("\27", 1, true))
  end)

  it("shows an error of the module with its hint", function()
    local _, err = beam.client({ gateway = "http://127.0.0.1:1", token = false }).call("x", {}, { retry = false })
    assert.equal(("connect: %s (%s)"):format(err.message, err.hint or ""):gsub(" %(%)$", ""), inspect(err))
  end)
end)
