-- Who is tried again, when, how often: the decisions alone, with attempts that are made up.
local attempts = require "beam.http.attempts"
local driver = require "beam.driver"
local errors = require "beam.error"
local log = require "beam.log"
local retry = require "beam.retry"
local scope = require "beam.driver.scope"

local at_once = retry.backoff { base = 0, attempts = 3 }

local function failure(fields)
  fields.kind, fields.message = fields.kind or "http", fields.message or "it failed"
  return errors.new(fields)
end

local function busy(fields)
  fields = fields or {}
  fields.status, fields.retryable = 429, true
  return failure(fields)
end

local function refused()
  return failure { status = 401 }
end

-- Runs a story: each attempt ends with the next of its outcomes, an error or a result. Returns what attempts.run does, and the secrets of
-- the attempts.
local function play(story, options, tokens, target)
  local secrets, asked = {}, 0
  local settings = {
    timeout = 20,
    credentials = function()
      asked = asked + 1
      local token = tokens and (tokens[asked] or tokens[#tokens]) or "t"
      if errors.is(token) then
        return nil, token
      end
      return { scheme = "bearer", secret = token }
    end,
  }
  local result, err, response, count = attempts.run(settings, target or {}, options or {}, function(auth)
    secrets[#secrets + 1] = auth.secret or auth.scheme
    local outcome = assert(story[#secrets], "there was one attempt too many")
    if errors.is(outcome) then
      return nil, outcome, { status = outcome.status }
    end
    return outcome, nil, { status = 200 }
  end)
  return { result = result, err = err, response = response, count = count, secrets = secrets, asked = asked }
end

describe("attempts", function()
  local lines
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
  end)
  after_each(function()
    log.to(nil)
  end)

  it("end with the first success", function()
    local played = play { "done" }
    assert.are.same({ "done", nil, { status = 200 }, 1, { "t" }, 1 },
      { played.result, played.err, played.response, played.count, played.secrets, played.asked })
    assert.are.same({}, lines)
  end)

  it("go on after what may be tried again, and are told to the log", function()
    local played = play({ busy(), busy(), "done" }, { retry = at_once })
    assert.are.same({ "done", nil, 3 }, { played.result, played.err, played.count })
    assert.are.same({ "info: attempt 1 failed, the next one follows in 0.0 s: it failed",
      "info: attempt 2 failed, the next one follows in 0.0 s: it failed" }, lines)
  end)

  it("end with the last error, that counts them", function()
    local last = busy()
    local played = play({ busy(), busy(), busy(), last }, { retry = at_once })
    assert.are.equal(last, played.err)
    assert.are.same({ 4, 4, { status = 429 } }, { played.count, last.attempts, played.response })
  end)

  describe("after an error that says", function()
    local function always()
      return 0
    end
    -- executed, further fields, options, attempts
    local rows = {
      { "no", { retryable = true }, { retry = at_once }, 2 },
      { "no", { retryable = true }, { retry = false }, 1 },
      { "no", { retryable = true }, { retry = function() end }, 1 },
      { "no", {}, { retry = at_once }, 1 },
      { "no", {}, { retry = at_once, idempotent = true }, 1 },
      { "no", {}, { retry = always }, 2 },
      { "unknown", { status = 502 }, { retry = at_once }, 1 },
      { "unknown", { status = 502 }, { retry = always }, 1 },
      { "unknown", { status = 502 }, { retry = at_once, idempotent = true }, 2 },
      { "unknown", { status = 502 }, { retry = false, idempotent = true }, 1 },
      { "unknown", { status = 302 }, { retry = at_once, idempotent = true }, 1 },
      { "unknown", { kind = "closed" }, { retry = at_once, idempotent = true }, 2 },
      { "unknown", { kind = "http", status = 200 }, { retry = at_once, idempotent = true }, 2 },
      { "unknown", { kind = "too_large" }, { retry = at_once, idempotent = true }, 1 },
      { "unknown", { kind = "canceled" }, { retry = at_once, idempotent = true }, 1 },
      { "yes", { status = 500 }, { retry = at_once }, 1 },
      { "yes", { status = 500 }, { retry = always }, 1 },
      { "yes", { status = 500 }, { retry = at_once, idempotent = true }, 1 },
      { "yes", { status = 500 }, { retry = always, idempotent = true }, 2 },
    }
    for i, row in ipairs(rows) do
      local executed, fields, options, count = row[1], row[2], row[3], row[4]
      it(("executed %s (row %d): %d"):format(executed, i, count), function()
        fields.executed = executed
        local err = failure(fields)
        local played = play({ err, "done" }, options)
        assert.are.same({ count == 2 and "done" or nil, count == 1 and err or nil, count }, { played.result, played.err, played.count })
      end)
    end
  end)

  describe("that are several, and may run a handler", function()
    local rows = { -- what the attempts say, and what is left to say at the end
      { { "unknown", "no" }, "unknown", "task 1" },
      { { "yes", "no", "unknown" }, "yes", "task 1" },
      { { "unknown", "yes" }, "yes", "task 2" },
      { { "no", "unknown", "unknown" }, "unknown", "task 3" },
      { { "no", "no" }, "no", "task 2" },
    }
    for i, row in ipairs(rows) do
      it(("end with what is known of all (row %d)"):format(i), function()
        local story = {}
        for position, executed in ipairs(row[1]) do
          local busy_too = executed == "no" and position > 1 and row[2] ~= "no" -- "the queue is full" comes without a task
          story[position] = busy { executed = executed, task_id = not busy_too and "task " .. position or nil }
        end
        local played = play(story, { idempotent = true, retry = function(attempt)
          return attempt < #story and 0 or nil
        end })
        assert.are.same({ row[2], row[3], #story }, { played.err.executed, played.err.task_id, played.count })
      end)
    end

    it("ask the retry function with what each says", function()
      local seen = {}
      play({ busy { executed = "unknown" }, busy(), "done" }, { idempotent = true, retry = function(_, err)
        seen[#seen + 1] = err.executed
        return 0
      end })
      assert.are.same({ "unknown", "no" }, seen)
    end)
  end)

  it("do not repeat credentials that a server said", function()
    local said = "you sent Bearer open-sesame, or b3Blbi1zZXNhbWU="
    local played = play({ busy { message = said, body = { error = said } }, failure { message = said, body = said } }, { retry = at_once },
      { "open-sesame" })
    assert.are.same({ "you sent Bearer [secret], or [secret]=", said }, { played.err.message, played.err.body })
    assert.are.same({ "info: attempt 1 failed, the next one follows in 0.0 s: you sent Bearer [secret], or [secret]=" }, lines)
  end)

  describe("with a retry function", function()
    it("tell it the number of failures and the error, until it says nil", function()
      local seen = {}
      local played = play({ busy(), refused(), busy() }, {
        retry = function(attempt, err)
          seen[#seen + 1] = { attempt, err.status }
          return attempt < 3 and 0 or nil
        end,
      })
      assert.are.same({ { { 1, 429 }, { 2, 401 }, { 3, 429 } }, 3 }, { seen, played.count })
    end)

    it("let it wait", function()
      local played = driver.spawn(play, { busy(), "done" }, {
        retry = function()
          driver.sleep(0.001)
          return 0
        end,
      }):join(5)
      assert.are.same({ "done", 2 }, { played.result, played.count })
    end)

    it("that raises, or says what is no time, end with the error that it was asked about", function()
      for wrong, line in pairs { [0] = "error: retry failed: ", soon = "error: retry returned soon, and not a number of seconds",
        [-1] = "error: retry returned -1, and not a number of seconds" } do
        lines = {}
        local err = busy()
        local played = play({ err }, {
          retry = function()
            return wrong == 0 and error "it cannot" or wrong
          end,
        })
        assert.are.same({ nil, err, 1, 1 }, { played.result, played.err, played.count, #lines })
        assert.are.equal(line, lines[1]:sub(1, #line))
      end
    end)
  end)

  describe("under a deadline", function()
    it("begin no wait that would pass it", function()
      local began, err = driver.now(), busy { retry_after = 30 }
      local played = play({ err }, { timeout = 20 })
      assert.are.same({ nil, err, 1 }, { played.result, played.err, played.count })
      assert.is_true(driver.now() - began < 10)
    end)

    it("are told what is left of it", function()
      local left = {}
      local settings = { timeout = 1000, credentials = function()
        return { scheme = "none" }
      end }
      attempts.run(settings, {}, { timeout = 100, retry = function(attempt)
        return attempt < 3 and 0.02 or nil
      end }, function(_, seconds)
        left[#left + 1] = seconds
        return nil, busy()
      end)
      assert.are.equal(3, #left)
      assert.is_true(left[1] <= 100 and left[2] <= left[1] - 0.01 and left[3] <= left[2] - 0.01 and left[3] > 50)
    end)

    it("that the token function passes are none", function()
      local settings = { credentials = function()
        driver.sleep(0.02)
        return { scheme = "bearer", secret = "late" }
      end }
      local result, err, response, count = attempts.run(settings, {}, { timeout = 0.01 }, error)
      assert.are.same({ nil, "timeout", "no token within 0.01 s", "no", nil, 0, 0 },
        { result, err.kind, err.message, err.executed, response, count, err.attempts })
    end)

    it("that is far away are told what the core can hold", function()
      local left
      attempts.run({ timeout = math.huge, credentials = function()
        return { scheme = "none" }
      end }, {}, {}, function(_, seconds)
        left = seconds
        return true
      end)
      assert.are.equal(4e6, left)
    end)
  end)

  describe("after a 401", function()
    it("go on at once with a different token, once", function()
      local played = play({ refused(), "done" }, { retry = false }, { "old", "new" })
      assert.are.same({ "done", 2, { "old", "new" }, 2 }, { played.result, played.count, played.secrets, played.asked })
      played = play({ refused(), refused() }, {}, { "old", "new", "newer" })
      assert.are.same({ 401, 2, { "old", "new" }, 2 }, { played.err.status, played.count, played.secrets, played.asked })
    end)

    it("end if the token is the same, or none", function()
      local played = play({ refused() }, {}, { "old", "old" })
      assert.are.same({ 401, 1, 2 }, { played.err.status, played.count, played.asked })
      played = play({ refused() }, {}, { "old", failure { kind = "auth" } })
      assert.are.same({ 401, 1, 2 }, { played.err.status, played.count, played.asked })
    end)

    it("end if a handler gave it", function()
      local played = play({ failure { status = 401, executed = "yes" } }, {}, { "old", "new" })
      assert.are.same({ 401, 1, 1 }, { played.err.status, played.count, played.asked })
    end)

    it("do not count the one with the new token as a failure", function()
      local seen = {}
      local played = play({ busy(), refused(), busy(), "done" }, {
        retry = function(attempt)
          seen[#seen + 1] = attempt
          return 0
        end,
      }, { "a", "a", "b", "c" })
      assert.are.same({ "done", 4, { "a", "a", "b", "c" }, { 1, 2 } }, { played.result, played.count, played.secrets, seen })
    end)

    it("ask nobody for a public address", function()
      local played = play({ refused() }, {}, nil, { public = true })
      assert.are.same({ 401, 1, { "none" }, 0 }, { played.err.status, played.count, played.secrets, played.asked })
    end)
  end)

  it("without credentials count, and may be tried again if what they failed of passes", function()
    local down = failure { kind = "auth", retryable = true }
    local played = play({ "done" }, { retry = at_once }, { down, "t" })
    assert.are.same({ "done", 2, { "t" } }, { played.result, played.count, played.secrets })
    local shut = failure { kind = "auth" }
    played = play({}, { retry = at_once }, { shut })
    assert.are.same({ nil, shut, 1, {} }, { played.result, played.err, played.count, played.secrets })
  end)

  it("end when what was to be sent is spent, new token or not", function()
    local played = play({ busy() }, {
      retry = at_once,
      spent = function()
        return true
      end,
    })
    assert.are.equal(1, played.count)
    played = play({ refused() }, {
      spent = function()
        return true
      end,
    }, { "old", "new" })
    assert.are.same({ 1, 1 }, { played.count, played.asked })
  end)

  it("end when their scope is cancelled, in the middle of a wait", function()
    local all = scope.new()
    local task = driver.spawn(play, { busy() }, {
      scope = all,
      retry = function()
        return 15
      end,
    })
    all:cancel()
    local played = task:join(5)
    assert.are.same({ 429, 1 }, { played.err.status, played.count })
  end)
end)

describe("retry.call", function()
  local function waits(fields)
    local count, most = 0, 0
    local err = failure(fields)
    repeat
      count = count + 1
      local seconds = retry.call(count, err)
      most = math.max(most, seconds or 0)
    until not seconds
    return count, most
  end

  it("gives up soon where nobody is reached, later where the server is busy", function()
    assert.are.equal(5, (waits { kind = "connect", retryable = true }))
    assert.are.equal(8, (waits { status = 429, retryable = true }))
    assert.are.equal(8, (waits { status = 503, retryable = true }))
    assert.are.equal(1, (waits { status = 500, executed = "yes" }))
  end)

  it("takes a proxy that gives no tunnel for a server that is not reached, and its refused password for the end", function()
    for status, count in pairs { [502] = 5, [503] = 5, [429] = 5, [407] = 1, [401] = 1 } do
      local tries, longest = waits { kind = "connect", phase = "proxy", status = status, retryable = true }
      assert.are.equal(count, tries, status)
      assert.is_true(longest <= 4, status)
    end
  end)

  it("is slow where there is no capacity", function()
    local longest = 0
    for _ = 1, 20 do
      longest = math.max(longest, select(2, waits { status = 503, retryable = true }))
    end
    assert.is_true(longest > 30 and longest <= 60)
  end)
end)
