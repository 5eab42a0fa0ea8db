-- beam.map against the local Beam: each input ends once, whatever happens; what is in memory is bounded; the handler runs are counted at
-- the server, by input.
local beam = require "beam"
local driver = require "beam.driver"
local log = require "beam.log"
local progress = require "beam.map.progress"
local serve = require "beam.serve"

local null_numbers = { 2, 4 } -- of the handler "null"

describe("map", function()
  local app, server, client
  local runs, running, most_running -- of the handlers: by input, at a time
  local gates -- what "gate" waits for, with inputs up to `last`

  setup(function()
    app = serve.new()
    app.endpoint("double", function(input)
      runs[input.x] = (runs[input.x] or 0) + 1
      running = running + 1
      most_running = math.max(most_running, running)
      beam.sleep(input.pause or 0)
      running = running - 1
      if input.fail then
        error "it cannot"
      end
      return { result = input.x * 2 }
    end)
    app.endpoint("gate", function(input)
      gates.runs = gates.runs + 1
      while not gates.open and input.x <= gates.last do
        gates.signal:wait(20)
      end
      return { result = input.x * 2 }
    end)
    app.endpoint("null", function(input)
      return input.x ~= null_numbers[1] and input.x ~= null_numbers[2] and { result = input.x } or nil
    end)
    server = assert(app.listen { token = "t", log = function() end })
    client = assert(beam.client { gateway = server.url, token = "t", timeout = 30 })
  end)
  teardown(function()
    server:close()
  end)
  before_each(function()
    runs, running, most_running = {}, 0, 0
    gates = { open = false, runs = 0, last = math.huge, signal = driver.signal() }
  end)
  after_each(function()
    server:fault(nil)
    gates.open = true
    gates.signal:wake_all()
    log.to(nil)
  end)

  local function numbers(count, extra)
    local list = {}
    for x = 1, count do
      list[x] = { x = x }
      for name, value in pairs(extra or {}) do
        list[x][name] = value
      end
    end
    return list
  end

  -- An iterator of {x = 1}, {x = 2} … without an end unless there is one; asked.count says how often it was asked.
  local function counting(last)
    local asked = { count = 0 }
    return function()
      asked.count = asked.count + 1
      return asked.count <= (last or math.huge) and { x = asked.count } or nil
    end, asked
  end

  -- What came out: by position {result, err, times}, and the positions as they came.
  local function drain(map)
    local seen, order = {}, {}
    local i, result, err = map:next()
    while i do
      local before = seen[i]
      seen[i] = { result = result, err = err, times = (before and before.times or 0) + 1 }
      order[#order + 1] = i
      i, result, err = map:next()
    end
    return seen, order
  end

  local function wait_until(what)
    local deadline = driver.now() + 20
    while not what() do
      assert(driver.now() < deadline, "it did not come to be")
      beam.sleep(0.005)
    end
  end

  local function run_count()
    local count = 0
    for _, times in pairs(runs) do
      count = count + times
    end
    return count
  end

  describe("gives", function()
    it("a result for each input of a list, in a for loop", function()
      local results, count = {}, 0
      for i, result, err in client.map("double", numbers(50)) do
        assert.is_nil(err)
        results[i], count = result.result, count + 1
      end
      assert.are.equal(50, count)
      for x = 1, 50 do
        assert.are.equal(2 * x, results[x])
      end
    end)

    it("them as they come, or in the order of the inputs", function()
      local inputs = numbers(6)
      inputs[1].pause = 0.3
      local _, order = drain((client.map("double", inputs, { concurrency = 2 })))
      assert.are.equal(1, order[#order])
      _, order = drain((client.map("double", inputs, { concurrency = 2, ordered = true })))
      assert.are.same({ 1, 2, 3, 4, 5, 6 }, order)
    end)

    it("how each came, with its input", function()
      local inputs = numbers(2)
      inputs[2].fail = true
      local map = client.map("double", inputs, { ordered = true })
      local i, result, err, info = map:next()
      assert.are.same({ 1, { result = 2 }, nil, 200, 1 }, { i, result, err, info.status, info.attempts })
      assert.are.equal(inputs[1], info.input)
      i, result, err, info = map:next()
      assert.are.same({ 2, nil, "http", 500, "yes" }, { i, result, err.kind, err.status, err.executed })
      assert.are.equal(err, info)
      assert.are.equal(inputs[2], err.input)
      assert.is_nil((map:next()))
      assert.is_nil((map:next()))
    end)

    it("beam.null where the answer is null: nil is failure only", function()
      local seen = drain((client.map("null", numbers(5))))
      for x = 1, 5 do
        assert.is_nil(seen[x].err)
        local is_null = x == null_numbers[1] or x == null_numbers[2]
        assert.are.same(is_null and beam.null or { result = x }, seen[x].result)
      end
    end)

    it("nothing for no inputs, and then asks no server", function()
      local map = beam.client({ gateway = "http://127.0.0.1:1", token = false }).map("double", {})
      assert.is_nil((map:next()))
      assert.are.same({ 0, 0, 0 }, { map:stats().total, map:stats().taken, map:stats().in_flight })
    end)

    it("the same from one table, an iterator, an object with next, in coroutines and nested", function()
      local function sum(...)
        local total = 0
        for _, answer in pairs((drain((client.map(...))))) do
          total = total + answer.result.result
        end
        return total
      end
      assert.are.equal(110, sum { "double", inputs = numbers(10) })
      assert.are.equal(110, sum({ name = "double" }, numbers(10)))
      assert.are.equal(110, sum("double", (counting(10))))
      local next_number = counting(10)
      assert.are.equal(110, sum("double", { next = function()
        return next_number()
      end }))
      assert.are.equal(110, (beam.spawn(sum, "double", numbers(10)):join(20)))
      local inner = client.map("double", numbers(10), { concurrency = 3 })
      assert.are.equal(220, sum("double", function()
        local i, result = inner:next()
        return i and { x = result.result }
      end))
    end)
  end)

  it("keeps to the concurrency, and uses it", function()
    drain((client.map("double", numbers(40, { pause = 0.01 }), { concurrency = 5 })))
    assert.are.equal(5, most_running)
    assert.are.equal(40, run_count())
  end)

  it("goes on after failures of every kind", function()
    local inputs = numbers(12)
    inputs[3].fail = true
    inputs[5] = 17 -- no table
    inputs[7] = { x = print } -- no JSON
    inputs[9] = { 1, 2 } -- an array
    local map = client.map("double", inputs, { concurrency = 3, ordered = true })
    local seen, order = drain(map)
    assert.are.equal(12, #order)
    local failures = {}
    for i, answer in ipairs(seen) do
      if answer.err then
        failures[i] = { answer.result, answer.err.kind, answer.err.executed, answer.err.attempts }
      end
    end
    assert.are.same({
      [3] = { nil, "http", "yes", 1 },
      [5] = { nil, "script", "no", 0 },
      [7] = { nil, "json", "no", 0 },
      [9] = { nil, "script", "no", 0 },
    }, failures)
    assert.is_truthy(seen[5].err.message:find("beam.map: input is a table, not a number", 1, true))
    assert.are.same({ 12, 8, 4, 0 }, { map:stats().done, map:stats().succeeded, map:stats().failed, map:stats().canceled })
  end)

  describe("under faults", function()
    it("ends every input once, and runs no handler twice", function()
      server:fault "status=429@1%,status=503@1%,status=502@1%,lost=502@0.5%,hang_up=reset@0.5%,lost=reset@0.5%,slow=1ms..20ms@1%"
      local count = 500
      local map = client.map("double", (counting(count)), { concurrency = 16, retry = beam.retry.backoff { base = 0.01, attempts = 8 } })
      local seen, order = drain(map)
      assert.are.equal(count, #order)
      for x = 1, count do
        local answer = seen[x]
        assert.are.equal(1, answer.times)
        if answer.err then
          assert.is_nil(answer.result)
          assert.are.same({ true, "unknown" }, { answer.err.status == 502 or answer.err.kind == "http", answer.err.executed })
          assert.is_true((runs[x] or 0) <= 1)
        else
          assert.are.same({ 2 * x, 1 }, { answer.result.result, runs[x] })
        end
      end
      local figures = map:stats()
      assert.are.same({ count, count, 0, 0 }, { figures.taken, figures.done, figures.in_flight, figures.waiting })
      assert.is_true(figures.attempts > count)
      assert.is_true(figures.failed > 0 and figures.failed < count / 8)
    end)

    it("passes the options of a call on", function()
      server:fault "status=502"
      local function first(options)
        return select(3, client.map("double", numbers(1), options):next())
      end
      assert.are.same({ 502, 1 }, { first({}).status, first({}).attempts })
      local err = first { idempotent = true, retry = beam.retry.backoff { base = 0.001, attempts = 2 } }
      assert.are.same({ 502, 3 }, { err.status, err.attempts })
      server:fault "latency=20s"
      err = first { timeout = 0.1 }
      assert.are.same({ "timeout", "unknown", 1 }, { err.kind, err.executed, err.attempts })
      server:fault(nil)
      assert.are.equal(401, first({ token = "another" }).status)
    end)
  end)

  describe("takes inputs", function()
    it("only as results are asked for, and not before the first", function()
      local inputs, asked = counting()
      local map = client.map("double", inputs, { concurrency = 4, window = 10 })
      beam.sleep(0.02)
      assert.are.equal(0, asked.count)
      local i = map:next()
      assert.are.equal("number", type(i))
      wait_until(function()
        return map:stats().in_flight == 0
      end)
      assert.are.equal(11, asked.count) -- one handed over, ten wait
      assert.are.same({ 11, 10, 0 }, { map:stats().taken, map:stats().waiting, map:stats().in_flight })
      map:next()
      wait_until(function()
        return map:stats().in_flight == 0
      end)
      assert.are.equal(12, asked.count)
      map:close()
      assert.are.equal(10, map:stats().dropped)
    end)

    it("no further than the window while the first is slow and order is wanted", function()
      local inputs, asked = counting()
      gates.last = 1
      local map = client.map("gate", inputs, { concurrency = 4, window = 8, ordered = true })
      local task = beam.spawn(function()
        return map:next()
      end)
      wait_until(function()
        return map:stats().waiting == 7
      end)
      beam.sleep(0.02)
      assert.are.same({ 8, 7, 1 }, { asked.count, map:stats().waiting, map:stats().in_flight })
      gates.open = true
      gates.signal:wake_all()
      assert.are.equal(1, (task:join(20)))
      map:close()
    end)

    it("that come late, one at a time", function()
      local asking, overlapped, x = false, false, 0
      local _, order = drain((client.map("double", function()
        overlapped = overlapped or asking
        asking = true
        beam.sleep(0.002)
        asking = false
        x = x + 1
        return x <= 20 and { x = x } or nil
      end, { ordered = true })))
      assert.are.same({ false, 20, 20 }, { overlapped, #order, run_count() })
    end)

    it("until their iterator fails: what was taken ends, and the failure is the last item", function()
      local x = 0
      local map = client.map("double", function()
        x = x + 1
        if x == 6 then
          error("line 6 is broken", 0)
        end
        return { x = x, pause = 0.02 }
      end, { concurrency = 3 })
      local seen, order = drain(map)
      assert.are.same({ 6, 6 }, { #order, order[6] })
      for i = 1, 5 do
        assert.are.same({ result = 2 * i }, seen[i].result)
      end
      local err = seen[6].err
      assert.are.same({ nil, "script", "line 6 is broken", "no" }, { seen[6].result, err.kind, err.message, err.executed })
      assert.are.same({ 5, 5, 0 }, { map:stats().taken, map:stats().succeeded, map:stats().failed })
    end)

    it("at a hole of their list: what stands behind is not lost without a word", function()
      local seen, order = drain(client.map("double", { { x = 1 }, nil, { x = 3 } }))
      local err = seen[2].err
      assert.are.same({ 2, { result = 2 }, nil, "invalid", "beam.map: input 2 of 3 is nil, and a list has no holes", "no" },
        { #order, seen[1].result, seen[2].result, err.kind, err.message, err.executed })
    end)

    it("at a hole where the length of the list is the position before it", function()
      local list = { { x = 1 } }
      list[3], list[70] = { x = 3 }, { x = 70 }
      local seen, order = drain(client.map("double", list))
      assert.are.same({ 2, "invalid", "beam.map: input 2 of 70 is nil, and a list has no holes" }, { #order, seen[2].err.kind, seen[2].err.message })
    end)

    it("until the deadline: what is in flight times out, and the last item says so", function()
      local inputs = counting()
      local map = client.map("gate", inputs, { concurrency = 3, deadline = 0.3, ordered = true })
      local seen, order = drain(map)
      assert.are.same({ 1, 2, 3, 4 }, order)
      for i = 1, 3 do
        assert.are.same({ nil, "timeout", "unknown" }, { seen[i].result, seen[i].err.kind, seen[i].err.executed })
      end
      local err = seen[4].err
      assert.are.same({ "timeout", "no end of the map within 0.3 s", "no", "this input, and those after it, were not sent" },
        { err.kind, err.message, err.executed, err.hint })
    end)

    it("until the deadline, though their iterator hangs", function()
      local forever = driver.signal()
      local map = client.map("double", function()
        forever:wait(30)
      end, { deadline = 0.05 })
      local i, result, err = map:next()
      assert.are.same({ 1, nil, "timeout" }, { i, result, err.kind })
      assert.is_nil((map:next()))
      forever:wake_all()
    end)
  end)

  describe("ends early", function()
    it("by cancel: what is in flight is cancelled and handed over", function()
      local inputs, asked = counting()
      local map = client.map("gate", inputs, { concurrency = 3, ordered = true })
      local task = beam.spawn(drain, map)
      wait_until(function()
        return gates.runs == 3
      end)
      map:cancel()
      local seen, order = task:join(20)
      assert.are.same({ { 1, 2, 3 }, 3 }, { order, asked.count })
      for i = 1, 3 do
        assert.are.same({ nil, "canceled", "unknown", false },
          { seen[i].result, seen[i].err.kind, seen[i].err.executed, seen[i].err.retryable })
      end
      assert.are.same({ 3, 3, 0 }, { map:stats().failed, map:stats().canceled, map:stats().in_flight })
    end)

    it("by cancel, though calls wait for another attempt", function()
      server:fault "status=429"
      local map = client.map("double", (counting()), { concurrency = 2, retry = function()
        return 20
      end })
      local task = beam.spawn(drain, map)
      wait_until(function()
        return map:stats().in_flight == 2
      end)
      beam.sleep(0.1)
      assert.are.same({ 2, 0 }, { map:stats().in_flight, map:stats().done })
      map:cancel()
      local seen = task:join(15)
      assert.are.same({ 429, "no", 429, "no" }, { seen[1].err.status, seen[1].err.executed, seen[2].err.status, seen[2].err.executed })
    end)

    it("by close: nothing is handed over any more, the connections are free", function()
      local map = client.map("gate", (counting()), { concurrency = 3 })
      local task = beam.spawn(map.next, map)
      wait_until(function()
        return gates.runs == 3
      end)
      map:close()
      map:close()
      assert.is_nil((task:join(20)))
      wait_until(function()
        return map:stats().in_flight == 0
      end)
      assert.are.same({ 3, 3, 3, 0 }, { map:stats().taken, map:stats().canceled, map:stats().dropped, map:stats().waiting })
      wait_until(function()
        for _, exchange in pairs(server.exchanges) do
          if not exchange.gone then
            return false
          end
        end
        return true
      end)
    end)

    it("when it is collected", function()
      local run
      local function forget()
        local map = client.map("gate", (counting()), { concurrency = 3, window = 3 })
        gates.last = 2
        run = map.run
        assert.are.equal(3, (map:next()))
        assert.are.same({ false, 4 }, { run.closed, run.taken })
        wait_until(function() -- the fourth is answered
          return run.in_flight == 2
        end)
      end
      forget()
      wait_until(function()
        collectgarbage()
        return run.closed and run.in_flight == 0
      end)
      assert.are.equal(2, run.canceled)
    end)

    it("when its loop is left (Lua 5.4), or when it is collected", function()
      local inputs, asked = counting()
      local run
      local function leave(map)
        run = map.run
        for _, result in map, nil, nil, map do -- luacheck: ignore 512
          assert.are.same({ result = 6 }, result)
          break
        end
        assert.are.equal(_VERSION >= "Lua 5.4", run.closed)
      end
      gates.last = 1
      leave((client.map("gate", function()
        return inputs().x == 1 and { x = 3 } or { x = 1 } -- the first one passes
      end, { concurrency = 2, window = 3 })))
      wait_until(function()
        collectgarbage()
        return run.closed and run.in_flight == 0
      end)
      assert.are.same({ 3, 1, 2 }, { asked.count, run.succeeded, run.canceled })
    end)
  end)

  describe("tells its progress", function()
    it("to a function, after each input", function()
      local calls = {}
      local inputs = numbers(4)
      inputs[2].fail = true
      drain((client.map("double", inputs, { concurrency = 1, on_progress = function(...)
        calls[#calls + 1] = { ... }
      end })))
      assert.are.same({ { 1, 4, 0, 0 }, { 2, 4, 1, 0 }, { 3, 4, 1, 0 }, { 4, 4, 1, 0 } }, calls)
    end)

    it("to a function that fails only once, and goes on", function()
      local lines = {}
      log.to(function(level, line)
        lines[#lines + 1] = level .. ": " .. line
      end)
      local _, order = drain((client.map("double", (counting(3)), { on_progress = function()
        error("no screen", 0)
      end })))
      assert.are.equal(3, #order)
      assert.are.equal(1, #lines)
      assert.is_truthy(lines[1]:find("error: beam.map: on_progress failed and is not called again: script: no screen", 1, true))
    end)

    it("in a line", function()
      local figures = { done = 6120, total = 10000, failed = 31, elapsed = 7.5 }
      assert.are.equal("double  6120 of 10000  61 %  31 failed  816/s  5 s left", progress.text("double", figures, false))
      figures = { done = 3, failed = 0, elapsed = 2 }
      assert.are.equal("double  3  1.5/s", progress.text("double", figures, false))
      figures = { done = 1, total = 4000, failed = 1, elapsed = 1 }
      assert.are.equal("double  1 of 4000  0 %  \27[31m1 failed\27[0m  1.0/s  1:06 h left", progress.text("double", figures, true))
    end)

    it("on a stream ten times a second at most, and at the end", function()
      local written = {}
      local stream = { write = function(_, ...)
        written[#written + 1] = table.concat { ... }
      end, flush = function() end }
      local line = progress.new("a\nb", stream)
      for done = 1, 100 do
        line:draw { done = done, total = 100, failed = 0, elapsed = 0 }
      end
      line:draw({ done = 100, total = 100, failed = 0, elapsed = 10 }, true)
      assert.are.equal("\ra?b  1 of 100  1 %  0.0/s\27[K", written[1])
      assert.are.equal("\ra?b  100 of 100  100 %  10/s\27[K\n", written[#written])
      assert.is_true(#written < 50)
    end)
  end)

  it("raises for mistakes at once", function()
    local function message(...)
      local ok, err = pcall(client.map, ...)
      assert.is_false(ok)
      return (err:gsub("^[^ ]*:%d+: ", ""))
    end
    assert.are.equal("beam.map: inputs are a list, a function or an object with a method next, not a nil", message("a"))
    assert.are.equal("beam.map: inputs are a list, a function or an object with a method next, not a number", message("a", 3))
    assert.are.equal("beam.map: unknown option 'concurency'; did you mean 'concurrency'?", message("a", {}, { concurency = 3 }))
    assert.are.equal("beam.map: inputs are a list of inputs, not one with names: { { x = 1 }, { x = 2 } }", message("a", { x = 12 }))
    assert.are.equal("beam.map: 'concurrency' is a whole number from 1 to 256", message("a", {}, { concurrency = 257 }))
    assert.are.equal("beam.map: 'concurrency' is a whole number from 1 to 256", message("a", {}, { concurrency = 1.5 }))
    assert.are.equal("beam.map: 'window' is a whole number from 1 on", message("a", {}, { window = 0 }))
    assert.are.equal("beam.map: option 'deadline' wants a number of seconds above 0, not 0", message("a", {}, { deadline = 0 }))
    assert.are.equal("beam.map: option 'on_progress' wants a function, not a boolean", message("a", {}, { on_progress = true }))
    assert.are.equal("beam.map: unknown option 'input'; did you mean 'inputs'?", message("a", {}, { input = {} }))
    assert.are.equal("beam.map: a GET has no body for input: use path = '?name=value'", message("a", {}, { method = "GET" }))
  end)
end)

describe("map over a server that only answers", function()
  local server, client, url
  setup(function()
    server = assert(driver.context():server({}, function(request)
      request:respond(200, nil, "{}")
    end))
    driver.attach()
    url = "http://127.0.0.1:" .. server:port()
    client = beam.client { token = false }
  end)
  teardown(function()
    server:close()
    driver.detach()
  end)

  -- Without an end unless there is one.
  local function inputs(last)
    local x = 0
    return function()
      x = x + 1
      return x <= (last or math.huge) and { x = x } or nil
    end
  end

  it("does not hold beam.run() up when nobody asks for results", function()
    local map
    beam.run(function()
      map = client.map(url, inputs(), { window = 3 })
      map:next()
    end)
    assert.are.same({ 4, 3, 0 }, { map:stats().taken, map:stats().waiting, map:stats().in_flight })
  end)

  it("keeps memory flat", function()
    local function measure(count)
      local most, map = 0, client.map(url, inputs(count), { concurrency = 8 })
      local i = map:next()
      while i do
        if map:stats().done % 500 == 0 then
          collectgarbage()
          collectgarbage()
          most = math.max(most, collectgarbage "count")
        end
        i = map:next()
      end
      assert.are.equal(count, map:stats().succeeded)
      return most
    end
    local before = measure(1000)
    local after = measure(4000)
    assert.is_true(after < before + 300, ("%.0f KiB, then %.0f KiB"):format(before, after))
  end)
end)
