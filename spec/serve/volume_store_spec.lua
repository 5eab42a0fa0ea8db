-- The volumes of the local Beam: what is moved, how much there may be, how long a URL that was handed out is good.
local volume_store = require "beam.serve.api.volume_store"

describe("the local Beam's volumes", function()
  local store, volume
  before_each(function()
    store = volume_store.new()
    volume = store:volume("data", true)
  end)

  local function contents()
    local found = {}
    for path, file in pairs(volume.files) do
      found[path] = file.bytes
    end
    return found
  end

  it("move a folder into itself and lose nothing", function()
    for depth = 0, 20 do
      store:write(volume, "a/" .. ("b/"):rep(depth) .. "x", tostring(depth))
    end
    assert.is_true(store:move(volume, "a", "a/b"))
    local expected = {}
    for depth = 0, 20 do
      expected["a/b/" .. ("b/"):rep(depth) .. "x"] = tostring(depth)
    end
    assert.are.same(expected, contents())
  end)

  it("count what is moved over another file once", function()
    store:write(volume, "one", "12345")
    store:write(volume, "two", "123")
    assert.is_true(store:move(volume, "one", "two"))
    assert.are.same({ { two = "12345" }, 5 }, { contents(), store.bytes })
    store:remove(volume, "")
    assert.are.same({ {}, 0 }, { contents(), store.bytes })
    assert.is_false(store:move(volume, "one", "two"))
  end)

  it("are full at their bound, and keep what they have", function()
    store:write(volume, "one", "12345")
    store.bytes = 512 * 1024 * 1024
    assert.is_nil((store:write(volume, "one", "123456")))
    assert.is_true(store:write(volume, "one", "54321"))
    assert.are.same({ one = "54321" }, contents())
  end)

  it("keep no more than the newest 10,000 URLs", function()
    local first = store:grant("data/one", "GET")
    assert.are.equal("data/one", store:granted(first, "GET"))
    local last
    for _ = 1, 10000 do
      last = store:grant("data/two", "GET")
    end
    assert.is_nil(store:granted(first, "GET"))
    assert.are.equal("data/two", store:granted(last, "GET"))
    assert.is_nil(store:granted(last, "PUT"))
    local count = 0
    for _ in pairs(store.grants) do
      count = count + 1
    end
    assert.are.equal(10000, count)
  end)
end)
