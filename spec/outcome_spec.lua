-- What becomes of each message: written, expired, dropped or unknown; exactly one of them, whatever happens.
local beam = require "beam"
local driver = require "beam.driver"
local log = require "beam.log"
local told = require "told_server"

local eventually = told.eventually

describe("a message", function()
  local server, hooks, client, lines, outcomes, conns
  before_each(function()
    lines, outcomes, conns = {}, {}, {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    hooks = {}
    server = told.start(hooks)
    client = beam.client { token = false, ready_timeout = 5 }
  end)
  after_each(function()
    for _, conn in ipairs(conns) do
      conn:close() -- of a test that failed: it would come again for ever
    end
    server.close()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  local function open(options)
    options.retry = options.retry or function()
      return 0.001
    end
    options.on_outcome = function(message, _, outcome)
      outcomes[#outcomes + 1] = { type(message) == "table" and message.n or message, outcome }
    end
    conns[#conns + 1] = assert(client.realtime(server.url, options))
    return conns[#conns]
  end

  -- A connection that is lost, and does not come back until hooks.may_come.
  local function open_and_lose(options)
    options.retry = options.retry or function()
      return hooks.may_come and 0.001 or 0.02
    end
    hooks.on_request = function(request)
      return hooks.requests > 1 and not hooks.may_come and request:respond(503, {}, "")
    end
    local conn = open(options)
    hooks.ws:abort()
    eventually(function()
      return conn.state ~= "open"
    end)
    return conn
  end

  local function numbers(received)
    return function(_, data)
      received[#received + 1] = tonumber(data:match "%d+")
    end
  end

  it("is written once the peer has answered a ping after it", function()
    local conn = open {}
    conn:send { n = 1 }
    conn:send_binary "two"
    assert.are.same({ 2, 0 }, { conn:stats().in_flight, conn:stats().written })
    assert.is_true(conn:flush(5))
    assert.are.same({ 0, 2 }, { conn:stats().in_flight, conn:stats().written })
    beam.step(0)
    assert.are.same({ { 1, "written" }, { "two", "written" } }, outcomes)
    conn:close()
  end)

  it("is refused while its outcomes are not taken", function()
    local conn = open { queue = { max = 1, overflow = "drop_newest" }, rate = 0.001 }
    local ok, err
    for n = 1, 10000 do
      ok, err = conn:send { n = n }
      if not ok then
        break
      end
    end
    assert.are.same({ nil, "queue_full" }, { ok, err and err.kind })
    assert.is_truthy(err.message:find("8192 outcomes of messages to ", 1, true))
    beam.step(0)
    beam.step(0)
    local not_sent = 0
    for _, outcome in ipairs(outcomes) do
      not_sent = not_sent + (outcome[2] ~= "written" and 1 or 0) -- the one that went is, where the loop took a second
    end
    assert.are.equal(8192, not_sent)
    conn:close()
  end)

  it("is written by itself, a second later or 64 messages later", function()
    local pings = 0
    hooks.on_ping = function()
      pings = pings + 1
    end
    local conn = open {}
    for i = 1, 64 do
      conn:send { n = i }
    end
    eventually(function()
      return conn:stats().written == 64
    end)
    assert.are.equal(1, pings)
    conn:send { n = 65 }
    eventually(function()
      return conn:stats().written == 65
    end)
    assert.are.equal(2, pings)
    conn:close()
  end)

  it("is written when our close frame is answered", function()
    local conn = open {}
    conn:send { n = 1 }
    conn:close()
    beam.run()
    assert.are.same({ { 1, "written" } }, outcomes)
  end)

  it("is unknown if the server closes or is lost before that", function()
    for _, hang_up in ipairs {
      function()
        hooks.ws:close(1000, "")
      end,
      function()
        hooks.ws:abort(true)
      end,
    } do
      outcomes = {}
      local conn = open { retry = function() end }
      conn:send { n = 1 }
      hang_up()
      conn:receive(5)
      beam.run()
      assert.are.same({ { 1, "unknown" } }, outcomes)
      assert.are.equal(1, conn:stats().unknown)
    end
  end)

  it("waits in the queue while the connection is not open, and goes out in order", function()
    local received = {}
    hooks.on_message = numbers(received)
    local conn = open_and_lose {}
    for i = 1, 50 do
      assert.is_true(conn:send { n = i })
    end
    assert.are.same({ 50, 50 }, { conn:stats().queued, #conn:unsent() })
    assert.are.same({ n = 1 }, conn:unsent()[1])
    hooks.may_come = true
    assert.is_true(conn:flush(5))
    local expected = {}
    for i = 1, 50 do
      expected[i] = i
    end
    assert.are.same(expected, received)
    assert.are.same({ 50, 0 }, { conn:stats().written, conn:stats().unknown })
    conn:close()
  end)

  it("is refused, or drops another, when the queue is full", function()
    local conn = open_and_lose { queue = { max = 2 } }
    conn:send { n = 1 }
    conn:send { n = 2 }
    local ok, err = conn:send { n = 3 }
    assert.is_nil(ok)
    assert.are.same({ "queue_full", "no", true }, { err.kind, err.executed, err.retryable })
    local _, unsent = conn:close()
    assert.are.same({ { n = 1 }, { n = 2 } }, unsent)
    beam.run()
    assert.are.same({ { 1, "dropped" }, { 2, "dropped" } }, outcomes)
    for overflow, dropped in pairs { drop_oldest = 1, drop_newest = 3 } do
      outcomes, hooks.requests = {}, 0
      conn = open_and_lose { queue = { max = 2, overflow = overflow } }
      for i = 1, 3 do
        assert.is_true(conn:send { n = i })
      end
      assert.are.equal(1, conn:stats().dropped)
      beam.step(0)
      assert.are.same({ { dropped, "dropped" } }, outcomes)
      conn:close()
      beam.run()
      assert.are.equal(3, #outcomes)
    end
  end)

  it("expires in the queue", function()
    local conn = open_and_lose { queue = { ttl = 1 } }
    conn:send { n = 1 }
    beam.sleep(0.02)
    conn:send { n = 2 }
    local ok, err = conn:flush(5)
    assert.is_nil(ok)
    assert.are.equal("2 messages to " .. conn.url .. " were not written, or nobody knows", err.message)
    beam.step(0)
    assert.are.same({ { 1, "expired" }, { 2, "expired" } }, outcomes)
    hooks.may_come = true
    conn:close()
  end)

  it("fails without a queue", function()
    local conn = open_and_lose { queue = false }
    local ok, err = conn:send { n = 1 }
    assert.is_nil(ok)
    assert.are.same({ "closed", "no" }, { err.kind, err.executed })
    conn:close()
  end)

  it("goes through a flush that times out, and one that the end interrupts", function()
    local conn = open_and_lose {}
    conn:send { n = 1 }
    local ok, err = conn:flush(0.01)
    assert.is_nil(ok)
    assert.are.equal("timeout", err.kind)
    local flushing = beam.spawn(conn.flush, conn)
    conn:close()
    ok, err = flushing:join(5)
    assert.is_nil(ok)
    assert.are.equal("closed", err.kind)
  end)

  describe("that is unknown", function()
    it("is sent again if on_reconnect says so, before the queue, once", function()
      local received, asked = {}, {}
      local conn
      conn = open {
        on_reconnect = function(c, unknown)
          assert.are.equal(conn, c)
          for _, entry in ipairs(unknown) do
            asked[#asked + 1] = entry.message.n
          end
          beam.sleep(0.01)
          c:send { n = 9 }
          return { unknown[2], unknown[2], { n = 7 }, unknown[3] }
        end,
      }
      hooks.ws:pause()
      for i = 1, 3 do
        conn:send { n = i }
      end
      hooks.on_message = numbers(received)
      hooks.ws:abort()
      eventually(function()
        return conn.state == "waiting"
      end)
      conn:send { n = 8 }
      assert.is_nil(conn:flush(5)) -- 1 is unknown
      assert.are.same({ 1, 2, 3 }, asked)
      assert.are.same({ 2, 7, 3, 8, 9 }, received)
      conn:close()
      beam.run()
      assert.are.same({ { 1, "unknown" }, { 2, "written" }, { 7, "written" }, { 3, "written" }, { 8, "written" }, { 9, "written" } }, outcomes)
    end)

    it("is asked about again if it is lost again, and has one outcome", function()
      local asked = 0
      local conn = open {
        on_reconnect = function(_, unknown)
          asked = asked + 1
          return asked < 3 and unknown
        end,
      }
      hooks.ws:pause()
      conn:send { n = 1 }
      for round = 2, 4 do
        hooks.on_open = function(ws)
          if round < 4 then
            ws:pause()
          end
        end
        hooks.ws:abort()
        eventually(function()
          return conn:stats().reconnects == round - 1 and conn:stats().queued == 0
        end)
        beam.sleep(0.01)
      end
      conn:close()
      beam.run()
      assert.are.equal(3, asked)
      assert.are.same({ { 1, "unknown" } }, outcomes)
    end)

    it("stays so if on_reconnect fails, which is told", function()
      local problem
      local conn = open {
        on_reconnect = function()
          error("hook broke", 0)
        end,
        on_error = function(err)
          problem = err.message
        end,
      }
      conn:send { n = 1 }
      hooks.ws:abort(true)
      eventually(function()
        return conn:stats().reconnects == 1 and problem
      end)
      assert.is_true(conn:send { n = 2 })
      conn:close()
      beam.run()
      assert.are.equal("hook broke", problem)
      assert.are.same({ { 1, "unknown" }, { 2, "written" } }, outcomes)
    end)
  end)

  it("that waits is sent by close, as far as its time goes", function()
    local received = {}
    hooks.on_message = numbers(received)
    local conn = open { rate = 100 }
    for i = 1, 10 do
      conn:send { n = i }
    end
    assert.is_true(conn:stats().queued > 0)
    local ok, unsent = conn:close()
    assert.are.same({ true, nil, 10 }, { ok, unsent, #received })
    hooks.requests = 0
    conn = open { rate = 5, close_timeout = 0.3 }
    for i = 1, 10 do
      conn:send { n = i }
    end
    local refused
    beam.spawn(function()
      beam.sleep(0.05)
      refused = select(2, conn:send { n = 11 })
    end)
    ok, unsent = conn:close()
    assert.is_true(ok)
    assert.are.equal("closed", refused.kind)
    assert.is_true(#unsent > 5 and #unsent < 10)
    assert.are.same(unsent, conn:unsent())
    beam.run()
  end)

  it("is paced, and replaced by a newer one with its key", function()
    local received = {}
    hooks.on_message = function(_, data)
      received[#received + 1] = data
    end
    local conn = open {
      rate = 50,
      coalesce = function(message)
        return message.player
      end,
    }
    local start = driver.now()
    for i = 1, 20 do
      conn:send { player = 1, x = i }
      conn:send { player = 2, x = i }
    end
    local sending = driver.now() - start
    conn:flush(5)
    assert.is_true(driver.now() - start >= 0.03)
    assert.is_true(#received <= 4 + 50 * sending, "received " .. #received)
    assert.are.same({ 38, true }, { conn:stats().dropped + #received - 2, conn:stats().written == #received })
    conn:close()
  end)

  describe("request", function()
    it("that waits in the queue is sent when the connection is back", function()
      hooks.on_message = told.echo
      local conn = open_and_lose {}
      local task = beam.spawn(conn.request, conn, { n = 1 }, { timeout = 5 })
      hooks.may_come = true
      assert.are.same({ { n = 1 }, nil, "json" }, { task:join(5) })
      conn:close()
    end)

    it("is never sent after its time", function()
      local received = {}
      hooks.on_message = numbers(received)
      local conn = open_and_lose {}
      local answer, err = conn:request({ n = 1 }, { timeout = 0.05 })
      assert.is_nil(answer)
      assert.are.same({ "timeout", "no" }, { err.kind, err.executed })
      eventually(function()
        return conn:stats().expired == 1
      end)
      assert.are.equal(0, conn:stats().queued)
      hooks.may_come = true
      conn:send { n = 2 }
      conn:flush(5)
      assert.are.same({ 2 }, received)
      conn:close()
    end)

    it("that was sent ends with the connection; sent again, its answer is nobody's", function()
      local conn = open {
        on_reconnect = function(_, unknown)
          return unknown
        end,
      }
      local task = beam.spawn(conn.request, conn, { n = 1 }, { timeout = 5 })
      hooks.on_message = told.echo
      hooks.ws:abort(true)
      local answer, err = task:join(5)
      assert.is_nil(answer)
      assert.are.same({ "closed", 1006, "unknown" }, { err.kind, err.code, err.executed })
      assert.are.same({ n = 2 }, (conn:request({ n = 2 }, { timeout = 5 })))
      assert.are.same({ 1, 0 }, { conn:stats().late, conn:stats().inbox })
      conn:close()
    end)

    it("by key gets its own answer, in whatever order they come", function()
      local held = {}
      hooks.on_message = function(ws, data)
        held[#held + 1] = data
        if #held == 3 then
          ws:send '{"news":true}'
          for i = 3, 1, -1 do
            ws:send(held[i])
          end
        end
      end
      local conn = open {}
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = beam.spawn(conn.request, conn, { id = i, n = i * i }, { key = "id", timeout = 5 })
      end
      for i = 1, 3 do
        assert.are.same({ { id = i, n = i * i }, nil, "json" }, { tasks[i]:join(5) })
      end
      assert.are.same({ news = true }, (conn:receive(5)))
      assert.are.same({ 0, 0 }, { conn:stats().waiting_requests, conn:stats().inbox })
      local ok, problem = pcall(conn.request, conn, { n = 1 }, { key = "id" })
      assert.is_false(ok)
      assert.is_truthy(problem:find("key = 'id' wants a message with that field", 1, true))
      conn:close()
    end)

    it("by key whose time is over leaves its late answer to nobody", function()
      local held
      hooks.on_message = function(ws, data)
        if not held then
          held = data
        else
          ws:send(held)
          ws:send(data)
        end
      end
      local conn = open {}
      local answer, err = conn:request({ id = "a" }, { key = "id", timeout = 0.02 })
      assert.is_nil(answer)
      assert.are.same({ "timeout", "unknown" }, { err.kind, err.executed })
      assert.is_truthy(err.hint:find("copy 'id'", 1, true))
      assert.are.same({ id = "b" }, (conn:request({ id = "b" }, { key = "id", timeout = 5 })))
      assert.are.same({ 1, 0 }, { conn:stats().late, conn:stats().inbox })
      conn:close()
    end)
  end)

  describe("with transforms", function()
    it("goes through all of them, both ways, in order", function()
      hooks.on_message = told.echo
      local conn = open {
        outgoing = {
          function(message)
            beam.sleep(message.n == 1 and 0.02 or 0)
            message.out = true
            return message
          end,
          function(message)
            if message.n == 2 then
              return nil
            elseif message.n == 3 then
              return message, { n = 33 }
            end
            return message
          end,
        },
        incoming = function(message)
          beam.sleep(message.n == 1 and 0.02 or 0)
          message.came = true
          return message
        end,
      }
      for i = 1, 3 do
        beam.spawn(conn.send, conn, { n = i })
      end
      assert.are.same({ n = 1, out = true, came = true }, (conn:receive(5)))
      assert.are.same({ n = 3, out = true, came = true }, (conn:receive(5)))
      assert.are.same({ n = 33, came = true }, (conn:receive(5)))
      assert.are.same({ n = 4, out = true, came = true }, (conn:request { n = 4 }))
      local answer, err = conn:request { n = 2 }
      assert.is_nil(answer)
      assert.are.same({ "transform", "an outgoing transform dropped the request" }, { err.kind, err.message })
      conn:close()
    end)

    it("that fail is reported where it is, and the connection lives on", function()
      hooks.on_message = told.echo
      local conn = open {
        outgoing = function(message)
          assert(message.n ~= 1, "not this one")
          return message
        end,
        incoming = function(message)
          assert(message.n ~= 2, "nor this")
          return message
        end,
      }
      local ok, err = conn:send { n = 1 }
      assert.is_nil(ok)
      assert.are.same({ "transform", { n = 1 } }, { err.kind, err.input })
      conn:send { n = 2 }
      conn:send { n = 3 }
      local message
      message, err = conn:receive(5)
      assert.is_nil(message)
      assert.are.same({ "transform", { n = 2 } }, { err.kind, err.input })
      assert.is_truthy(err.message:find "outcome_spec.lua:%d+")
      assert.are.same({ n = 3 }, (conn:receive(5)))
      message, err = conn:request { n = 2 }
      assert.is_nil(message)
      assert.are.equal("transform", err.kind)
      conn:send { n = 2 }
      conn:send { n = 5 }
      assert.are.same({ n = 5 }, conn:messages()())
      assert.are.equal(1, #lines)
      assert.is_truthy(lines[1]:find("nor this", 1, true))
      lines = {}
      conn:close()
    end)

    it("that are slow hold the sender back, and what came before the end is still read", function()
      local total, padding = 1000, ("x"):rep(2000)
      local conn = open {
        inbox = { max = 10 },
        retry = function() end,
        incoming = function(message)
          beam.sleep(0)
          return message
        end,
      }
      for i = 1, total do
        hooks.ws:send(('{"n":%d,"pad":"%s"}'):format(i, padding))
      end
      hooks.ws:close(1000, "")
      beam.sleep(0.1)
      assert.is_true(conn:stats().inbox <= 100, "the inboxes hold " .. conn:stats().inbox)
      for i = 1, total do
        assert.are.equal(i, assert(conn:receive(5)).n)
      end
      local message, err = conn:receive(5)
      assert.is_nil(message)
      assert.are.equal(1000, err.code)
    end)
  end)

  it("that waits when its connection is forgotten is told to the log", function()
    local function forget()
      hooks.on_request = function(request)
        return hooks.requests > 1 and request:respond(503, {}, "")
      end
      local conn = assert(client.realtime(server.url, {
        retry = function()
          return 60
        end,
      }))
      hooks.ws:abort()
      eventually(function()
        return conn.state == "waiting"
      end)
      conn:send { n = 1 }
    end
    beam.spawn(forget):join(5) -- in a coroutine of its own, so that no stack is left on which the connection still stands
    told.eventually_collected(function()
      return #lines > 0
    end)
    assert.is_truthy(lines[1]:find("warning: a connection to .* was forgotten while 1 messages waited to be sent"))
    lines = {}
  end)
end)
