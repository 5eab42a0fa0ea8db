local new = require("beam.driver.deadlines").new

describe("deadlines", function()
  it("gives the first, whatever the order they came in and went out", function()
    local deadlines, items, most = new(), {}, 0
    local seed = 1
    local function random(n) -- the same on every Lua
      seed = (seed * 16807) % 2147483647
      return seed % n + 1
    end
    for _ = 1, 3000 do
      if random(3) > 1 or #items == 0 then
        local item = { deadline = random(500) }
        items[#items + 1] = item
        deadlines:add(item, item.deadline)
      else
        deadlines:remove(table.remove(items, random(#items)))
      end
      local least
      for _, item in ipairs(items) do
        least = math.min(least or item.deadline, item.deadline)
      end
      local first, due = deadlines:first()
      assert.are.same({ least, least }, { first and first.deadline, due })
      most = math.max(most, #items)
      assert.are.equal(#items, deadlines.count)
    end
    assert.is_true(#deadlines.items <= most, #deadlines.items) -- what has gone leaves room for what comes
  end)

  it("does nothing for an item that is not in", function()
    local deadlines, item = new(), {}
    deadlines:remove(item)
    deadlines:add(item, 1)
    deadlines:remove(item)
    deadlines:remove(item)
    assert.is_nil(deadlines:first())
    assert.is_nil(item.position)
  end)
end)
