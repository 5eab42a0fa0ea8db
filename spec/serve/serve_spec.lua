-- The local Beam, asked with beam.core alone: what it answers is compared with docs/wire.md, section by section.
local driver = require "beam.driver"
local json = require "beam.json"
local serve = require "beam.serve"

local server -- of the test that runs

local function start(app, options)
  options = options or {}
  options.log = options.log or function() end
  options.pause = options.pause or 0
  server = assert(app.listen(options))
  return server
end

-- One HTTP exchange. Returns status, body (decoded where it is JSON), headers by name.
local function ask(method, target, options)
  options = options or {}
  local done, err, response = driver.signal(), nil, nil
  driver.attach()
  local http = assert(driver.context():http({
    url = server.url .. target,
    method = method,
    headers = options.headers,
    auth = options.auth,
    body = options.body,
    timeout = 30,
  }, function(event, failure, answer)
    if event == "done" then
      err, response = failure, answer
      driver.detach()
      done:wake()
    end
  end))
  assert.is_true(done:wait(6), "no answer")
  http:free()
  assert.is_nil(err and err.message)
  local headers = {}
  for _, pair in ipairs(response.headers) do
    headers[pair[1]] = pair[2]
  end
  local value = json.decode(response.body or "")
  if value == nil then
    value = response.body
  end
  return response.status, value, headers
end

-- A WebSocket that keeps its messages: ws:next(seconds) -> message | nil; ws.code and ws.reason once it is closed.
local function connect(target, options)
  options = options or {}
  local client = { messages = {}, changed = driver.signal() }
  driver.attach()
  client.ws = assert(driver.context():websocket({
    url = server.url .. target,
    headers = options.headers,
    auth = options.auth,
    connect_timeout = 30,
    max_message = 32 * 1024 * 1024,
  }, function(event, first, second, third, fourth)
    if event == "open" then
      client.open = true
    elseif event == "message" then
      table.insert(client.messages, first)
    elseif event == "closed" then
      client.code, client.reason, client.err, client.response = first, second, third, fourth
      driver.detach()
    end
    client.changed:wake_all()
  end))
  function client.until_true(condition, seconds)
    local deadline = driver.now() + (seconds or 30)
    while not condition() and driver.now() < deadline do
      client.changed:wait(deadline - driver.now())
    end
    return condition()
  end
  function client.next(seconds)
    client.until_true(function()
      return client.messages[1] or client.code
    end, seconds)
    return table.remove(client.messages, 1)
  end
  client.until_true(function()
    return client.open or client.code or options.do_not_wait
  end)
  return client
end

-- The next message that is no app ping.
local function next_reply(client, seconds)
  local message
  repeat
    message = client.next(seconds)
  until message ~= '{"type":"ping"}'
  return message
end

describe("the local Beam", function()
  after_each(function()
    if server then
      server:close()
      server = nil
    end
  end)

  describe("addresses", function()
    local deployment, public_id

    before_each(function()
      local app = serve.new()
      app.endpoint("greet", function()
        return { version = 1 }
      end)
      deployment = app.endpoint("greet", function()
        return { version = 2 }
      end)
      app.endpoint("asleep", function() end, { active = false })
      public_id = app.endpoint("my-vault", function()
        return { vault = true }
      end).id
      start(app, { token = "t0ken", allow_host = { "*.dev.example", "dev-machine.local" } })
    end)

    local bearer = { scheme = "bearer", secret = "t0ken" }

    local function version_at(target, host)
      local status, body = ask("POST", target, { auth = bearer, headers = host and { { "Host", host } } })
      return body.version or { status, body }
    end

    it("by path: name, version, latest and id", function()
      assert.equal(2, version_at "/endpoint/greet")
      assert.equal(2, version_at "/endpoint/greet/")
      assert.equal(2, version_at "/endpoint/greet/latest")
      assert.equal(1, version_at "/endpoint/greet/v1")
      assert.equal(2, version_at("/endpoint/id/" .. deployment.id))
    end)

    it("by the first label of the host, under any domain", function()
      assert.equal(2, version_at("/", "greet-7a7db8c.app.beam.localhost"))
      assert.equal(2, version_at("/", "greet-7a7db8c-latest.app.beam.cloud:443"))
      assert.equal(1, version_at("/", "greet-7a7db8c-v1.dev.example"))
      assert.equal(2, version_at("/", deployment.id .. ".app.beam.localhost"))
      assert.equal(2, version_at("/endpoint/greet", "dev-machine.local"))
      assert.same({ 200, { vault = true } }, version_at("/", "my-vault-1234567.app.beam.localhost"))
    end)

    it("public ones need no token, but a bad one is refused", function()
      local status, body = ask("POST", "/endpoint/public/" .. public_id)
      assert.same({ 200, { vault = true } }, { status, body })
      status, body = ask("POST", "/endpoint/public/" .. public_id, { auth = { scheme = "bearer", secret = "bad" } })
      assert.same({ 401, { message = "Unauthorized" } }, { status, body })
    end)

    it("unknown ones", function()
      assert.same({ 400, { message = "Invalid deployment" } }, version_at "/endpoint/nobody")
      assert.same({ 400, { message = "Invalid deployment" } }, version_at "/endpoint/greet/v9")
      assert.same({ 400, { message = "Invalid deployment" } }, version_at "/asgi/greet")
      assert.same({ 400, { message = "Deployment is not active" } }, version_at "/endpoint/asleep")
      assert.same({ 400, { error = "invalid stub id" } }, version_at "/endpoint/id/123")
      assert.same({ 400, { error = "invalid stub id" } }, version_at "/endpoint/id/00000000-0000-4000-8000-000000000000")
      assert.same({ 404, { message = "Not Found" } }, version_at("/", "nobody-7a7db8c.app.beam.localhost"))
      assert.same({ 404, { message = "Not Found" } }, version_at("/", "00000000-0000-4000-8000-000000000000.app.beam.localhost"))
      assert.same({ 404, { message = "Not Found" } }, version_at "/greet")
      assert.same({ 404, { message = "Not Found" } }, version_at "/endpoint/greet/sub/path")
    end)

    it("warm-up and health, and no other method than GET and POST", function()
      local status, body = ask("POST", "/endpoint/greet/warmup", { auth = bearer })
      assert.same({ 200, "" }, { status, body })
      status, body = ask("GET", "/endpoint/greet/v1/health", { auth = bearer })
      assert.same({ 200, "" }, { status, body })
      assert.equal(401, (ask("POST", "/endpoint/greet/warmup")))
      status, body = ask("DELETE", "/endpoint/greet", { auth = bearer })
      assert.same({ 405, { message = "Method Not Allowed" } }, { status, body })
    end)
  end)

  describe("credentials", function()
    local function status_with(auth, headers, target)
      local status, body = ask("POST", target or "/endpoint/who", { auth = auth, headers = headers })
      return status, status ~= 200 and body.message or nil
    end

    local function app()
      local made = serve.new()
      made.endpoint("who", function(input)
        return { leaked = input.auth_token }
      end)
      return made
    end

    it("Bearer, raw and query", function()
      start(app(), { token = "t0ken" })
      assert.equal(200, status_with { scheme = "bearer", secret = "t0ken" })
      assert.equal(200, status_with { scheme = "raw", secret = "t0ken" })
      assert.same({ 401, "Unauthorized" }, { status_with() })
      assert.same({ 401, "Unauthorized" }, { status_with { scheme = "bearer", secret = "T0ken" } })
      assert.same({ 401, "Unauthorized" }, { status_with(nil, { { "Authorization", "bearer t0ken" } }) })
      assert.same({ 401, "Unauthorized" }, { status_with { scheme = "basic", id = "id", secret = "secret" } })
      assert.same({ 401, "Unauthorized" }, { status_with(nil, { { "Authorization", "Bearer bad" } }, "/endpoint/who?auth_token=t0ken") })
      local status, body = ask("POST", "/endpoint/who?auth_token=t0ken")
      assert.same({ 200, { leaked = "t0ken" } }, { status, body })
    end)

    it("Basic, where it is configured", function()
      start(app(), { basic = { id = "client", secret = "p:ss wörd" } })
      assert.equal(200, status_with { scheme = "basic", id = "client", secret = "p:ss wörd" })
      assert.same({ 401, "Unauthorized" }, { status_with { scheme = "basic", id = "client", secret = "other" } })
      assert.same({ 401, "Unauthorized" }, { status_with() })
    end)

    it("none, where none are configured", function()
      start(app())
      assert.equal(200, status_with())
      assert.equal(200, status_with { scheme = "bearer", secret = "whatever" })
    end)

    it("never in the log", function()
      local lines = {}
      start(app(), {
        token = "t0ken",
        log = function(_, line)
          table.insert(lines, line)
        end,
      })
      ask("POST", "/endpoint/who?auth_token=t0ken")
      status_with { scheme = "bearer", secret = "t0ken" }
      assert.equal(2, #lines)
      assert.is_truthy(lines[1]:find "^POST /endpoint/who 200 ")
      assert.is_nil(table.concat(lines, "\n"):find "t0ken")
    end)
  end)

  describe("endpoints", function()
    local lines

    before_each(function()
      lines = {}
      local app = serve.new()
      app.endpoint("mirror", function(input, context)
        return { input = input, args = json.array(context.args), task = context.task_id }
      end)
      app.endpoint("fail", function(input)
        driver.sleep(0.01)
        error("no luck with " .. input.x)
      end)
      app.endpoint("broke", function()
        return app.response(404, { message = "You need more tokens" }, { ["X-Reason"] = "broke" })
      end)
      app.endpoint("text", function()
        return app.response(201, "plain", { { "Content-Type", "text/plain" } })
      end)
      app.endpoint("nothing", function() end)
      app.endpoint("pair", function()
        return 1, "two"
      end)
      app.endpoint("nan", function()
        return { value = 0 / 0 }
      end)
      app.endpoint("split", function()
        return app.response(200, {}, { ["X-Bad"] = "a\r\nSet-Cookie: b" })
      end)
      app.endpoint("tokens", function(input)
        local i = 0
        return function()
          i = i + 1
          driver.sleep(0.001)
          if input.fail and i == 3 then
            error "in the middle"
          end
          return i <= 3 and (i == 2 and "two" or { item = i }) or nil
        end
      end)
      start(app, {
        log = function(level, line)
          table.insert(lines, level .. " " .. line)
        end,
      })
    end)

    local function call(target, body)
      local status, value, headers = ask("POST", target, { body = body })
      return status, value, headers
    end

    it("get the object, its kwargs and args, and the query", function()
      local _, value = call("/endpoint/mirror", '{"x":1.5,"name":"é"}')
      assert.same({ x = 1.5, name = "é" }, value.input)
      _, value = call("/endpoint/mirror?x=7&s=a%20b+c&n=-2.5e3", '{"x":1,"args":[1,"b"]}')
      assert.same({ x = 7, s = "a b c", n = -2500 }, value.input)
      assert.same({ 1, "b" }, value.args)
      _, value = call("/endpoint/mirror", '{"dropped":1,"kwargs":{"kept":2},"args":[]}')
      assert.same({ kept = 2 }, value.input)
      _, value = call("/endpoint/mirror", nil)
      assert.same({}, value.input)
      local status, same = ask("GET", "/endpoint/mirror?q=1")
      assert.same({ 200, { q = 1 } }, { status, same.input })
    end)

    it("refuse what is no object", function()
      for _, body in ipairs { "[1]", '"text"', "12", "null", "{", "[]" } do
        local status, value, headers = call("/endpoint/mirror", body)
        assert.same({ 400, { error = "invalid request payload" } }, { status, value })
        assert.is_nil(headers["x-task-id"])
      end
    end)

    it("round integers beyond 2^53, as Beam's gateway does", function()
      if math.type then
        local _, value = call("/endpoint/mirror", '{"id":9007199254740993,"deep":[[9007199254740993]]}')
        assert.same({ id = 9007199254740992, deep = { { 9007199254740992 } } }, value.input)
      end
    end)

    it("answer with JSON and a task id of its own each time", function()
      local status, value, headers = call("/endpoint/mirror", "{}")
      assert.equal(200, status)
      assert.equal("application/json", headers["content-type"])
      assert.equal(value.task, headers["x-task-id"])
      assert.is_truthy(headers["x-task-id"]:find "^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$")
      local _, _, again = call("/endpoint/mirror", "{}")
      assert.are_not.equal(headers["x-task-id"], again["x-task-id"])
      status, value = call "/endpoint/nothing"
      assert.same({ 200, json.null }, { status, value })
      assert.same({ 1, "two" }, (select(2, call "/endpoint/pair")))
    end)

    it("answer an error with 500 and the traceback", function()
      local status, value, headers = call("/endpoint/fail", '{"x":"it"}')
      assert.equal(500, status)
      assert.is_truthy(value.error:find "serve_spec.lua:%d+: no luck with it")
      assert.is_truthy(value.error:find "stack traceback:")
      assert.is_string(headers["x-task-id"])
      assert.is_truthy(lines[1]:find "^error /endpoint/fail: the handler failed: ")
      assert.equal(500, (call "/endpoint/fail")) -- it fails while it words its error
    end)

    it("answer with a status, headers and body of their own", function()
      local status, value, headers = call "/endpoint/broke"
      assert.same({ 404, { message = "You need more tokens" }, "broke" }, { status, value, headers["x-reason"] })
      status, value, headers = call "/endpoint/text"
      assert.same({ 201, "plain", "text/plain" }, { status, value, headers["content-type"] })
    end)

    it("answer 500 where the result cannot be sent", function()
      local status, value = call "/endpoint/nan"
      assert.equal(500, status)
      assert.is_truthy(value.error:find "value%.value as JSON: NaN")
      status = call "/endpoint/split"
      assert.equal(500, status)
    end)

    it("stream what an iterator gives", function()
      local status, value, headers = call "/endpoint/tokens"
      assert.equal(200, status)
      assert.equal('data: {"item":1}\n\ndata: {"data":"two"}\n\ndata: {"item":3}\n\n', value)
      assert.is_truthy(headers["content-type"]:find "^text/plain")
      value = select(2, call("/endpoint/tokens", '{"fail":true}'))
      assert.equal('data: {"item":1}\n\ndata: {"data":"two"}\n\n{"error":"Internal server error"}\n', value)
    end)

    it("stream events of values and of texts where they answer as a page does", function()
      local app = serve.new()
      app.web("events", function()
        return coroutine.wrap(function()
          coroutine.yield { n = 1 }
          coroutine.yield(2)
          coroutine.yield "event: token\ndata: x\n\n"
        end)
      end)
      server:close()
      start(app)
      local status, text, headers = ask("GET", "/asgi/events")
      assert.same({ 200, "text/event-stream" }, { status, headers["content-type"] })
      assert.equal('data: {"n":1}\n\ndata: 2\n\nevent: token\ndata: x\n\n', text)
    end)

    it("break off where they fail in the middle, as pages do", function()
      local app = serve.new()
      app.web("half", function()
        local i = 0
        return function()
          i = i + 1
          return i < 3 and { n = i } or error("in the middle", 0)
        end
      end)
      server:close()
      lines = {}
      start(app, {
        log = function(level, line)
          table.insert(lines, level .. " " .. line)
        end,
      })
      local text, done = "", driver.signal()
      local failure
      driver.attach()
      local http = assert(driver.context():http({ url = server.url .. "/asgi/half", stream = true, timeout = 30 }, function(event, first)
        if event == "data" then
          text = text .. first
        elseif event == "done" then
          failure = first
          driver.detach()
          done:wake()
        end
      end))
      assert.is_true(done:wait(10))
      http:free()
      assert.equal('data: {"n":1}\n\ndata: {"n":2}\n\n', text)
      assert.is_truthy(failure)
      assert.equal(2, #lines, table.concat(lines, "\n"))
      assert.is_truthy(lines[1]:find("error /asgi/half: the handler failed: script: in the middle", 1, true))
      assert.is_truthy(lines[2]:find("^info GET /asgi/half %(cut%)"))
    end)

    it("run side by side", function()
      local running, all, tasks = 0, driver.signal(), {}
      local app = serve.new()
      app.endpoint("slow", function() -- answers once all eight are there
        running = running + 1
        if running == 8 then
          all:wake_all()
        else
          all:wait()
        end
        return {}
      end)
      server:close()
      start(app)
      for i = 1, 8 do
        tasks[i] = driver.spawn(ask, "POST", "/endpoint/slow")
      end
      for i = 1, 8 do
        assert.equal(200, (tasks[i]:join()))
      end
    end)
  end)

  describe("realtime apps", function()
    local lines

    local function realtime(handler, options, deployment_options)
      lines = {}
      local app = serve.new()
      app.realtime("echo", handler, deployment_options)
      options = options or {}
      options.log = function(level, line)
        table.insert(lines, level .. " " .. line)
      end
      start(app, options)
      return app
    end

    it("ping at once, then again and again", function()
      realtime(function() end, { ping = 0.05 })
      local client = connect "/asgi/echo"
      local opened = driver.now()
      assert.equal('{"type":"ping"}', client.next())
      assert.is_true(driver.now() - opened < 0.04)
      assert.equal('{"type":"ping"}', client.next())
      assert.equal('{"type":"ping"}', client.next())
      assert.is_true(driver.now() - opened > 0.09)
      client.ws:free()
    end)

    it("hand the raw text to the handler, and its table back as JSON", function()
      realtime(function(text, context)
        return { response = text, keys = { context.json().event, context.binary } }
      end)
      local client = connect "/asgi/echo"
      client.ws:send '{"event": "Echo this back"}'
      assert.same({ response = '{"event": "Echo this back"}', keys = { "Echo this back", false } }, json.decode(next_reply(client)))
      client.ws:free()
    end)

    it("say nothing for nil, numbers, booleans, errors and what is no JSON", function()
      local results = { number = 42, boolean = true, null = json.null, nan = { 0 / 0 }, bytes = "\255", text = "not JSON", list = { 1 } }
      realtime(function(text)
        if text == "error" then
          driver.sleep(0.01)
          error "boom"
        end
        return results[text]
      end)
      local client = connect "/asgi/echo"
      for _, text in ipairs { "nil", "number", "boolean", "null", "nan", "bytes", "error", "text", "list" } do
        client.ws:send(text)
      end
      assert.equal("not JSON", next_reply(client))
      assert.equal("[1]", next_reply(client))
      assert.is_nil(client.code)
      assert.is_truthy(table.concat(lines, "\n"):find "error realtime echo: the handler failed: .*boom")
      client.ws:free()
    end)

    it("send one message per item of an iterator", function()
      realtime(function(text)
        local i = 0
        return function()
          i = i + 1
          driver.sleep(0.001)
          return i <= 3 and { item = i, of = text } or nil
        end
      end)
      local client = connect "/asgi/echo"
      client.ws:send "a"
      client.ws:send "b"
      for _, of in ipairs { "a", "b" } do
        for i = 1, 3 do
          assert.same({ item = i, of = of }, json.decode(next_reply(client)))
        end
      end
      client.ws:free()
    end)

    it("run once per message, in order, with the pause after each", function()
      local running, most = 0, 0
      realtime(function(text)
        running = running + 1
        most = math.max(most, running)
        driver.sleep(0.005)
        running = running - 1
        return text
      end, { pause = 0.05 })
      local client, started = connect "/asgi/echo", driver.now()
      for i = 1, 4 do
        client.ws:send(tostring(i))
      end
      for i = 1, 4 do
        assert.equal(tostring(i), next_reply(client))
      end
      assert.equal(1, most)
      assert.is_true(driver.now() - started >= 3 * 0.055)
      client.ws:free()
    end)

    it("take many messages at once, and binary ones", function()
      realtime(function(data, context)
        return context.binary and { bytes = #data } or data
      end)
      local client = connect "/asgi/echo"
      client.ws:send_binary "\0\255\128"
      assert.equal('{"bytes":3}', next_reply(client))
      for i = 1, 500 do
        client.ws:send("message " .. i)
      end
      for i = 1, 500 do
        assert.equal("message " .. i, next_reply(client))
      end
      client.ws:free()
    end)

    it("close a message over 16 MiB with 1009", function()
      realtime(function(data)
        return { size = #data }
      end)
      local client = connect "/asgi/echo"
      client.ws:send(("x"):rep(16 * 1024 * 1024))
      assert.equal('{"size":16777216}', next_reply(client, 10))
      client.ws:send(("x"):rep(16 * 1024 * 1024 + 1))
      assert.is_nil(next_reply(client, 10))
      assert.equal(1009, client.code)
    end)

    it("close with 1012 when the server ends", function()
      realtime(function() end)
      local client = connect "/asgi/echo"
      server:close()
      assert.is_true(client.until_true(function()
        return client.code ~= nil
      end))
      assert.equal(1012, client.code)
      assert.is_nil(next(server.sessions))
    end)

    it("notice that a client has closed, and log it", function()
      realtime(function() end)
      local client = connect "/asgi/echo"
      client.ws:close(1000, "bye")
      assert.is_true(client.until_true(function()
        return client.code ~= nil and next(server.sessions) == nil
      end))
      assert.equal(1000, client.code)
      driver.sleep(0.01)
      assert.is_truthy(table.concat(lines, "\n"):find "info WS echo closed 1000 after")
    end)

    it("survive clients that leave in every way", function()
      realtime(function(text)
        return text:rep(1000)
      end, { ping = 0.001 })
      for i = 1, 60 do
        local client = connect "/asgi/echo"
        client.ws:send "some text"
        driver.sleep(0.001 * (i % 3))
        if i % 3 == 0 then
          client.ws:free()
        else
          client.ws:abort(i % 3 == 1)
        end
      end
      local client = connect "/asgi/echo"
      client.ws:send "x"
      assert.equal(("x"):rep(1000), next_reply(client))
      client.ws:free()
    end)

    it("make the next one wait in the handshake where connections are limited", function()
      realtime(function(text)
        return text
      end, nil, { connections = 1 })
      local first = connect "/asgi/echo"
      local second = connect("/asgi/echo", { do_not_wait = true })
      local third = connect("/asgi/echo", { do_not_wait = true })
      driver.sleep(0.1)
      assert.is_nil(second.open)
      third.ws:free()
      first.ws:close(1000)
      assert.is_true(second.until_true(function()
        return second.open
      end))
      second.ws:send "here"
      assert.equal("here", next_reply(second))
      second.ws:free()
    end)

    it("let the next one in though the log fails", function()
      local app, full = serve.new(), false
      app.realtime("echo", function(text)
        return text
      end, { connections = 1 })
      local log = require "beam.log"
      log.to(function() end)
      start(app, {
        log = function()
          if full then
            error "the disk is full"
          end
        end,
      })
      local first = connect "/asgi/echo"
      full = true
      first.ws:close(1000)
      local second = connect("/asgi/echo", { do_not_wait = true })
      assert.is_true(second.until_true(function()
        return second.open
      end, 5))
      second.ws:free()
      log.to(nil)
    end)

    it("refuse an upgrade as the gateway does", function()
      realtime(function() end, { token = "t0ken" })
      local client = connect "/asgi/echo"
      assert.same({ 401, '{"message":"Unauthorized"}' }, { client.response.status, client.response.body })
      client = connect("/asgi/nobody", { auth = { scheme = "bearer", secret = "t0ken" } })
      assert.same({ 400, '{"message":"Invalid deployment"}' }, { client.response.status, client.response.body })
      client = connect("/asgi/echo?auth_token=t0ken")
      assert.is_true(client.open)
      client.ws:free()
    end)

    it("have their WebSocket at the root only: elsewhere it is open, then lost", function()
      realtime(function() end)
      local client = connect "/asgi/echo/elsewhere"
      assert.is_true(client.open)
      client.until_true(function()
        return client.code
      end)
      assert.equal(1006, client.code)
      local status, body = ask("GET", "/asgi/echo")
      assert.same({ 404, { detail = "Not Found" } }, { status, body })
    end)

    it("answer WebSocket pings, and close with 1011 when theirs are not answered", function()
      realtime(function() end, { websocket_ping = 0.6 })
      local client = connect "/asgi/echo"
      client.until_true(function()
        return client.code
      end, 1.3)
      assert.is_nil(client.code)
      client.ws:pause() -- the pings are not read now
      driver.sleep(1.3)
      client.ws:resume()
      client.until_true(function()
        return client.code
      end)
      assert.equal(1011, client.code)
    end)
  end)

  it("says what is wrong with an app", function()
    local app = serve.new()
    assert.error_matches(function()
      app.realtime("", print)
    end, "a name of letters")
    assert.error_matches(function()
      app.endpoint("x", {})
    end, "the handler must be a function")
    assert.error_matches(function()
      app.listen { prot = 1 }
    end, "unknown option 'prot'")
    assert.error_matches(function()
      app.response(99, {})
    end, "status from 200 to 599")
  end)

  it("says when it cannot listen", function()
    local app = serve.new()
    start(app)
    local second, err = serve.new().listen { port = server.port }
    assert.is_nil(second)
    assert.equal("connect", err.kind)
    assert.is_truthy(err.message:find("the local Beam cannot listen", 1, true))
  end)
end)
