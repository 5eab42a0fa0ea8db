-- The local Beam and what the protocol says now: refusals, queries, bodies, kinds, the routes of the API (docs/wire.md sections 3 to 7).
local driver = require "beam.driver"
local http = require "served_http"
local payload = require "beam.serve.app.payload"
local serve = require "beam.serve"
local url = require "beam.serve.url"
local websocket = require "served_websocket"

local WS = "10ca1bea-0000-4000-8000-000000000001"

local app, server, ask -- of the test that runs

local function start(options)
  options = options or {}
  options.log, options.pause = options.log or function() end, options.pause or 0
  server = assert(app.listen(options))
  ask = http.asker(server)
end

local function answer(...)
  local status, body = ask(...)
  return { status, body }
end

local function bearer(secret)
  return { auth = { scheme = "bearer", secret = secret } }
end

describe("the local Beam, by the protocol as it is now:", function()
  before_each(function()
    app = serve.new()
    app.endpoint("show", function(input, context)
      return { input = input, args = context.args }
    end)
    app.realtime("echo", function(text)
      return text ~= "silence" and text or nil
    end)
  end)

  after_each(function()
    app.close()
  end)

  it("401: Unauthorized for what is no token, Invalid token for one of another workspace", function()
    start { token = "good", foreign_token = "theirs" }
    assert.same({ 401, { message = "Unauthorized" } }, answer("POST", "/endpoint/show"))
    assert.same({ 401, { message = "Unauthorized" } }, answer("POST", "/endpoint/show", bearer "bad"))
    assert.same({ 401, { message = "Invalid token" } }, answer("POST", "/endpoint/show", bearer "theirs"))
    assert.equal(200, (ask("POST", "/endpoint/show", bearer "good")))
  end)

  it("400: a version that is none", function()
    start()
    assert.same({ 400, { message = "Invalid deployment version" } }, answer("POST", "/endpoint/show/vision"))
    assert.same({ 400, { message = "Invalid deployment" } }, answer("POST", "/endpoint/show/v7"))
  end)

  describe("input:", function()
    it("a query parameter that is repeated is a list, of numbers if all are", function()
      start()
      local _, body = ask("POST", "/endpoint/show?a=1&a=2.5&b=x&b=2&c=3&d=%20&a=-1")
      assert.same({ a = { 1, 2.5, -1 }, b = { "x", "2" }, c = 3, d = " " }, body.input)
    end)

    it("what follows the first JSON value of a body is ignored", function()
      start()
      for _, tail in ipairs { "", " ", "{}", "garbage", "]", '{"x":2}', "\n\n[1,2" } do
        local _, body = ask("POST", "/endpoint/show", { body = '{"x":"a\\"}{","y":{"z":[{}]}}' .. tail })
        assert.same({ x = 'a"}{', y = { z = { {} } } }, body.input)
      end
      for _, bad in ipairs { "[1]{}", "garbage{}", '{"x":', '{"x":}{}', '"{}"', '{"a":"\\"}' } do
        assert.same({ 400, { error = "invalid request payload" } }, answer("POST", "/endpoint/show", { body = bad }))
      end
    end)

    it("the end of a first value is found in one pass", function()
      local started = os.clock()
      assert.is_nil(payload.read("{" .. ('"\\\\\\"'):rep(200000), {}))
      assert.is_nil(payload.read(("{"):rep(200000) .. "x", {}))
      assert.is_nil(payload.read('{"' .. ("\\"):rep(200001), {}))
      local ones = ("1"):rep(200000) .. "x"
      assert.same({ x = ones }, (payload.read("", { x = { ones } })))
      assert.is_true(os.clock() - started < 5)
    end)

    it("a target in absolute form", function()
      assert.same({ "dev.example:80", "/a?b=1" }, { url.absolute "http://dev.example:80/a?b=1" })
      assert.same({ "dev.example", "/" }, { url.absolute "HTTPS://dev.example" })
      assert.same({ "dev.example", "/?x" }, { url.absolute "http://dev.example?x" })
      assert.same({ nil, "/http://a/b" }, { url.absolute "/http://a/b" })
    end)
  end)

  it("a full function or schedule says 500, a full queue 429; neither of the first two warms up", function()
    local function wait(_, context)
      context.sleep(10)
    end
    app.task_queue("queue", wait, { max_pending = 1 })
    app.remote_function("fn", wait, { max_pending = 1 })
    app.schedule("nightly", wait, { max_pending = 1 })
    start()
    for _, path in ipairs { "/taskqueue/queue", "/function/fn", "/schedule/nightly" } do
      local status, body = ask("POST", path)
      assert.same({ 200, "string" }, { status, type(body.task_id) })
    end
    assert.same({ 429, { error = "exceeded max pending tasks: 1" } }, answer("POST", "/taskqueue/queue"))
    for _, path in ipairs { "/function/fn", "/schedule/nightly" } do
      local status, body = ask("POST", path)
      assert.equal(500, status)
      assert.matches("^concurrency_limit_reached: ", body.error)
      assert.same({ 404, { message = "Not Found" } }, answer("POST", path .. "/warmup"))
    end
    assert.same({ 200, "" }, answer("POST", "/taskqueue/queue/warmup"))
  end)

  it("an open connection is a task in flight", function()
    app.realtime("narrow", function() end, { max_pending = 1 })
    start()
    local first = websocket.dial(server, "/asgi/narrow")
    assert.is_true(first.opened())
    local second = websocket.dial(server, "/asgi/narrow")
    assert.equal(1006, second.closed())
    assert.same({ 429, '{"error":"exceeded max pending tasks: 1"}' }, { second.response.status, second.response.body })
    first.ws:close(1000)
    first.closed()
    http.until_true(function()
      return app.deployments:find({ name = "narrow" }).in_flight == 0
    end)
    local third = websocket.dial(server, "/asgi/narrow")
    assert.is_true(third.opened())
    third.ws:close(1000)
    third.closed()
  end)

  it("the pause comes after a message that was answered only", function()
    start { pause = 0.2 }
    local client = websocket.dial(server, "/asgi/echo")
    assert.is_true(client.opened())
    local begun = driver.now()
    for _ = 1, 10 do
      client.ws:send "silence"
    end
    client.ws:send "a"
    assert.same({ "a" }, client.replies(1))
    assert.is_true(driver.now() - begun < 0.2)
    client.ws:send "b"
    assert.same({ "a", "b" }, client.replies(2))
    assert.is_true(driver.now() - begun >= 0.19)
    client.ws:close(1000)
    client.closed()
  end)

  describe("the API:", function()
    it("its health needs no token", function()
      start { token = "good" }
      assert.same({ 200, { status = "ok" } }, answer("GET", "/api/v1/health"))
    end)

    it("a deployment is stopped, started and deleted", function()
      start()
      local deployment = app.deployments:find { name = "show" }
      local base = "/api/v1/deployment/" .. WS
      assert.same({ 200, "" }, answer("POST", base .. "/stop/" .. deployment.deployment_id))
      assert.same({ 400, { message = "Deployment is not active" } }, answer("POST", "/endpoint/show"))
      assert.same({ 200, "" }, answer("POST", base .. "/start/" .. deployment.deployment_id))
      assert.equal(200, (ask("POST", "/endpoint/show")))
      assert.same({ 200, "" }, answer("DELETE", base .. "/" .. deployment.deployment_id))
      assert.same({ 400, { message = "Invalid deployment" } }, answer("POST", "/endpoint/show"))
      assert.same({ 400, { message = "Deployment not found" } }, answer("DELETE", base .. "/" .. deployment.deployment_id))
      assert.same({ 400, { message = "Deployment not found" } }, answer("POST", base .. "/stop/" .. deployment.deployment_id))
    end)

    it("the URL of a version, and of what needs no token", function()
      local open = app.endpoint("open", function()
        return { open = true }
      end, { authorized = false })
      start()
      local base = "/api/v1/deployment/" .. WS
      assert.same({ 200, { url = server.url .. "/endpoint/show/v1" } }, answer("GET", base .. "/endpoint/show/1/url"))
      assert.same({ 400, { message = "Invalid deployment" } }, answer("GET", base .. "/endpoint/show/2/url"))
      local public = server.url .. "/endpoint/public/" .. open.id
      assert.same({ 200, { url = public } }, answer("GET", base .. "/endpoint/open/1/url"))
      assert.same({ 200, { url = public } }, answer("GET", ("/api/v1/deployment/%s/url"):format(open.deployment_id)))
      assert.same({ 200, { url = public } }, answer("GET", ("/api/v1/stub/%s/%s/url"):format(WS, open.id)))
      assert.same({ 200, { url = public } }, answer("GET", ("/api/v1/stub/%s/%s/url/%s"):format(WS, open.id, open.deployment_id)))
      assert.same({ 200, { open = true } }, answer("POST", public:sub(#server.url + 1)))
    end)
  end)

  describe("faults:", function()
    it("a runner that does not start a call's task", function()
      start { fault = "runner=rejected:1,runner=capacity:1,runner=unavailable:1,runner=failed:1,runner=no_task_id:1" }
      local wanted = {
        { 409, "Gateway rejected task start" },
        { 503, "Container task lifecycle capacity exhausted" },
        { 503, "Gateway temporarily unavailable while starting task" },
        { 502, "Gateway failed to start task" },
        { 400, "Task ID missing" },
      }
      for i, one in ipairs(wanted) do
        local status, body, headers = ask("POST", "/endpoint/show")
        assert.same({ one[1], { detail = one[2] } }, { status, body })
        assert.equal("ERROR", app.tasks:find(headers["x-task-id"]).status, i)
      end
      assert.equal(200, (ask("POST", "/endpoint/show")))
      assert.equal(0, app.deployments:find({ name = "show" }).in_flight)
    end)

    it("and one that does not start a connection's: lost after its 101", function()
      start { fault = "runner=rejected:1" }
      local client = websocket.dial(server, "/asgi/echo")
      assert.equal(1006, client.closed())
      assert.is_true(client.open)
    end)

    it("the first ping lost", function()
      start { fault = "no_first_ping:1", ping = 0.15 }
      local begun = driver.now()
      local client = websocket.dial(server, "/asgi/echo")
      client.until_true(function()
        return client.messages[1]
      end)
      assert.is_true(driver.now() - begun >= 0.14)
      local other = websocket.dial(server, "/asgi/echo")
      begun = driver.now()
      other.until_true(function()
        return other.messages[1]
      end)
      assert.is_true(driver.now() - begun < 0.14)
    end)

    it("a handler that blocks its app's thread: no pong, no ping, no end, for any connection; then all goes on", function()
      start { ping = 0.05, websocket_ping = 0.1 }
      local client, other = websocket.dial(server, "/asgi/echo"), websocket.dial(server, "/asgi/echo")
      assert.is_true(client.opened() and other.opened())
      http.until_true(function()
        return client.messages[1] and other.messages[1]
      end)
      server:fault "block=2s:1"
      client.ws:send "held"
      driver.sleep(0.1)
      local seen, pings = #other.messages, #client.messages
      other.ws:ping "there?"
      other.ws:send "behind"
      driver.sleep(0.4) -- four times the time in which a pong would be missed
      assert.same({ seen, 0, pings }, { #other.messages, other.pongs, #client.messages })
      assert.is_nil(client.code or other.code)
      local late = websocket.dial(server, "/asgi/echo")
      assert.is_true(late.opened())
      assert.same({}, late.messages)
      assert.same({ "held" }, client.replies(1))
      assert.same({ "behind" }, other.replies(1))
      http.until_true(function()
        return other.pongs == 1 and late.messages[1]
      end)
      driver.sleep(0.3)
      assert.is_nil(client.code or other.code or late.code)
    end)

    it("so for the connections of another server of the app", function()
      start()
      local second = assert(app.listen { log = function() end, pause = 0 })
      local client = websocket.dial(server, "/asgi/echo")
      assert.is_true(client.opened())
      server:fault "block=1s:1"
      client.ws:send "held"
      driver.sleep(0.1)
      local late = websocket.dial(second, "/asgi/echo")
      assert.is_true(late.opened())
      assert.same({ "held" }, client.replies(1))
      late.ws:send "after"
      assert.same({ "after" }, late.replies(1, 10))
      second:close()
    end)

    it("as they are written", function()
      local syntax = require "beam.serve.fault.syntax"
      assert.same({ nil, "fault 'runner=409': it wants rejected, capacity, unavailable, failed or no_task_id" }, { syntax.parse "runner=409" })
      assert.same({ nil, "fault 'block': it wants a time like 3s, 250ms or 1s..5s" }, { syntax.parse "block" })
    end)
  end)
end)
