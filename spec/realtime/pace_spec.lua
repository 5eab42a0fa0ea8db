local new = require("beam.realtime.queue.pace").new

describe("pace", function()
  -- Sends for `seconds` as fast as it may, with a timer that is late by `late`; returns how many went out.
  local function run(pace, seconds, late)
    local now, count = 0, 0
    while now < seconds do
      local wait = pace:wait(now, 1)
      if wait > 0 then
        now = now + wait + late
      else
        pace:went(now)
        count = count + 1
      end
    end
    return count
  end

  it("lets so many go a second, though timers are late", function()
    for _, late in ipairs { 1e-9, 0.003, 0.05 } do
      local count = run(new(10), 60, late)
      assert.is_true(count >= 599 and count <= 601, count)
    end
  end)

  it("does not make up for what was not used", function()
    local pace = new(10)
    assert.are.equal(0, pace:wait(0, 1))
    pace:went(0)
    assert.are.equal(0, pace:wait(50, 1))
    pace:went(50)
    assert.is_true(math.abs(pace:wait(50, 1) - 0.1) < 1e-9)
  end)

  -- Offers `rate` a second for `seconds` and sends what may go. Returns the warnings.
  local function offer(pace, rate, from, seconds, waiting)
    local offered = 0
    for tick = 0, seconds * 100 do
      local now = from + tick / 100
      while offered < rate * tick / 100 do
        pace:offer()
        offered, waiting = offered + 1, waiting + 1
      end
      if waiting > 0 and pace:wait(now, waiting) == 0 then
        pace:went(now)
        waiting = waiting - 1
      end
    end
    return waiting
  end

  it("warns once in ten seconds while more is offered than sent", function()
    local lines = {}
    local pace = new(10, function(line)
      lines[#lines + 1] = line
    end)
    offer(pace, 20, 0, 36, 0)
    assert.are.equal(3, #lines)
    assert.is_truthy(lines[1]:find "^20%.%d messages a second are offered and 10%.%d are sent, %d+ wait: send less often")
  end)

  it("warns of little more than goes out, not of as much", function()
    local count = 0
    local function warn()
      count = count + 1
    end
    offer(new(10, warn), 10, 0, 60, 50)
    assert.are.equal(0, count)
    offer(new(10, warn), 11, 0, 60, 0)
    assert.are.equal(5, count)
  end)

  it("keeps silent about bursts, and about what an outage has piled up", function()
    local pace = new(10, error)
    local waiting = offer(pace, 9, 0, 30, 0)
    for _ = 1, 200 do
      pace:offer()
    end
    waiting = offer(pace, 9, 30, 30, waiting + 200)
    for _ = 1, 500 do
      pace:offer()
    end
    offer(pace, 9, 200, 60, waiting + 500)
  end)
end)
