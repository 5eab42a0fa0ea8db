-- Pods and bots of the local Beam (docs/wire.md section 2): addresses, ports, WebSockets without close codes; and the client against them.
local beam = require "beam"
local http = require "served_http"
local route = require "beam.serve.route"
local serve = require "beam.serve"
local websocket = require "served_websocket"

local app, server, ask, client -- of the test that runs

local function answer(...)
  local status, body = ask(...)
  return { status, body }
end

describe("pods and bots of the local Beam:", function()
  before_each(function()
    app = serve.new()
    app.pod("vllm", function(request)
      if request.path == "/v1/stream" then
        local count = 0
        return function()
          count = count + 1
          return count < 3 and ("data: %d\n\n"):format(count) or nil
        end
      end
      return { port = request.port, path = request.path, method = request.method, sent = request.json() }
    end, {
      ports = { 8000, 9000 },
      websocket = function(text)
        return "heard " .. text
      end,
    })
    app.bot("helper", function(text, context)
      return { said = text, session = context.query.session_id }
    end)
    server = assert(app.listen { pause = 0, ping = 0.05, log = function() end })
    ask = http.asker(server)
    client = beam.client { gateway = server.url, token = false }
  end)

  after_each(function()
    app.close()
  end)

  it("a pod is asked by name, version, id and label, any method and path", function()
    local id = app.deployments:find({ name = "vllm" }).id
    local wanted = { port = 8000, path = "/v1/models", method = "GET" }
    for _, path in ipairs {
      "/pod/vllm/8000/v1/models",
      "/pod/vllm/v1/8000/v1/models",
      "/pod/vllm/latest/8000/v1/models",
      "/pod/id/" .. id .. "/8000/v1/models",
      "/pod/public/" .. id .. "/8000/v1/models",
      "/pod/container/" .. id .. "/pod-" .. id .. "-a1b2c3d4/8000/v1/models",
    } do
      assert.same({ 200, wanted }, answer("GET", path), path)
    end
    for _, label in ipairs { "vllm-7a7db8c-8000", "vllm-7a7db8c-v1-8000", id .. "-8000", "pod-" .. id .. "-a1b2c3d4-8000" } do
      assert.same({ 200, wanted }, answer("GET", "/v1/models", { headers = { { "Host", label .. ".app.beam.localhost" } } }), label)
    end
    assert.same({ 200, { port = 9000, path = "/", method = "PUT", sent = { a = 1 } } }, answer("PUT", "/pod/vllm/9000", { body = '{"a":1}' }))
    assert.same({ 200, "data: 1\n\ndata: 2\n\n" }, answer("GET", "/pod/vllm/8000/v1/stream"))
  end)

  it("a port that nobody listens on is no route, none is no address", function()
    assert.same({ 502, { error = "Backend route unavailable" } }, answer("GET", "/pod/vllm/8001/x"))
    assert.same({ 404, { message = "Not Found" } }, answer("GET", "/pod/vllm"))
    assert.same({ 400, { message = "Invalid deployment" } }, answer("GET", "/pod/other/8000"))
  end)

  it("a label's end is a port, if it is not the hash", function()
    local function found(label)
      local address = route.address("/", label .. ".app.beam.localhost", function()
        return true
      end)
      return { address.name, address.version, address.port }
    end
    assert.same({ "my-1234567" }, found "my-1234567-7654321")
    assert.same({ "my", nil, 80 }, found "my-1234567-80")
    assert.same({ "my", 3, 80 }, found "my-1234567-v3-80")
    assert.same({ "my", 3 }, found "my-1234567-v3")
  end)

  it("a pod's WebSocket has no app pings, and an app's close code is lost", function()
    local dialed = websocket.dial(server, "/pod/vllm/8000/any/path")
    assert.is_true(dialed.opened())
    dialed.ws:send "you"
    assert.same({ "heard you" }, dialed.replies(1))
    http.until_true(function()
      return app.deployments:find({ name = "vllm" }).live == 1
    end)
    beam.sleep(0.2)
    assert.same({ "heard you" }, dialed.messages)
    server:inflict "close=4001"
    assert.equal(1006, dialed.closed())
  end)

  it("the client asks a pod by its port, and talks to a bot", function()
    local result = assert(client.call { { name = "vllm", kind = "pod", port = 9000 }, path = "/v1/x", input = { b = 2 } })
    assert.same({ port = 9000, path = "/v1/x", method = "POST", sent = { b = 2 } }, result)
    local conn = assert(client.realtime({ name = "helper", kind = "bot", path = "?session_id=s1" }, { retry = false }))
    conn:send "hello"
    assert.same({ said = "hello", session = "s1" }, conn:receive(5))
    conn:close()
    assert.equal(400, (ask("GET", "/bot/helper")))
  end)

  it("a pod can be scaled", function()
    local path = "/api/v1/gateway/deployments/%s/scale"
    assert.same({ 200, { ok = true } }, answer("POST", path:format(app.deployments:find({ name = "vllm" }).deployment_id), { body = "{}" }))
    local bot = ask("POST", path:format(app.deployments:find({ name = "helper" }).deployment_id), { body = "{}" })
    assert.equal(200, bot)
  end)

  it("ports are a list", function()
    assert.error_matches(function()
      app.pod("x", function() end, { ports = 8000 })
    end, "pod 'x': option 'ports' is a list of numbers")
  end)
end)
