-- Connections that stay, against real servers that fail in every way: the short forms of tests/realtime (make soak has the long ones).
local beam = require "beam"
local driver = require "beam.driver"
local hosts = require "spec.hosts"
local log = require "beam.log"

-- Turns the loop until `condition` holds or the time is over; returns whether it holds.
local function within(seconds, condition)
  local deadline = driver.now() + seconds
  while not condition() and driver.now() < deadline do
    beam.step(0.01)
  end
  return condition()
end

describe("realtime under faults", function()
  setup(function()
    log.to(function() end) -- what is lost is said so; here it is what is wanted
  end)
  teardown(function()
    log.to(nil)
  end)

  for _, server in ipairs { "local_beam", "uvicorn" } do
    for _, policy in ipairs { "report", "again" } do
      it(("keeps its accounts through forced drops: %s, %s"):format(server, policy), function()
        local figures, problems = require("tests.realtime.drops").run { server = server, policy = policy, drops = 12 }
        assert.same({}, problems)
        assert.is_true(figures.connections >= 12 and figures.received > 50, "nothing was tried")
        if policy == "again" then
          assert.same({ 0, figures.sent }, { figures.lost, figures.written })
        else
          assert.same({ 0, true }, { figures.resent, figures.unknown > 0 })
        end
      end)
    end
  end

  describe("half-open", function()
    local half_open = require "tests.realtime.half_open"

    for _, busy in ipairs { false, true } do
      it("is noticed in time, " .. (busy and "while sending" or "idle"), function()
        local seconds, err = half_open.run { way = "unread", ping_after = 0.4, dead_after = 0.4, busy = busy }
        assert.is_true(seconds ~= nil and seconds >= 0.35 and seconds < 20, "known after " .. tostring(seconds))
        assert.same({ "timeout", true, "unknown" }, { err.kind, err.retryable, err.executed })
      end)
    end
  end)

  describe("a handler that died", function()
    local started, url
    setup(function()
      started = hosts.start()
      url = "ws://127.0.0.1:" .. started.uvicorn
    end)
    teardown(function()
      hosts.stop(started)
    end)

    -- uvicorn's app pings at once and then every 5 s.
    local function open(stalled, told)
      return assert(beam.realtime {
        url = url,
        token = "test-token",
        stalled = stalled,
        heartbeat = { ping_after = 0.1, dead_after = 6 },
        retry = require("beam.retry").backoff { base = 0.01, max = 0.05 },
        on_stalled = function(seconds)
          told[#told + 1] = seconds
        end,
      })
    end

    it("is stalled in its time, and the connection lives on", function()
      local told = {}
      local conn = open({ after = 1 }, told)
      assert.same({ response = { n = 1 } }, (conn:request({ n = 1 }, { timeout = 30 })))
      local began = driver.now()
      conn:send { zombie = true }
      assert.is_true(within(30, function()
        return told[1]
      end) ~= nil)
      local took = driver.now() - began
      assert.is_true(took >= 0.9 and took < 20, "told after " .. took)
      beam.sleep(0.3)
      assert.same({ 1, "open" }, { #told, conn.state })
      conn:close()
    end)

    it("is neither stalled nor dead while a slow handler works", function()
      local told = {}
      local conn = open({ after = 6 }, told)
      local reply = conn:request({ ["do"] = "sleep", seconds = 1.2 }, { timeout = 30 }) -- nothing else runs there meanwhile
      assert.is_truthy(reply)
      assert.same({ {}, 0 }, { told, conn:stats().reconnects })
      conn:close()
    end)

    it("may be left for a new connection", function()
      local told = {}
      local conn = open({ after = 0.5, reconnect = true }, told)
      assert.is_truthy(conn:request({ n = 1 }, { timeout = 30 }))
      conn:send { zombie = true }
      assert.is_true(within(30, function()
        return conn:stats().reconnects == 1 and conn.state == "open"
      end))
      assert.same({ response = { n = 2 } }, (conn:request({ n = 2 }, { timeout = 30 })))
      assert.equal(1, #told)
      conn:close()
    end)
  end)

  it("comes back, all hundred of them, when the server restarts at once", function()
    local result = require("tests.realtime.restart").run { connections = 100, down = 0 }
    assert.same({ 100, 100 }, { result.back, result.answered })
    local most, sum = 0, 0
    for _, count in ipairs(result.waits) do
      most, sum = math.max(most, count), sum + count
    end
    assert.equal(100, sum)
    assert.is_true(most <= 30, "all at once: " .. table.concat(result.waits, " "))
  end)
end)
