-- beam.core against a server of its own: HTTP, WebSockets, requests, and what becomes of them at close, error and collection.
local core = require "beam.core"
local lfs = require "lfs"

local unpack = table.unpack or unpack

local function noop() end

local function collect()
  collectgarbage()
  collectgarbage()
end

local function run(ctx, done)
  local deadline = ctx:now() + 5
  while not done() do
    assert(ctx:now() < deadline, "nothing happened for five seconds")
    ctx:step(0.05)
  end
end

local function is_over(...)
  local value, err = ...
  assert.equal(2, select("#", ...))
  assert.is_nil(value)
  assert.equal("closed", err.kind)
end

local function header(headers, name)
  for _, pair in ipairs(headers) do
    if pair[1] == name then
      return pair[2]
    end
  end
end

-- How many descriptors this process holds, the one that lists them included.
local function descriptors()
  local count = 0
  for name in lfs.dir("/proc/self/fd") do
    count = count + (tonumber(name) and 1 or 0)
  end
  return count
end

-- Records every event as {name, ...}; `last` is the terminal one.
local function recorder(terminal)
  local events = { names = {} }
  return events, function(name, ...)
    events[#events + 1] = { name, n = select("#", ...), ... }
    events.names[#events] = name
    if name == terminal then
      assert(not events.last, "a second terminal event")
      events.last = events[#events]
    end
  end
end

describe("beam.core", function()
  local ctx

  before_each(function()
    ctx = assert(core.new())
  end)

  after_each(function()
    ctx:close()
    collect()
  end)

  local function serve(on_request, on_gone)
    local server = assert(ctx:server({}, on_request, on_gone))
    return server, "http://127.0.0.1:" .. server:port()
  end

  -- One exchange to its end: err, response, events.
  local function exchange(options)
    local events, record = recorder("done")
    local http = assert(ctx:http(options, record))
    run(ctx, function()
      return events.last
    end)
    assert.equal(2, events.last.n)
    assert.equal("beam.http (over)", tostring(http))
    return events.last[2], events.last[3], events
  end

  describe("an exchange", function()
    it("carries method, target, headers and any bytes both ways", function()
      local bytes = "\0\r\n\255" .. ("x"):rep(100000)
      local view
      local _, url = serve(function(request, seen)
        view = seen
        assert.is_true(request:respond(201, { { "X-Answer", "yes" }, { "x-twice", "1" }, { "x-twice", "2" } }, seen.body))
      end)
      local err, response = exchange { url = url .. "/path?query=1", method = "PUT", headers = { { "X-Question", "why" } }, body = bytes }
      assert.is_nil(err)
      assert.equal(201, response.status)
      assert.equal(bytes, response.body)
      assert.equal("yes", header(response.headers, "x-answer"))
      assert.equal("1", header(response.headers, "x-twice"))
      assert.equal("PUT", view.method)
      assert.equal("/path?query=1", view.target)
      assert.equal("why", header(view.headers, "x-question"))
      assert.equal(bytes, view.body)
      assert.is_false(view.upgrade)
    end)

    it("has a body even when it is empty", function()
      local _, url = serve(function(request)
        request:respond(200)
      end)
      local err, response = exchange { url = url }
      assert.is_nil(err)
      assert.equal("", response.body)
    end)

    it("hands on a streamed response piece by piece", function()
      local _, url = serve(function(request)
        assert.is_true(request:stream_begin(200, { { "content-type", "text/plain" } }))
        assert.equal("beam.request (streaming)", tostring(request))
        assert.equal("invalid", select(2, request:respond(200)).kind)
        assert.is_true(request:stream_write("one "))
        ctx:timer(0.02, function()
          assert.is_true(request:stream_write("two"))
          assert.is_true(request:stream_end())
          is_over(request:stream_write("three"))
          is_over(request:stream_end())
        end)
      end)
      local err, response, events = exchange { url = url, stream = true }
      assert.is_nil(err)
      assert.is_nil(response.body)
      assert.equal("headers", events[1][1])
      assert.equal(200, events[1][2])
      assert.equal("text/plain", header(events[1][3], "content-type"))
      local body = ""
      for i = 2, #events - 1 do
        assert.equal("data", events[i][1])
        body = body .. events[i][2]
      end
      assert.equal("one two", body)
    end)

    it("says how long each part took", function()
      local waiting
      local _, url = serve(function(request)
        waiting = ctx:timer(0.05, function()
          request:respond(200, {}, "x")
        end)
      end)
      local _, response = exchange { url = url }
      assert.is_truthy(waiting)
      local times = response.times
      assert.is_true(times.wait >= 0.049 and times.wait < 2, times.wait)
      assert.is_true(times.tcp > 0 and times.tcp < 2)
      assert.equal(0, times.tls)
      assert.is_true(times.dns >= 0 and times.body >= 0)
      local sum = times.queued + times.dns + times.tcp + times.tls + times.wait + times.body
      assert.is_true(math.abs(sum - times.total) < 1e-6, sum .. " of " .. times.total)
      _, response = exchange { url = url }
      assert.same({ 0, 0 }, { response.times.dns, response.times.tcp }) -- over the same connection
    end)

    it("tells the time in the queue from the server's", function()
      local requests, ends = {}, {}
      local _, url = serve(function(request)
        requests[#requests + 1] = request
      end)
      for i = 1, 257 do -- one more than go at a time
        assert(ctx:http({ url = url, headers = { { "number", tostring(i) } } }, function(_, err, response)
          assert.is_nil(err)
          ends[#ends + 1] = response.times
        end))
      end
      run(ctx, function()
        return #requests == 256
      end)
      local answered
      ctx:timer(0.1, function()
        answered = ctx:now()
        for _, request in ipairs(requests) do
          request:respond(200, {}, "x")
        end
      end)
      run(ctx, function()
        return answered and #requests == 257
      end)
      requests[257]:respond(200, {}, "x")
      run(ctx, function()
        return #ends == 257
      end)
      local first, last, since = ends[1], ends[257], ctx:now() - answered
      assert.is_true(last.queued >= 0.1 and last.wait <= since, last.queued .. ", " .. last.wait .. " of " .. since)
      assert.is_true(first.wait >= 0.1 and first.queued < last.queued, first.queued .. ", " .. first.wait)
    end)

    it("is repeated over the same connection, with new answers and nothing left of the ones before", function()
      local count, seen = 0, {}
      local server, url = serve(function(request, view)
        count = count + 1
        seen[count] = view.method .. view.body
        request:respond(count == 3 and 404 or 200, { { "x-task-id", "task " .. count } }, ("x"):rep(count == 2 and 100000 or count))
      end)
      local ends, http, again = {}, nil, nil
      http = assert(ctx:http({ url = url, body = "{}", repeats = true }, function(event, err, status, body, id, ...)
        assert.equal("done", event)
        local response = http:answer()
        ends[#ends + 1] = { err or false, status, body, id, response.status, response.body, header(response.headers or {}, "x-task-id"), ... }
        if #ends == 1 then
          again = http:again() -- within its event
        end
      end))
      run(ctx, function()
        return #ends == 2
      end)
      assert.is_true(again)
      assert.is_nil(http:answer()) -- outside of it
      for i = 3, 5 do
        assert.is_true(http:again())
        assert.equal("invalid", select(2, http:again()).kind) -- it runs
        run(ctx, function()
          return #ends == i
        end)
      end
      for i, body in ipairs { "x", ("x"):rep(100000), "xxx", "xxxx", "xxxxx" } do
        local status, queued, dns, tcp, tls, wait, rest, total = i == 3 and 404 or 200, unpack(ends[i], 8)
        assert.same({ false, status, body, "task " .. i, status, body, "task " .. i }, { unpack(ends[i], 1, 7) })
        assert.is_true(math.abs(queued + dns + tcp + tls + wait + rest - total) < 1e-6)
        assert.is_true(i == 1 and tcp > 0 or tcp == 0)
        assert.equal("POST{}", seen[i])
      end
      server:close()
      assert.is_true(http:again())
      run(ctx, function()
        return #ends == 6
      end)
      assert.equal("connect", ends[6][1].kind)
      assert.equal("invalid", select(2, http:again()).kind)
      http:free()
      is_over(http:again())
      assert.is_false(pcall(ctx.http, ctx, { url = url, repeats = true, stream = true }, noop))
    end)

    it("is counted and repeated by itself as long as nothing is remarkable, up to what is allowed", function()
      local asked, events, bodies = 0, {}, {}
      local _, url = serve(function(request)
        asked = asked + 1
        local headers = asked == 12 and { { "x-task-id", "task" } } or {}
        ctx:timer(0.003, function()
          request:respond(asked == 8 and 503 or 200, headers, asked == 10 and "other" or "same")
        end)
      end)
      local counter = core.counter()
      assert.is_false(counter:claim())
      counter:allow(20)
      counter:know "same"
      assert.is_true(counter:claim())
      local http
      http = assert(ctx:http({ url = url, repeats = true }, function(_, err, status, body, task_id)
        events[#events + 1] = asked
        bodies[#bodies + 1] = ("%s %d %s %s"):format(tostring(err), status, body, tostring(task_id))
        if counter:claim() then
          assert.is_true(http:again())
        end
      end, counter))
      run(ctx, function()
        return asked == 20 and #events == 4
      end)
      assert.same({ 8, 10, 12, 20 }, events) -- of the last one nothing may follow, which is an event too
      assert.same({ "nil 503 same nil", "nil 200 other nil", "nil 200 same task", "nil 200 same nil" }, bodies)
      local taken = counter:take()
      assert.same({ 16, 64, 1, 0 }, { taken.count, taken.bytes, taken.connections, taken.allowed })
      local total, buckets = taken.parts.total, 0
      assert.same({ 16, 16, 1 }, { total.count, taken.parts.wait.count, taken.parts.tcp.count })
      for i = 2, #total, 2 do
        buckets = buckets + total[i]
      end
      assert.equal(16, buckets)
      assert.is_true(total.least >= 0.001 and total.least <= total.sum / 16 and total.sum / 16 <= total.most)
      assert.same({ 0, 0, 0 }, { counter:take().count, #counter:take().parts.total, counter:take().parts.total.sum })
      http:free()
      assert.is_false(pcall(ctx.http, ctx, { url = url }, noop, counter))
      assert.is_false(pcall(ctx.http, ctx, { url = url, repeats = true }, noop, {}))
    end)

    it("is counted in the buckets that the histogram of Lua has", function()
      local histogram = require "beamlua.load.histogram"
      local pauses = { 0, 0.004, 0.02, 0.15 }
      for _, pause in ipairs(pauses) do
        local counter, done = core.counter(), 0
        local _, url = serve(function(request)
          ctx:timer(pause, function()
            request:respond(200, {}, "x")
          end)
        end)
        counter:know(true)
        counter:allow(1)
        assert(ctx:http({ url = url, repeats = true }, function()
          done = done + 1
        end, counter))
        run(ctx, function()
          return done == 1
        end)
        local total = counter:take().parts.total
        local bounded = histogram.new()
        bounded:absorb(total)
        assert.same({ 1, total.sum, total.sum }, { bounded.count, bounded.least, bounded.most })
        assert.is_true(math.abs(histogram.middle(total[1]) - total.sum) <= total.sum / 2048 + 1e-6, histogram.middle(total[1]) .. " " .. total.sum)
      end
    end)

    it("shows its heads to a log that wants them, without secrets", function()
      local lines = {}
      ctx:close()
      ctx = assert(core.new {
        log_level = "debug",
        log = function(_, line)
          lines[#lines + 1] = line
        end,
      })
      local _, url = serve(function(request)
        request:respond(200, { { "Set-Cookie", "s3cret" }, { "X-Seen", "yes" } }, "x")
      end)
      exchange {
        url = url .. "/path?auth_token=s3cret",
        auth = { scheme = "bearer", secret = "s3cret" },
        headers = { { "X-Mine", "1" }, { "Cookie", "s3cret" }, { "X-API-Key", "s3cret" } },
      }
      local text = table.concat(lines, "\n") .. "\n"
      assert.is_nil(text:find("s3cret", 1, true))
      for _, line in ipairs {
        "> GET /path? [hidden]\n",
        "> Authorization: [hidden]\n",
        "> Cookie: [hidden]\n",
        "> X-API-Key: [hidden]\n",
        "> X-Mine: 1\n",
        "< HTTP/1.1 200 OK\n",
        "< set-cookie: [hidden]\n",
        "< x-seen: yes\n",
      } do
        assert.is_truthy(text:lower():find(line:lower(), 1, true), line .. text)
      end
    end)

    it("that fails says where, and has no response", function()
      local server, url = serve(noop)
      server:close()
      local err, response = exchange { url = url }
      assert.equal("connect", err.kind)
      assert.equal("tcp", err.phase)
      assert.equal(url:match("//(.*)"), err.host)
      assert.is_false(err.sent)
      assert.same({}, response)
    end)

    it("ends by its time-out though nobody answers", function()
      local _, url = serve(noop)
      local err = exchange { url = url, timeout = 0.05 }
      assert.equal("timeout", err.kind)
      assert.is_true(err.sent)
    end)

    it("can be given back at any time, from its own event too", function()
      local _, url = serve(function(request)
        request:stream_begin(200)
        request:stream_write("piece")
      end)
      local events, http = {}, nil
      http = ctx:http({ url = url, stream = true }, function(name)
        events[#events + 1] = name
        http:free()
        http:free()
        is_over(http:pause())
      end)
      run(ctx, function()
        return events[1]
      end)
      ctx:step(0.05)
      assert.same({ "headers" }, events)
    end)

    it("goes on though nobody holds it, then keeps nothing", function()
      local _, url = serve(function(request)
        request:respond(200, nil, "kept")
      end)
      local weak, body = setmetatable({}, { __mode = "k" }), nil
      do
        local fn = function(_, _, response)
          body = response.body
        end
        weak[fn] = true
        weak[assert(ctx:http({ url = url }, fn))] = true
      end
      collect()
      run(ctx, function()
        return body
      end)
      collect()
      assert.equal("kept", body)
      assert.is_nil(next(weak))
    end)
  end)

  describe("a request", function()
    it("may be answered later, once", function()
      local waiting
      local _, url = serve(function(request)
        waiting = request
        ctx:timer(0.02, function()
          assert.equal("beam.request (waiting)", tostring(request))
          assert.equal("invalid", select(2, request:respond(200, { { "x-a", "b\r\nx-c: d" } })).kind)
          assert.is_true(request:respond(204))
          is_over(request:respond(200))
        end)
      end)
      local _, response = exchange { url = url }
      assert.equal(204, response.status)
      assert.equal(0, waiting:pending())
      assert.equal("beam.request (over)", tostring(waiting))
    end)

    it("whose function raises is answered 500, and step raises the error", function()
      local _, url = serve(function()
        error("handler broke")
      end)
      local events, record = recorder("done")
      ctx:http({ url = url }, record)
      local failures = {}
      run(ctx, function()
        local ok, err = pcall(ctx.step, ctx, 0.01)
        failures[#failures + 1] = not ok and err or nil
        return events.last
      end)
      assert.equal(1, #failures)
      assert.is_truthy(failures[1]:find("handler broke", 1, true))
      assert.equal(500, events.last[3].status)
    end)

    it("whose client leaves is handed to on_gone, and is over then", function()
      local asked, left
      local _, url = serve(function(request)
        asked = request
      end, function(request)
        left = request
        is_over(request:respond(200))
      end)
      local http = ctx:http({ url = url }, noop)
      run(ctx, function()
        return asked
      end)
      http:free()
      run(ctx, function()
        return left
      end)
      assert.equal(asked, left)
      is_over(left:abort())
    end)

    it("ends with its server, which others survive", function()
      local requests = {}
      local server, url = serve(function(request)
        requests[#requests + 1] = request
      end)
      local events, record = recorder("done")
      ctx:http({ url = url }, record)
      run(ctx, function()
        return requests[1]
      end)
      server:close()
      server:close()
      is_over(server:port())
      is_over(requests[1]:respond(200))
      assert.equal("beam.server (closed)", tostring(server))
      run(ctx, function()
        return events.last
      end)
      assert.is_table(events.last[2])
    end)

    it("can be aborted", function()
      local _, url = serve(function(request)
        request:abort(true)
        is_over(request:abort())
      end)
      local err = exchange { url = url }
      assert.equal("http", err.kind)
    end)

    it("is checked like all else", function()
      local failures = {}
      local _, url = serve(function(request)
        for _, call in ipairs {
          function()
            request:respond("200")
          end,
          function()
            request:respond(99)
          end,
          function()
            request:respond(200, { ["x-a"] = "b" })
          end,
          function()
            request:respond(200, nil, 12)
          end,
          function()
            request:accept({ url = "ws://localhost" }, noop)
          end,
        } do
          failures[#failures + 1] = select(2, pcall(call))
        end
        failures[#failures + 1] = select(2, request:accept({}, noop)).kind
        request:respond(200)
      end)
      exchange { url = url }
      assert.equal(6, #failures)
      assert.is_truthy(failures[1]:find("number expected", 1, true) or failures[1]:find("whole number", 1, true), failures[1])
      assert.is_truthy(failures[2]:find("200 to 999", 1, true), failures[2])
      assert.is_truthy(failures[3]:find("pairs", 1, true), failures[3])
      assert.is_truthy(failures[4]:find("string expected", 1, true), failures[4])
      assert.is_truthy(failures[5]:find("unknown option 'url'; known are headers", 1, true), failures[5])
      assert.equal("invalid", failures[6])
    end)
  end)

  describe("a websocket", function()
    -- A server whose WebSockets record into `accepted`; hooks: name of an event -> function(socket, ...).
    local function serve_websockets(hooks, options)
      local accepted = {}
      local _, url = serve(function(request, view)
        assert.is_true(view.upgrade)
        local events, record = recorder("closed")
        local socket
        socket = assert(request:accept(options or {}, function(name, ...)
          record(name, ...)
          if hooks and hooks[name] then
            hooks[name](socket, ...)
          end
        end))
        events.socket = socket
        accepted[#accepted + 1] = events
      end)
      return url:gsub("^http", "ws"), accepted
    end

    local function connect(options)
      local events, record = recorder("closed")
      events.socket = assert(ctx:websocket(options, record))
      return events
    end

    local function opened(options)
      local events = connect(options)
      run(ctx, function()
        return events.last or events.socket:phase() == "open"
      end)
      assert.is_nil(events.last)
      return events
    end

    local echo = {
      message = function(socket, data, binary)
        assert.is_true(binary and socket:send_binary(data) or socket:send(data))
      end,
    }

    it("goes through its phases to open, echoes text and binary, and closes both ways", function()
      local url, accepted = serve_websockets(echo, { headers = { { "X-Greeting", "hello" } } })
      local events = opened { url = url }
      local phases, open = {}, nil
      for _, event in ipairs(events) do
        phases[#phases + 1] = event[1] == "phase" and event[2] or nil
        open = event[1] == "open" and event or open
      end
      assert.same({ "dns", "tcp", "upgrade", "open" }, phases)
      assert.equal(101, open[2])
      assert.equal("hello", header(open[3], "x-greeting"))
      assert.equal("beam.websocket (open)", tostring(events.socket))
      local count = #events
      assert.is_true(events.socket:send("text é"))
      assert.is_true(events.socket:send_binary("\0\255"))
      assert.is_true(events.socket:send(""))
      run(ctx, function()
        local messages = 0
        for _, name in ipairs(events.names) do
          messages = messages + (name == "message" and 1 or 0)
        end
        return messages == 3
      end)
      local messages = {}
      for i = count + 1, #events do
        if events[i][1] == "message" then
          messages[#messages + 1] = { events[i][2], events[i][3] }
        end
      end
      assert.same({ { "text é", false }, { "\0\255", true }, { "", false } }, messages)
      assert.is_true(events.socket:close(4001, "bye"))
      run(ctx, function()
        return events.last and accepted[1].last
      end)
      assert.equal(4001, accepted[1].last[2])
      assert.equal("bye", accepted[1].last[3])
      assert.is_nil(accepted[1].last[4])
      assert.equal(4001, events.last[2])
      assert.is_nil(events.last[4])
      assert.is_nil(events.last[5])
      assert.equal("beam.websocket (closed)", tostring(events.socket))
      is_over(events.socket:send("late"))
      is_over(events.socket:close())
      assert.equal("closed", events.socket:phase())
      assert.equal(0, events.socket:pending())
      assert.same({ 0, 0, 0, 0, 0 }, { events.socket:progress() })
      events.socket:free()
    end)

    it("that is rejected brings the answer", function()
      local _, url = serve(function(request)
        request:respond(401, { { "content-type", "application/json" } }, '{"message":"Unauthorized"}')
      end)
      local events = connect { url = (url:gsub("^http", "ws")), auth = { scheme = "bearer", secret = "hush" } }
      run(ctx, function()
        return events.last
      end)
      local _, code, reason, err, response = unpack(events.last, 1, 5)
      assert.equal(1006, code)
      assert.equal("", reason)
      assert.equal("handshake", err.kind)
      assert.equal("upgrade", err.phase)
      assert.equal(401, err.status)
      assert.is_nil(err.message:find("hush", 1, true))
      assert.equal(401, response.status)
      assert.equal("application/json", header(response.headers, "content-type"))
      assert.equal('{"message":"Unauthorized"}', response.body)
    end)

    it("refuses what cannot be sent", function()
      local url = serve_websockets(echo)
      local events = connect { url = url }
      is_over(events.socket:send("too early"))
      run(ctx, function()
        return events.socket:phase() == "open"
      end)
      local sent, err = events.socket:send("\255")
      assert.is_nil(sent)
      assert.equal("invalid", err.kind)
      assert.is_truthy(err.message:find("UTF-8", 1, true))
      assert.equal("invalid", select(2, events.socket:ping(("x"):rep(126))).kind)
      assert.equal("invalid", select(2, events.socket:close(1005)).kind)
      assert.equal("invalid", select(2, events.socket:close(1000, ("x"):rep(124))).kind)
      assert.is_false((pcall(events.socket.send, events.socket, 12)))
      assert.is_false((pcall(events.socket.send, events.socket)))
      assert.is_false((pcall(events.socket.close, events.socket, 1000, "a\0b")))
      assert.is_false((pcall(events.socket.close, events.socket, 1000.5)))
      assert.is_false((pcall(events.socket.close, events.socket, 70000)))
      assert.equal("open", events.socket:phase())
    end)

    it("pings, and says so on both sides", function()
      local url, accepted = serve_websockets()
      local events = opened { url = url }
      assert.is_true(events.socket:ping("are you there"))
      run(ctx, function()
        return events.names[#events] == "pong"
      end)
      assert.equal("are you there", events[#events][2])
      assert.equal("are you there", accepted[1][#accepted[1]][2])
    end)

    it("hands on fragments for those who ask", function()
      local text = ("é"):rep(200000)
      local url = serve_websockets(echo)
      local events = opened { url = url, fragments = true }
      local from = #events
      events.socket:send(text)
      run(ctx, function()
        return events[#events][5] == true
      end)
      local whole, first = {}, 0
      for i = from + 1, #events do
        if events[i][1] == "fragment" then
          whole[#whole + 1] = events[i][2]
          first = first + (events[i][4] and 1 or 0)
          assert.is_false(events[i][3])
        end
      end
      assert.equal(text, table.concat(whole))
      assert.equal(1, first)
    end)

    it("holds back what comes while it is paused", function()
      local url = serve_websockets {
        message = function(socket, count)
          for i = 1, tonumber(count) do
            socket:send(tostring(i))
          end
        end,
      }
      local events = opened { url = url }
      events.socket:pause()
      local from = #events
      events.socket:send("100")
      ctx:step(0.05)
      ctx:step(0.05)
      for i = from + 1, #events do
        assert.not_equal("message", events[i][1])
      end
      events.socket:resume()
      run(ctx, function()
        return events[#events][2] == "100"
      end)
    end)

    it("lost without a close frame is 1006", function()
      local url, accepted = serve_websockets {
        message = function(socket)
          socket:abort()
        end,
      }
      local events = opened { url = url }
      events.socket:send("go")
      run(ctx, function()
        return events.last and accepted[1].last
      end)
      assert.equal(1006, events.last[2])
      assert.equal("closed", events.last[4].kind)
    end)

    it("over the bound is closed with 1009", function()
      local url, accepted = serve_websockets(echo, { max_message = 1000 })
      local events = opened { url = url }
      events.socket:send(("x"):rep(1001))
      run(ctx, function()
        return events.last and accepted[1].last
      end)
      assert.equal(1009, events.last[2])
      assert.equal("too_large", accepted[1].last[4].kind)
    end)

    it("survives errors in its event function", function()
      local url = serve_websockets(echo)
      local got, socket = {}, nil
      socket = assert(ctx:websocket({ url = url }, function(name, data)
        if name == "open" then
          socket:send("one")
          socket:send("two")
        elseif name == "message" then
          got[#got + 1] = data
          error("no " .. data)
        end
      end))
      local errors, deadline = {}, ctx:now() + 5
      while #got < 2 and ctx:now() < deadline do
        local ok, err = pcall(ctx.step, ctx, 0.05)
        errors[#errors + 1] = not ok and err:match("no %w+") or nil
      end
      assert.same({ "one", "two" }, got)
      assert.equal("no one", errors[1])
      assert.equal("open", socket:phase())
    end)

    it("can be given back in every event", function()
      local url, accepted = serve_websockets(echo)
      for _, at in ipairs { "phase", "open", "message", "closed" } do
        local seen, socket = {}, nil
        socket = assert(ctx:websocket({ url = url }, function(name)
          seen[#seen + 1] = name
          if name == at then
            socket:free()
            is_over(socket:send("late"))
          elseif name == "open" then
            socket:send("message")
          elseif name == "message" then
            socket:close(1000)
          end
        end))
        run(ctx, function()
          return seen[#seen] == at
        end)
        ctx:step(0.02)
        assert.equal(at, seen[#seen])
      end
      run(ctx, function()
        local ended = 0
        for _, events in ipairs(accepted) do
          ended = ended + (events.last and 1 or 0)
        end
        return ended == #accepted
      end)
    end)

    it("given back while open says 1001", function()
      local url, accepted = serve_websockets(echo)
      local events = opened { url = url }
      events.socket:free()
      run(ctx, function()
        return accepted[1].last
      end)
      assert.equal(1001, accepted[1].last[2])
      assert.is_nil(events.last)
    end)

    it("lives though nobody holds it, then keeps nothing", function()
      local url = serve_websockets(echo)
      local weak, last = setmetatable({}, { __mode = "k" }), nil
      do
        local fn = function(name)
          last = name
        end
        local socket = assert(ctx:websocket({ url = url }, fn))
        weak[fn] = true
        run(ctx, function()
          return last == "open"
        end)
        socket:send("first")
      end
      collect()
      run(ctx, function()
        return last == "message"
      end)
      assert.is_function((next(weak)))
      ctx:step(0.01)
      for fn in pairs(weak) do
        assert.is_function(fn)
      end
      ctx:close()
      collect()
      assert.is_nil(next(weak))
    end)

    it("may be collected in any order with its context", function()
      for order = 1, 6 do
        local own = core.new()
        local server = own:server({}, function(request)
          request:accept({}, noop)
        end)
        local open
        local socket = own:websocket({ url = "ws://127.0.0.1:" .. server:port() }, function(name)
          open = open or name == "open"
        end)
        run(own, function()
          return open
        end)
        local objects = { own, server, socket } -- luacheck: ignore
        own, server, socket = nil, nil, nil -- luacheck: ignore
        local first = (order - 1) % 3 + 1
        objects[first] = nil
        collect()
        objects[(first + (order > 3 and 1 or 0)) % 3 + 1] = nil
        collect()
      end
    end)

    it("works under a collector that never rests", function()
      local rest = require "restless_collector"()
      local url, accepted = serve_websockets(echo)
      local replies = 0
      for i = 1, 20 do
        local socket
        socket = ctx:websocket({ url = url, headers = { { "x-number", tostring(i) } } }, function(name)
          collectgarbage("step")
          if name == "open" then
            socket:send("question " .. i)
          elseif name == "message" then
            replies = replies + 1
            socket:close(1000)
          end
        end)
      end
      run(ctx, function()
        collectgarbage()
        local ended = 0
        for _, events in ipairs(accepted) do
          ended = ended + (events.last and 1 or 0)
        end
        return replies == 20 and ended == 20
      end)
      rest()
    end)

    it("ends with a context closed in its event", function()
      local url = serve_websockets(echo)
      local events
      events = opened { url = url }
      local seen = 0
      local second
      second = assert(ctx:websocket({ url = url }, function(name)
        seen = seen + 1
        if name == "open" then
          ctx:close()
          is_over(second:send("late"))
          is_over(events.socket:send("late"))
        end
      end))
      for _ = 1, 200 do
        if not ctx:step(0.01) then
          break
        end
      end
      local count = seen
      is_over(ctx:step())
      assert.equal(count, seen)
      assert.is_nil(events.last)
    end)

    it("comes and goes a thousand times without a trace", function()
      local _, url = serve(function(request)
        request:accept({}, noop)
      end)
      url = url:gsub("^http", "ws")
      local function cycle()
        local closed, socket
        socket = assert(ctx:websocket({ url = url }, function(name)
          if name == "open" then
            socket:close(1000)
          end
          closed = closed or name == "closed"
        end))
        run(ctx, function()
          return closed
        end)
      end
      local function settle()
        ctx:step(0.02)
        ctx:step(0.02)
        collect()
        return descriptors(), collectgarbage("count")
      end
      for _ = 1, 50 do
        cycle()
      end
      local before, memory = settle()
      for _ = 1, 1000 do
        cycle()
      end
      local after, memory_after = settle()
      assert.is_true(after <= before, after - before) -- fewer, if the collector closed somebody else's
      assert.is_true(memory_after < memory + 200, memory_after - memory)
    end)
  end)

  it("makes and closes hundreds of contexts without a trace", function()
    local function cycle()
      local own, done = core.new(), nil
      local server = own:server({}, function(request)
        request:respond(200)
      end)
      own:http({ url = "http://127.0.0.1:" .. server:port() }, function()
        done = true
      end)
      run(own, function()
        return done
      end)
      own:close()
    end
    for _ = 1, 5 do
      cycle()
    end
    collect()
    local before, memory = descriptors(), collectgarbage("count")
    for _ = 1, 200 do
      cycle()
    end
    collect()
    assert.is_true(descriptors() <= before)
    assert.is_true(collectgarbage("count") < memory + 100)
  end)
end)
