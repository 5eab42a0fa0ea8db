-- Sending more than there is room for, and waiting until there is.
local beam = require "beam"
local driver = require "beam.driver"
local in_flight = require "beam.realtime.queue.in_flight"
local log = require "beam.log"
local told = require "told_server"

describe("a connection without room", function()
  local server, hooks, client
  before_each(function()
    hooks = { on_message = told.echo }
    server = told.start(hooks)
    client = beam.client { token = false }
  end)
  after_each(function()
    server.close()
  end)

  local function open(options)
    options.retry = options.retry or function()
      return 0.001
    end
    return assert(client.realtime(server.url, options))
  end

  it("takes any number of messages from who waits, in their order", function()
    local came = {}
    hooks.on_message = function(_, data)
      came[#came + 1] = tonumber(data)
    end
    local conn = open {}
    for n = 1, 30000 do
      assert(conn:send(tostring(n), { wait = true }))
    end
    assert(conn:flush(20))
    assert.are.equal(30000, #came)
    for n = 1, 30000 do
      assert.are.equal(n, came[n])
    end
    assert.are.same({ 30000, 0 }, { conn:stats().written, conn:stats().unknown })
    conn:close()
  end)

  it("refuses who does not wait", function()
    local conn = open {}
    hooks.ws:pause()
    local ok, err
    repeat
      ok, err = conn:send "x"
    until not ok
    assert.are.equal("queue_full", err.kind)
    assert.is_truthy(err.hint:find("wait = true", 1, true))
    conn:close()
  end)

  it("says once that nothing proves that what it sent was read", function()
    local lines, seconds = {}, in_flight.unproven
    in_flight.unproven = 0.02
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    local conn = open { close_timeout = 0.05 }
    hooks.ws:pause()
    repeat
    until not conn:send "x"
    told.eventually(function()
      return #lines > 0
    end)
    conn:send "x"
    beam.sleep(0.1)
    log.to(nil)
    in_flight.unproven = seconds
    assert.are.equal(1, #lines)
    assert.is_truthy(lines[1]:find "^warning: .*: 1024 messages wait .* the 8192 before them were read: no ping is answered")
    conn:close()
  end)

  it("makes every sender wait, if the queue says so", function()
    local conn = open { queue = { overflow = "wait", max = 10 }, inbox = { max = 1e5 } }
    local done = 0
    for _ = 1, 4 do
      beam.spawn(function()
        for n = 1, 5000 do
          assert(conn:send { n = n })
          if n % 100 == 0 then
            conn:receive(0)
          end
        end
        done = done + 1
      end)
    end
    told.eventually(function()
      while conn:take() do
      end
      return done == 4
    end)
    local ok, err = conn:send({ n = 1 }, { wait = false })
    assert.is_true(ok or err.kind == "queue_full")
    conn:close()
  end)

  it("is waited for in time only", function()
    local conn = open { queue = { max = 2 } }
    hooks.reject = 503
    hooks.ws:abort()
    told.eventually(function()
      return conn.state ~= "open"
    end)
    assert(conn:send "1")
    assert(conn:send("2", { wait = true }))
    local start = driver.now()
    local ok, err = conn:send("3", { wait = true, timeout = 0.1 })
    local waited = driver.now() - start
    assert.is_nil(ok)
    assert.are.same({ "timeout", "no", true }, { err.kind, err.executed, err.retryable })
    assert.is_truthy(err.message:find("2 messages of 2 bytes wait to be sent", 1, true))
    assert.is_true(waited >= 0.1 and waited < 2, waited)
    assert.are.same({ "1", "2" }, conn:unsent())
    conn:close()
  end)

  it("has some when it is open again", function()
    local conn = open { queue = { max = 1 } }
    hooks.ws:abort()
    told.eventually(function()
      return conn.state ~= "open"
    end)
    for n = 1, 5 do
      assert(conn:send_binary(tostring(n), { wait = true, timeout = 5 }))
    end
    local answers = {}
    for n = 1, 5 do
      answers[n] = conn:receive(5)
    end
    assert.are.equal("12345", table.concat(answers))
    conn:close()
  end)

  it("says so to who waits when it is closed", function()
    local conn = open { queue = { max = 1 } }
    hooks.reject = 503
    hooks.ws:abort()
    told.eventually(function()
      return conn.state ~= "open"
    end)
    assert(conn:send "1")
    local sender = beam.spawn(conn.send, conn, "2", { wait = true })
    conn:close()
    local ok, err = sender:join(1)
    assert.is_nil(ok)
    assert.are.equal("closed", err.kind)
  end)

  it("waits for the network, too", function()
    local conn = open { max_pending = 1000000 }
    hooks.ws:pause()
    local large, sent = ("x"):rep(500000), 0
    local sender = beam.spawn(function()
      for _ = 1, 60 do
        assert(conn:send_binary(large, { wait = true }))
        sent = sent + 1
      end
    end)
    beam.sleep(0.2)
    assert.is_true(sent > 0 and sent < 60, sent)
    assert.is_true(conn:stats().pending <= 1500000)
    hooks.ws:resume()
    beam.spawn(function()
      while conn:receive() do
      end
    end)
    sender:join(20)
    assert.are.equal(60, sent)
    conn:close()
  end)

  it("waits for a handler that looks at outcomes", function()
    local outcomes = 0
    local conn = open {
      on_outcome = function()
        outcomes = outcomes + 1
        if outcomes == 1 then
          beam.sleep(0.3)
        end
      end,
      on_message = function() end,
    }
    for n = 1, 20000 do
      assert(conn:send({ n = n }, { wait = true, timeout = 20 }))
    end
    assert(conn:flush(20))
    told.eventually(function()
      return outcomes == 20000
    end)
    conn:close()
  end)

  it("wants options that make sense", function()
    local conn = open {}
    for _, options in ipairs { { wait = 5 }, { timeout = -1 }, { timeout = "1" }, { wiat = true } } do
      assert.is_false(pcall(conn.send, conn, "x", options))
    end
    conn:close()
    assert.is_false(pcall(client.realtime, server.url, { queue = { overflow = "wait", timeout = "x" } }))
  end)
end)
