local requests = require "beam.requests"

describe("requests", function()
  it("are answered in their order", function()
    local list = requests.new()
    local a, b = list:add(), list:add()
    assert.is_true(list:answer("1", false))
    assert.is_true(list:answer("2", true))
    assert.is_false(list:answer("3", false))
    assert.are.same({ "1", false, "2", true }, { a.data, a.binary, b.data, b.binary })
  end)

  it("whose time is over keep their place, and their answer is dropped", function()
    local list = requests.new()
    local a, b = list:add(), list:add()
    a.over = true
    assert.is_true(list:answer("late", false))
    assert.is_true(list:answer("2", false))
    assert.are.same({ "2", 1, 0 }, { b.data, list.late, list:count() })
  end)

  it("can be taken back", function()
    local list = requests.new()
    list:withdraw(list:add())
    assert.is_false(list:answer("1", false))
  end)

  it("are bounded", function()
    local list = requests.new()
    for _ = 1, requests.max do
      assert(list:add())
    end
    assert.is_nil(list:add())
    list:answer("1", false)
    assert.is_truthy(list:add())
  end)

  it("end without an answer when the connection does", function()
    local list = requests.new()
    local a = list:add()
    list:fail()
    assert.are.same({ nil, 0 }, { a.data, list:count() })
    assert.is_false(list:answer("1", false))
  end)

  it("are used again", function()
    local list = requests.new()
    local a = list:add()
    list:answer("1", false)
    list:done(a)
    assert.are.equal(a, list:add())
    assert.is_nil(a.data)
  end)
end)
