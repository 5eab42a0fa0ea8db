-- Our connections inside the loops of luv, cqueues and Copas: their coroutines wait for us, their timers run meanwhile, and they end when
-- nothing is left to wait for.
local beam = require "beam"
local driver = require "beam.driver"
local log = require "beam.log"

-- Debian has Copas, which is plain Lua, for 5.1 and 5.2 only.
package.path = package.path .. ";/usr/share/lua/5.1/?.lua"

describe("beam.loop", function()
  local server, client, lines, inside

  -- The local Beam lives in the same loop as its clients.
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    local app = require("beam.serve").new()
    app.realtime("echo", function(text)
      return text
    end)
    app.realtime("late", function(text)
      beam.sleep(0.1)
      return text
    end)
    app.endpoint("multiply", function(input)
      beam.sleep(0.02)
      return { result = input.x * 2 }
    end)
    server = assert(app.listen { pause = 0, log = function() end })
    client = beam.client { gateway = server.url, token = false }
  end)

  after_each(function()
    if inside then
      inside.stop()
      inside = nil
    end
    server:close()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  local finished
  local pause -- waits 5 ms by the other loop's own means; true: that was what ended the wait

  local waits_in_functions = rawget(_G, "jit") or _VERSION ~= "Lua 5.1" -- there each function of the user's has a coroutine of ours

  -- What a coroutine of the other loop does.
  local function visit()
    local conn = assert(client.realtime("echo"))
    for i = 1, 5 do
      assert.are.same({ i = i }, conn:request({ i = i }, { timeout = 5 }))
    end
    local task = beam.spawn(function()
      beam.sleep(0.02)
      return 7
    end)
    assert.are.equal(7, task:join(5))
    assert.are.same({ result = 4 }, client.call("multiply", { x = 2 }))
    local waited
    local asked = client.call { "multiply", input = { x = 3 }, token = function()
      waited = not waits_in_functions or pause()
      return "t"
    end }
    assert.are.same({ { result = 6 }, true }, { asked, waited })
    local nothing, err = conn:receive(0.02)
    assert.is_nil(nothing)
    assert.are.equal("timeout", err.kind)
    conn:close()
    finished = finished + 1
    if finished == 4 then
      server:stop() -- or the loop has something to live for
    end
  end

  -- Each runs four visitors and something of the loop's own beside them. Returns how often that ran while they waited.
  local run = {}

  function run.luv()
    local uv = require "luv"
    local ticks, timer = 0, uv.new_timer()
    inside = beam.loop.luv(uv)
    timer:start(5, 5, function()
      ticks = ticks + 1
      if #lines > 0 then -- a visitor failed: nobody stops the server any more
        uv.stop()
      end
    end)
    timer:unref()
    function pause()
      local thread, once = coroutine.running(), uv.new_timer()
      once:start(5, 0, function()
        once:close()
        coroutine.resume(thread, "fired")
      end)
      return coroutine.yield() == "fired"
    end
    for _ = 1, 4 do
      coroutine.wrap(visit)()
    end
    uv.run()
    timer:close()
    return ticks
  end

  function run.cqueues()
    local cqueues = require "cqueues"
    local controller, ticks = cqueues.new(), 0
    inside = beam.loop.cqueues(controller)
    function pause()
      cqueues.sleep(0.005)
      return true
    end
    for _ = 1, 4 do
      controller:wrap(visit)
    end
    controller:wrap(function()
      while finished < 4 do
        cqueues.sleep(0.005)
        ticks = ticks + 1
      end
    end)
    assert(controller:loop(20))
    assert.is_true(controller:empty())
    return ticks
  end

  function run.copas()
    local copas = require "copas"
    local ticks = 0
    inside = beam.loop.copas()
    function pause() -- Debian's Copas has no sleep
      return true
    end
    for _ = 1, 4 do
      copas.addthread(visit)
    end
    while finished < 4 and #lines == 0 do
      copas.step(0.005)
      ticks = ticks + 1
    end
    return ticks
  end

  -- Debian has nothing of these for Lua 5.5, and in testing a Copas without the modules that it needs (docs/versions.md).
  local function is_left_out(name)
    local found, problem = pcall(require, name)
    return not found and (_VERSION >= "Lua 5.5" or name == "copas" and (problem:find "timerwheel" or problem:find "binaryheap"))
  end
  local with_luv = is_left_out "luv" and function() end or it
  local with_cqueues = is_left_out "cqueues" and function() end or it

  it("has an entry for each of the loops", function()
    for _, name in ipairs { "luv", "cqueues", "copas" } do
      assert.are.equal("function", type(beam.loop[name]))
    end
  end)

  for _, name in ipairs { "luv", "cqueues", "copas" } do
    run[name] = not is_left_out(name) and run[name] or nil
  end

  for name, main in pairs(run) do
    it("lives in " .. name, function()
      finished = 0
      local ticks = main()
      assert.are.equal(4, finished)
      assert.is_true(ticks > 3)
    end)

    it("leaves " .. name .. " and waits by itself again", function()
      finished = 0
      main()
      inside.stop()
      inside = nil
      beam.sleep(0.01)
      local again = assert(require("beam.serve").new().listen { log = function() end })
      local nothing, err = beam.client({ gateway = again.url, token = false }).call("none", {})
      again:close()
      assert.is_nil(nothing)
      assert.are.equal(400, err.status)
    end)
  end

  with_luv("tells of an error in a coroutine of luv's", function()
    local uv = require "luv"
    server:stop()
    inside = beam.loop.luv(uv)
    coroutine.wrap(function()
      beam.sleep(0.01)
      error "on purpose"
    end)()
    uv.run()
    assert.is_truthy(lines[1]:find("^error: a coroutine failed: .*on purpose"))
    lines = {}
  end)

  with_luv("keeps a coroutine of luv's that waits, though nobody else holds it", function()
    local uv = require "luv"
    inside = beam.loop.luv(uv)
    local collector, began, answer = uv.new_timer(), driver.now(), nil
    collector:start(10, 10, function()
      collectgarbage()
      if driver.now() - began > 10 then
        uv.stop()
      end
    end)
    collector:unref()
    coroutine.wrap(function()
      local conn = assert(client.realtime("late"))
      assert(conn:send { x = 1 })
      answer = conn:receive()
      conn:close()
      server:stop()
    end)()
    uv.run()
    collector:close()
    assert.are.same({ x = 1 }, answer)
  end)

  with_luv("does not spin", function()
    local uv = require "luv"
    inside = beam.loop.luv(uv)
    local steps, step = 0, driver.step
    driver.step = function(...) -- luacheck: ignore 122
      steps = steps + 1
      return step(...)
    end
    coroutine.wrap(function()
      beam.sleep(0.2)
      server:stop()
    end)()
    uv.run()
    driver.step = step -- luacheck: ignore 122
    assert.is_true(steps < 20, steps .. " steps in 0.2 s")
  end)

  with_luv("is entered once", function()
    inside = beam.loop.luv()
    assert.has_error(function()
      beam.loop.luv()
    end, "beam.loop.luv: we live in the loop of luv already")
  end)

  with_cqueues("wants the controller of cqueues outside one", function()
    assert.has_error(function()
      beam.loop.cqueues()
    end, "beam.loop.cqueues wants the controller: beam.loop.cqueues(cqueues.new())")
  end)
end)
