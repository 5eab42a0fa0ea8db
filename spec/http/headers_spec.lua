local headers = require "beam.settings.headers"

describe("headers", function()
  it("are sent by name, several values one after the other", function()
    assert.are.same({ { "A", "1" }, { "B", "x" }, { "B", "y" } }, headers.to_pairs { B = { "x", "y" }, A = 1 })
    assert.are.same({}, headers.to_pairs(nil))
  end)

  it("raise for a list", function()
    assert.has_error(function()
      headers.to_pairs { "A: 1" }
    end, "beam: headers are a table {name = value}")
  end)

  it("are received as one value for each name", function()
    assert.are.same({ a = "1, 2", b = "3" }, headers.to_table { { "a", "1" }, { "b", "3" }, { "a", "2" } })
    assert.are.same({}, headers.to_table(nil))
  end)
end)
