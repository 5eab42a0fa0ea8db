local errors = require "beam.error"
local retry = require "beam.retry"

local lost = errors.new { kind = "closed", message = "lost", retryable = true }

local function top() -- the end of the window
  return 1
end

-- A table of the waits after 1, 2, … failures.
local function waits(policy, count, err, conn)
  local list = {}
  for attempt = 1, count do
    list[attempt] = policy(attempt, err or lost, conn) or "none"
  end
  return list
end

describe("retry.backoff", function()
  it("doubles its window up to the longest", function()
    assert.are.same({ 0.5, 1, 2, 4, 8, 16, 30, 30 }, waits(retry.backoff { random = top }, 8))
    assert.are.same({ 1, 2, 3, 3 }, waits(retry.backoff { base = 1, max = 3, random = top }, 4))
    assert.are.equal(30, retry.backoff { random = top }(1e6, lost))
  end)

  it("draws from the whole window", function()
    local policy, least, most, sum = retry.backoff {}, 1e9, 0, 0
    for _ = 1, 10000 do
      local seconds = policy(3, lost)
      least, most, sum = math.min(least, seconds), math.max(most, seconds), sum + seconds
    end
    assert.is_true(least >= 0 and least < 0.02, least)
    assert.is_true(most < 2 and most > 1.98, most)
    assert.is_true(math.abs(sum / 10000 - 1) < 0.05, sum)
  end)

  it("gives up where another attempt is no use, or one too many", function()
    local final = errors.new { kind = "handshake", message = "no", status = 404 }
    assert.are.same({ "none", "none" }, waits(retry.backoff(), 2, final))
    assert.are.same({ 0.5, 1, 2, "none", "none" }, waits(retry.backoff { attempts = 3, random = top }, 5))
    assert.are.same({ "none" }, waits(retry.backoff { attempts = 0 }, 1))
  end)

  it("waits as long as the server asks, and spreads out behind it", function()
    local function asked(seconds)
      return errors.new { kind = "handshake", message = "later", retryable = true, retry_after = seconds }
    end
    local function bottom()
      return 0
    end
    assert.are.equal(7, retry.backoff { random = bottom }(1, asked(7)))
    assert.are.equal(9, retry.backoff { random = top }(3, asked(7)))
    assert.are.equal(900, retry.backoff { random = bottom }(1, asked(86400)))
    assert.are.equal(900, retry.backoff { random = bottom }(1, asked(math.huge)))
  end)

  it("raises for options that make no sense", function()
    local function message(options)
      local ok, err = pcall(retry.backoff, options)
      assert.is_false(ok)
      return (err:gsub("^[^ ]*:%d+: ", ""))
    end
    assert.are.equal("beam.retry.backoff: unknown option 'bas'; did you mean 'base'?", message { bas = 1 })
    for _, name in ipairs { "base", "max", "attempts" } do
      local said = ("beam.retry.backoff: '%s' wants a number%s, 0 or more"):format(name, name == "attempts" and "" or " of seconds")
      assert.are.equal(said, message { [name] = -1 })
      assert.are.equal(said, message { [name] = "1" })
      assert.are.equal(said, message { [name] = 0 / 0 })
    end
    assert.are.equal("beam.retry.backoff: 'random' wants a function", message { random = 0.5 })
  end)
end)

describe("retry.default", function()
  it("is beam.retry.default", function()
    assert.are.equal(retry, require("beam").retry)
  end)

  it("makes five attempts at what never was ready, and goes on for ever with what was", function()
    local function numbers(conn)
      local kinds = {}
      for i, seconds in ipairs(waits(retry.default, 7, lost, conn)) do
        kinds[i] = type(seconds)
      end
      return table.concat(kinds, " ")
    end
    assert.are.equal("number number number number string string string", numbers { was_ready = false })
    assert.are.equal("number number number number number number number", numbers { was_ready = true })
  end)
end)

describe("retry.generator", function()
  it("is the same on every Lua", function()
    local random, sum = retry.generator(1), 0
    for _ = 1, 1000 do
      sum = sum + random()
    end
    assert.are.equal("496.49", ("%.2f"):format(sum))
  end)

  it("differs from the first number on for seeds that are near, and takes any seed", function()
    local seen = {}
    for _, seed in ipairs { 0, 1, 2, 3, 2147483645, 2147483646, 2147483647, 4294967296 } do
      local number = retry.generator(seed)()
      assert.is_true(number >= 0 and number < 1)
      seen[("%.3f"):format(number)] = seed
    end
    local count = 0
    for _ in pairs(seen) do
      count = count + 1
    end
    assert.is_true(count >= 5, count) -- some of the seeds mean the same
  end)

  it("leaves math.random alone, and another process draws other numbers", function()
    local policy = retry.backoff()
    math.randomseed(42)
    local want = math.random()
    math.randomseed(42)
    policy(1, lost)
    assert.are.equal(want, math.random())
    local first = -1
    while arg[first - 1] do
      first = first - 1
    end
    local program = ([[%s -e 'print(require("beam.retry").backoff { base = 1e9, max = 1e9 }(1, { retryable = true }))']]):format(arg[first])
    local drawn = {}
    for i = 1, 2 do
      local pipe = assert(io.popen(program))
      drawn[i] = tonumber(pipe:read "*l")
      pipe:close()
    end
    assert.is_number(drawn[1])
    assert.is_number(drawn[2])
    assert.are_not.equal(drawn[1], drawn[2])
  end)
end)
