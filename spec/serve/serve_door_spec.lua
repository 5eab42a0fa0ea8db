-- Whose requests the local Beam takes: its own names as Host, loopback's and the allowed ones as Origin, on every route and upgrade.
local door = require "beam.serve.door"
local http = require "served_http"
local serve = require "beam.serve"
local websocket = require "served_websocket"

local WS = "10ca1bea-0000-4000-8000-000000000001"

local app, server, ask -- of the test that runs

local function start(options)
  options = options or {}
  options.log = function() end
  server = assert(app.listen(options))
  ask = http.asker(server)
end

local function status_of(method, path, headers)
  return (ask(method, path, { headers = headers, body = method == "POST" and "{}" or nil }))
end

local routes = {
  { "GET", "/" },
  { "POST", "/endpoint/show" },
  { "POST", "/taskqueue/train" },
  { "POST", "/endpoint/show/warmup" },
  { "GET", "/asgi/echo/health" },
  { "GET", "/api/v1/health" },
  { "GET", "/api/v1/workspace/current" },
  { "GET", "/api/v1/task/" .. WS },
  { "GET", "/v2/task/" },
  { "GET", "/output/id/1" },
  { "OPTIONS", "/endpoint/show" },
  { "GET", "/nothing" },
}

describe("the door of the local Beam:", function()
  before_each(function()
    app = serve.new()
    app.endpoint("show", function()
      return { shown = true }
    end)
    app.task_queue("train", function() end)
    app.realtime("echo", function(text)
      return text
    end)
  end)

  after_each(function()
    app.close()
  end)

  it("a Host that is no name of ours is refused on every route", function()
    start()
    for _, host in ipairs { "evil.example", "evil.example:1994", "127.0.0.1.evil.example", "192.0.2.1", "localhost.evil.example", "a b", "evil@localhost" } do
      for _, route in ipairs(routes) do
        assert.equal(403, status_of(route[1], route[2], { { "Host", host } }), host .. " " .. route[2])
      end
    end
    local _, body = ask("GET", "/api/v1/health", { headers = { { "Host", "evil.example" } } })
    assert.matches("%-%-allow%-host", body.message)
  end)

  it("its own names, in any case, with any port", function()
    start()
    local good = { "localhost", "LocalHost:99", "localhost.", "127.0.0.1", "127.1.2.3:1", "[::1]:1994", "app.beam.localhost" }
    for _, host in ipairs(good) do
      assert.equal(200, status_of("GET", "/api/v1/health", { { "Host", host } }), host)
    end
    assert.equal(200, status_of("POST", "/", { { "Host", "show-7a7db8c.app.beam.cloud" } }))
  end)

  it("an Origin that is not allowed is refused on every route, and for a WebSocket", function()
    start()
    local bad = { "http://evil.example", "https://evil.example:1994", "null", "http://localhost.evil.example", "file://", "http://127.0.0.1@evil.example" }
    for _, origin in ipairs(bad) do
      for _, route in ipairs(routes) do
        assert.equal(403, status_of(route[1], route[2], { { "Origin", origin } }), origin .. " " .. route[2])
      end
      local client = websocket.dial(server, "/asgi/echo", { { "Origin", origin } })
      assert.equal(1006, client.closed())
      assert.equal(403, client.response.status)
    end
  end)

  it("loopback's origins, and the page's own", function()
    start { allow_host = { "dev.example" } }
    for _, origin in ipairs { "http://localhost:3000", "http://127.0.0.1:1994", "http://[::1]:8080", "https://app.localhost" } do
      assert.equal(200, status_of("POST", "/endpoint/show", { { "Origin", origin } }), origin)
    end
    local own = { { "Host", "dev.example:1994" }, { "Origin", "http://dev.example:1994" } }
    assert.equal(200, status_of("POST", "/endpoint/show", own))
    local client = websocket.dial(server, "/asgi/echo", { { "Origin", "http://localhost:3000" } })
    assert.is_true(client.opened())
  end)

  it("what is allowed besides", function()
    start { allow_host = { "dev.example", "*.lan" }, allow_origin = { "https://Site.example" } }
    assert.equal(200, status_of("GET", "/api/v1/health", { { "Host", "DEV.example:80" } }))
    assert.equal(200, status_of("GET", "/api/v1/health", { { "Host", "nas.lan" } }))
    assert.equal(403, status_of("GET", "/api/v1/health", { { "Host", "lan" } }))
    assert.equal(403, status_of("GET", "/api/v1/health", { { "Host", "sub.dev.example" } }))
    assert.equal(200, status_of("POST", "/endpoint/show", { { "Origin", "https://site.example" } }))
    assert.equal(403, status_of("POST", "/endpoint/show", { { "Origin", "http://site.example" } }))
    assert.equal(403, status_of("POST", "/endpoint/show", { { "Origin", "https://site.example:8443" } }))
  end)

  it("an address is a name of who listens everywhere only", function()
    local options = { host = "0.0.0.0", allow_host = {}, allow_origin = {} }
    assert.is_true(door.check(options, { host = "192.168.1.7:1994" }, "/"))
    assert.is_nil(door.check(options, { host = "evil.example" }, "/"))
    options.host = "192.168.1.7"
    assert.is_true(door.check(options, { host = "192.168.1.7:1994" }, "/"))
    assert.is_nil(door.check(options, { host = "192.168.1.8" }, "/"))
    assert.is_true(door.check(options, {}, "/")) -- HTTP/1.0: nobody's browser
  end)

  it("what a browser sends for another site without an Origin: images, forms, links", function()
    start()
    local image = { { "Sec-Fetch-Site", "cross-site" }, { "Sec-Fetch-Mode", "no-cors" } }
    local link = { { "Sec-Fetch-Site", "cross-site" }, { "Sec-Fetch-Mode", "navigate" } }
    assert.equal(403, status_of("GET", "/endpoint/show?x=1", image))
    assert.equal(403, status_of("GET", "/endpoint/show?x=1", link))
    assert.equal(403, status_of("GET", "/output/id/1", image))
    assert.equal(404, status_of("GET", "/output/id/1", link))
    assert.equal(200, status_of("GET", "/endpoint/show", { { "Sec-Fetch-Site", "same-origin" } }))
  end)

  it("CORS for those who are allowed: the preflight, the answer, X-Task-Id", function()
    start { token = "t0ken" }
    local status, body, headers = ask("OPTIONS", "/endpoint/show", {
      headers = {
        { "Origin", "http://localhost:3000" },
        { "Access-Control-Request-Method", "POST" },
        { "Access-Control-Request-Headers", "authorization,content-type" },
        { "Access-Control-Request-Private-Network", "true" },
      },
    })
    assert.same({ 204, "" }, { status, body })
    assert.equal("http://localhost:3000", headers["access-control-allow-origin"])
    assert.equal("authorization,content-type", headers["access-control-allow-headers"])
    assert.equal("true", headers["access-control-allow-private-network"])
    assert.matches("POST", headers["access-control-allow-methods"])
    status, body, headers = ask("POST", "/endpoint/show", {
      headers = { { "Origin", "http://localhost:3000" } },
      auth = { scheme = "bearer", secret = "t0ken" },
    })
    assert.same({ 200, { shown = true } }, { status, body })
    assert.same(
      { "http://localhost:3000", "X-Task-Id", "Origin" },
      { headers["access-control-allow-origin"], headers["access-control-expose-headers"], headers.vary }
    )
    status, body, headers = ask("POST", "/endpoint/show", { headers = { { "Origin", "http://localhost:3000" } } })
    assert.same({ 401, { message = "Unauthorized" } }, { status, body })
    assert.equal("http://localhost:3000", headers["access-control-allow-origin"])
    headers = select(3, ask("POST", "/endpoint/show"))
    assert.is_nil(headers["access-control-allow-origin"])
  end)

  it("limits: heads and bodies", function()
    start { max_head = 600, max_body = 100 }
    assert.equal(200, status_of("POST", "/endpoint/show"))
    assert.equal(431, status_of("POST", "/endpoint/show", { { "X", ("x"):rep(600) } }))
    assert.equal(413, (ask("POST", "/endpoint/show", { body = '{"x":"' .. ("x"):rep(100) .. '"}' })))
    for _, name in ipairs { "max_head", "max_body", "max_connections" } do
      for _, bad in ipairs { 0, -1, 1.5, "1", math.huge } do
        assert.has_error(function()
          app.listen { [name] = bad }
        end, "app:listen: " .. name .. " wants a whole number above 0")
      end
    end
    for _, name in ipairs { "head_timeout", "body_timeout", "idle_timeout" } do
      for _, bad in ipairs { 0, -1, "1", math.huge, 0 / 0 } do
        assert.has_error(function()
          app.listen { [name] = bad }
        end, "app:listen: " .. name .. " wants a number of seconds above 0")
      end
    end
  end)

  it("lists are lists of texts", function()
    assert.has_error(function()
      app.listen { allow_host = "dev.example" }
    end, "app:listen: allow_host wants a list of texts")
    assert.has_error(function()
      app.listen { allow_origin = { 1 } }
    end, "app:listen: allow_origin wants a list of texts")
  end)
end)
