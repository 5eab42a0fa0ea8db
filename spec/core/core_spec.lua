-- beam.core without a network: options, steps, timers, errors in event functions, and who keeps whom.
local core = require "beam.core"

local unpack = table.unpack or unpack

local function noop() end

-- Steps until done() or for two seconds.
local function run(ctx, done)
  local deadline = ctx:now() + 2
  while not done() do
    assert(ctx:now() < deadline, "nothing happened for two seconds")
    ctx:step(0.05)
  end
end

local function collect()
  collectgarbage()
  collectgarbage()
end

-- What a method of something that is over returns.
local function is_closed(...)
  assert.equal(2, select("#", ...))
  local value, err = ...
  assert.is_nil(value)
  assert.equal("closed", err.kind)
  assert.equal("closed", err.phase)
  assert.equal("", err.host)
  assert.is_false(err.sent)
  assert.is_nil(err.status)
  assert.is_truthy(err.message:find("closed", 1, true))
  assert.equal(err.message, tostring(err))
end

-- Calls through a method, as scripts do, and returns the error's text.
local function mistake(fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.is_string(err)
  return err
end

local function refuses(text, fn)
  local err = mistake(fn)
  assert.is_truthy(err:find(text, 1, true), err)
end

describe("beam.core", function()
  local ctx

  before_each(function()
    ctx = assert(core.new())
  end)

  after_each(function()
    ctx:close()
    collect()
  end)

  it("says its version and is no global", function()
    assert.is_truthy(core.version:match("^%d+%.%d+%.%d+$"))
    assert.is_nil(rawget(_G, "beam"))
  end)

  describe("options", function()
    it("name what is unknown and what is known", function()
      refuses("unknown option 'level'; known are log, log_level, connections", function()
        core.new { level = "debug" }
      end)
      refuses("unknown option 'urll'; known are arrivals, url, headers, auth, tls, proxy", function()
        ctx:websocket({ urll = "ws://localhost" }, noop)
      end)
      refuses("unknown option 'tls.ca'; known are tls.ca_file, tls.cert_file", function()
        ctx:http({ url = "http://localhost", tls = { ca = "x" } }, noop)
      end)
      refuses("unknown option 'number'", function()
        ctx:http({ "http://localhost" }, noop)
      end)
    end)

    it("are checked for their type", function()
      refuses("option 'url' must be a string, not number", function()
        ctx:websocket({ url = 12 }, noop)
      end)
      refuses("option 'url' is missing", function()
        ctx:websocket({}, noop)
      end)
      refuses("option 'fragments' must be a boolean, not number", function()
        ctx:websocket({ url = "ws://localhost", fragments = 1 }, noop)
      end)
      refuses("option 'auth' must be a table, not string", function()
        ctx:websocket({ url = "ws://localhost", auth = "token" }, noop)
      end)
      refuses("option 'auth.scheme' must be given, not nil", function()
        ctx:websocket({ url = "ws://localhost", auth = { secret = "hush" } }, noop)
      end)
      refuses("option 'log' must be a function, not string", function()
        core.new { log = "stderr" }
      end)
      refuses("option 'log_level' must be one of error, warning, info, debug", function()
        core.new { log_level = "loud" }
      end)
      refuses("table expected", function()
        ctx:websocket("ws://localhost", noop)
      end)
      refuses("function expected", function()
        ctx:websocket { url = "ws://localhost" }
      end)
    end)

    it("never show a value, which may be a secret", function()
      for _, options in ipairs {
        { url = "ws://localhost", auth = { scheme = "hush" } },
        { url = "ws://localhost", auth = { scheme = "bearer", secret = "hush\0hush" } },
        { url = "ws://localhost", headers = { "hush" } },
        { url = "ws://localhost", proxy = "http://hush\0hush" },
        { url = "ws://localhost", connect_timeout = "hush" },
      } do
        assert.is_nil(mistake(function()
          ctx:websocket(options, noop)
        end):find("hush", 1, true))
      end
    end)

    it("refuse NUL where C would cut the string", function()
      for name, options in pairs {
        url = { url = "http://local\0host" },
        method = { url = "http://localhost", method = "GET\0" },
        ["auth.secret"] = { url = "http://localhost", auth = { scheme = "bearer", secret = "a\0b" } },
        ["tls.ca_file"] = { url = "http://localhost", tls = { ca_file = "a\0b" } },
      } do
        refuses("option '" .. name .. "' must be without NUL", function()
          ctx:http(options, noop)
        end)
      end
      refuses("pairs of strings without NUL", function()
        ctx:http({ url = "http://localhost", headers = { { "x-a", "a\0b" } } }, noop)
      end)
    end)

    it("take times from 0 to 49 days and whole sizes", function()
      for _, seconds in ipairs { -1, -0.001, 0 / 0, math.huge, 4294968 } do
        refuses("option 'connect_timeout' must be seconds from 0 to 4294967", function()
          ctx:http({ url = "http://localhost", connect_timeout = seconds }, noop)
        end)
      end
      for _, size in ipairs { 0, -1, 1.5, 0 / 0, math.huge, 2 ^ 60 } do
        refuses("option 'max_message' must be a whole number of bytes", function()
          ctx:websocket({ url = "ws://localhost", max_message = size }, noop)
        end)
      end
      refuses("option 'port' must be a port, 0 to 65535", function()
        ctx:server({ port = 65536 }, noop)
      end)
    end)

    it("take headers as an array of pairs only", function()
      for _, headers in ipairs { { ["x-a"] = "b" }, { "x-a: b" }, { { "x-a" } }, { { "x-a", 1 } }, { { "x-a", "b" }, n = 1 }, "x-a: b" } do
        refuses("option 'headers' must be an array of {name, value} pairs", function()
          ctx:http({ url = "http://localhost", headers = headers }, noop)
        end)
      end
      local many = {}
      for i = 1, 1025 do
        many[i] = { "x-a", "b" }
      end
      refuses("at most 1024 headers", function()
        ctx:http({ url = "http://localhost", headers = many }, noop)
      end)
    end)
  end)

  describe("what libbeam itself refuses", function()
    it("comes back as nil and an error", function()
      local http, err = ctx:http({ url = "gopher://localhost" }, noop)
      assert.is_nil(http)
      assert.equal("invalid", err.kind)
      assert.is_string(err.message)
      assert.is_false(err.sent)
    end)

    it("keeps nothing of the function", function()
      local weak = setmetatable({}, { __mode = "k" })
      do
        local fn = function()
          return weak
        end
        weak[fn] = true
        assert.is_nil((ctx:http({ url = "gopher://localhost" }, fn)))
      end
      collect()
      assert.is_nil(next(weak))
    end)
  end)

  describe("ctx:step", function()
    it("polls by default and waits as long as it is told", function()
      local cpu, turns = os.clock(), 0
      repeat -- a wait takes no processor time: it would not come to an end
        assert.is_true(ctx:step())
        assert.is_true(ctx:step(0))
        turns = turns + 1
      until os.clock() - cpu > 0.01
      assert.is_true(turns > 3)
      local start = ctx:now()
      assert.is_true(ctx:step(0.06))
      local elapsed = ctx:now() - start
      assert.is_true(elapsed >= 0.055, elapsed)
    end)

    it("refuses what is no time", function()
      refuses("seconds from 0", function()
        ctx:step(0 / 0)
      end)
      refuses("number expected", function()
        ctx:step("soon")
      end)
    end)

    it("waits without limit for the first thing to do", function()
      local fired
      ctx:timer(0.02, function()
        fired = true
      end)
      local start = ctx:now()
      while not fired do
        ctx:step(-1)
      end
      assert.is_true(ctx:now() - start < 1)
    end)

    it("is ended by wakeup", function()
      ctx:wakeup()
      local start = ctx:now()
      ctx:step(-1)
      assert.is_true(ctx:now() - start < 1)
    end)

    it("raises inside an event function", function()
      local message
      ctx:timer(0, function()
        message = mistake(function()
          ctx:step()
        end)
      end)
      run(ctx, function()
        return message
      end)
      assert.is_truthy(message:find("ctx:step was called from inside an event function", 1, true))
    end)

    it("may step another context inside an event function", function()
      local other, order = core.new(), {}
      other:timer(0, function()
        order[#order + 1] = "inner"
      end)
      ctx:timer(0, function()
        run(other, function()
          return order[1]
        end)
        order[#order + 1] = "outer"
      end)
      run(ctx, function()
        return order[2]
      end)
      other:close()
      assert.same({ "inner", "outer" }, order)
    end)
  end)

  it("gives one descriptor", function()
    local fd = ctx:fd()
    assert.equal("number", type(fd))
    assert.is_true(fd > 2)
    assert.equal(fd, ctx:fd())
  end)

  it("gives a C host what its signal handler may call", function()
    local wake, argument = ctx:waker()
    assert.equal("userdata", type(wake))
    assert.equal("userdata", type(argument))
    ctx:close()
    is_closed(ctx:waker())
  end)

  describe("ctx:turn", function()
    it("does part of what is due, and says whether a step must follow", function()
      local fired = 0
      local function fire()
        fired = fired + 1
      end
      ctx:timer(0, fire)
      ctx:timer(3600, fire)
      local deadline = ctx:now() + 2
      repeat
        local more = ctx:turn()
        assert.is_boolean(more)
        assert(ctx:now() < deadline)
      until fired == 1 and not more
      assert.is_false(ctx:turn())
      ctx:close()
      is_closed(ctx:turn())
    end)

    it("is no more possible inside an event function than a step", function()
      local err
      ctx:timer(0, function()
        err = mistake(function()
          ctx:turn()
        end)
      end)
      run(ctx, function()
        return err
      end)
      assert.is_truthy(err:find("inside an event function", 1, true))
    end)
  end)

  describe("timers", function()
    it("fire once, in the order of their times", function()
      local order = {}
      for _, seconds in ipairs { 0.03, 0.01, 0.02, 0 } do
        ctx:timer(seconds, function(...)
          assert.equal(0, select("#", ...))
          order[#order + 1] = seconds
        end)
      end
      run(ctx, function()
        return #order == 4
      end)
      assert.same({ 0, 0.01, 0.02, 0.03 }, order)
    end)

    it("never fire early", function()
      local start, fired = ctx:now(), nil
      ctx:timer(0.0205, function()
        fired = ctx:now()
      end)
      run(ctx, function()
        return fired
      end)
      assert.is_true(fired - start >= 0.02, fired - start)
    end)

    it("can be stopped, twice, from within themselves and from others", function()
      local fired, later = 0, nil
      local first = ctx:timer(0.01, function()
        fired = fired + 1
      end)
      first:stop()
      first:stop()
      local own
      own = ctx:timer(0, function()
        own:stop()
        later:stop()
        fired = fired + 10
      end)
      later = ctx:timer(0.03, function()
        fired = fired + 100
      end)
      ctx:step(0.01)
      run(ctx, function()
        return fired == 10
      end)
      ctx:step(0.05)
      assert.equal(10, fired)
    end)

    it("refuse what is no delay", function()
      for _, seconds in ipairs { -1, 0 / 0, math.huge } do
        refuses("seconds from 0", function()
          ctx:timer(seconds, noop)
        end)
      end
      refuses("function expected", function()
        ctx:timer(1)
      end)
    end)

    it("fire though nobody holds them", function()
      local fired
      ctx:timer(0.01, function()
        fired = true
      end)
      collect()
      run(ctx, function()
        return fired
      end)
    end)

    it("let go of their function when they fired or were stopped", function()
      local weak, fired = setmetatable({}, { __mode = "k" }), 0
      local timers = {}
      for i = 1, 2 do
        local fn = function()
          fired = fired + 1
        end
        weak[fn] = true
        timers[i] = ctx:timer(i == 1 and 0 or 60, fn)
      end
      run(ctx, function()
        return fired == 1
      end)
      timers[2]:stop()
      collect()
      assert.is_nil(next(weak))
      assert.equal("beam.timer (over)", tostring(timers[1]))
    end)
  end)

  describe("errors in event functions", function()
    it("are raised by step after the other events, the first of them, with its traceback", function()
      local lines, fired = {}, 0
      local logged = core.new {
        log = function(level, line)
          lines[#lines + 1] = level .. ": " .. line
        end,
      }
      for _, text in ipairs { "first", "second" } do
        logged:timer(0, function()
          error(text)
        end)
      end
      logged:timer(0, function()
        fired = fired + 1
      end)
      local ok, err = pcall(logged.step, logged, 0.1)
      assert.is_false(ok)
      assert.is_truthy(err:find("first", 1, true))
      assert.is_truthy(err:find("stack traceback:", 1, true))
      assert.equal(1, fired)
      assert.equal(1, #lines)
      assert.is_truthy(lines[1]:find("^error: .*second"))
      assert.is_true(logged:step())
      logged:close()
    end)

    it("keep their value", function()
      for _, value in ipairs { { "a table" }, 42, false } do
        ctx:timer(0, function()
          error(value, 0)
        end)
        local ok, err = pcall(ctx.step, ctx, 0.1)
        assert.is_false(ok)
        assert.equal(value, err)
      end
      ctx:timer(0, function()
        error(nil)
      end)
      assert.is_false((pcall(ctx.step, ctx, 0.1)))
    end)

    it("include an attempt to yield", function()
      ctx:timer(0, coroutine.yield)
      local stepper = coroutine.create(function()
        return ctx:step(0.1)
      end)
      local ok, err = coroutine.resume(stepper)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find("yield", 1, true), err)
      assert.equal("dead", coroutine.status(stepper))
      assert.is_true(ctx:step())
    end)

    it("include a stack overflow", function()
      local function overflow()
        return 1 + overflow()
      end
      ctx:timer(0, overflow)
      local ok, err = pcall(ctx.step, ctx, 0.1)
      assert.is_false(ok)
      err = tostring(err) -- LuaJIT may have no stack left for the traceback
      assert.is_truthy(err:find("overflow", 1, true) or err:find("error in error handling", 1, true), err)
      assert.is_true(ctx:step())
    end)

    it("in the log function are raised by step too", function()
      local logged = core.new {
        log = function()
          error("log is full")
        end,
      }
      for _ = 1, 2 do
        logged:timer(0, function()
          error("event")
        end)
      end
      assert.is_false((pcall(logged.step, logged, 0.1)))
      logged:timer(0, noop)
      assert.is_true(logged:step(0.1))
      logged:close()
    end)
  end)

  describe("coroutines", function()
    it("that made something may be dead when its event comes", function()
      local fired
      local maker = coroutine.create(function()
        ctx:timer(0, function()
          fired = true
        end)
      end)
      coroutine.resume(maker)
      maker = nil -- luacheck: ignore
      collect()
      run(ctx, function()
        return fired
      end)
    end)

    it("run the events of the steps they make", function()
      local running, stepper
      ctx:timer(0, function()
        running = coroutine.running()
      end)
      stepper = coroutine.create(function()
        run(ctx, function()
          return running
        end)
        coroutine.yield()
      end)
      assert(coroutine.resume(stepper))
      assert.equal(stepper, running)
      local again
      ctx:timer(0, function() -- the stepper has yielded: events come on the main coroutine now
        again = true
      end)
      run(ctx, function()
        return again
      end)
      assert(coroutine.resume(stepper))
    end)

    it("can be resumed by events", function()
      local waiter = coroutine.wrap(function()
        return "woken with " .. coroutine.yield()
      end)
      waiter()
      local result
      ctx:timer(0, function()
        result = waiter("a value")
      end)
      run(ctx, function()
        return result
      end)
      assert.equal("woken with a value", result)
    end)
  end)

  describe("ctx:close", function()
    it("may be called twice; after it methods say closed", function()
      local fired
      local timer = ctx:timer(0, function()
        fired = true
      end)
      ctx:close()
      ctx:close()
      assert.equal("beam.context (closed)", tostring(ctx))
      assert.equal("beam.timer (over)", tostring(timer))
      timer:stop()
      is_closed(ctx:step())
      is_closed(ctx:fd())
      is_closed(ctx:wakeup())
      is_closed(ctx:timer(0, noop))
      is_closed(ctx:websocket({ url = "ws://localhost" }, noop))
      is_closed(ctx:http({ url = "http://localhost" }, noop))
      is_closed(ctx:server({}, noop))
      assert.equal("number", type(ctx:now()))
      assert.is_nil(fired)
    end)

    it("inside an event function ends everything at once", function()
      local fired, after = 0, nil
      for _ = 1, 3 do
        ctx:timer(0, function()
          fired = fired + 1
          ctx:close()
          ctx:close()
          after = { ctx:step() }
        end)
      end
      assert.is_true(ctx:step(0.1))
      assert.equal(1, fired)
      is_closed(unpack(after, 1, 2))
      is_closed(ctx:step())
    end)

    it("inside an event function does not hide its error", function()
      ctx:timer(0, function()
        ctx:close()
        error("afterwards")
      end)
      local ok, err = pcall(ctx.step, ctx, 0.1)
      assert.is_false(ok)
      assert.is_truthy(err:find("afterwards", 1, true))
      is_closed(ctx:step())
    end)

    it("lets go of every function", function()
      local weak = setmetatable({}, { __mode = "k" })
      local timers = {}
      for i = 1, 10 do
        local fn = function()
          return timers
        end
        weak[fn] = true
        timers[i] = ctx:timer(60, fn)
      end
      ctx:close()
      collect()
      assert.is_nil(next(weak))
    end)
  end)

  describe("garbage", function()
    it("includes a context whose functions refer to it", function()
      local weak = setmetatable({}, { __mode = "k" })
      do
        local own = core.new {
          log = function()
            return weak
          end,
        }
        local fn = function()
          return own
        end
        own:timer(60, fn)
        weak[fn] = true
      end
      collect()
      collect()
      assert.is_nil(next(weak))
    end)

    it("may be a context before its objects, or after them", function()
      local own = core.new()
      local timer = own:timer(60, noop)
      own = nil -- luacheck: ignore
      collect()
      assert.equal("beam.timer (over)", tostring(timer))
      timer:stop()
      own = core.new()
      timer = own:timer(60, noop) -- luacheck: ignore
      timer = nil -- luacheck: ignore
      collect()
      assert.is_true(own:step())
      own:close()
    end)

    it("may be collected at any time, from within events too", function()
      local rest = require "restless_collector"()
      for round = 1, 50 do
        local own, fired = core.new(), 0
        for i = 1, 10 do
          own:timer(i % 2 == 0 and 0 or 60, function()
            fired = fired + 1
            collectgarbage("step", 100)
            local _ = core.new():timer(0, noop)
          end)
        end
        run(own, function()
          return fired == 5
        end)
        if round % 3 == 0 then
          own:close()
        end
      end
      rest()
    end)

    it("survives metamethods called by hand", function()
      local timer = ctx:timer(60, noop)
      local gc, close = getmetatable(ctx).__gc, getmetatable(timer).__close
      close(timer)
      close(timer)
      timer:stop()
      for _, method in ipairs { gc, close, getmetatable(timer).__tostring, timer.stop } do
        assert.is_false((pcall(method, {})))
        assert.is_false((pcall(method, io.stdout)))
      end
      assert.is_false((pcall(timer.stop, ctx)))
      gc(ctx)
      gc(ctx)
      is_closed(ctx:step())
    end)
  end)

  it("has metatables that tools understand", function()
    for name, object in pairs { ["beam.context"] = ctx, ["beam.timer"] = ctx:timer(60, noop) } do
      local meta = getmetatable(object)
      assert.equal(name, meta.__name)
      assert.not_equal(meta, meta.__index)
      assert.equal("function", type(meta.__close))
      assert.is_truthy(tostring(object):find("^" .. name .. " %("))
    end
  end)
end)
