-- Faults on demand of the local Beam, asked with beam.core alone.
local driver = require "beam.driver"
local json = require "beam.json"
local serve = require "beam.serve"
local served_http = require "served_http"
local syntax = require "beam.serve.fault.syntax"
local websocket = require "served_websocket"

local PING = '{"type":"ping"}'

local server, app -- of the test that runs

local function start(fault, options)
  options = options or {}
  options.fault, options.pause, options.log = fault, 0, function() end
  app = serve.new()
  app.realtime("echo", function(text)
    return text
  end)
  app.endpoint("double", function(input)
    return { result = input.x * 2 }
  end)
  server = assert(app.listen(options))
  return server
end

-- One call. Returns status, body (decoded), headers by name; nil and the core's error if there is no answer.
local function call(target)
  local done, err, response = driver.signal(), nil, nil
  driver.attach()
  local options = { url = server.url .. (target or "/endpoint/double"), body = '{"x":2}', timeout = 30 }
  local http = assert(driver.context():http(options, function(_, failure, answer)
    err, response = failure, answer
    driver.detach()
    done:wake()
  end))
  assert.is_true(done:wait(40), "no answer")
  http:free()
  if err then
    return nil, err
  end
  local headers = {}
  for _, pair in ipairs(response.headers) do
    headers[pair[1]] = pair[2]
  end
  return response.status, json.decode(response.body), headers
end

-- One call whose body is kept as it came. Returns status and body; or nil, the core's error, and what came before it.
local function stream(target)
  local done, err, response, body = driver.signal(), nil, nil, {}
  driver.attach()
  local http = assert(driver.context():http({ url = server.url .. target, body = "{}", timeout = 30, stream = true }, function(event, a, b)
    if event == "data" then
      body[#body + 1] = a
    elseif event == "done" then
      err, response = a, b
      driver.detach()
      done:wake()
    end
  end))
  assert.is_true(done:wait(40), "no answer")
  http:free()
  response = response or {}
  response.body = table.concat(body)
  if err then
    return nil, err, response
  end
  return response.status, response.body
end

local function dial()
  return websocket.dial(server, "/asgi/echo")
end

-- dial, and wait for the 101 or its refusal.
local function connect()
  local client = dial()
  client.opened()
  return client
end

local function send_all(client, count)
  for i = 1, count do
    client.ws:send(tostring(i))
  end
end

describe("faults on demand:", function()
  after_each(function()
    if server then
      server:close()
      server = nil
    end
  end)

  describe("how they are written", function()
    local function parse_one(text)
      local list = assert(syntax.parse(text))
      assert.equal(1, #list)
      return list[1]
    end

    it("names, values, times and chances", function()
      assert.same({ name = "cold", low = 3, high = 3, unit = "seconds", times = math.huge, chance = 1 }, parse_one "cold=3s")
      assert.same({ name = "status", low = 429, high = 429, times = 3, chance = 1 }, parse_one "status=429:3")
      assert.same({ name = "drop", low = 0, high = 0, unit = "messages", times = 1, chance = 0.25 }, parse_one "drop_after_101:1@25%")
      assert.same({ name = "drop", low = 5, high = 50, unit = "messages", times = math.huge, chance = 1 }, parse_one "drop_after=5..50")
      assert.same({ 0.02, 1.5, "seconds" }, { parse_one("reset_after=20ms..1.5s").low, parse_one("latency=20ms..1.5s").high, "seconds" })
      assert.same({ 1, 3 }, { parse_one("silence_after=1..3s").low, parse_one("silence_after=1..3s").high })
      assert.same({ 120, 1 }, { parse_one("cold=2m").low, parse_one("slots=1").low })
      local close = parse_one "close=1012/10"
      assert.same({ "close", 1012, 10, "messages" }, { close.name, close.code, close.low, close.unit })
      assert.equal(0, parse_one("close=4000").low)
      assert.is_true(parse_one("hang_up=reset").reset)
    end)

    it("several, in a text or in a table", function()
      local list = assert(syntax.parse "status=429:2, status=503:1,no_ping")
      assert.same({ "status", "status", "no_ping" }, { list[1].name, list[2].name, list[3].name })
      list = assert(syntax.parse { "no_ping", slots = 1, status = "429:3", cold = 3, zombie = true, reset = false })
      local names = {}
      for i, fault in ipairs(list) do
        names[i] = fault.name
      end
      assert.same({ "no_ping", "cold", "slots", "status", "zombie" }, names)
      assert.same({}, syntax.parse(nil))
      assert.same({}, syntax.parse "")
    end)

    it("what is wrong with them", function()
      local wrong = {
        ["dorp_after=3"] = "fault 'dorp_after=3': there is no such fault: did you mean 'drop_after'?",
        ["cold"] = "fault 'cold': it wants a time like 3s, 250ms or 1s..5s",
        ["cold=soon"] = "fault 'cold=soon': it wants a time like 3s, 250ms or 1s..5s",
        ["cold=5s..1s"] = "fault 'cold=5s..1s': it wants the lower value first",
        ["slots=0"] = "fault 'slots=0': it wants a number above 0",
        ["slots=1:3"] = "fault 'slots=1:3': it holds all the time, without TIMES or CHANCE",
        ["status=99"] = "fault 'status=99': it wants a status from 200 to 599",
        ["close=1006"] = "fault 'close=1006': it wants a close code that may be sent, like 1012 or 1012/AFTER",
        ["zombie=3"] = "fault 'zombie=3': it wants no value",
        ["drop_after=-1"] = "fault 'drop_after=-1': it wants a number of messages like 10 or 5..50, or a time like 2s",
        ["reset@200%"] = "fault 'reset@200%': it is written NAME[=VALUE][:TIMES][@CHANCE%]",
      }
      for text, problem in pairs(wrong) do
        assert.same({ nil, problem }, { syntax.parse(text) })
      end
      assert.error_matches(function()
        serve.new().listen { fault = "slots=none" }
      end, "fault 'slots=none': it wants a number above 0")
      start()
      assert.error_matches(function()
        server:fault "explode"
      end, "fault 'explode': there is no such fault")
      assert.error_matches(function()
        server:inflict(7)
      end, "faults are a text or a table, not a number")
    end)
  end)

  describe("before the app is reached", function()
    it("status: Beam's words, for calls and upgrades, so many times", function()
      start "status=429:2,status=503:1,retry_after=7s"
      local client = connect()
      assert.same({ 429, '{"error":"Request queue full"}' }, { client.response.status, client.response.body })
      local status, body, headers = call()
      assert.same({ 429, { error = "Request queue full" }, "7" }, { status, body, headers["retry-after"] })
      status, body = call()
      assert.same({ 503, { error = "No compute capacity for GPU type A100" } }, { status, body })
      status, body = call()
      assert.same({ 200, { result = 4 } }, { status, body })
      server:fault "status=502"
      status, body, headers = call()
      assert.same({ 502, { error = "Backend route unavailable" }, "string" }, { status, body, type(headers["x-task-id"]) })
    end)

    it("a chance, drawn with the random of the options", function()
      local draws, i = { 0.1, 0.9, 0.29, 0.31 }, 0
      start("status=503@30%", {
        random = function()
          i = i + 1
          return draws[i]
        end,
      })
      local statuses = {}
      for n = 1, 4 do
        statuses[n] = call()
      end
      assert.same({ 503, 200, 503, 200 }, statuses)
    end)

    it("hang_up: TCP is closed, or reset, instead of an answer", function()
      start "hang_up:2,hang_up=reset:1"
      local status, err = call()
      assert.is_nil(status)
      assert.is_true(err.sent)
      for _ = 1, 2 do
        local client = connect()
        assert.same({ nil, 1006 }, { client.open, client.code })
      end
      local client = connect()
      assert.is_true(client.open)
      client.ws:free()
    end)

    it("cold: who comes while the container starts waits for it, and nobody later", function()
      start "cold=2s"
      local began, statuses = driver.now(), {}
      local tasks = { driver.spawn(call), driver.spawn(call) }
      driver.sleep(1.6)
      tasks[3] = driver.spawn(call)
      for i, task in ipairs(tasks) do
        statuses[i] = task:join(30)
      end
      local took = driver.now() - began
      assert.same({ 200, 200, 200 }, statuses)
      assert.is_true(took >= 1.99 and took < 3.59, "it took " .. took) -- 3.6 s with a wait of its own for the last one
      began = driver.now()
      assert.equal(200, (call()))
      assert.is_true(driver.now() - began < 1.9)
    end)

    it("cold: a warm-up is answered at once and starts the container; the 101 waits for it", function()
      start "cold=2s"
      local began = driver.now()
      assert.equal(200, (call "/asgi/echo/warmup"))
      assert.is_true(driver.now() - began < 1.9)
      driver.sleep(began + 1.6 - driver.now())
      local client = connect()
      assert.is_true(client.open)
      local took = driver.now() - began
      assert.is_true(took >= 1.99 and took < 3.59, "it took " .. took)
      client.ws:free()
    end)

    it("cold: whoever leaves, and a server that ends, wait for nothing", function()
      start "cold=1h"
      local client, other = dial(), dial()
      driver.sleep(0.05)
      client.ws:free()
      driver.detach()
      driver.sleep(0.05)
      local began = driver.now()
      server:close()
      assert.is_truthy(other.closed())
      served_http.until_true(function()
        return next(server.exchanges) == nil
      end)
      assert.is_true(driver.now() - began < 60)
    end)

    it("slots: the next one waits in the handshake, until a close frame comes", function()
      start "slots=1"
      local first, second, third = connect(), dial(), dial()
      driver.sleep(0.1)
      assert.same({ true, nil, nil }, { first.open, second.open, third.open })
      first.ws:close(1000)
      assert.is_true(second.opened())
      driver.sleep(0.05)
      assert.is_nil(third.open)
      second.ws:abort()
      assert.is_true(third.opened())
      local fourth = dial()
      driver.sleep(0.05)
      assert.is_nil(fourth.open)
      server:fault(nil) -- they are lifted at run time
      assert.is_true(fourth.opened())
      third.ws:free()
      fourth.ws:free()
    end)

    it("slots: one that cannot be accepted ends, and the next one comes", function()
      start "slots=1"
      local first = connect()
      local served = next(server.exchanges)
      local second = dial()
      driver.sleep(0.1)
      local request, waiting = next(server.exchanges)
      if request == served then
        request, waiting = next(server.exchanges, served)
      end
      waiting.request = {
        accept = function()
          return nil, { message = "out of memory" }
        end,
        abort = function()
          request:abort()
        end,
      }
      local third = dial()
      driver.sleep(0.1)
      first.ws:close(1000)
      assert.is_truthy(second.closed(10))
      assert.is_true(third.opened(10))
      third.ws:free()
    end)

    it("ghost: who left without a close frame holds its slot", function()
      start { slots = 1, ghost = "2s" }
      local first, second = connect(), dial()
      local left = driver.now()
      first.ws:abort()
      assert.is_true(second.opened())
      assert.is_true(driver.now() - left >= 1.99, "the slot was free after " .. driver.now() - left)
      local third = dial()
      left = driver.now()
      second.ws:close(1000)
      assert.is_true(third.opened())
      assert.is_true(driver.now() - left < 1.9)
      third.ws:free()
    end)
  end)

  describe("after the handler", function()
    local runs

    -- An app that counts its runs: /endpoint/count, and /endpoint/items, which streams three.
    local function start_counting(fault)
      start(fault)
      runs = 0
      app.endpoint("count", function()
        runs = runs + 1
        return { run = runs }
      end)
      app.endpoint("items", function()
        local item = 0
        return function()
          item = item + 1
          return item <= 3 and { item = item } or nil
        end
      end)
    end

    it("lost: the handler ran, then another status comes, with the task's id", function()
      start_counting "lost=502:1"
      local status, body, headers = call "/endpoint/count"
      assert.same({ 502, { error = "Backend route unavailable" }, 1 }, { status, body, runs })
      assert.equal(36, #headers["x-task-id"])
      status, body = call "/endpoint/count"
      assert.same({ 200, { run = 2 } }, { status, body })
    end)

    it("lost, lost=reset: the handler ran, then TCP is closed, or reset", function()
      start_counting "lost:1,lost=reset:1"
      for i, words in ipairs { "without an answer", "reset" } do
        local status, err = call "/endpoint/count"
        assert.same({ nil, "http", i }, { status, err.kind, runs })
        assert.truthy(err.message:lower():find(words, 1, true), err.message)
      end
      assert.equal(200, (call "/endpoint/count"))
    end)

    it("slow: the handler runs at once, its answer comes later", function()
      start_counting "slow=200ms"
      local before = driver.now()
      local ran_at
      app.endpoint("when", function()
        ran_at = driver.now()
      end)
      assert.equal(200, (call "/endpoint/when"))
      assert.is_true(driver.now() - before >= 0.2)
      assert.is_true(driver.now() - ran_at >= 0.19)
    end)

    it("cut: a stream ends after so many events, without its end", function()
      start_counting "cut=2:1"
      local status, err, response = stream "/endpoint/items"
      assert.same({ nil, "http" }, { status, err.kind })
      assert.same({ 200, 'data: {"item":1}\n\ndata: {"item":2}\n\n' }, { response.status, response.body })
      status, response = stream "/endpoint/items"
      assert.same({ 200, 3 }, { status, select(2, response:gsub("data: ", "")) })
    end)

    it("cut_inside: a stream ends in the middle of an event; after a time as well", function()
      start_counting "cut_inside=1:1,cut=0:1,cut=50ms:1"
      local _, err, response = stream "/endpoint/items"
      assert.same({ "http", 'data: {"item":1}\n\ndata: {"i' }, { err.kind, response.body })
      _, err, response = stream "/endpoint/items"
      assert.same({ "http", "" }, { err.kind, response.body })
      app.endpoint("slow_items", function()
        return function()
          driver.sleep(0.02)
          return 1
        end
      end)
      _, err, response = stream "/endpoint/slow_items"
      assert.same({ "http", 200 }, { err.kind, response.status })
    end)
  end)

  describe("on an open connection", function()
    it("drop_after_101: open, then lost without a frame", function()
      start "drop_after_101:1"
      local client = connect()
      assert.is_true(client.open)
      assert.equal(1006, client.closed())
      assert.same({}, client.messages)
      client = connect()
      client.ws:send "alive"
      assert.same({ "alive" }, client.replies(1))
      client.ws:free()
    end)

    it("drop_after, close/AFTER and reset_after: after so many answers", function()
      start "drop_after=3:1,close=1012/2:1,reset_after=1:1"
      local client = connect()
      send_all(client, 10)
      assert.equal(1006, client.closed())
      assert.same({ "1", "2", "3" }, client.replies(3))
      client = connect()
      send_all(client, 10)
      assert.equal(1012, client.closed())
      assert.same({ "1", "2" }, client.replies(2))
      assert.equal("a fault on demand", client.reason)
      client = connect()
      client.ws:send "1"
      assert.equal(1006, client.closed())
    end)

    it("after a time", function()
      start "drop_after=100ms"
      local client = connect()
      local opened = driver.now()
      assert.equal(1006, client.closed())
      local took = driver.now() - opened
      assert.is_true(took >= 0.09, "it took " .. took)
      client = connect() -- one that leaves before is left alone
      client.ws:close(1000)
      assert.equal(1000, client.closed())
      driver.sleep(0.15)
    end)

    it("a range is drawn anew for each connection", function()
      start "drop_after=1..3"
      local seen = {}
      for _ = 1, 30 do
        local client = connect()
        send_all(client, 5)
        client.closed()
        seen[#client.replies(0)] = true
      end
      assert.same({ true, true, true }, seen)
    end)

    it("zombie: pongs, but no app pings and no answers any more", function()
      start("zombie_after=1", { ping = 0.05 })
      local client = connect()
      client.ws:send "1"
      assert.same({ "1" }, client.replies(1))
      driver.sleep(0.02)
      local count = #client.messages
      send_all(client, 100)
      client.ws:ping "there?"
      driver.sleep(0.2)
      assert.same({ 1, count, nil }, { client.pongs, #client.messages, client.code })
      client.ws:close(1000)
      assert.equal(1000, client.closed())
      server:fault "zombie"
      client = connect()
      client.ws:send "1"
      driver.sleep(0.2)
      assert.same({ PING }, client.messages) -- the app was there when it opened
      client.ws:free()
    end)

    it("silence: nothing at all, until uvicorn would give up", function()
      start("silence_after=1", { ping = 0.05, websocket_ping = 1 })
      local client = connect()
      client.ws:send "1"
      client.replies(1)
      driver.sleep(0.02)
      local count = #client.messages
      send_all(client, 100)
      client.ws:ping "there?"
      driver.sleep(0.2)
      assert.same({ 0, count, nil }, { client.pongs, #client.messages, client.code })
      assert.equal(1006, client.closed())
    end)

    it("silence: the server ends all the same", function()
      start "silence"
      local client = connect()
      server:close()
      assert.equal(1006, client.closed())
    end)

    it("what was read before the end is handled, whatever the end", function()
      for _, fault in ipairs { "drop_after_101", "reset", "close=1012", "silence" } do
        start()
        local handled = 0
        app.realtime("echo", function()
          handled = handled + 1
          if handled == 1 then
            driver.sleep(0.05)
            server:inflict(fault)
          end
          return "x"
        end)
        local client = connect()
        send_all(client, 20)
        driver.sleep(0.2)
        assert.same({ fault, 20 }, { fault, handled })
        assert.is_true(#client.replies(0) <= 1)
        client.ws:free()
        server:close()
      end
    end)

    it("no_ping: the handler goes on", function()
      start("no_ping", { ping = 0.02 })
      local client = connect()
      client.ws:send "1"
      assert.same({ "1" }, client.replies(1))
      driver.sleep(0.1)
      assert.same({ "1" }, client.messages)
      client.ws:free()
    end)

    it("latency: every message comes later, in order, and as many as without", function()
      start "latency=20ms..100ms"
      local client = connect()
      local sent = driver.now()
      send_all(client, 200)
      client.until_true(function()
        return #client.messages > 1
      end)
      assert.is_true(driver.now() - sent >= 0.015)
      local replies = client.replies(200)
      assert.is_true(driver.now() - sent < 3) -- 12 s, if each waited for the one before
      for i = 1, 200 do
        assert.equal(tostring(i), replies[i])
      end
      client.ws:free()
    end)

    it("inflict: now, on those that are open and meant", function()
      start()
      local clients = { connect(), connect(), connect() }
      driver.sleep(0.02)
      local picked
      assert.equal(
        1,
        server:inflict("close=4001", function()
          local first = not picked
          picked = true
          return first
        end)
      )
      assert.equal(2, #server:connections() - 1)
      driver.sleep(0.05)
      assert.equal(2, #server:connections())
      assert.equal(2, server:inflict "drop_after_101")
      local codes = {}
      for i, client in ipairs(clients) do
        codes[i] = client.closed()
      end
      table.sort(codes)
      assert.same({ 1006, 1006, 4001 }, codes)
      assert.is_true(connect().open) -- others are not touched
    end)
  end)
end)
