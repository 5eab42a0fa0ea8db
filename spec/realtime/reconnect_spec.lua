-- Connections that come back: when, how often, with which credentials, and when not.
local beam = require "beam"
local driver = require "beam.driver"
local errors = require "beam.error"
local log = require "beam.log"
local told = require "told_server"

local eventually = told.eventually

local function at_once()
  return 0.001
end

describe("a connection", function()
  local server, hooks, client, lines
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
    hooks = { on_message = told.echo }
    server = told.start(hooks)
    client = beam.client { token = false, ready_timeout = 5 }
  end)
  after_each(function()
    server.close()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  local function open(options)
    options.retry = options.retry == nil and at_once or options.retry
    return assert(client.realtime(server.url, options))
  end

  it("comes back after a loss; a reader just goes on", function()
    local conn = open {}
    local reader = beam.spawn(conn.receive, conn)
    hooks.on_open = function(ws)
      ws:send "1"
    end
    hooks.ws:abort(true)
    assert.are.same({ 1, nil, "json" }, { reader:join(5) })
    assert.are.same({ "open", 2, 1, nil }, { conn.state, conn:stats().attempts, conn:stats().reconnects, conn.err })
    assert.are.equal(1006, conn.last_error.code)
    conn:close()
  end)

  it("comes back after every way to be lost, and goes for good after the final ones", function()
    for _, code in ipairs { 1001, 1011, 1012, 1013 } do
      local conn = open {}
      hooks.ws:close(code, "")
      eventually(function()
        return conn:stats().reconnects == 1
      end)
      conn:close()
    end
    for _, code in ipairs { 1000, 1003, 1007, 1008, 1009, 3000, 4999 } do
      local conn = open {
        retry = beam.retry.backoff { base = 0.001 },
      }
      hooks.ws:close(code, "")
      local message, err = conn:receive(5)
      assert.is_nil(message)
      assert.are.same({ "closed", code, false }, { err.kind, err.code, err.retryable })
      assert.are.equal("closed", conn.state)
    end
  end)

  it("walks through its states, and says so", function()
    local states, phases = {}, {}
    local conn = open {
      on_phase = function(phase, c, seconds)
        phases[#phases + 1] = phase
        states[c.state] = true
        assert.is_true(seconds >= 0 and seconds < 5)
      end,
    }
    hooks.ws:send "1"
    conn:receive(5)
    hooks.ws:abort()
    eventually(function()
      return conn:stats().reconnects == 1
    end)
    conn:close()
    beam.run()
    assert.are.same(
      { "dns", "tcp", "queued", "open", "ready", "waiting", "dns", "tcp", "queued", "open", "closing", "closed" },
      phases
    )
    assert.is_true(states.closed)
  end)

  it("asks the retry policy with the failures in a row, which start again once it was ready", function()
    local asked = {}
    hooks.on_request = function(request, _, number)
      return number <= 2 and request:respond(503, {}, "")
    end
    hooks.on_open = function(ws)
      ws:send "1"
    end
    local conn = open {
      retry = function(attempt, err, c)
        asked[#asked + 1] = { attempt, err.status or err.code, c.was_ready }
        return 0.001
      end,
    }
    conn:receive(5)
    hooks.ws:abort()
    eventually(function()
      return conn:stats().reconnects == 1
    end)
    conn:close()
    assert.are.same({ { 1, 503, false }, { 2, 503, false }, { 1, 1006, true } }, asked)
  end)

  it("backs off from a gateway that says 101 and drops: open is not ready", function()
    local asked = {}
    hooks.on_open = function(ws)
      ws:abort()
    end
    local conn = open {
      retry = function(attempt)
        asked[attempt] = (asked[attempt] or 0) + 1
        return attempt < 5 and 0.001 or nil
      end,
    }
    local message, err = conn:receive(5)
    assert.is_nil(message)
    assert.are.equal(1006, err.code)
    assert.are.same({ 1, 1, 1, 1, 1 }, asked)
    assert.are.equal(5, conn:stats().attempts)
  end)

  it("is ready after the first frame of any kind, or after ready_after", function()
    hooks.on_open = function(ws)
      ws:ping "x"
    end
    local conn = open {}
    eventually(function()
      return conn.phase == "ready"
    end)
    conn:close()
    hooks.on_open = nil
    conn = open { ready_after = 0.05 }
    assert.are.equal("open", conn.phase)
    eventually(function()
      return conn.phase == "ready"
    end)
    conn:close()
  end)

  it("gives up after five attempts if it never was ready", function()
    hooks.reject = 503
    local random = require "beam.retry"
    local policy = function(attempt, err, conn)
      local seconds = random.default(attempt, err, conn)
      return seconds and 0.001
    end
    local conn, err = client.realtime(server.url, { retry = policy })
    assert.is_nil(conn)
    assert.are.same({ "handshake", 503, 5 }, { err.kind, err.status, hooks.requests })
  end)

  it("with retry = false makes one attempt and one connection", function()
    hooks.reject = 503
    local conn, err = client.realtime(server.url, { retry = false })
    assert.is_nil(conn)
    assert.are.same({ 503, 1 }, { err.status, hooks.requests })
    hooks.reject = nil
    conn = open { retry = false }
    hooks.ws:abort()
    conn, err = conn:receive(5)
    assert.is_nil(conn)
    assert.are.same({ "closed", 1006 }, { err.kind, err.code })
  end)

  it("with reconnect = false tries until it is open, and ends with it", function()
    hooks.on_request = function(request, _, number)
      return number <= 2 and request:respond(503, {}, "")
    end
    local conn = open { reconnect = false }
    hooks.ws:abort()
    local message, err = conn:receive(5)
    assert.is_nil(message)
    assert.are.same({ "closed", 1006, 3 }, { err.kind, err.code, hooks.requests })
  end)

  it("waits as long as the policy says, and closes from there at once", function()
    local conn = open {
      retry = function()
        return 60
      end,
    }
    hooks.ws:abort()
    eventually(function()
      return conn.state == "waiting"
    end)
    local start = driver.now()
    assert.is_true(conn:close())
    assert.is_true(driver.now() - start < 1)
    assert.are.same({ "closed", "closed", 1000 }, { conn.state, conn.err.kind, conn.err.code })
    beam.step(0.05)
    assert.are.equal(1, hooks.requests)
  end)

  describe("after a 401", function()
    local tokens, given
    before_each(function()
      tokens, given = {}, {}
      hooks.on_request = function(request, view)
        local sent
        for _, pair in ipairs(view.headers) do
          sent = pair[1] == "authorization" and pair[2] or sent
        end
        given[#given + 1] = sent
        return sent ~= "Bearer good" and request:respond(401, {}, '{"message":"Unauthorized"}')
      end
    end)

    local function token()
      return table.remove(tokens, 1)
    end

    it("tries once more at once if the token function gives another token", function()
      tokens = { "old", "good" }
      local conn = assert(client.realtime(server.url, { token = token, retry = false }))
      assert.are.same({ "Bearer old", "Bearer good" }, given)
      conn:close()
    end)

    it("is final for the same token", function()
      tokens = { "old", "old", "good" }
      local conn, err = client.realtime(server.url, { token = token })
      assert.is_nil(conn)
      assert.are.same({ 401, false }, { err.status, err.retryable })
      assert.are.same({ "Bearer old" }, given)
    end)

    it("is final for the second one", function()
      tokens = { "old", "older", "good" }
      local conn, err = client.realtime(server.url, { token = token })
      assert.is_nil(conn)
      assert.are.equal(401, err.status)
      assert.are.same({ "Bearer old", "Bearer older" }, given)
    end)

    it("asks again after a reconnect", function()
      tokens = { "good", "old", "good" }
      local conn = assert(client.realtime(server.url, { token = token, retry = at_once }))
      hooks.ws:abort()
      eventually(function()
        return conn:stats().reconnects == 1
      end)
      assert.are.same({ "Bearer good", "Bearer old", "Bearer good" }, given)
      conn:close()
    end)
  end)

  it("tries again if the token function failed of what may pass, and not if it raised", function()
    local failures = 0
    local conn = assert(client.realtime(server.url, {
      retry = beam.retry.backoff { base = 0.001 },
      token = function()
        if failures == 2 then
          return "good"
        end
        failures = failures + 1
        return nil, errors.new { kind = "connect", message = "the vault is down", retryable = true }
      end,
    }))
    assert.are.equal(2, failures)
    conn:close()
    local none, err = client.realtime(server.url, {
      retry = beam.retry.backoff { base = 0.001 },
      token = function()
        error("no vault", 0)
      end,
    })
    assert.are.same({ nil, "auth", "the token function failed: no vault" }, { none, err.kind, err.message })
  end)

  describe("with a connect hook", function()
    it("goes where it says, with the token that it says", function()
      local seen = {}
      hooks.on_open = function(_, view)
        for _, pair in ipairs(view.headers) do
          seen[pair[1]] = pair[2]
        end
        seen.target = view.target
      end
      local attempts = {}
      local conn = assert(client.realtime("ws://127.0.0.1:9/nowhere?secret=1", {
        retry = at_once,
        connect = function(attempt)
          attempts[#attempts + 1] = attempt
          beam.sleep(0.001)
          if attempt > 1 then
            return { server.url .. "/there", token = "fresh", headers = { ["X-Attempt"] = tostring(attempt) } }
          end
        end,
      }))
      assert.are.same({ 1, 2 }, attempts)
      assert.are.same({ "/there", "Bearer fresh", "2" }, { seen.target, seen.authorization, seen["x-attempt"] })
      assert.are.equal(server.url .. "/there", conn.url)
      conn:close()
    end)

    it("takes a target alone", function()
      local conn = assert(client.realtime("ws://127.0.0.1:9/", {
        connect = function()
          return server.url
        end,
      }))
      assert.are.equal(server.url, (conn.url:gsub("/$", "")))
      conn:close()
    end)

    it("may have nowhere to go: the policy decides", function()
      local conn, err = client.realtime(server.url, {
        connect = function()
          return nil, "no free server"
        end,
        retry = function(attempt)
          return attempt < 3 and 0.001 or nil
        end,
      })
      assert.is_nil(conn)
      assert.are.same({ "connect", true, "the connect hook gave up: no free server" }, { err.kind, err.retryable, err.message })
      assert.are.equal(0, hooks.requests)
    end)

    it("that raises, or answers nonsense, ends it with the place", function()
      local conn, err = client.realtime(server.url, {
        connect = function()
          error "oops"
        end,
      })
      assert.is_nil(conn)
      assert.are.equal("script", err.kind)
      assert.is_truthy(err.message:find "reconnect_spec.lua:%d+: oops")
      conn, err = client.realtime(server.url, {
        connect = function()
          return { retries = 3 }
        end,
      })
      assert.is_nil(conn)
      assert.is_truthy(err.message:find("what connect returned: unknown option 'retries'", 1, true))
    end)

    it("ends by an error where it returns a value that cannot be", function()
      for answer, part in pairs {
        [{ max_message = -1 }] = "option 'max_message' wants a whole number of bytes, at least 1",
        [{ close_timeout = 0 }] = "option 'close_timeout' wants a number of seconds above 0",
        [{ headers = 42 }] = "option 'headers' wants a table",
      } do
        local _, err = client.realtime(server.url, {
          connect = function()
            return answer
          end,
        })
        assert.are.same({ "script", false }, { err.kind, err.retryable })
        assert.is_truthy(err.message:find(part, 1, true), err.message)
      end
    end)

    it("ends by an error, too, where only the core knows that", function()
      local _, err = client.realtime(server.url, { proxy = "http://a\0b" })
      assert.are.same({ "script", false }, { err.kind, err.retryable })
      assert.is_truthy(err.message:find("option 'proxy' must be without NUL characters", 1, true), err.message)
    end)

    it("may be closed meanwhile", function()
      local conn, hook
      conn = open {
        connect = function(attempt)
          if hook then
            hook(attempt)
          end
        end,
      }
      hook = function()
        beam.spawn(function()
          beam.sleep(0.01)
          conn:close()
        end)
        beam.sleep(0.05)
      end
      hooks.ws:abort()
      eventually(function()
        return conn.state == "closed"
      end)
      beam.sleep(0.1)
      assert.are.equal(1, hooks.requests)
    end)
  end)

  it("whose retry hook fails says so and ends with what it had", function()
    local told_of
    local conn = open {
      retry = function()
        error("policy broke", 0)
      end,
      on_error = function(err)
        told_of = err.kind .. " " .. err.message
      end,
    }
    hooks.ws:abort()
    local _, err = conn:receive(5)
    assert.are.equal(1006, err.code)
    beam.run()
    assert.are.equal("script policy broke", told_of)
    conn = open {
      retry = function()
        return "soon"
      end,
      on_error = function(problem)
        told_of = problem.message
      end,
    }
    hooks.ws:abort()
    conn:receive(5)
    beam.run()
    assert.are.equal("retry returned soon, and not a number of seconds", told_of)
  end)

  it("honours Retry-After", function()
    hooks.on_request = function(request, _, number)
      return number == 1 and request:respond(503, { { "retry-after", "1" } }, "")
    end
    local start = driver.now()
    local conn = assert(client.realtime(server.url, { retry = beam.retry.backoff { base = 0.001 } }))
    assert.is_true(driver.now() - start >= 1)
    conn:close()
  end)

  it("asks Beam to start the app before the first attempt, if told", function()
    local seen = {}
    hooks.on_request = function(request, view)
      seen[#seen + 1] = view.method .. " " .. view.target
      return not view.upgrade and request:respond(200, {}, "")
    end
    local conn = assert(client.realtime(server.url .. "/asgi/app?x=1", { warmup = true, retry = at_once }))
    assert.are.same({ "POST /asgi/app/warmup", "GET /asgi/app?x=1" }, seen)
    conn:close()
    hooks.on_request = function(request, view)
      return not view.upgrade and request:respond(404, {}, "")
    end
    conn = assert(client.realtime(server.url, { warmup = true }))
    conn:close()
    assert.are.equal(2, #lines)
    assert.is_truthy(lines[2]:find "info: .*/warmup was answered with 404")
    lines = {}
  end)

  it("that is forgotten while it waits, connects or is open leaves nothing behind", function()
    local closed
    hooks.on_closed = function(code)
      closed = code
    end
    local seen = setmetatable({}, { __mode = "k" })
    -- In a coroutine of its own, so that no stack is left on which the connection still stands.
    local function forget(prepare)
      beam
        .spawn(function()
          local conn = open {
            retry = function()
              return 60
            end,
          }
          seen[conn] = true
          prepare(conn)
        end)
        :join(5)
    end
    forget(function() end)
    forget(function(conn)
      hooks.ws:abort()
      eventually(function()
        return conn.state == "waiting"
      end)
    end)
    beam.step(0.01)
    for _ = 1, 4 do
      collectgarbage()
    end
    beam.step(0.05)
    told.eventually_collected(function()
      return next(seen) == nil and closed == 1001
    end)
    eventually(function()
      return require("beam.driver.open").close_all(1001) == 0
    end)
  end)

  it("closed while it is being made is closed at once", function()
    hooks.on_request = function()
      return true -- never answered
    end
    local conn
    local task = beam.spawn(function()
      return client.realtime(server.url, {
        on_phase = function(phase, c)
          if phase == "queued" then
            conn = c
          end
        end,
      })
    end)
    eventually(function()
      return conn
    end)
    conn:close()
    local none, err = task:join(5)
    assert.is_nil(none)
    assert.are.same({ "canceled", "closed" }, { err.kind, conn.state })
  end)
end)
