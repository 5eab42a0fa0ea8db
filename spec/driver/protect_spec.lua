local beam = require "beam"
local call = require("beam.driver.protect").call

describe("protect", function()
  local function values(...)
    return { n = select("#", ...), ... }
  end

  it("gives the results as they are", function()
    assert.are.same(
      { n = 4, true, 1, nil, nil },
      values(call(function(...)
        return ...
      end, 1, nil, nil))
    )
    assert.are.same({ n = 1, true }, values(call(function() end)))
  end)

  it("gives what was raised, and where", function()
    local function broken()
      error { mine = true }
    end
    local ok, cause, traceback = call(broken)
    assert.are.same({ false, { mine = true } }, { ok, cause })
    assert.is_truthy(traceback:find("protect_spec.lua:21", 1, true))
    ok, cause = call(error, "plain", 0)
    assert.are.same({ false, "plain" }, { ok, cause })
  end)

  it("lets the function wait, in a coroutine and on the main thread", function()
    local function slow(value)
      beam.sleep(0.001)
      if value == "bad" then
        error("late", 0)
      end
      return value
    end
    local function both()
      local good = values(call(slow, "good"))
      local ok, cause = call(slow, "bad")
      return { good, ok, cause }
    end
    local want = { { n = 2, true, "good" }, false, "late" }
    assert.are.same(want, both())
    assert.are.same(want, beam.spawn(both):join(5))
  end)
end)
