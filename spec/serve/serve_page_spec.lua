-- The page of the local Beam, without a browser: who gets what, and what the feed says. tests/hosts/page has it in a browser.
local driver = require "beam.driver"
local http = require "served_http"
local json = require "beam.json"
local serve = require "beam.serve"
local websocket = require "served_websocket"

local app, server, ask -- of the test that runs

local bearer = { scheme = "bearer", secret = "t0ken" }

-- Reads the feed. feed.state is the last, feed.lines are those of the log, feed.count how many states came.
local function watch()
  local feed = { lines = {}, count = 0, changed = driver.signal() }
  local rest = ""
  driver.attach()
  feed.exchange = assert(driver.context():http({ url = server.url .. "/local/events", auth = bearer, stream = true }, function(event, data)
    if event == "data" then
      rest = rest .. data
      for name, text, past in rest:gmatch "event: (%l+)\ndata: ([^\n]*)\n\n()" do
        if name == "state" then
          feed.state, feed.count = json.decode(text), feed.count + 1
        else
          table.insert(feed.lines, json.decode(text))
        end
        feed.past = past
      end
      rest = rest:sub(feed.past or 1)
      feed.past = nil
    end
  end))
  function feed.close()
    feed.exchange:free()
    driver.detach()
  end
  return feed
end

-- Status and body alone.
local function ask_two(...)
  local status, body = ask(...)
  return status, body
end

describe("the page of the local Beam", function()
  before_each(function()
    app = serve.new()
    app.endpoint("hi", function(input)
      return { hi = input.name }
    end, { inputs = { name = "string?" } })
    app.realtime("echo", function(text)
      return text
    end)
    server = assert(app.listen { token = "t0ken", pause = 0, log = function() end })
    ask = http.asker(server)
  end)

  after_each(function()
    app.close()
  end)

  it("is one file that needs no token, with a policy that lets nothing else in", function()
    local status, text, headers = ask("GET", "/", { raw = true })
    assert.same({ 200, "text/html; charset=utf-8" }, { status, headers["content-type"] })
    local nonce = headers["content-security-policy"]:match "script%-src 'nonce%-([^']+)'"
    assert.equal(2, select(2, text:gsub('nonce="' .. nonce:gsub("%-", "%%-") .. '"', "")))
    assert.is_nil(text:find("NONCE", 1, true))
    assert.is_nil(text:find "https?://[^w]") -- but for the names of SVG and the like, no address of anybody
    assert.is_nil(text:find("innerHTML", 1, true))
    local again = select(3, ask("GET", "/"))
    assert.are_not.equal(headers["content-security-policy"], again["content-security-policy"])
    assert.same({ "DENY", "nosniff", "no-store" }, { headers["x-frame-options"], headers["x-content-type-options"], headers["cache-control"] })
    assert.equal(405, (ask("POST", "/", { auth = bearer })))
  end)

  it("asks for nothing without the token", function()
    for _, route in ipairs { { "GET", "/local/events" }, { "POST", "/local/faults" }, { "POST", "/local/inflict" } } do
      assert.equal(401, (ask(route[1], route[2], { body = route[1] == "POST" and "{}" or nil })), route[2])
      assert.equal(403, (ask(route[1], route[2], { auth = bearer, headers = { { "Origin", "http://evil.example" } } })), route[2])
      assert.equal(403, (ask(route[1], route[2], { auth = bearer, headers = { { "Host", "evil.example" } } })), route[2])
    end
    assert.equal(404, (ask("GET", "/local/nothing", { auth = bearer })))
  end)

  it("is fed with what there is, and what changes", function()
    server:log("info", "before")
    local feed = watch()
    http.until_true(function()
      return feed.state and feed.lines[1]
    end)
    assert.same({ "hi", "endpoint", true, { name = "string?" } }, {
      feed.state.deployments[1].name,
      feed.state.deployments[1].kind,
      feed.state.deployments[1].active,
      feed.state.deployments[1].inputs,
    })
    assert.equal("before", feed.lines[1].line)
    local client = websocket.dial(server, "/asgi/echo", { { "Authorization", "Bearer t0ken" } })
    assert.is_true(client.opened())
    ask("POST", "/endpoint/hi", { auth = bearer, body = '{"name":"you"}' })
    http.until_true(function()
      return feed.state.connections[1] and feed.state.tasks[1]
    end)
    assert.same({ 1, "echo", 0 }, { feed.state.connections[1].number, feed.state.connections[1].name, feed.state.connections[1].received })
    assert.same({ "hi", "COMPLETE" }, { feed.state.tasks[1].name, feed.state.tasks[1].status })
    assert.same({ 200, { count = 1 } }, { ask_two("POST", "/local/inflict", { auth = bearer, body = '{"fault":"reset","connection":1}' }) })
    assert.equal(1006, client.closed())
    http.until_true(function()
      return #feed.state.connections == 0
    end)
    for _, line in ipairs(feed.lines) do
      assert.is_nil(line.line:find("/local/", 1, true), line.line)
    end
    local count = feed.count
    driver.sleep(0.6)
    assert.equal(count, feed.count) -- nothing has changed
    feed.close()
  end)

  it("shows the newest lines of a long log", function()
    for i = 1, 1000 do
      server:log("info", "line " .. i)
    end
    local feed = watch()
    http.until_true(function()
      return feed.lines[200]
    end)
    assert.same({ "line 801", "line 1000", 200 }, { feed.lines[1].line, feed.lines[200].line, #feed.lines })
    feed.close()
  end)

  it("does not collect the log for a page that does not read", function()
    local page = assert(driver.context():http({ url = server.url .. "/local/events", auth = bearer, stream = true }, function() end))
    driver.attach()
    http.until_true(function()
      return next(server.exchanges) ~= nil
    end)
    page:pause()
    local most, line = 0, ("x"):rep(100000)
    for _ = 1, 3 do
      for _ = 1, 100 do
        server:log("info", line)
      end
      driver.sleep(0.3)
      for request in pairs(server.exchanges) do
        most = math.max(most, request:pending() or 0)
      end
    end
    assert.is_true(most < 2 * 1024 * 1024, most .. " bytes wait")
    page:free()
    driver.detach()
  end)

  it("switches faults on and off, and says what is none", function()
    local function set(body)
      local status, answer = ask("POST", "/local/faults", { auth = bearer, body = body })
      return { status, answer }
    end
    assert.same({ 200, { faults = "status=503" } }, set '{"faults":"status=503"}')
    assert.equal(503, (ask("POST", "/endpoint/hi", { auth = bearer })))
    assert.same({ 400, { message = "fault 'explode': there is no such fault" } }, set '{"faults":"explode"}')
    assert.equal(503, (ask("POST", "/endpoint/hi", { auth = bearer })))
    assert.same({ 200, { faults = "" } }, set '{"faults":""}')
    assert.equal(200, (ask("POST", "/endpoint/hi", { auth = bearer })))
    assert.same({ 400, { message = "a JSON object is wanted" } }, set "nonsense")
    server:fault { slots = 1, "no_ping" }
    assert.equal("no_ping,slots=1", server.faults_given)
    local unknown = { 400, { message = "there is no such fault for a connection" } }
    assert.same(unknown, { ask_two("POST", "/local/inflict", { auth = bearer, body = '{"fault":"explode","connection":1}' }) })
    assert.same({ 200, { count = 0 } }, { ask_two("POST", "/local/inflict", { auth = bearer, body = '{"fault":"reset","connection":99}' }) })
  end)
end)
