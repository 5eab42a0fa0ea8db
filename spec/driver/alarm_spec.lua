local new = require("beam.driver.alarm").new

-- A context whose time passes when it is told to, and which notes the timers that it was asked for.
local function new_context()
  local context = { time = 100, asked = {}, running = {} }
  function context:now()
    return self.time
  end
  function context:timer(seconds, fire)
    local timer = { due = self.time + seconds, fire = fire }
    self.asked[#self.asked + 1], self.running[timer] = seconds, true
    function timer.stop()
      self.running[timer] = nil
    end
    return timer
  end
  function context:pass(seconds)
    self.time = self.time + seconds
    for timer in pairs(self.running) do
      if timer.due <= self.time then
        self.running[timer] = nil
        return pcall(timer.fire)
      end
    end
    return true
  end
  return context
end

describe("an alarm", function()
  local context, called, alarm, deadlines
  local a, b, c = { name = "a" }, { name = "b" }, { name = "c" }

  before_each(function()
    context, called = new_context(), {}
    alarm = new(function(item)
      assert.is_nil(item.position) -- out of the deadlines
      called[#called + 1] = item.name
      if item.fails then
        error(item.fails, 0)
      end
    end)
    deadlines = alarm.deadlines
  end)

  local function add(item, seconds)
    deadlines:add(item, context.time + seconds)
    alarm:arm(context)
  end

  it("asks the context for no timer but that of the first deadline", function()
    add(a, 5)
    add(b, 8)
    add(c, 2)
    assert.are.same({ 5, 2 }, context.asked)
    context:pass(2)
    context:pass(1)
    assert.are.same({ "c" }, called)
    context:pass(2)
    context:pass(3)
    assert.are.same({ "c", "a", "b" }, called)
    assert.are.same({ 5, 2, 3, 3 }, context.asked)
    assert.is_nil(next(context.running))
  end)

  it("may ring for what was taken out, and calls nothing then", function()
    add(a, 1)
    deadlines:remove(a)
    add(b, 2)
    assert.are.same({ 1 }, context.asked)
    context:pass(1)
    assert.are.same({}, called)
    context:pass(1)
    assert.are.same({ "b" }, called)
  end)

  it("calls all that are due, though one fails, and then raises what the first one did", function()
    a.fails, b.fails = "not today", "nor this"
    add(a, 1)
    add(b, 2)
    add(c, 3)
    add({ name = "later" }, 9)
    local ok, err = context:pass(4)
    a.fails, b.fails = nil, nil
    assert.are.same({ false, "not today" }, { ok, err })
    assert.are.same({ "a", "b", "c" }, called)
    context:pass(5)
    assert.are.same({ "a", "b", "c", "later" }, called)
  end)

  it("is set for a while only, and again, for what is further away than a timer of the core's", function()
    add(a, 1e13)
    assert.are.same({ 1e9 }, context.asked)
    context:pass(1e9)
    assert.are.same({ 1e9, 1e9 }, context.asked)
    assert.are.same({}, called)
    context:pass(1e13)
    assert.are.same({ "a" }, called)
  end)

  it("follows to another context", function()
    add(a, 5)
    local before = context
    context = new_context()
    alarm:arm(context)
    assert.is_nil(next(before.running))
    context:pass(5)
    assert.are.same({ "a" }, called)
  end)

  it("rests once it is stopped, until it is armed again", function()
    add(a, 1)
    alarm:stop()
    alarm:stop()
    assert.is_nil(next(context.running))
    alarm:arm(context)
    context:pass(1)
    assert.are.same({ "a" }, called)
  end)
end)
