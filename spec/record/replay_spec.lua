-- A recording that is played again: the same bytes for a client that does the same, and a report of who does not.
local record = require "beam.record"
local recorded = require "recorded"
local driver = require "beam.driver"
local recording = require "beam.recording"
local replay = require "beam.replay"

local kept -- one recording of the session with faults, and what its client saw
local files = {}

local function session_file()
  if not kept then
    local path, seen = recorded.faulty()
    kept = { path = path, seen = seen }
    files[#files + 1] = path
  end
  return kept.path, kept.seen
end

-- Plays a recording to run(client). Returns the report, and what run returned.
local function play(path, run, options)
  options = options or {}
  options.speed, options.patience, options.linger = options.speed or math.huge, options.patience or 10, options.linger or 0.05
  local server = assert(replay.listen(path, options))
  local task = driver.spawn(run, recorded.client(server.url), server)
  local report = server:wait()
  return report, task:join(5)
end

local function changed(change)
  return function(client)
    return recorded.session(client, change)
  end
end

-- Records run(client) against a local Beam, and plays it to `again` (default: the same).
local function round(run, again, options)
  local path, seen = recorded.make(run)
  files[#files + 1] = path
  local report, seen_again = play(path, again or run, options)
  return report, seen, seen_again
end

local from_server = { open = true, received = true, closed = true, answer = true, piece = true, done = true }

-- What the server sent in each exchange, each byte of it.
local function sent_by_server(path)
  local result = {}
  for _, event in ipairs(assert(recording.read(path)).events) do
    local name = event.connection and "connection " .. event.connection or "request " .. event.request
    local list = result[name] or {}
    result[name] = list
    if event.event == "piece" and list.pieces then
      list.pieces.data = list.pieces.data .. event.data -- TCP may cut them elsewhere
    elseif from_server[event.event] then
      local headers = {}
      for _, pair in ipairs(event.headers or {}) do
        headers[#headers + 1] = pair[1] .. ": " .. pair[2]
      end
      local words = { event.event, event.status or event.code or "", event.reason or "", event.error or "", table.concat(headers, "\n") }
      table.insert(list, { head = table.concat(words, "|"), data = event.data, binary = event.binary })
      list.pieces = event.event == "piece" and list[#list] or nil
    end
  end
  return result
end

local function write(events)
  local path = os.tmpname()
  files[#files + 1] = path
  local file = assert(io.open(path, "wb"))
  file:write(recording.header("0", "now"))
  for _, event in ipairs(events) do
    event.host, event.headers = event.host or event.target and "h", event.headers or (event.status or event.target) and {} or nil
    file:write(recording.line(event))
  end
  file:close()
  return path
end

describe("a replay", function()
  teardown(function()
    for _, path in ipairs(files) do
      os.remove(path)
    end
  end)

  it("gives the same client the same, to the byte", function()
    local path, seen = session_file()
    local second = os.tmpname()
    files[#files + 1] = second
    local writer = assert(record.to(second))
    local report, seen_again = play(path, recorded.session)
    writer:stop()
    assert.same({ true, {}, 2, 3 }, { report.ok, report.differences, report.connections, report.requests })
    assert.equal(seen, seen_again)
    assert.same(sent_by_server(path), sent_by_server(second))
    assert.is_truthy(tostring(report):find "^2 connections and 3 requests played, 9 messages compared: no difference")
  end)

  it("plays again in real time", function()
    local function run(client)
      local conn = assert(client:realtime("echo"))
      conn:send "{}"
      conn:receive(5)
      driver.sleep(0.3)
      client:call("multiply", { x = 1 })
      conn:close()
      return "done"
    end
    local report, seen, again = round(run, nil, { speed = 1 })
    assert.same({ true, "done", "done" }, { report.ok, seen, again })
  end)

  it("keeps the times between what the server sent, or hurries", function()
    local function run(client)
      local stream = assert(client:stream { "count", input = {} })
      assert(stream:next())
      local first = driver.now()
      assert(stream:next())
      return driver.now() - first
    end
    local function slow(seconds)
      return write {
        { at = 0, request = 1, event = "request", method = "POST", target = "/endpoint/count", data = "{}" },
        { at = 0, request = 1, event = "answer", status = 200 },
        { at = 0, request = 1, event = "piece", data = "data: {}\n\n" },
        { at = seconds, request = 1, event = "piece", data = "data: {}\n\n" },
        { at = seconds, request = 1, event = "done" },
      }
    end
    for _, case in ipairs { { 0.3, 1, 0.25 }, { 600, 2000, 0.25 }, { 10000, math.huge, 0 } } do
      local report, took = play(slow(case[1]), run, { speed = case[2] })
      assert.same({}, report.differences)
      assert.is_true(took >= case[3] and took < case[1] + 300, "it took " .. took)
    end
  end)

  it("catches a message that is another, and names the first difference", function()
    local path = session_file()
    local report = play(path, changed { texts = { '{"n":1,"text":"é"}', '{"n":5}', '{"n":6}' } })
    assert.is_false(report.ok)
    assert.equal(2, report.count)
    assert.is_truthy(
      report.differences[1]:find '^connection 2, message 1 %(line %d+%): expected {"n":2}, got {"n":5} %(they differ at n%)$'
    )
    assert.is_truthy(tostring(report):find("2 differences\nfirst difference: " .. report.differences[1], 1, true))
  end)

  it("catches a request that is another", function()
    local path = session_file()
    local report = play(path, changed { x = 5 })
    assert.equal(2, report.count)
    assert.is_truthy(report.differences[1]:find "^request 1 %(line 2%): body: expected {.*}, got {.*} %(they differ at x%)$")
    report = play(path, function(client)
      client:call("divide", { x = 4 }, { retry = false })
    end, { patience = 0.2 })
    assert.equal("request 1 (line 2): expected POST /endpoint/multiply, got POST /endpoint/divide", report.differences[1])
  end)

  it("catches what is missing", function()
    local path = session_file()
    local report = play(path, function(client)
      client:call("multiply", { x = 4, token = recorded.token }, { retry = false })
    end, { patience = 0.2 })
    assert.equal(4, report.count)
    assert.is_truthy(report.differences[1]:find "^request 2 %(line %d+%): missing: expected POST /endpoint/multiply, and it never came$")
    assert.is_truthy(report.differences[4]:find "^connection 2 %(line %d+%): missing: expected /asgi/echo, and it never came$")
  end)

  it("catches what is too much, and who leaves too early", function()
    local path = session_file()
    local report = play(path, changed { binary = "\1\2\3" })
    assert.same({ "connection 2, message 3: surplus: a binary message: 3 bytes" }, report.differences)
    report = play(path, function(client)
      recorded.session(client)
      client:call("multiply", { x = 1 }, { retry = false })
    end, { linger = 1 })
    assert.same({ "request: surplus: POST /endpoint/multiply, and none was to come" }, report.differences)
    report = play(path, changed { texts = { '{"n":1,"text":"é"}', '{"n":2}' } })
    assert.equal(1, report.count)
    assert.is_truthy(
      report.differences[1]:find '^connection 2, message 2 %(line %d+%): expected {"n":3}, and the client closed the connection %(1000%)$'
    )
  end)

  it("catches another close", function()
    local path = session_file()
    local report = play(path, changed { code = 4000 })
    assert.equal(1, report.count)
    assert.is_truthy(report.differences[1]:find '^connection 2, close %(line %d+%): expected 1000 "bye", got 4000 "bye"$')
  end)

  it("catches a text where bytes were, and the other way round", function()
    local report = round(function(client)
      local conn = assert(client:realtime("echo"))
      conn:send_binary "{}"
      conn:close()
    end, function(client)
      local conn = assert(client:realtime("echo"))
      conn:send "{}"
      conn:close()
    end)
    assert.equal(1, report.count)
    assert.is_truthy(report.differences[1]:find ": expected a binary message, got a text message: {}$")
  end)

  it("takes JSON for the same whatever the order of its keys, unless it is to be exact", function()
    local function say(text)
      return function(client)
        local conn = assert(client:realtime("echo"))
        conn:send(text)
        conn:receive(5)
        conn:close()
      end
    end
    local path = recorded.make(say '{"a":1,"b":[1,2]}')
    files[#files + 1] = path
    local report = play(path, say '{"b": [1,2], "a":1}')
    assert.same({ true, 1 }, { report.ok, report.form })
    assert.is_truthy(tostring(report):find("\n1 message the same but for the order of keys, or spaces", 1, true))
    report = play(path, say '{"b":[1,2],"a":1}', { exact = true })
    assert.equal(1, report.count)
    assert.is_truthy(report.differences[1]:find "they differ in form only: the order of keys, or spaces")
    for text, where in pairs { ['{"a":1,"b":[1,3]}'] = "b%[2%]", ['{"a":"1","b":[1,2]}'] = "a", ['{"b":[1,2]}'] = "a" } do
      report = play(path, say(text))
      assert.is_truthy(report.differences[1]:find("%(they differ at " .. where .. "%)$"), text)
    end
    local kept_apart = math.type == nil -- luacheck: ignore 143
    assert.equal(kept_apart, play(path, say '{"a":1.0,"b":[1,2]}').ok)
    report = play(path, say "hello")
    assert.is_truthy(report.differences[1]:find "got hello %(they differ from byte 1%)$")
    local empty = recorded.make(say '{"a":[]}')
    files[#files + 1] = empty
    report = play(empty, say '{"a":{}}')
    assert.is_truthy(report.differences[1]:find "%(they differ at a%)$")
  end)

  it("takes what went on at once in any order, and what was one after the other in that", function()
    local function ask(order)
      return function(client)
        local tasks = {}
        for _, x in ipairs(order) do
          tasks[#tasks + 1] = driver.spawn(client.call, client, "multiply", { x = x })
        end
        local sum = 0
        for i, task in ipairs(tasks) do
          sum = sum + assert(task:join(5)).result * order[i]
        end
        return sum
      end
    end
    local report, sum, again = round(ask { 1, 2, 3, 4 }, ask { 4, 2, 1, 3 })
    assert.same({ true, 60, 60 }, { report.ok, sum, again })
    report = round(function(client)
      client:call("multiply", { x = 1 })
      client:call("multiply", { x = 2 })
    end, function(client)
      client:call("multiply", { x = 2 })
      client:call("multiply", { x = 1 })
    end)
    assert.equal(2, report.count)
    assert.is_truthy(report.differences[1]:find "^request 1 %(line 2%): body: ")
  end)

  it("refuses, breaks off and keeps silent as it was recorded", function()
    local function run(client, server)
      local seen = {}
      local function see(_, err)
        seen[#seen + 1] = err and err.kind .. (err.status or "") or "fine"
      end
      local function fault(what)
        if server and server.fault then
          server:fault(what)
        end
      end
      fault "status=401:1"
      see(client:realtime("echo", { retry = false }))
      fault "hang_up:1"
      see(client:call("multiply", { x = 1 }, { retry = false }))
      fault "latency=30"
      see(client:call("multiply", { x = 1 }, { retry = false, timeout = 0.3 }))
      fault "cut=2:1"
      local stream = client:stream { "count", input = { to = 5 } }
      local item, err
      repeat
        item, err = stream:next()
      until item == nil
      see(nil, err)
      fault(nil)
      see(recorded.client("http://127.0.0.1:1"):call("multiply", { x = 1 }, { retry = false }))
      return table.concat(seen, " ")
    end
    local report, seen, again = round(run)
    assert.same({}, report.differences)
    assert.equal(seen, again)
    assert.same({ "request 4 is not played: it had not reached Beam (connect)" }, report.notes)
  end)

  it("compares uploads, however they are cut", function()
    local function send(pieces)
      return function(client)
        local i = 0
        return client:call {
          "multiply",
          headers = { ["Content-Type"] = "application/json" },
          body = function()
            i = i + 1
            return pieces[i]
          end,
        }.result
      end
    end
    local report, result, again = round(send { '{"x"', ":21}" }, send { "{", '"x":21', "}" })
    assert.same({ true, 42, 42 }, { report.ok, result, again })
    report = round(send { '{"x"', ":21}" }, send { '{"x":22}' })
    assert.is_truthy(report.differences[1]:find 'body: expected {"x":21}, got {"x":22}')
  end)

  it("sends both kinds of messages, pings, and closes as it was recorded", function()
    local bytes = "\0\1\255 é"
    local path = write {
      { at = 0, connection = 1, event = "connect", target = "/asgi/echo" },
      { at = 0, connection = 1, event = "open", status = 101 },
      { at = 0, connection = 1, event = "received", data = bytes, binary = true },
      { at = 0, connection = 1, event = "ping", data = "p" },
      { at = 0, connection = 1, event = "received", data = "é" },
      { at = 0, connection = 1, event = "closed", code = 4001, reason = "é" },
    }
    local report, seen = play(path, function(client)
      local conn = assert(client:realtime("echo", { retry = false }))
      local first, _, binary = conn:receive(5)
      local second, _, text = conn:receive(5)
      local _, err = conn:receive(5)
      return { first, binary, second, text, err.code, err.reason }
    end)
    assert.same({}, report.differences)
    assert.same({ bytes, "binary", "é", "text", 4001, "é" }, seen)
  end)

  it("compares no more of an upload than was sent before the answer", function()
    local path = write {
      { at = 0, request = 1, event = "request", method = "POST", target = "/endpoint/multiply", upload = true },
      { at = 0, request = 1, event = "sent_piece", data = "abc" },
      { at = 0, request = 1, event = "done", status = 200, data = "{}" },
    }
    local function send(body)
      return function(client)
        assert(client:call { "multiply", body = body })
      end
    end
    assert.same({}, play(path, send "abcdef").differences)
    assert.is_truthy(play(path, send "abdef").differences[1]:find "body: expected abc, got abdef %(they differ from byte 3%)$")
  end)

  it("compares the headers that say what the content is", function()
    local function send(kind)
      return function(client)
        client:call { "mirror", body = '{"text":"a"}', headers = { ["Content-Type"] = kind } }
      end
    end
    local report = round(send "application/json", send "text/plain")
    assert.same({ "request 1 (line 2): header content-type: expected application/json, got text/plain" }, report.differences)
  end)

  it("takes a header that was sent twice as it was", function()
    local function send(kinds)
      return function(client)
        client:call { "mirror", input = { text = "a" }, headers = { Accept = kinds } }
      end
    end
    assert.same({}, round(send { "a/b", "c/d" }).differences)
    local report = round(send { "a/b", "c/d" }, send { "a/b", "e/f" })
    assert.same({ "request 1 (line 2): header accept: expected a/b, c/d, got a/b, e/f" }, report.differences)
  end)

  it("goes on after what no server can send", function()
    local path = write {
      { at = 0, request = 1, event = "request", method = "POST", target = "/endpoint/multiply", data = "{}" },
      { at = 0, request = 1, event = "done", status = 7 },
      { at = 0, request = 2, event = "request", method = "POST", target = "/endpoint/multiply", data = "{}" },
      { at = 0, request = 2, event = "done", status = 200, headers = { { "location", "a\nb" } } },
      { at = 0, connection = 1, event = "connect", target = "/asgi/echo" },
      { at = 0, connection = 1, event = "open", status = 101 },
      { at = 0, connection = 1, event = "closed", code = 77777, reason = "" },
    }
    local report = play(path, function(client)
      client:call("multiply", {}, { retry = false })
      client:call("multiply", {}, { retry = false })
      assert(client:realtime("echo", { retry = false })):receive(5)
    end)
    assert.equal(3, report.count)
    for i, name in ipairs { "request 1", "request 2", "connection 1" } do
      assert.is_truthy(report.differences[i]:find("^" .. name .. " %(line %d%): it cannot be played: "), report.differences[i])
    end
  end)

  it("is as dead as the server was", function()
    local function run(client)
      local conn = assert(client:realtime("echo", { retry = false, heartbeat = { ping_after = 0.2, dead_after = 0.2 } }))
      conn:send "{}"
      conn:receive(5)
      local _, err = conn:receive(5)
      return err.kind .. ": " .. err.message:gsub("^%S+", ""):gsub("%d+%.?%d* s", "")
    end
    local path, seen = recorded.make(run, { fault = "silence_after=1" })
    files[#files + 1] = path
    local report, again = play(path, run)
    assert.same({ {}, seen }, { report.differences, again })
  end)

  it("goes on when a connection ends with the recording", function()
    local path = write {
      { at = 0, connection = 1, event = "connect", target = "/asgi/echo" },
      { at = 0, connection = 1, event = "open", status = 101 },
      { at = 0, connection = 1, event = "received", data = "last" },
    }
    local report, message = play(path, function(client)
      local conn = assert(client:realtime("echo", { retry = false }))
      return conn:receive(5)
    end)
    assert.same({ true, "last" }, { report.ok, message })
  end)

  it("takes a name of Beam's own host for its path at the replay", function()
    local id = "0b5c6b3e-0000-4000-8000-000000000001"
    local events = {}
    for number, host in ipairs { "multiply-7a7db8c-v2.app.beam.cloud", id .. ".app.beam.cloud" } do
      events[#events + 1] = { at = 0, request = number, event = "request", method = "POST", host = host, target = "/", data = '{"x":1}' }
      events[#events + 1] = { at = 0, request = number, event = "done", status = 200, data = '{"result":2}' }
    end
    local path = write(events)
    local report = play(path, function(client)
      assert(client:call("multiply-7a7db8c-v2", { x = 1 }))
      assert(client:call(id, { x = 1 }))
    end)
    assert.same({}, report.differences)
  end)

  it("that cannot begin says why", function()
    local server, err = replay.listen "/nowhere/at/all"
    assert.same({ nil, "invalid" }, { server, err.kind })
    assert.has_error(function()
      replay.listen("x", { spead = 2 })
    end, "beam.replay.listen: unknown option 'spead'; did you mean 'speed'?")
    assert.has_error(function()
      replay.listen("x", { speed = 0 })
    end, "beam.replay.listen: speed is above 0, patience and linger are seconds")
  end)
end)
