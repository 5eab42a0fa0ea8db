-- Coroutines on one loop: spawn, join, sleep, run, step, fd, signals.
local beam = require "beam"
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local errors = require "beam.error"
local log = require "beam.log"
local waiting = require "beam.driver.waiting"

local function in_foreign_coroutine(fn, ...)
  return coroutine.wrap(fn)(...)
end

describe("driver", function()
  local lines
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
  end)
  after_each(function()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  local function logged()
    local all = table.concat(lines, "\n")
    lines = {}
    return all
  end

  describe("spawn", function()
    it("starts at once and gives its results to join", function()
      local seen
      local task = beam.spawn(function(a, b)
        seen = a + b
        return a, nil, b
      end, 1, 2)
      assert.are.equal(3, seen)
      local n = select("#", task:join())
      assert.are.equal(3, n)
      assert.are.same({ 1, nil, 2 }, { task:join() })
    end)

    it("raises for what is no function", function()
      assert.has_error(function()
        beam.spawn(7)
      end, "beam.spawn wants a function, not a number")
    end)

    it("returns an error, with its traceback, from join", function()
      local cause = { code = 7 }
      local ok, err = beam.spawn(function()
        beam.sleep(0)
        error(cause)
      end):join()
      assert.is_nil(ok)
      assert.are.equal("script", err.kind)
      assert.are.equal(cause, err.cause)
      assert.is_truthy(err.traceback:find("driver_spec", 1, true))
    end)

    it("logs an error that nobody joined at the next step, and run raises it", function()
      beam.spawn(function()
        error("nobody cares", 0)
      end)
      assert.are.same({}, lines)
      local ok, err = pcall(beam.run)
      assert.is_false(ok)
      assert.are.same({ "script", "nobody cares" }, { err.kind, err.message })
      assert.is_truthy(logged():find("error: a coroutine failed that nobody joined: script: nobody cares\nstack traceback", 1, true))
      beam.run()
    end)

    it("lets the others run when a coroutine yields by itself", function()
      local order = {}
      local function count(name)
        for i = 1, 2 do
          order[#order + 1] = name .. i
          coroutine.yield()
        end
      end
      local a, b = beam.spawn(count, "a"), beam.spawn(count, "b")
      a:join()
      b:join()
      assert.are.same({ "a1", "b1", "a2", "b2" }, order)
    end)

    it("cannot be joined by itself", function()
      local task
      task = beam.spawn(function()
        beam.sleep(0)
        task:join()
      end)
      local ok, err = task:join()
      assert.is_nil(ok)
      assert.is_truthy(err.message:find("a coroutine cannot join itself", 1, true))
    end)
  end)

  describe("join", function()
    it("gives up after its time-out, and may be asked again", function()
      local task = beam.spawn(function()
        beam.sleep(0.05)
        return "done"
      end)
      local result, err = task:join(0.01)
      assert.is_nil(result)
      assert.are.same({ "timeout", "no end of the coroutine within 0.01 s" }, { err.kind, err.message })
      assert.are.equal("done", task:join(5))
    end)

    it("serves several", function()
      local task = beam.spawn(function()
        beam.sleep(0.01)
        return 5
      end)
      local function join()
        return task:join()
      end
      local a, b = beam.spawn(join), beam.spawn(join)
      assert.are.same({ 5, 5, 5 }, { (a:join()), (b:join()), (task:join()) })
    end)

    it("of one that gives up leaves the failure to the others", function()
      local go = driver.signal()
      local task = beam.spawn(function()
        go:wait()
        error("a failure", 0)
      end)
      local other = beam.spawn(function()
        return select(2, task:join()).message
      end)
      assert.are.equal("timeout", select(2, task:join(0.001)).kind)
      go:wake()
      assert.are.equal("a failure", other:join())
      beam.run()
    end)

    if coroutine.close then -- luacheck: ignore 143
      it("of one that somebody has closed says so", function()
        local thread
        local task = beam.spawn(function()
          thread = coroutine.running()
          beam.sleep(0.001)
          return "done"
        end)
        coroutine.close(thread) -- luacheck: ignore 143
        local result, err = task:join()
        assert.are.same({ nil, "script", "cannot resume dead coroutine" }, { result, err.kind, err.message })
      end)
    end
  end)

  describe("sleep", function()
    it("lasts as long as it says, everywhere", function()
      for _, way in ipairs {
        beam.sleep,
        function(s)
          beam.spawn(beam.sleep, s):join()
        end,
        function(s)
          in_foreign_coroutine(beam.sleep, s)
        end,
        function(s)
          beam.spawn(in_foreign_coroutine, beam.sleep, s):join()
        end,
      } do
        local start = driver.now()
        way(0.02)
        local elapsed = driver.now() - start
        assert.is_true(elapsed >= 0.02, elapsed)
      end
    end)

    it("wakes in the order of the deadlines", function()
      local order, tasks = {}, {}
      for _, i in ipairs { 3, 1, 4, 2, 5 } do
        tasks[#tasks + 1] = beam.spawn(function()
          beam.sleep(i * 0.01)
          order[#order + 1] = i
        end)
      end
      for _, task in ipairs(tasks) do
        task:join()
      end
      assert.are.same({ 1, 2, 3, 4, 5 }, order)
    end)

    it("of many costs one timer of the context, and every one ends", function()
      local ended = 0
      for i = 1, 1000 do
        beam.spawn(function()
          beam.sleep((i * 7919 % 100) / 5000)
          ended = ended + 1
        end)
      end
      beam.run()
      assert.are.equal(1000, ended)
    end)

    it("may last for ever, and the loop goes on", function()
      local task = beam.spawn(function()
        beam.sleep(1e300)
      end)
      assert.are.same({ nil, "timeout" }, { nil, select(2, task:join(0.01)).kind })
      beam.sleep(0.001)
      waiting.interrupt(task, "enough")
      assert.are.equal("enough", select(2, task:join()).cause)
    end)

    it("raises for what is no number of seconds", function()
      for said, value in pairs { ["a string"] = "x", ["a table"] = {}, NaN = 0 / 0 } do
        assert.has_error(function()
          beam.sleep(value)
        end, "beam.sleep wants a number of seconds, not " .. said)
      end
      assert.has_error(beam.sleep, "beam.sleep wants a number of seconds")
    end)
  end)

  describe("signal", function()
    it("wakes the one who has waited longest, one at a time", function()
      local signal, order = driver.signal(), {}
      for i = 1, 3 do
        beam.spawn(function()
          local woken = signal:wait()
          order[#order + 1] = { i, woken }
        end)
      end
      assert.is_true(signal:wake())
      beam.step()
      assert.are.same({ { 1, true } }, order)
      signal:wake_all()
      beam.step()
      assert.are.same({ { 1, true }, { 2, true }, { 3, true } }, order)
      assert.is_false(signal:wake())
    end)

    it("leaves no trace of a wait that timed out", function()
      local signal = driver.signal()
      assert.is_false(signal:wait(0.001))
      assert.is_false(signal:wake())
      local woken
      local task = beam.spawn(function()
        woken = signal:wait(5)
      end)
      signal:wake()
      task:join(5)
      assert.is_true(woken)
    end)
  end)

  describe("run", function()
    it("returns what its function returns, once everything has ended", function()
      local ended = false
      local a, b = beam.run(function(x)
        beam.spawn(function()
          beam.sleep(0.02)
          ended = true
        end)
        return x, "b"
      end, "a")
      assert.are.same({ "a", "b", true }, { a, b, ended })
    end)

    it("raises at once what its function raises", function()
      local other = driver.signal()
      local waits = beam.spawn(function()
        other:wait()
      end)
      local ok, err = pcall(beam.run, function()
        error("early", 0)
      end)
      assert.is_false(ok)
      assert.are.same({ "script", "early" }, { err.kind, err.message })
      other:wake()
      waits:join()
    end)

    it("raises at once inside a coroutine, too, whatever else keeps it going", function()
      driver.ref() -- as a server does
      local task = beam.spawn(function()
        beam.run(function()
          beam.sleep(0.01)
          error("early", 0)
        end)
      end)
      local _, err = task:join(5)
      driver.unref()
      assert.are.same({ "script", "early" }, { err.cause.kind, err.cause.message })
    end)

    it("inside a coroutine waits for all the others", function()
      local order = {}
      local function run_inside()
        beam.run(function()
          beam.sleep(0.02)
          order[#order + 1] = "inner"
        end)
        order[#order + 1] = "outer"
      end
      beam.run(function()
        beam.spawn(run_inside)
        run_inside()
      end)
      assert.are.same({ "inner", "inner", "outer", "outer" }, order)
    end)

    if compat.can_wait_in_pcall() then
      it("waits for all again after one inside a coroutine was interrupted", function()
        local script = assert(loadstring or load)(
          [[
          local beam = ...
          return beam.spawn(function()
            local ok, err = pcall(beam.run, function() beam.sleep(1) end)
            return ok, err
          end)]],
          "@script.lua"
        )
        local task = script(beam)
        beam.step()
        driver.interrupt(errors.new { kind = "interrupted", message = "interrupted" })
        pcall(beam.step)
        assert.are.equal("interrupted", select(2, task:join(1)).kind)
        local slept = false
        beam.run(function()
          beam.spawn(function()
            beam.sleep(0.01)
            slept = true
          end)
        end)
        assert.is_true(slept)
      end)
    end

    it("goes on while something is referenced", function()
      driver.ref()
      local start = driver.now()
      beam.spawn(function()
        beam.sleep(0.01)
        driver.spawn(function()
          beam.sleep(0.01)
          driver.unref()
        end)
      end)
      beam.run()
      assert.is_true(driver.now() - start >= 0.02)
    end)
  end)

  describe("attend", function()
    it("starts from the ready queue, and keeps run going for marked work only", function()
      local served, signal = 0, driver.signal()
      driver.attend(function()
        while true do
          signal:wait()
          beam.sleep(0.01)
          served = served + 1
          driver.unref()
        end
      end)
      beam.run()
      assert.are.equal(0, served)
      driver.ref()
      signal:wake()
      beam.run()
      assert.are.equal(1, served)
    end)

    it("does not keep its object alive", function()
      local seen = setmetatable({}, { __mode = "k" })
      do
        local object = { signal = driver.signal() }
        seen[object] = true
        driver.attend(function()
          object.signal:wait()
        end)
      end
      beam.run()
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(seen))
    end)
  end)

  describe("a wait that cannot end", function()
    it("is an error on the main thread", function()
      local ok, err = pcall(function()
        driver.signal():wait()
      end)
      assert.is_false(ok)
      assert.are.equal("beam: this wait would never end: nothing is open, due or running that could end it (deadlock)", err)
    end)

    it("is an error of run that shows where", function()
      local signal = driver.signal()
      local task = beam.spawn(function()
        signal:wait()
      end)
      local ok, err = pcall(beam.run)
      assert.is_false(ok)
      assert.is_truthy(err:find("beam.run: 1 coroutines wait for what can no longer come (deadlock)", 1, true))
      assert.is_truthy(err:find("driver_spec", 1, true))
      signal:wake()
      task:join()
    end)
  end)

  describe("step and fd", function()
    it("does what is due, and no more", function()
      local woken = false
      local task = beam.spawn(function()
        beam.sleep(0.05)
        woken = true
      end)
      local start = driver.now()
      beam.step()
      beam.step(0.01)
      assert.is_true(driver.now() - start < 0.05)
      assert.is_false(woken)
      task:join()
    end)

    -- Uses up time by the clock that counts.
    local function work(seconds)
      local over = driver.now() + seconds
      while driver.now() < over do
      end
    end

    it("spreads work over steps, none of which goes far over its budget", function()
      local done, tasks, steps = 0, {}, 0
      for i = 1, 10 do
        tasks[i] = beam.spawn(function()
          beam.sleep(0)
          for _ = 1, 10 do
            work(0.002)
            done = done + 1
            driver.give_way()
          end
        end)
      end
      repeat
        local before = done
        beam.step(0, 0.005)
        steps = steps + 1
        assert.is_true(done - before <= 4, done - before .. " pieces of 2 ms in a step of 5 ms")
      until done == 100
      assert.is_true(steps >= 25)
      for _, task in ipairs(tasks) do
        task:join()
      end
    end)

    it("has the budget once it has waited, however long it would have", function()
      local function done_in_a_step(timeout, budget)
        local done, tasks = 0, {}
        for i = 1, 5 do
          tasks[i] = beam.spawn(function()
            beam.sleep(0)
            work(0.002)
            done = done + 1
          end)
        end
        beam.step(timeout, budget)
        local in_step = done
        for _, task in ipairs(tasks) do
          task:join()
        end
        return in_step
      end
      assert.are.equal(1, done_in_a_step(0, 0.001))
      assert.are.equal(1, done_in_a_step(5, 0.001))
      assert.are.equal(5, done_in_a_step(-1, 0.9))
    end)

    it("gives no way without a budget, and outside coroutines", function()
      driver.give_way()
      local turns = 0
      local task = beam.spawn(function()
        beam.sleep(0)
        for _ = 1, 10 do
          work(0.001)
          turns = turns + 1
          driver.give_way()
        end
      end)
      beam.step(0)
      assert.are.equal(10, turns)
      task:join()
    end)

    it("wants a budget above 0", function()
      assert.has_error(function()
        beam.step(0, 0)
      end, "beam.step: the budget wants a number of seconds above 0, not 0")
    end)

    it("a spinning coroutine does not keep step from returning", function()
      local turns, stop = 0, false
      local task = beam.spawn(function()
        while not stop do
          turns = turns + 1
          beam.sleep(0)
        end
      end)
      beam.step()
      beam.step(5)
      assert.are.equal(3, turns)
      stop = true
      task:join()
    end)

    it("is one descriptor", function()
      assert.is_true(beam.fd() >= 0)
      assert.are.equal(beam.fd(), beam.fd())
    end)
  end)

  -- Where there is a way to poll a descriptor from Lua: LuaJIT's ffi.
  local has_ffi, ffi = pcall(require, "ffi")
  if has_ffi then
    ffi.cdef [[
      struct beam_spec_pollfd { int fd; short events; short revents; };
      int poll(struct beam_spec_pollfd *fds, unsigned long count, int timeout);
    ]]

    local function readable(fd, milliseconds)
      local poll = ffi.new("struct beam_spec_pollfd[1]", { { fd, 1, 0 } })
      return ffi.C.poll(poll, 1, milliseconds or 0) == 1
    end

    local function settle(fd)
      for _ = 1, 10 do
        beam.step()
      end
      assert.is_false(readable(fd))
    end

    describe("the descriptor", function()
      it("turns readable when a deadline passes", function()
        local fd = beam.fd()
        settle(fd)
        local task = beam.spawn(beam.sleep, 0.03)
        settle(fd) -- a new timer of the core may ask for one step
        assert.is_true(readable(fd, 30000))
        beam.step()
        task:join(30)
        settle(fd)
      end)

      it("turns readable when a coroutine is woken outside a step, by a coroutine or by the main thread", function()
        local fd, signal, woken = beam.fd(), driver.signal(), 0
        local function wait()
          signal:wait()
          woken = woken + 1
        end
        settle(fd)
        beam.spawn(wait)
        signal:wake()
        assert.is_true(readable(fd))
        beam.step()
        assert.are.equal(1, woken)
        settle(fd)
        beam.spawn(wait)
        beam.spawn(function()
          signal:wake()
        end)
        assert.is_true(readable(fd))
        beam.step()
        assert.are.equal(2, woken)
      end)

      it("stays readable while a step leaves something to do", function()
        local fd, rounds = beam.fd(), 0
        settle(fd)
        beam.spawn(function()
          for _ = 1, 3 do
            rounds = rounds + 1
            beam.sleep(0)
          end
        end)
        while readable(fd) do
          beam.step()
        end
        assert.are.equal(3, rounds)
      end)
    end)
  end

  it("does not wait inside a log function", function()
    local ok, err
    local ctx = driver.context()
    local task = driver.signal()
    ctx:timer(0, function()
      ok, err = pcall(beam.sleep, 1)
      task:wake()
    end)
    driver.attach()
    task:wait(5)
    driver.detach()
    assert.is_false(ok)
    assert.is_truthy(err:find("waiting is not possible inside an event or log function", 1, true))
  end)

  it("hands on what an event function raises", function()
    driver.context():timer(0, function()
      error("in an event", 0)
    end)
    local ok, err = pcall(beam.sleep, 1)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("in an event", 1, true))
    beam.sleep(0.001)
  end)
end)
