local beam = require "beam"
local chain = require("beam.realtime.transform").chain

local function line_of(fn)
  return "spec/realtime/transform_spec.lua:" .. debug.getinfo(fn, "S").linedefined
end

local function values(...)
  return { n = select("#", ...), ... }
end

local function double(message)
  return message * 2
end

describe("transform", function()
  it("passes each message through all, in order", function()
    local conn, given = {}, {}
    local run = chain({
      function(message, c)
        given[1] = { message, c }
        return message + 1
      end,
      double,
    }, "incoming")
    assert.are.same({ n = 2, true, 8 }, values(run(3, conn)))
    assert.are.same({ { 3, conn } }, given)
    assert.are.same({ n = 2, true, 6 }, values(chain(double, "incoming")(3, conn)))
  end)

  it("hands on false as a message", function()
    local run = chain({
      function(message)
        return not message
      end,
    }, "incoming")
    assert.are.same({ n = 2, true, false }, values(run(true)))
  end)

  it("drops what a function returns nothing for, and asks no further one", function()
    local asked = 0
    local function count(message)
      asked = asked + 1
      return message
    end
    for _, drop in ipairs {
      function() end,
      function()
        return nil
      end,
      function()
        return nil, nil
      end,
    } do
      assert.are.same({ n = 1, true }, values(chain({ drop, count }, "outgoing") {}))
    end
    assert.are.equal(0, asked)
  end)

  it("takes several results as several messages, each through the rest", function()
    local function twice(message)
      return message .. "1", message .. "2"
    end
    local function none_of_b1(message)
      return message ~= "b1" and message .. "." or nil
    end
    assert.are.same({ n = 5, true, "a11", "a12", "a21", "a22" }, values(chain({ twice, twice }, "outgoing") "a"))
    assert.are.same({ n = 2, true, "b2." }, values(chain({ twice, none_of_b1 }, "outgoing") "b"))
    local function with_holes()
      return "a", nil, "b", nil
    end
    assert.are.same({ n = 3, true, "a.", "b." }, values(chain({ with_holes, none_of_b1 }, "outgoing") "x"))
  end)

  it("is nothing where there are no functions", function()
    assert.is_nil(chain(nil, "incoming"))
    assert.is_nil(chain({}, "incoming"))
  end)

  it("keeps its functions when the caller changes the list", function()
    local list = { double }
    local run = chain(list, "incoming")
    list[1], list[2] = error, error
    assert.are.same({ true, 4 }, { run(2) })
  end)

  describe("that fails", function()
    it("gives an error that says where, and carries the message", function()
      local function broken(message)
        return message.a.b
      end
      local message = {}
      local ok, err = chain({
        function(m)
          return m
        end,
        broken,
      }, "outgoing")(message)
      assert.is_false(ok)
      assert.are.same({ "transform", "no", false }, { err.kind, err.executed, err.retryable })
      assert.are.equal(message, err.input)
      local start = ("the outgoing transform 2 (%s) failed: spec/realtime/transform_spec.lua:%d: attempt to index"):format(
        line_of(broken),
        debug.getinfo(broken, "S").linedefined + 1
      )
      assert.are.equal(start, err.message:sub(1, #start))
      assert.is_truthy(err.traceback:find "transform_spec.lua")
    end)

    it("names a function that has a name others can find", function()
      package.loaded.my_transforms = { scale = function() error("no scale", 0) end }
      local _, err = chain(package.loaded.my_transforms.scale, "incoming")(1)
      package.loaded.my_transforms = nil
      assert.is_truthy(err.message:find("^the incoming transform 1 %(my_transforms.scale, spec/realtime/transform_spec.lua:%d+%) failed: no scale$"))
      _, err = chain(string.rep, "incoming")(1)
      assert.is_truthy(err.message:find("^the incoming transform 1 %(string.rep, C%) failed: .*bad argument"))
    end)

    it("may return nil and why", function()
      local why = { kind = "http" }
      local ok, err = chain(function()
        return nil, why
      end, "incoming")(1)
      assert.are.same({ false, "transform", 1 }, { ok, err.kind, err.input })
      assert.are.equal(why, err.cause)
    end)

    it("keeps what was raised, whatever it is", function()
      local cause = setmetatable({}, {
        __tostring = function()
          return "my own error"
        end,
      })
      local _, err = chain(function()
        error(cause)
      end, "incoming")(1)
      assert.are.equal(cause, err.cause)
      assert.is_truthy(err.message:find("failed: my own error", 1, true))
      _, err = chain(function()
        error()
      end, "incoming")(1)
      assert.is_truthy(err.message:find("failed: nil", 1, true))
    end)

    it("fails where what it returns cannot be sent", function()
      local ok, err = chain(function(message)
        return message:gsub("a", "b")
      end, "outgoing") "aa"
      assert.is_false(ok)
      assert.is_truthy(err.message:find("failed: it returned a number, and a message is a table or a string", 1, true))
      assert.are.equal("aa", err.input)
    end)

    it("serves the next message", function()
      local run = chain(function(message)
        return (assert(message ~= 1 and message))
      end, "incoming")
      assert.is_false((run(1)))
      assert.are.same({ true, 2 }, { run(2) })
    end)
  end)

  describe("that waits", function()
    local function slow_if_odd(message)
      if message.n % 2 == 1 then
        beam.sleep(0.005)
      end
      if message.n == 3 then
        error("three", 0)
      end
      return message
    end

    it("keeps the order of messages from several coroutines", function()
      local run, out = chain({ slow_if_odd, slow_if_odd }, "outgoing"), {}
      local tasks = {}
      for n = 1, 6 do
        tasks[n] = beam.spawn(function()
          local ok, result = run { n = n }
          out[#out + 1] = ok and result.n or result.cause
        end)
      end
      local _, last = run { n = 7 } -- on the main thread, behind all others
      assert.are.same({ 1, 2, "three", 4, 5, 6 }, out)
      assert.are.equal(7, last.n)
      for _, task in ipairs(tasks) do
        task:join(5)
      end
    end)

    it("for its own turn is told so", function()
      local run
      run = chain(function(message)
        run(message)
        return message
      end, "outgoing")
      for _, where in ipairs { "main", "task" } do
        local ok, err
        if where == "main" then
          ok, err = run "x"
        else
          ok, err = beam.spawn(run, "x"):join(5)
        end
        assert.is_false(ok)
        assert.is_truthy(err.message:find("an outgoing transform waits for itself: return several messages instead", 1, true))
      end
    end)

    it("is not held up by one who sends again behind others", function()
      local run, out = chain(slow_if_odd, "outgoing"), {}
      local function send(n)
        local _, message = run { n = n }
        out[#out + 1] = message.n
      end
      local first = beam.spawn(function()
        send(1)
        send(12)
      end)
      local second = beam.spawn(send, 2)
      first:join(5)
      second:join(5)
      assert.are.same({ 1, 2, 12 }, out)
    end)
  end)

  it("raises for what is no function", function()
    local function message(...)
      local ok, err = pcall(chain, ...)
      assert.is_false(ok)
      return err
    end
    assert.are.equal("beam.realtime: 'incoming' wants a function or a list of them, not a string", message("x", "incoming"))
    assert.are.equal("beam.realtime: 'outgoing' wants functions, and its item 2 is a table", message({ print, {} }, "outgoing"))
  end)
end)
