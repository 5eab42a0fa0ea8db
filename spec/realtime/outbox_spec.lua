local outbox = require "beam.realtime.queue.outbox"
local retry = require "beam.retry"

-- A queue, and what it said about the ends of entries: ended[i] = "data outcome".
local function new(options)
  local ended = {}
  options = options or {}
  options.on_outcome = function(entry, outcome)
    ended[#ended + 1] = entry.data .. " " .. outcome
  end
  return outbox.new(options), ended
end

local function text(data)
  return { data = data, binary = false, message = data }
end

local function push_all(box, ...)
  for _, data in ipairs { ... } do
    assert(box:push(text(data), 0))
  end
end

local function waiting(box)
  local list = {}
  for i, entry in ipairs(box:entries()) do
    list[i] = entry.data
  end
  return table.concat(list, " ")
end

local function first_letter(message)
  return message:sub(1, 1)
end

describe("outbox", function()
  it("keeps the order, and counts", function()
    local box, ended = new()
    push_all(box, "a", "bb", "")
    assert.are.same({ 3, 3 }, { box:count(), box.bytes })
    for _, data in ipairs { "a", "bb", "" } do
      assert.are.equal(data, box:pop(0).data)
    end
    assert.are.same({}, { box:pop(0) })
    assert.are.same({ 0, 0, {} }, { box:count(), box.bytes, ended })
  end)

  describe("that is full", function()
    it("refuses", function()
      local box, ended = new { max = 2 }
      push_all(box, "a", "b")
      assert.are.same({ nil, "full" }, { box:push(text "c", 0) })
      box:pop(0)
      assert.is_true(box:push(text "d", 0))
      assert.are.same({ "b d", {} }, { waiting(box), ended })
    end)

    it("drops the oldest", function()
      local box, ended = new { max = 2, overflow = "drop_oldest" }
      push_all(box, "a", "b", "c", "d")
      assert.are.same({ "c d", { "a dropped", "b dropped" } }, { waiting(box), ended })
    end)

    it("drops the newest", function()
      local box, ended = new { max = 2, overflow = "drop_newest" }
      push_all(box, "a", "b", "c", "d")
      assert.are.same({ "a b", { "c dropped", "d dropped" } }, { waiting(box), ended })
    end)

    it("counts bytes too, and refuses what never fits", function()
      for _, overflow in ipairs { "error", "drop_oldest", "drop_newest" } do
        local box, ended = new { max_bytes = 5, overflow = overflow }
        push_all(box, "aa", "bb")
        assert.are.same({ nil, "full" }, { box:push(text "123456", 0) })
        assert.are.same({ "aa bb", {} }, { waiting(box), ended })
      end
      local box, ended = new { max_bytes = 5, overflow = "drop_oldest" }
      push_all(box, "aa", "bb", "12345")
      assert.are.same({ "12345", { "aa dropped", "bb dropped" } }, { waiting(box), ended })
    end)

    it("gives the room of what has expired", function()
      local box, ended = new { max = 1, ttl = 5 }
      push_all(box, "a")
      assert.are.same({ nil, "full" }, { box:push(text "b", 4.9) })
      assert.is_true(box:push(text "c", 5))
      assert.are.same({ "c", { "a expired" } }, { waiting(box), ended })
    end)
  end)

  it("ends what has waited too long, whenever it is asked", function()
    local box, ended = new { ttl = 5 }
    box:push(text "a", 0)
    box:push({ data = "b", message = "b", expires = 4 }, 1)
    box:push(text "c", 3)
    assert.are.equal(4, box.next_expiry)
    assert.are.same({}, box:expire(3.9))
    assert.are.equal("b", box:expire(4)[1].data)
    assert.are.equal(5, box.next_expiry)
    assert.are.equal("c", box:pop(5).data)
    assert.are.same({ { "b expired", "a expired" }, math.huge }, { ended, box.next_expiry })
  end)

  describe("with coalesce", function()
    it("lets a newer message take the place of a waiting one", function()
      local box, ended = new { coalesce = first_letter }
      push_all(box, "a1", "b1", "a2", "c1", "b2")
      assert.are.same({ "a2 b2 c1", { "a1 dropped", "b1 dropped" }, 6 }, { waiting(box), ended, box.bytes })
      assert.are.equal("a2", box:pop(0).data)
      push_all(box, "a3")
      assert.are.equal("b2 c1 a3", waiting(box))
    end)

    it("takes messages without a key as they come", function()
      local box = new {
        coalesce = function(message)
          return message == "nan" and 0 / 0 or nil
        end,
      }
      push_all(box, "a", "a", "nan", "nan")
      assert.are.equal("a a nan nan", waiting(box))
    end)

    it("that fails takes messages as if they had no key, and says so", function()
      local raised = {}
      local box, ended = new {
        coalesce = function(message)
          error(message .. " has none", 0)
        end,
        failed = function(cause)
          raised[#raised + 1] = cause
        end,
      }
      push_all(box, "c", "d")
      box:requeue({ text "a", text "b" }, 0)
      assert.are.same({ "a b c d", {} }, { waiting(box), ended })
      assert.are.same({ "c has none", "d has none", "b has none", "a has none" }, raised)
    end)

    it("needs no room for what replaces, but for its bytes", function()
      local box, ended = new { max = 2, max_bytes = 6, coalesce = first_letter }
      push_all(box, "a1", "b1", "a234")
      assert.are.equal("a234 b1", waiting(box))
      assert.are.same({ nil, "full" }, { box:push(text "b2345", 0) })
      assert.are.same({ "a234 b1", { "a1 dropped" } }, { waiting(box), ended })
      box, ended = new { max = 2, max_bytes = 6, overflow = "drop_oldest", coalesce = first_letter }
      push_all(box, "a1", "b1", "a23456")
      assert.are.same({ "a23456", { "a1 dropped", "b1 dropped" } }, { waiting(box), ended })
    end)

    it("gives a place its new time", function()
      local box, ended = new { ttl = 5, coalesce = first_letter }
      box:push(text "a1", 0)
      box:push(text "a2", 4)
      assert.are.same({}, box:expire(8))
      assert.are.equal(1, #box:expire(9))
      assert.are.same({ "a1 dropped", "a2 expired" }, ended)
    end)
  end)

  it("takes back what has to be sent again, before the rest and beyond the bounds", function()
    local box, ended = new { max = 2 }
    push_all(box, "c", "d")
    box:requeue({ text "a", text "b" }, 0)
    assert.are.equal("a b c d", waiting(box))
    assert.are.same({ nil, "full" }, { box:push(text "e", 0) })
    assert.are.equal("a", box:pop(0).data)
    assert.are.same({}, ended)
  end)

  it("takes back only what is newest of its key", function()
    local box, ended = new { coalesce = first_letter }
    push_all(box, "b2")
    box:requeue({ text "a1", text "b1", text "c1", text "a2" }, 0)
    assert.are.same({ "c1 a2 b2", { "b1 dropped", "a1 dropped" } }, { waiting(box), ended })
  end)

  it("gives all away at the end", function()
    local box, ended = new { ttl = 5, coalesce = first_letter }
    push_all(box, "a", "b")
    assert.are.equal(2, #box:take_all())
    assert.are.same({ 0, 0, math.huge, {} }, { box:count(), box.bytes, box.next_expiry, ended })
    push_all(box, "a", "b")
    assert.are.equal("a b", waiting(box))
  end)

  it("hands out no faster than its rate", function()
    local box = new { rate = 4 }
    push_all(box, "a", "b", "c")
    assert.are.equal("a", box:pop(1).data)
    assert.are.same({ nil, 0.25 }, { box:pop(1) })
    assert.are.same({ nil, 0.125 }, { box:pop(1.125) })
    assert.are.equal("b", box:pop(1.25).data)
    assert.are.equal("c", box:pop(1.75).data)
    assert.are.same({}, { box:pop(1.75) }) -- nothing waits, nothing to wait for
  end)

  it("warns when more is offered than sent", function()
    local lines = {}
    local box = outbox.new {
      rate = 10,
      max = 20,
      overflow = "drop_oldest",
      warn = function(line)
        lines[#lines + 1] = line
      end,
    }
    for tick = 0, 1500 do
      box:push(text "x", tick / 100)
      box:pop(tick / 100)
    end
    assert.are.equal(1, #lines)
    assert.is_truthy(lines[1]:find "^100%.%d messages a second are offered and 10%.%d are sent, 20 wait")
  end)

  it("does not warn of messages that replace others", function()
    local box = outbox.new { rate = 10, coalesce = first_letter, warn = error }
    for tick = 0, 3000 do
      for _, key in ipairs { "a", "b", "c" } do
        box:push(text(key), tick / 100)
      end
      box:pop(tick / 100)
    end
    assert.is_true(box:count() <= 3)
  end)

  it("leaves nothing behind", function()
    local box = new { ttl = 5, coalesce = first_letter, max = 10, overflow = "drop_oldest" }
    for i = 1, 1000 do
      push_all(box, tostring(i))
      box:pop(i % 3)
    end
    box:take_all()
    assert.is_nil(next(box.keys))
    for key in pairs(box) do
      assert.are_not.equal("number", type(key))
    end
  end)

  describe("whatever happens", function()
    -- A step of a random history.
    local function step(box, random, now, made, requeueable)
      local dice = random()
      if dice < 0.5 then
        local entry = { data = ("x"):rep(math.floor(random() * 30)), key_of = math.floor(random() * 12), number = #made + 1 }
        entry.message = entry
        made[#made + 1] = entry
        local before = box:count()
        local taken, why = box:push(entry, now)
        if not taken then
          assert.are.equal("full", why)
          entry.ends = (entry.ends or 0) + 1
        end
        assert.is_true(box:count() <= math.max(8, before))
      elseif dice < 0.85 then
        local entry = box:pop(now)
        if entry then
          requeueable[#requeueable + 1] = entry
        end
      elseif dice < 0.9 then
        box:expire(now)
      elseif #requeueable > 0 then
        local again = { requeueable[1], requeueable[2] }
        table.remove(requeueable, 1)
        table.remove(requeueable, 1)
        box:requeue(again, now)
      end
    end

    local function check(box, seen)
      local bytes, keys = 0, 0
      for _, entry in ipairs(box:entries()) do
        bytes = bytes + #entry.data
        seen(entry)
      end
      for key, place in pairs(box.keys) do
        keys = keys + 1
        assert.are.equal(key, box[place].key)
      end
      assert.are.equal(bytes, box.bytes)
      assert.is_true(keys <= box:count())
    end

    for seed, overflow in ipairs { "error", "drop_oldest", "drop_newest" } do
      it("each ends once, and the counts are right (" .. overflow .. ")", function()
        local random, made, popped, now = retry.generator(seed), {}, {}, 0
        local box = outbox.new {
          max = 8,
          max_bytes = 100,
          ttl = 3,
          rate = 20,
          overflow = overflow,
          coalesce = function(entry)
            return entry.key_of < 4 and entry.key_of or nil
          end,
          on_outcome = function(entry)
            entry.ends = (entry.ends or 0) + 1
          end,
        }
        for _ = 1, 4000 do
          now = now + random() * 0.2
          step(box, random, now, made, popped)
          check(box, function(entry)
            assert.is_nil(entry.ends)
          end)
        end
        for _, list in ipairs { box:take_all(), popped } do
          for _, entry in ipairs(list) do
            entry.ends = (entry.ends or 0) + 1
          end
        end
        for _, entry in ipairs(made) do
          assert.are.equal(1, entry.ends)
        end
      end)
    end
  end)

  it("raises for options that make no sense", function()
    local function message(options)
      local ok, err = pcall(outbox.new, options)
      assert.is_false(ok)
      return (err:gsub("^[^ ]*:%d+: ", ""))
    end
    local where = "beam.realtime, queue: "
    assert.are.equal(where .. "unknown option 'maxx'; did you mean 'max'?", message { maxx = 1 })
    assert.are.equal(where .. "'max' wants a number, 1 or more", message { max = 0 })
    assert.are.equal(where .. "'rate' wants a number above 0", message { rate = 0 })
    assert.are.equal(where .. "'overflow' is error, wait, drop_oldest or drop_newest", message { overflow = "drop" })
    assert.are.equal(where .. "'coalesce' wants a function", message { coalesce = "key" })
  end)
end)
