-- Realtime connections, against the local Beam and against a server that does what it is told.
local beam = require "beam"
local driver = require "beam.driver"
local log = require "beam.log"
local serve = require "beam.serve"
local told = require "told_server"

local TOKEN = "a-token-that-no-message-may-show"

local start_server, echo, eventually = told.start, told.echo, told.eventually

describe("realtime", function()
  local lines
  before_each(function()
    lines = {}
    log.to(function(level, line)
      lines[#lines + 1] = level .. ": " .. line
    end)
  end)
  after_each(function()
    log.to(nil)
    assert.are.same({}, lines)
  end)

  describe("with the local Beam", function()
    local local_beam, client
    setup(function()
      local app = serve.new()
      app.realtime("echo", function(_, context)
        return { response = context.json() }
      end)
      app.realtime("text", function(text)
        return text
      end)
      app.realtime("silent", function() end)
      local_beam = assert(app.listen { token = TOKEN, ping = 0.05, pause = 0, log = function() end })
      client = assert(beam.client { gateway = local_beam.url, token = TOKEN, ready_timeout = 5 })
    end)
    teardown(function()
      local_beam:close()
    end)

    it("sends and receives", function()
      local conn = assert(client.realtime "echo")
      assert.are.equal("open", conn.state)
      assert.is_truthy(conn.phase == "open" or conn.phase == "ready")
      assert.is_true(conn:send { event = "Echo this back" })
      assert.are.same({ { response = { event = "Echo this back" } }, nil, "json" }, { conn:receive(5) })
      assert.is_true(conn:send '{"as":"it is"}')
      assert.are.same({ response = { as = "it is" } }, (conn:receive(5)))
      assert.is_true(conn:close())
      assert.are.equal("closed", conn.state)
    end)

    it("takes the target and the options in one table", function()
      local conn = assert(client.realtime { name = "echo", version = "latest", token = TOKEN })
      assert.are.same({ response = { a = 1 } }, (conn:request { a = 1 }))
      conn:close()
    end)

    it("hands on text that is no JSON as it is", function()
      local conn = assert(client.realtime "text")
      conn:send "plain text"
      assert.are.same({ "plain text", nil, "text" }, { conn:receive(5) })
      conn:send '"a JSON string"'
      assert.are.same({ "a JSON string", nil, "json" }, { conn:receive(5) })
      conn:send "null"
      assert.are.same({ beam.null, nil, "json" }, { conn:receive(5) })
      conn:close()
    end)

    it("consumes the app's pings, unless told otherwise", function()
      local conn = assert(client.realtime "silent")
      local message, err = conn:receive(0.2)
      assert.is_nil(message)
      assert.are.equal("timeout", err.kind)
      assert.is_true(conn:stats().app_pings >= 2)
      assert.are.equal(0, conn:stats().received)
      conn:close()
      conn = assert(client.realtime("silent", { heartbeat = false }))
      assert.are.same({ type = "ping" }, (conn:receive(5)))
      conn:close()
    end)

    it("a time-out changes nothing", function()
      local conn = assert(client.realtime "echo")
      local message, err = conn:receive(0.01)
      assert.is_nil(message)
      assert.are.same({ "timeout", "no message from " .. conn.url .. " within 0.01 s", "open" }, { err.kind, err.message, err.phase })
      conn:send { n = 1 }
      assert.are.same({ response = { n = 1 } }, (conn:receive(5)))
      conn:close()
    end)

    it("serves many connections in coroutines", function()
      local tasks = {}
      for i = 1, 20 do
        tasks[i] = beam.spawn(function()
          local conn = assert(client.realtime "echo")
          local sum = 0
          for n = 1, 10 do
            sum = sum + assert(conn:request({ n = n * i }, { timeout = 5 })).response.n
          end
          conn:close()
          return sum
        end)
      end
      for i, task in ipairs(tasks) do
        assert.are.equal(55 * i, task:join(10))
      end
    end)

    it("with a wrong token says so without showing it", function()
      local conn, err = client.realtime("echo", { token = "a-wrong-token" })
      assert.is_nil(conn)
      assert.are.same({ "handshake", "upgrade", 401, "no", false }, { err.kind, err.phase, err.status, err.executed, err.retryable })
      assert.is_nil(tostring(err):find("a-wrong-token", 1, true))
    end)

    it("to what is not deployed says so", function()
      local conn, err = client.realtime "nothing"
      assert.is_nil(conn)
      assert.are.same({ "handshake", "no", false }, { err.kind, err.executed, err.retryable })
    end)
  end)

  describe("with any server", function()
    local server, hooks, client
    before_each(function()
      hooks = { on_message = echo }
      server = start_server(hooks)
      client = beam.client { token = false, ready_timeout = 5 }
    end)
    after_each(function()
      server.close()
    end)

    it("sends and receives bytes", function()
      local conn = assert(client.realtime(server.url))
      assert.is_true(conn:send_binary "\0\255")
      assert.are.same({ "\0\255", nil, "binary" }, { conn:receive(5) })
      conn:close()
    end)

    it("receives what came before the end, then why it ended", function()
      hooks.on_open = function(ws)
        ws:send "1"
        ws:send "2"
        ws:close(4321, "enough")
      end
      local conn = assert(client.realtime(server.url))
      eventually(function()
        return conn.state == "closed"
      end)
      assert.are.same({ 1, 2 }, { (conn:receive()), (conn:receive()) })
      for _ = 1, 2 do
        local message, err = conn:receive()
        assert.is_nil(message)
        assert.are.same({ "closed", 4321, "enough", "unknown", false }, { err.kind, err.code, err.reason, err.executed, err.retryable })
        assert.are.equal(conn.err, err)
      end
      local ok, err = conn:send { late = true }
      assert.is_nil(ok)
      assert.are.same({ "closed", "no", 4321 }, { err.kind, err.executed, err.code })
    end)

    it("iterates over the messages until it is closed", function()
      hooks.on_open = function(ws)
        for i = 1, 100 do
          ws:send(tostring(i))
        end
        ws:close(1000, "")
      end
      local conn = assert(client.realtime(server.url))
      local sum = 0
      for message, kind in conn:messages() do
        assert.are.equal("json", kind)
        sum = sum + message
      end
      assert.are.same({ 5050, "closed", 1000 }, { sum, conn.state, conn.err.code })
    end)

    it("raises in a loop over the messages where it did not end by a close that was meant", function()
      hooks.on_message = function(ws)
        ws:send "1"
        ws:abort(true)
      end
      local conn = assert(client.realtime(server.url, { retry = false }))
      conn:send "and now?"
      local count = 0
      local ok, err = pcall(function()
        for _ in conn:messages() do
          count = count + 1
        end
      end)
      assert.are.same({ false, "closed", 1006, true }, { ok, err.kind, err.code, err == conn.err })
      conn = assert(client.realtime(server.url, { retry = false }))
      conn:close(4000)
      for _ in conn:messages() do
        count = count + 1
      end
      assert.is_true(count <= 1)
    end)

    it("reports a lost connection as 1006, and that a new one may help", function()
      hooks.on_message = function(ws)
        ws:abort(true)
      end
      local conn = assert(client.realtime(server.url, { retry = false }))
      conn:send "and now?"
      local message, err = conn:receive(5)
      assert.is_nil(message)
      assert.are.same({ "closed", 1006, true }, { err.kind, err.code, err.retryable })
    end)

    it("gives each message to one of its readers, and wakes all at the end", function()
      local conn = assert(client.realtime(server.url))
      local sum, count = 0, 0
      local readers = {}
      for i = 1, 3 do
        readers[i] = beam.spawn(function()
          local message, err
          repeat
            message, err = conn:receive()
            sum, count = sum + (message or 0), count + (message and 1 or 0)
          until err
          return err.kind
        end)
      end
      for i = 1, 100 do
        conn:send(tostring(i))
      end
      eventually(function()
        return count == 100
      end)
      conn:close()
      assert.are.equal(5050, sum)
      for i = 1, 3 do
        assert.are.equal("closed", readers[i]:join(5))
      end
    end)

    describe("request", function()
      it("matches answers to requests in order", function()
        local conn = assert(client.realtime(server.url))
        local tasks = {}
        for i = 1, 50 do
          tasks[i] = beam.spawn(conn.request, conn, tostring(i))
        end
        for i, task in ipairs(tasks) do
          assert.are.same({ i, nil, "json" }, { task:join(5) })
        end
        conn:close()
      end)

      it("leaves earlier messages in the inbox", function()
        local conn = assert(client.realtime(server.url))
        conn:send "1"
        eventually(function()
          return conn:stats().inbox == 1
        end)
        assert.are.equal(2, (conn:request "2"))
        assert.are.equal(1, (conn:receive(5)))
        conn:close()
      end)

      it("has a deadline, and drops the answer that comes after it", function()
        local held
        hooks.on_message = function(ws, data)
          if data == "1" then
            held = ws
          else
            held:send "1"
            ws:send(data)
          end
        end
        local conn = assert(client.realtime(server.url))
        local answer, err = conn:request("1", { timeout = 0.05 })
        assert.is_nil(answer)
        assert.are.same({ "timeout", "unknown", false, "open" }, { err.kind, err.executed, err.retryable, err.phase })
        assert.are.equal(2, (conn:request("2", { timeout = 5 })))
        assert.are.same({ 1, 0, 0 }, { conn:stats().late, conn:stats().inbox, conn:stats().waiting_requests })
        conn:close()
      end)

      it("that waited for its turn while it was open does not say that it was not", function()
        local conn = assert(client.realtime(server.url, { rate = 1 }))
        assert(conn:request("1", { timeout = 5 }))
        local answer, err = conn:request("2", { timeout = 0.05 })
        assert.is_nil(answer)
        assert.are.same({ "timeout", "no", "open" }, { err.kind, err.executed, err.phase })
        assert.is_nil(tostring(err):find("not open", 1, true))
        conn:close()
      end)

      it("ends with the connection", function()
        hooks.on_message = function(ws)
          ws:close(1012, "restart")
        end
        local conn = assert(client.realtime(server.url, { retry = false }))
        local answer, err = conn:request { a = 1 }
        assert.is_nil(answer)
        assert.are.same({ "closed", 1012, "unknown", true }, { err.kind, err.code, err.executed, err.retryable })
        answer, err = conn:request { a = 2 }
        assert.is_nil(answer)
        assert.are.same({ "closed", "no" }, { err.kind, err.executed })
        assert.are.equal(0, conn:stats().waiting_requests)
      end)
    end)

    it("takes one message at a time where the inbox holds less than a byte", function()
      local conn = assert(client.realtime(server.url, { inbox = { max_bytes = 0.5 } }))
      assert.are.equal(1, (conn:request "1"))
      conn:close()
    end)

    it("holds the sender back when the inbox is full, and loses nothing", function()
      local total, sent, socket = 3000, 0, nil
      local padding = ("x"):rep(2000)
      hooks.on_open = function(ws)
        socket = ws
      end
      local conn = assert(client.realtime(server.url, { inbox = { max = 10 } }))
      for i = 1, total do
        socket:send(('{"n":%d,"pad":"%s"}'):format(i, padding))
        sent = i
      end
      for _ = 1, 20 do
        beam.step(0.01)
      end
      local waiting = conn:stats().inbox
      assert.is_true(waiting >= 10 and waiting < total / 2, "the inbox holds " .. waiting)
      assert.is_true(socket:pending() > 0)
      for i = 1, sent do
        assert.are.equal(i, assert(conn:receive(5)).n)
      end
      conn:close()
    end)

    local function unchanged(message)
      return message
    end

    for name, transform in pairs { ["as they come"] = false, ["through transforms"] = unchanged } do
      it("keeps no more than the inbox holds while it closes, " .. name, function()
        local total, socket = 3000, nil
        local padding = ("x"):rep(2000)
        hooks.on_open = function(ws)
          socket = ws
        end
        local conn = assert(client.realtime(server.url, { inbox = { max = 10 }, incoming = transform or nil }))
        for i = 1, total do
          socket:send(('{"n":%d,"pad":"%s"}'):format(i, padding))
        end
        conn:close()
        local first = conn:stats().inbox
        assert.is_true(first >= 10 and first <= 30, "the inbox holds " .. first)
        for i = 1, first do
          assert.are.equal(i, assert(conn:receive(5)).n)
        end
        assert.is_nil((conn:receive(5)))
        assert.are.same({ 1, conn:stats().received - first }, { #lines, tonumber(lines[1]:match "(%d+) of the messages") })
        lines = {}
      end)
    end

    it("refuses to let more than max_pending wait for the network", function()
      hooks.on_open = function(ws)
        ws:pause()
      end
      local conn = assert(client.realtime(server.url, { max_pending = 1e6, close_timeout = 0.1 }))
      local chunk, ok, err = ("x"):rep(100000), true, nil
      for _ = 1, 1000 do
        ok, err = conn:send(chunk)
        if not ok then
          break
        end
      end
      assert.is_nil(ok)
      assert.are.same({ "queue_full", "no", true }, { err.kind, err.executed, err.retryable })
      assert.is_true(conn:stats().pending <= 1e6)
      conn:close()
    end)

    describe("close", function()
      it("is heard by the server with its code and reason, and may be called again", function()
        local heard
        hooks.on_closed = function(code, reason)
          heard = { code, reason }
        end
        local conn = assert(client.realtime(server.url))
        assert.is_true(conn:close(4001, "bye"))
        assert.is_true(conn:close())
        assert.are.same({ 4001, "bye" }, heard)
        assert.are.same({ "closed", "closed" }, { conn.state, conn.err.kind })
      end)

      it("works from several coroutines, and ends their waits", function()
        local conn = assert(client.realtime(server.url))
        local reader = beam.spawn(conn.receive, conn)
        local a, b = beam.spawn(conn.close, conn), beam.spawn(conn.close, conn)
        assert.are.same({ true, true }, { a:join(5), (b:join(5)) })
        local message, err = reader:join(5)
        assert.is_nil(message)
        assert.are.equal("closed", err.kind)
      end)

      it("gives up on a peer that does not answer", function()
        hooks.on_open = function(ws)
          ws:pause()
        end
        local conn = assert(client.realtime(server.url, { close_timeout = 0.1 }))
        local start = driver.now()
        assert.is_true(conn:close())
        assert.is_true(driver.now() - start < 2)
        assert.are.equal("closed", conn.state)
      end)

      it("raises for a code that may not be sent", function()
        local conn = assert(client.realtime(server.url))
        assert.is_false((pcall(conn.close, conn, 1006)))
        assert.is_true(conn:close())
      end)

      it("may be asked of all at once", function()
        local codes = {}
        hooks.on_closed = function(code)
          codes[#codes + 1] = code
        end
        local a, b = assert(client.realtime(server.url)), assert(client.realtime(server.url))
        local close_all = require("beam.driver.open").close_all
        assert.are.equal(2, close_all(1001))
        eventually(function()
          return a.state == "closed" and b.state == "closed" and #codes == 2
        end)
        assert.are.equal(0, close_all(1001))
        assert.are.same({ 1001, 1001 }, codes)
      end)

      it("leaves nothing behind", function()
        local seen = setmetatable({}, { __mode = "k" })
        for _ = 1, 20 do
          local conn = assert(client.realtime(server.url, { on_message = function() end }))
          seen[conn], seen[conn.attempt], seen[conn.attempt.ws] = "connection", "attempt", "websocket"
          conn:send "1"
          conn:close()
        end
        beam.step(0.05)
        for _ = 1, 4 do
          collectgarbage()
        end
        local left = {}
        for _, what in pairs(seen) do
          left[what] = (left[what] or 0) + 1
        end
        -- The last one may still stand on a stack.
        assert.is_true((left.connection or 0) <= 1 and (left.attempt or 0) <= 1 and (left.websocket or 0) <= 1)
      end)

      it("is not forgotten when nobody holds the connection any more", function()
        local heard
        hooks.on_closed = function(code)
          heard = code
        end
        assert(client.realtime(server.url))
        collectgarbage()
        collectgarbage()
        eventually(function()
          return heard
        end)
        assert.are.equal(1001, heard)
      end)

      it("is not forgotten though it has transforms that have run", function()
        local heard
        hooks.on_closed = function(code)
          heard = code
        end
        local function ask()
          local conn = assert(client.realtime(server.url, { incoming = tostring, outgoing = tostring }))
          assert.are.equal("7", (conn:request "7"))
        end
        ask()
        eventually(function()
          collectgarbage()
          return heard
        end)
        assert.are.equal(1001, heard)
      end)
    end)

    describe("wait = false", function()
      it("returns at once, and sends what was sent before it is open", function()
        local seen
        hooks.on_open = function(ws)
          ws:send "1"
        end
        local conn = client.realtime(server.url, {
          wait = false,
          on_message = function(message)
            seen = message
          end,
        })
        assert.are.equal("connecting", conn.state)
        assert(conn:send { early = true })
        while not seen do
          beam.step(1)
        end
        assert.are.equal(1, seen)
        conn:close()
      end)

      it("tells on_close why it never opened", function()
        local why
        local conn = client.realtime("ws://127.0.0.1:1/", {
          wait = false,
          retry = false,
          on_close = function(err)
            why = err
          end,
        })
        assert.are.equal("connecting", conn.state)
        beam.run()
        assert.are.equal("connect", why.kind)
        assert.are.equal("closed", conn.state)
      end)
    end)

    describe("handlers", function()
      it("hear everything in order", function()
        local heard = {}
        local function hear(name)
          return function(...)
            local value = ...
            heard[#heard + 1] = { name, type(value) == "table" and (value.kind or value.state) or value, select("#", ...) }
          end
        end
        hooks.on_open = function(ws)
          ws:send "1"
          ws:send "text"
          ws:close(1000, "")
        end
        local conn = assert(client.realtime(server.url, {
          on_open = function(conn)
            heard[#heard + 1] = { "open", tostring(conn):match "^beam.connection" and true }
          end,
          on_message = hear "message",
          on_close = hear "close",
        }))
        beam.run()
        assert.are.same({ { "open", true }, { "message", 1, 3 }, { "message", "text", 3 }, { "close", "closed", 2 } }, heard)
        assert.are.equal("closed", conn.state)
      end)

      it("may wait, send and close", function()
        local conn = assert(client.realtime(server.url))
        local got = {}
        conn:on("message", function(message, c)
          got[#got + 1] = message.n
          beam.sleep(0.005)
          if message.n == 3 then
            c:close()
          else
            c:send { n = message.n + 1 }
          end
        end)
        conn:send { n = 1 }
        beam.run()
        assert.are.same({ 1, 2, 3 }, got)
      end)

      it("that raise are told to on_error, and the rest lives on", function()
        local got, reported = {}, {}
        local conn = assert(client.realtime(server.url, {
          on_message = function(message, c)
            got[#got + 1] = message
            if message == 1 then
              error("handler broke", 0)
            end
            c:close()
          end,
          on_error = function(err)
            reported[#reported + 1] = err.kind .. " " .. err.message
          end,
        }))
        conn:send "1"
        conn:send "2"
        beam.run()
        assert.are.same({ { 1, 2 }, { "script handler broke" } }, { got, reported })
      end)

      it("that raise leave the others of the same event theirs", function()
        local got, reported = {}, {}
        local conn = assert(client.realtime(server.url, {
          on_error = function(err)
            reported[#reported + 1] = err.message
          end,
        }))
        for _, name in ipairs { "message", "close" } do
          for place = 1, 3 do
            conn:on(name, function(value)
              got[#got + 1] = name .. " " .. place
              if place < 3 then
                beam.sleep(0.001)
                error(name .. " broke " .. place, 0)
              elseif value == "go" then
                conn:close()
              end
            end)
          end
        end
        conn:send "hello"
        conn:send "go"
        beam.run()
        local all = { "message 1", "message 2", "message 3" }
        assert.are.same({ all[1], all[2], all[3], all[1], all[2], all[3], "close 1", "close 2", "close 3" }, got)
        local broke = "message broke 1 message broke 2 "
        assert.are.equal(broke .. broke .. "close broke 1 close broke 2", table.concat(reported, " "))
      end)

      it("that raise are logged if there is no on_error", function()
        local conn = assert(client.realtime(server.url))
        conn:on("close", function()
          error("close handler broke", 0)
        end)
        conn:close()
        beam.run()
        assert.are.equal(1, #lines)
        assert.is_truthy(lines[1]:find("error: a handler of a connection failed: script: close handler broke", 1, true))
        lines = {}
      end)

      it("hear of a close that was before them", function()
        local conn = assert(client.realtime(server.url))
        conn:close()
        local heard
        conn:on("close", function(err)
          heard = err.code
        end)
        beam.run()
        assert.are.equal(1000, heard)
      end)

      it("hear what had come before an end that was before them, and then of the end", function()
        local conn = assert(client.realtime(server.url))
        conn:send "first"
        conn:send "second"
        eventually(function()
          return conn:stats().inbox == 2
        end)
        conn:close()
        local heard = {}
        conn:on("message", function(message)
          heard[#heard + 1] = message
        end)
        conn:on("close", function(err)
          heard[#heard + 1] = err.code
        end)
        beam.run()
        assert.are.same({ "first", "second", 1000 }, heard)
        conn:on("close", function()
          heard[4] = "later"
        end)
        beam.run()
        assert.are.equal("later", heard[4])
      end)

      it("take the messages from receive", function()
        local conn = assert(client.realtime(server.url))
        conn:on("message", function() end)
        local ok, err = pcall(conn.receive, conn)
        assert.is_false(ok)
        assert.is_truthy(err:find("conn:receive: the messages go to the message handlers of this connection", 1, true))
        conn:close()
        beam.run()
      end)

      it("hear the phases of an attempt that fails, but no close of what never was open", function()
        hooks.reject = 503
        hooks.body = '{"error":"No compute capacity for GPU type H100"}'
        local phases, closed = {}, false
        local conn, err = client.realtime(server.url, {
          retry = false,
          on_phase = function(phase)
            phases[#phases + 1] = phase
          end,
          on_close = function()
            closed = true
          end,
        })
        assert.is_nil(conn)
        assert.are.same({ "handshake", 503, "no", true }, { err.kind, err.status, err.executed, err.retryable })
        assert.are.same({ error = "No compute capacity for GPU type H100" }, err.body)
        beam.run()
        assert.is_false(closed)
        assert.are.same({ "queued", "waiting", "closed" }, { phases[#phases - 2], phases[#phases - 1], phases[#phases] })
      end)
    end)

    it("in a coroutine may be read where this Lua can wait, and says where it cannot", function()
      hooks.on_open = function(ws)
        ws:send "1"
        ws:close(1000, "")
      end
      local task = beam.spawn(function()
        local conn, sum = assert(client.realtime(server.url)), 0
        for message in conn:messages() do
          sum = sum + message
        end
        return sum
      end)
      local sum, err = task:join(5)
      if err then
        assert.are.equal("Lua 5.1", _VERSION)
        assert.is_truthy(err.hint:find("use while and conn:receive()", 1, true))
      else
        assert.are.equal(1, sum)
      end
    end)

    it("sends further headers and credentials as told", function()
      local seen
      hooks.on_open = function(_, view)
        seen = {}
        for _, pair in ipairs(view.headers) do
          seen[pair[1]] = pair[2]
        end
      end
      local conn = assert(client.realtime(server.url, { headers = { ["X-Mine"] = "yes" }, token = TOKEN, auth = "raw" }))
      assert.are.same({ "yes", TOKEN }, { seen["x-mine"], seen.authorization })
      conn:close()
    end)

    it("waits for the 101 only as long as ready_timeout", function()
      local held = assert(driver.context():server({}, function() end))
      driver.attach()
      local conn, err = client.realtime("ws://127.0.0.1:" .. held:port(), { ready_timeout = 0.1, retry = false })
      assert.is_nil(conn)
      assert.are.same({ "timeout", "upgrade", "no", true }, { err.kind, err.phase, err.executed, err.retryable })
      held:close()
      driver.detach()
    end)

    it("takes little memory while it only waits", function()
      local function used()
        collectgarbage()
        collectgarbage()
        return collectgarbage "count" * 1024
      end
      local count, conns = 100, { assert(client.realtime(server.url)) } -- what is made once
      local before = used()
      for i = 1, count do
        conns[i + 1] = assert(client.realtime(server.url))
      end
      local each = (used() - before) / count -- with the server's end
      for _, conn in ipairs(conns) do
        conn:close()
      end
      assert.is_true(each < 9000, ("%.0f bytes"):format(each))
    end)

    it("closes at the end of its block", function()
      if _VERSION < "Lua 5.4" then
        return
      end
      local heard
      hooks.on_closed = function(code)
        heard = code
      end
      local run = load [[
        local client, url = ...
        local conn <close> = assert(client.realtime(url))
        return conn.state
      ]]
      assert.are.equal("open", run(client, server.url))
      assert.are.equal(1000, heard)
    end)

    it("raises for what cannot be sent", function()
      local conn = assert(client.realtime(server.url))
      for _, value in ipairs { 7, true } do
        assert.is_false((pcall(conn.send, conn, value)))
        assert.is_false((pcall(conn.send_binary, conn, value)))
      end
      local ok, err = conn:send { f = print }
      assert.is_nil(ok)
      assert.are.same({ "json", "no" }, { err.kind, err.executed })
      ok, err = conn:send "\255"
      assert.is_nil(ok)
      assert.are.equal("invalid", err.kind)
      assert.are.equal("open", conn.state)
      conn:close()
    end)
  end)

  it("raises for options that are not there or make no sense", function()
    local client = beam.client { token = false }
    local function message(options)
      local ok, err = pcall(client.realtime, "ws://127.0.0.1:9/", options)
      assert.is_false(ok)
      return (err:gsub("^[^ ]*:%d+: ", ""))
    end
    assert.are.equal("beam.realtime: unknown option 'onmessage'; did you mean 'on_message'?", message { onmessage = print })
    for _, name in ipairs { "retry", "connect", "incoming", "outgoing", "queue", "on_reconnect", "on_stalled", "coalesce", "headers" } do
      assert.are.equal(("beam.realtime: option '%s' cannot be a number"):format(name), message { [name] = 7 })
    end
    for _, name in ipairs { "rate", "max_pending" } do
      assert.are.equal(("beam.realtime: '%s' wants a number above 0"):format(name), message { [name] = -1 })
    end
    for _, name in ipairs { "ready_after", "idle_timeout", "close_timeout", "stalled" } do
      assert.are.equal(("beam.realtime: '%s' wants a number of seconds above 0, not -1"):format(name), message { [name] = -1 })
    end
    for _, name in ipairs { "retry", "queue", "stalled" } do
      assert.are.equal(("beam.realtime: option '%s' cannot be true"):format(name), message { [name] = true })
    end
    for _, bytes in ipairs { 0, 1.5, 2 ^ 60, 0 / 0 } do
      assert.are.equal("beam.realtime: 'max_message' wants a whole number of bytes, at least 1", message { max_message = bytes })
    end
    assert.are.equal("beam: headers are a table {name = value}", message { headers = { "x" } })
    assert.are.equal("beam.realtime, inbox: unknown option 'mx'; did you mean 'max'?", message { inbox = { mx = 1 } })
    assert.are.equal("beam.realtime, queue: 'overflow' is error, wait, drop_oldest or drop_newest", message { queue = { overflow = "?" } })
    assert.is_truthy(message({ heartbeat = { ping = 1 } }):find("beam.realtime, heartbeat: unknown option 'ping'", 1, true))
    assert.are.equal("beam.realtime: 'heartbeat.dead_after' wants a number of seconds above 0, not 0", message { heartbeat = { dead_after = 0 } })
    assert.are.equal("beam.realtime: 'stalled.handler' wants a number of seconds above 0, not a string", message { stalled = { handler = "x" } })
  end)

  it("connects to nobody", function()
    local server = start_server {}
    server.close()
    local conn, err = beam.client({ token = false }).realtime(server.url, { retry = false })
    assert.is_nil(conn)
    assert.are.same({ "connect", "tcp", "no", true }, { err.kind, err.phase, err.executed, err.retryable })
  end)
end)
