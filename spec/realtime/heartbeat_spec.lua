local fresh = require "virtual.fresh"
local is_app_ping = require("beam.realtime.heartbeat").is_app_ping
local virtual = require "virtual.core"

describe("watch", function()
  it("knows Beam's app ping however it is spaced", function()
    for _, text in ipairs { '{"type":"ping"}', '{"type": "ping"}', ' {\n  "type" : "ping"\n}\n' } do
      assert.is_true(is_app_ping(text), text)
    end
  end)

  it("takes nothing else for one", function()
    for _, text in ipairs { '{"type":"ping","id":1}', '{"type":"pong"}', '{"type":["ping"]}', '[{"type":"ping"}]', '"ping"', "ping", "", '{"type":"ping"}x' } do
      assert.is_false(is_app_ping(text), text)
    end
  end)
end)

-- An app of Beam's: one thread, whose synchronous handlers answer neither pings nor anything else while they work.
describe("a connection to an app whose handler works", function()
  local world

  -- `work(data)`: the seconds that a message takes, or nil: for ever; it is then answered, unless it is "silent".
  local function serve(context, work)
    local links, sessions = {}, {}
    function world.linked(_, link)
      links[#links + 1] = link
    end
    local server = context:server({}, function(request)
      local ws
      local function handle(data)
        ws:pause()
        local seconds = work(data)
        if seconds then
          world:after(seconds, function()
            if data ~= "silent" then
              ws:send(data)
            end
            ws:resume()
          end)
        end
      end
      ws = request:accept({}, function(event, data)
        if event == "message" then
          handle(data)
        end
      end)
      sessions[#sessions + 1] = ws
    end)
    return server, links, sessions
  end

  -- Runs fn(conn, links, at) in a world of its own; at() is the time since it was open.
  local function play(work, options, fn)
    world = virtual.world()
    fresh.with(world.core, function()
      local beam, driver = require "beam", require "beam.driver"
      require("beam.log").to(function() end)
      local server, links, sessions = serve(driver.context(), work)
      driver.run(function()
        options.retry = options.retry or function()
          return 1
        end
        local conn = assert(beam.client({ token = false }).realtime(("ws://127.0.0.1:%d/"):format(server:port()), options))
        local opened = driver.now()
        fn(conn, links, function()
          return driver.now() - opened
        end, sessions)
        conn:close()
        server:close()
      end)
    end)
  end

  local function takes(seconds)
    return function()
      return seconds
    end
  end

  local function gone_after(conn, at)
    local seconds
    conn:on("phase", function(phase)
      seconds = phase == "waiting" and not seconds and at() or seconds
    end)
    while not seconds and at() < 5000 do
      conn:receive(1)
    end
    return seconds
  end

  it("waits for the answer of a handler that takes 300 s", function()
    play(takes(300), {}, function(conn, _, at)
      conn:send "work"
      assert.are.equal("work", (conn:receive(400)))
      assert.is_true(at() >= 300 and at() < 301)
      assert.are.same({ 0, 1 }, { conn:stats().reconnects, conn:stats().sent })
    end)
  end)

  it("waits for a request of 50 s, and for one of 1000 s that says so", function()
    play(function(data)
      return data == "long" and 1000 or 50
    end, {}, function(conn)
      assert.are.equal("short", (conn:request "short"))
      assert.are.equal("long", (conn:request("long", { timeout = 1100 })))
      assert.are.equal(0, conn:stats().reconnects)
    end)
  end)

  it("waits for a handler that is said to take 900 s", function()
    play(takes(900), { stalled = { handler = 900 } }, function(conn)
      conn:send "work"
      assert.are.equal("work", (conn:receive(1000)))
      assert.are.equal(0, conn:stats().reconnects)
    end)
  end)

  it("finds a network dead in the middle of it", function()
    for _, seconds in ipairs { 5, 100 } do
      play(takes(300), {}, function(conn, links, at)
        conn:send "work"
        world:after(seconds, function()
          links[1]:silence()
        end)
        local gone = gone_after(conn, at)
        assert.is_true(gone > seconds and gone <= seconds + 60, gone)
        assert.is_truthy(conn.last_error.message:find("the network to .* is dead"))
        assert.are.same({ "timeout", "unknown", true }, { conn.last_error.kind, conn.last_error.executed, conn.last_error.retryable })
      end)
    end
  end)

  it("gives it up at the end of its time, with what to do about it", function()
    play(takes(nil), {}, function(conn, _, at)
      conn:send "work"
      local gone = gone_after(conn, at)
      assert.is_true(gone >= 600 and gone <= 645, gone)
      assert.is_truthy(conn.last_error.hint:find("stalled.handler", 1, true))
    end)
    play(takes(nil), { heartbeat = { task_timeout = 100 } }, function(conn, _, at)
      conn:send "work"
      local gone = gone_after(conn, at)
      assert.is_true(gone >= 100 and gone <= 145, gone)
    end)
  end)

  it("gives it up early when no input is out", function()
    play(function(data)
      return data ~= "stop" and 0.1 or nil
    end, {}, function(conn, links, at)
      assert.are.equal("one", (conn:request "one"))
      links[1].down.reader = nil -- the app answers nothing any more, and its system takes all
      local gone = gone_after(conn, at)
      assert.is_true(gone >= 40 and gone <= 41, gone)
    end)
  end)

  it("waits for one message after the other", function()
    play(takes(300), {}, function(conn, _, at)
      for i = 1, 4 do
        conn:send(tostring(i))
      end
      for i = 1, 4 do
        assert.are.equal(i, (conn:receive(310)))
      end
      assert.is_true(at() >= 1200)
      assert.are.equal(0, conn:stats().reconnects)
    end)
  end)

  it("waits for the next answer of one that has several for one input", function()
    play(function()
      return 0.1
    end, {}, function(conn, _, at, sessions)
      conn:send "first"
      assert.are.equal("first", (conn:receive(5)))
      sessions[1]:send "second"
      sessions[1]:pause()
      assert.are.equal("second", (conn:receive(5)))
      world:after(300, function()
        sessions[1]:send "third"
        sessions[1]:resume()
      end)
      assert.are.equal("third", (conn:receive(400)))
      assert.is_true(at() > 300)
      assert.are.equal(0, conn:stats().reconnects)
    end)
  end)
end)
