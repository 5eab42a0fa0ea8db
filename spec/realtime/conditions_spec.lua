-- Beam's own conditions, played by the local Beam, with the times made short: a handler that holds the app's one thread, messages that
-- take long on the way, a proxy in front, a restart in the middle.
local beam = require "beam"
local driver = require "beam.driver"
local hosts = require "hosts"
local log = require "beam.log"
local serve = require "beam.serve"
local told = require "told_server"

describe("a connection under Beam's conditions", function()
  local client, served, proxy
  before_each(function()
    client = beam.client { token = false }
    log.to(function() end)
  end)
  after_each(function()
    if served then
      served:close()
    end
    if proxy then
      hosts.stop(proxy)
    end
    served, proxy = nil, nil
    log.to(nil)
  end)

  local function listen(options)
    local app = serve.new()
    app.realtime("echo", function(event)
      return event
    end)
    options = options or {}
    options.pause, options.log = options.pause or 0, function() end
    served = assert(app.listen(options))
    return served
  end

  local quick = { ping_after = 0.3, dead_after = 0.3, task_timeout = 0.3 }

  it("outlives a handler that holds the app's one thread", function()
    listen { fault = "block=1.5" }
    local heartbeat = { ping_after = 0.2, dead_after = 0.2 }
    local conn = assert(client.realtime(served.url .. "/asgi/echo", { heartbeat = heartbeat, stalled = { handler = 5 } }))
    conn:send { n = 1 }
    assert.are.equal(2, conn:request({ n = 2 }, { timeout = 10, key = "n" }).n)
    assert.are.equal(1, conn:receive(1).n)
    assert.are.same({ 0, 0, 2 }, { conn:stats().reconnects, conn:stats().unknown, conn:stats().written })
    conn:close()
  end)

  it("outlives messages that take longer than all its times, each way", function()
    listen { ping = 0.1 }
    proxy = hosts.start_slow_proxy(served.port, 400000)
    local stalls = 0
    local conn = assert(client.realtime(("ws://127.0.0.1:%d/asgi/echo"):format(proxy.port), {
      heartbeat = quick,
      idle_timeout = 4,
      stalled = 4,
      on_stalled = function()
        stalls = stalls + 1
      end,
    }))
    local text, start = ("x"):rep(6000000), driver.now()
    assert(conn:send { text = text })
    local answer = assert(conn:receive(60))
    assert.is_true(answer.text == text)
    assert.is_true(driver.now() - start > 10, "it took " .. driver.now() - start .. " s")
    assert.are.same({ 0, 0, "ready" }, { conn:stats().reconnects, stalls, conn.phase })
    conn:close()
  end)

  it("that is lost in a restart has an outcome for each message, and answers none twice", function()
    local port = hosts.free_port()
    listen { port = port, pause = 0.01 }
    proxy = hosts.start_slow_proxy(port, 1e6)
    local outcomes, answers, ended, count = {}, {}, 0, 60
    local conn = assert(client.realtime(("ws://127.0.0.1:%d/asgi/echo"):format(proxy.port), {
      retry = function()
        return 0.05
      end,
      on_outcome = function(message, _, outcome)
        assert.is_nil(outcomes[message.id])
        outcomes[message.id], ended = outcome, ended + 1
      end,
      on_message = function(message)
        answers[message.id] = (answers[message.id] or 0) + 1
      end,
    }))
    for id = 1, count do
      assert(conn:send({ id = id }, { wait = true, timeout = 10 }))
      beam.sleep(0.005)
      if id == 20 then
        served:close()
      elseif id == 40 then
        listen { port = port, pause = 0.01 }
      end
    end
    assert(conn:flush(10) or ended == count)
    told.eventually(function()
      return ended == count
    end)
    told.eventually(function()
      return answers[count]
    end)
    beam.sleep(0.5)
    for id = 1, count do
      local times = answers[id] or 0
      assert.is_true(times <= 1, ("message %d was answered %d times"):format(id, times))
      assert.is_true(times == 1 or outcomes[id] ~= nil)
    end
    assert.is_true(answers[count] == 1 and conn:stats().reconnects >= 1)
    conn:close()
  end)
end)
