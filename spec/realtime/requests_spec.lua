local requests = require "beam.realtime.requests"

local sent = 0

-- A request that was sent.
local function add(list, key, value)
  local request = list:take()
  if request then
    request.key, request.value = key, value
    sent = sent + 1
    list:add(request, sent)
  end
  return request
end

before_each(function()
  sent = 0
end)

describe("requests", function()
  it("are answered in their order", function()
    local list = requests.new()
    local a, b = add(list), add(list)
    assert.are.equal(1, list:answer("1", false))
    assert.are.equal(2, list:answer("2", true))
    assert.is_nil(list:answer("3", false))
    assert.are.same({ "1", false, "2", true }, { a.data, a.mark, b.data, b.mark })
  end)

  it("whose time is over keep their place, and their answer is dropped", function()
    local list = requests.new()
    local a, b = add(list), add(list)
    list:expire(a)
    assert.are.equal(1, list:answer("late", false))
    assert.are.equal(2, list:answer("2", false))
    assert.are.same({ "2", 1, 0 }, { b.data, list.late, list:count() })
  end)

  it("can be given back before they are sent", function()
    local list = requests.new()
    list:done(list:take())
    assert.is_nil(list:answer("1", false))
    assert.are.same({ 0, 0 }, { list.open, list:count() })
  end)

  it("are bounded", function()
    local list = requests.new()
    for _ = 1, requests.max do
      assert(add(list))
    end
    assert.is_nil(add(list))
    list:answer("1", false)
    assert.is_truthy(add(list))
  end)

  it("have a place for what is sent again before them, though there are as many as there may be", function()
    local list = requests.new()
    local first = list:take()
    for _ = 2, requests.max do
      list:take()
    end
    list:add_nobody(1)
    list:add(first, 2)
    assert.are.equal(1, list:answer("to nobody", false))
    assert.are.equal(2, list:answer("to the first", false))
    assert.are.same({ "to the first", 1, requests.max - 1 }, { first.data, list.late, list.open })
    assert.is_truthy(list:take())
    assert.is_nil(list:take())
  end)

  it("end without an answer when the connection does", function()
    local list = requests.new()
    local a = add(list)
    list:fail()
    assert.are.same({ nil, 0 }, { a.data, list:count() })
    assert.is_nil(list:answer("1", false))
  end)

  it("are used again", function()
    local list = requests.new()
    local a = add(list)
    list:answer("1", false)
    list:done(a)
    assert.are.equal(a, add(list))
    assert.is_nil(a.data)
  end)
end)
