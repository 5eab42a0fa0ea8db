local new = require("beam.realtime.inbox").new

describe("inbox", function()
  it("keeps the order, text from bytes, and empty messages", function()
    local inbox = new(10, 1000)
    inbox:push("a", false)
    inbox:push("b", true)
    inbox:push("", false)
    assert.are.same({ 3, 2 }, { inbox:count(), inbox.bytes })
    assert.are.same({ "a", false, false }, { inbox:pop() })
    assert.are.same({ "b", true, false }, { inbox:pop() })
    assert.are.same({ "", false, false }, { inbox:pop() })
    assert.are.same({}, { inbox:pop() })
    assert.are.same({ 0, 0 }, { inbox:count(), inbox.bytes })
  end)

  it("says when it is full, and when it has room again, once", function()
    local inbox, full, room = new(4, 1000), {}, {}
    for i = 1, 6 do
      full[i] = inbox:push("x", false)
    end
    for i = 1, 6 do
      room[i] = select(3, inbox:pop())
    end
    assert.are.same({ false, false, false, true, true, true }, full)
    assert.are.same({ false, false, false, true, false, false }, room)
  end)

  it("counts bytes too", function()
    local inbox = new(100, 10)
    assert.is_false(inbox:push("12345", false))
    assert.is_true(inbox:push("12345", false))
    assert.are.same({ "12345", false, true }, { inbox:pop() })
  end)

  it("leaves nothing behind", function()
    local inbox = new(10, 1000)
    for _ = 1, 1000 do
      inbox:push("x", true)
      inbox:pop()
    end
    assert.is_nil(next(inbox.marks))
    for key in pairs(inbox) do
      assert.are_not.equal("number", type(key))
    end
  end)
end)
