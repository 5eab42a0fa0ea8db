-- Is the other side still there? The policy by itself, on a clock of ours; then connections to servers that fall silent.
local beam = require "beam"
local driver = require "beam.driver"
local liveness = require "beam.realtime.liveness"
local log = require "beam.log"
local serve = require "beam.serve"
local told = require "told_server"

local eventually = told.eventually

-- Looks whenever it is wanted until `stop`; what it says, with the time. `bytes(now)`, `patience(now)`: what it is told.
local function watch(life, start, stop, on_verdict, bytes, patience)
  local said, now = {}, start
  local function look()
    return life:look(now, bytes and bytes(now), patience and patience(now))
  end
  while now <= stop do
    local verdict, seconds = look()
    while verdict do
      said[#said + 1] = ("%s %g"):format(verdict, now)
      if on_verdict then
        on_verdict(verdict, now)
      end
      if verdict == "dead" or verdict == "lost" then
        return said
      end
      verdict, seconds = look()
    end
    now = now + seconds
  end
  return said
end

describe("liveness", function()
  local options
  before_each(function()
    options = { ping_after = 20, dead_after = 20, stalled_after = 60, idle_after = false }
  end)

  it("pings after silence, and gives up without an answer", function()
    assert.are.same({ "ping 20", "dead 40" }, watch(liveness.new(options, false, 0), 0, 100))
  end)

  it("takes any frame for an answer", function()
    local life = liveness.new(options, false, 0)
    local said = watch(life, 0, 100, function(_, now)
      life.heard = now
    end)
    assert.are.same({ "ping 20", "ping 40", "ping 60", "ping 80", "ping 100" }, said)
  end)

  it("looks no earlier than there is something to see", function()
    local life = liveness.new(options, false, 0)
    assert.are.equal(20, select(2, life:look(0)))
    life.heard = 15
    assert.are.same({ nil, 15 }, { life:look(20) })
    life = liveness.new({ ping_after = false, dead_after = 20, stalled_after = false, idle_after = false }, false, 0)
    assert.are.same({ nil, math.huge }, { life:look(0) })
  end)

  it("says once that the app has stalled, until it gives a sign again", function()
    options.ping_after = false
    local life = liveness.new(options, true, 0)
    assert.are.same({ "stalled 60" }, watch(life, 0, 200))
    life:app_ping(200)
    assert.are.same({ "stalled 260" }, watch(life, 200, 400))
    life:message(400)
    assert.are.same({ "stalled 460" }, watch(life, 400, 500))
  end)

  it("expects pings only of an app that has sent one", function()
    options.ping_after = false
    local life = liveness.new(options, false, 0)
    assert.are.same({}, watch(life, 0, 200))
    life:app_ping(200)
    assert.are.same({ "stalled 260" }, watch(life, 200, 300))
  end)

  it("does not take a WebSocket pong for a sign of the app", function()
    local life = liveness.new(options, true, 0)
    local said = watch(life, 0, 65, function(verdict, now)
      life.heard = verdict == "ping" and now or life.heard
    end)
    assert.are.same({ "ping 20", "ping 40", "ping 60", "stalled 60" }, said)
  end)

  it("is idle without messages, whatever the pings", function()
    options = { ping_after = false, dead_after = 20, stalled_after = false, idle_after = 30 }
    local life = liveness.new(options, true, 0)
    life:message(10)
    life:app_ping(35)
    assert.are.same({ "idle", 30 }, { life:look(40) })
    assert.are.same({ nil, 30 }, { life:look(40) }) -- not again at once
  end)

  it("decides nothing while reading is paused, and starts anew after it", function()
    local life = liveness.new(options, true, 0)
    life:pause(true, 10)
    assert.are.same({}, watch(life, 10, 500))
    life:pause(false, 500)
    assert.are.same({ "ping 520", "dead 540" }, watch(life, 500, 600))
  end)

  it("asks before it judges when the clock has jumped", function()
    local life = liveness.new(options, true, 0)
    assert.are.same({ "ping 20" }, watch(life, 0, 20))
    assert.are.same({ "ping", 5 }, { (life:look(3600)), select(2, life:look(3600)) })
    life:look(3605)
    assert.are.same({ nil, 5 }, { life:look(3610) })
    life:look(3615)
    assert.are.equal("dead", (life:look(3620)))
    life = liveness.new(options, true, 0)
    life:look(0)
    assert.are.equal("ping", (life:look(3600)))
    life.heard = 3600.1
    assert.is_nil((life:look(3605)))
  end)

  -- What websocket:progress() says of a transfer of 1000 bytes a second up to `stop`.
  local function arriving(stop)
    return function(now)
      local came = math.min(now, stop) * 1000
      return { received = came, acknowledged = 0, leaving = 0, unfinished = came, unanswered = 0 }
    end
  end

  local function leaving(stop, left)
    return function(now)
      return { received = 0, acknowledged = math.min(now, stop) * 1000, leaving = left, unfinished = 0, unanswered = 0 }
    end
  end

  local function last(said)
    local verdict, time = said[#said]:match "(%a+) (.+)"
    return verdict, tonumber(time)
  end

  it("takes bytes of a message that arrives for life, and their end for silence", function()
    local verdict, time = last(watch(liveness.new(options, true, 0), 0, 1000, nil, arriving(300)))
    assert.are.equal("dead", verdict)
    assert.is_true(time >= 320 and time <= 325, time)
  end)

  it("takes bytes that the peer acknowledges for life, up to the ping that waits behind them", function()
    local verdict, time = last(watch(liveness.new(options, true, 0), 0, 2000, nil, leaving(2000, 1e6)))
    assert.are.equal("dead", verdict) -- the ping at 20 s is behind what waited then: 1e6 bytes, to 1020 s
    assert.is_true(time >= 1040 and time <= 1050, time)
  end)

  it("is not deceived by a system that acknowledges what its program does not read", function()
    local said = watch(liveness.new(options, false, 0), 0, 100, nil, leaving(1000, 500))
    assert.are.same({ "ping 20", "dead" }, { said[1], (last(said)) })
    assert.is_true(select(2, last(said)) <= 50)
  end)

  it("is not stalled nor idle while a message is on its way", function()
    options = { ping_after = false, dead_after = 20, stalled_after = 60, idle_after = false }
    for _, moves in ipairs { arriving, leaving } do
      local verdict, time = last(watch(liveness.new(options, true, 0), 0, 1000, nil, moves(200, 1e6)))
      assert.are.equal("stalled", verdict)
      assert.is_true(time >= 260 and time <= 360, time)
    end
    options = { ping_after = false, dead_after = 20, stalled_after = false, idle_after = 60 }
    for _, moves in ipairs { arriving, leaving } do
      local first
      local life = liveness.new(options, true, 0)
      watch(life, 0, 400, function(_, now)
        first = first or now
        life.used = now
      end, moves(200, 1e6))
      assert.is_true(first >= 260 and first <= 360, first)
    end
  end)

  it("waits as long as an input may be answered, and goes on asking", function()
    local said = watch(liveness.new(options, false, 0), 0, 1000, nil, nil, function()
      return 90
    end)
    assert.are.same({ "ping 20", "ping 40", "ping 60", "ping 80", "ping 100", "dead 110" }, said)
    said = watch(liveness.new(options, false, 0), 0, 1000, nil, nil, function(now)
      return now < 50 and 90 or nil -- answered, or its time is over
    end)
    assert.are.same({ "ping 20", "ping 40", "dead 50" }, said)
  end)

  it("finds a dead network all the same", function()
    local said = watch(liveness.new(options, false, 0), 0, 1000, nil, function(now)
      return { received = 0, acknowledged = 0, leaving = now > 30 and 6 or 0, unfinished = 0, unanswered = now > 30 and now - 20 or 0 }
    end, function()
      return 600
    end)
    local verdict, time = last(said)
    assert.are.equal("lost", verdict)
    assert.is_true(time >= 40 and time <= 50, time)
  end)

  it("is not late by a little", function()
    local life = liveness.new(options, false, 0)
    assert.are.same({ "ping 20" }, watch(life, 0, 35))
    assert.are.equal("dead", (life:look(44)))
  end)
end)

describe("a connection", function()
  local server, hooks, client, lines
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    hooks = {}
    server = told.start(hooks)
    client = beam.client { token = false, ready_timeout = 5 }
  end)
  after_each(function()
    server.close()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  local quick = { ping_after = 0.05, dead_after = 0.05 }

  local function open(options)
    options.retry = options.retry or function()
      return 0.001
    end
    return assert(client.realtime(server.url, options))
  end

  it("to a silent server pings it, and stays", function()
    local pings = 0
    hooks.on_ping = function()
      pings = pings + 1
    end
    local conn = open { heartbeat = quick }
    beam.sleep(0.4)
    assert.is_true(pings >= 3 and pings <= 8, pings .. " pings")
    assert.are.same({ "open", 0 }, { conn.state, conn:stats().reconnects })
    conn:close()
  end)

  it("to a server that answers no ping any more is made again", function()
    local conn = open { heartbeat = quick }
    local start = driver.now()
    hooks.ws:pause()
    eventually(function()
      return conn:stats().reconnects == 1
    end)
    local seconds = driver.now() - start
    assert.is_true(seconds >= 0.09 and seconds < 0.5, "after " .. seconds)
    assert.are.same({ "timeout", 1006, true, "unknown" }, {
      conn.last_error.kind,
      conn.last_error.code,
      conn.last_error.retryable,
      conn.last_error.executed,
    })
    assert.is_truthy(conn.last_error.message:find "has been silent for 0%.1%d* s, and left a ping unanswered for 0%.0[5-9]%d* s")
    conn:close()
  end)

  it("whose reader is slow is not dead", function()
    local conn = open { heartbeat = quick, inbox = { max = 1 } }
    hooks.ws:send "1"
    beam.sleep(0.3)
    assert.are.same({ 1, 0, 1 }, { conn:stats().inbox, conn:stats().reconnects, (conn:receive(1)) })
    beam.sleep(0.2)
    assert.are.same({ "open", 0 }, { conn.state, conn:stats().reconnects })
    conn:close()
  end)

  it("says that the app has stalled, and goes on", function()
    local told_of = {}
    local conn = open {
      stalled = 0.1,
      on_stalled = function(seconds, c)
        told_of[#told_of + 1] = seconds
        assert.are.equal("open", c.state)
      end,
    }
    eventually(function()
      return told_of[1]
    end)
    beam.sleep(0.3)
    assert.are.equal(1, #told_of) -- until there was a sign
    assert.is_true(told_of[1] >= 0.1)
    hooks.ws:send '{"type":"ping"}'
    eventually(function()
      return told_of[2]
    end)
    assert.are.equal("open", conn.state)
    conn:close()
    conn = open { stalled = 0.05 }
    eventually(function()
      return lines[1]
    end)
    conn:close()
    assert.are.equal(1, #lines)
    assert.is_truthy(lines[1]:find "warning: .*its app has given no sign for 0%.%d+ s: the handler has died or is stuck")
    lines = {}
  end)

  it("is made again when the app has stalled, if told", function()
    local code
    hooks.on_closed = function(heard)
      code = heard
    end
    local conn = open { stalled = { after = 0.05, reconnect = true }, on_stalled = function() end }
    eventually(function()
      return conn:stats().reconnects >= 1 and code
    end)
    assert.are.equal(1001, code)
    conn:close()
  end)

  it("gives a handler the time that it is said to take", function()
    local conn = open { stalled = { handler = 120 } }
    assert.are.equal(135, conn.attempt.liveness.options.stalled_after)
    conn:close()
    conn = open { stalled = { handler = 5 } }
    assert.are.equal(60, conn.attempt.liveness.options.stalled_after)
    conn:close()
    conn = open {}
    assert.are.same({ 20, 20, 60, false }, {
      conn.attempt.liveness.options.ping_after,
      conn.attempt.liveness.options.dead_after,
      conn.attempt.liveness.options.stalled_after,
      conn.attempt.liveness.pings_expected,
    })
    conn:close()
  end)

  it("that is idle is closed for good", function()
    local code
    hooks.on_closed = function(heard)
      code = heard
    end
    local conn = open { idle_timeout = 1 }
    beam.sleep(0.6)
    conn:send "1"
    beam.sleep(0.6)
    assert.are.equal("open", conn.state)
    local message, err = conn:receive(5)
    assert.is_nil(message)
    assert.are.same({ "timeout", 1000, "closed" }, { err.kind, err.code, conn.state })
    assert.is_truthy(err.message:find("for 1 s (idle_timeout)", 1, true))
    eventually(function()
      return code == 1000
    end)
  end)

  it("that is idle while a message waits for its turn sends that first", function()
    local came = {}
    function hooks.on_message(_, data)
      came[#came + 1] = data
    end
    local conn = open { idle_timeout = 0.2, rate = 2, close_timeout = 5 }
    conn:send "1"
    conn:send "2"
    local _, err = conn:receive(5)
    assert.are.same({ "timeout", "closed" }, { err.kind, conn.state })
    assert.are.same({ "1", "2" }, came)
  end)

  it("that is being closed is not idle", function()
    local conn = open { idle_timeout = 0.2, rate = 2, close_timeout = 5 }
    conn:send "1"
    conn:send "2"
    conn:close(3000)
    assert.are.same({ "closed", 3000 }, { conn.err.kind, conn.err.code })
  end)

  it("says why it waits in the handshake for long", function()
    local watching = require "beam.realtime.heartbeat"
    local timers = {
      set = function(_, _, seconds, fire)
        assert.are.equal(5, seconds)
        fire { url = "ws://somewhere" }
      end,
    }
    watching.queued { timers = timers }
    assert.are.equal(1, #lines)
    assert.is_truthy(lines[1]:find("warning: ws://somewhere has kept us waiting in the handshake for 5 s: its app starts cold", 1, true))
    lines = {}
  end)

  it("to the local Beam sees its app pings, and no stall while they come", function()
    local app = serve.new()
    app.realtime("silent", function() end)
    local local_beam = assert(app.listen { ping = 0.05, pause = 0, log = function() end })
    local stalls = 0
    local conn = assert(client.realtime(local_beam.url .. "/asgi/silent", {
      stalled = 0.3,
      on_stalled = function()
        stalls = stalls + 1
      end,
    }))
    beam.sleep(0.6)
    assert.are.same({ 0, "ready" }, { stalls, conn.phase })
    assert.is_true(conn:stats().app_pings >= 8)
    conn:close()
    local_beam:close()
  end)
end)
