-- What is in a recording: everything that passed, and no secret.
local record = require "beam.record"
local recorded = require "recorded"
local beam = require "beam"
local base64 = require "beam.base64"
local driver = require "beam.driver"
local log = require "beam.log"
local recording = require "beam.recording"
local told = require "told_server"

local token = recorded.token

local function read(path)
  local result = assert(recording.read(path))
  os.remove(path)
  return result.events
end

-- The events of one connection or request without its phases, in words.
local function story(events, kind, number)
  local words = {}
  for _, event in ipairs(events) do
    if event[kind] == number and event.event ~= "phase" and not event.event:find "p[io]ng$" and event.data ~= '{"type":"ping"}' then
      words[#words + 1] = event.event .. ((event.status or event.code) and " " .. (event.status or event.code) or "")
    end
  end
  return table.concat(words, ", ")
end

local function phases(events, number)
  local list = {}
  for _, event in ipairs(events) do
    if event.connection == number and event.phase then
      list[#list + 1] = event.phase
    end
  end
  return table.concat(list, " ")
end

local function with_log(run)
  local lines = {}
  log.to(function(_, line)
    lines[#lines + 1] = line:find "recording" and line or nil
  end)
  run()
  log.to(nil)
  return lines
end

describe("a recorder", function()
  it("leaves a connection its bound of what waits for the network", function()
    local server = told.start {
      on_open = function(ws)
        ws:pause()
      end,
    }
    local path = os.tmpname()
    local recorder = assert(record.to(path))
    local conn = assert(beam.client({ token = false }).realtime(server.url, { max_pending = 1e6, close_timeout = 0.05 }))
    local text, refused = ("x"):rep(100000), nil
    for _, send in ipairs { conn.send, conn.send_binary } do
      for _ = 1, 300 do
        refused = select(2, send(conn, text))
        if refused then
          break
        end
      end
      assert.equal("queue_full", refused and refused.kind)
      assert.is_true(conn:stats().pending <= 1e6)
    end
    recorder:stop()
    conn:close()
    server.close()
    os.remove(path)
  end)

  it("writes calls with their retries, streams, and connections that come back", function()
    local events = read((recorded.faulty()))
    assert.equal("request, done 429", story(events, "request", 1))
    assert.equal("request, done 200", story(events, "request", 2))
    assert.equal("request, answer 200, done", (story(events, "request", 3):gsub(", piece", "")))
    assert.equal("connect, open 101, sent, received, closed 1006", story(events, "connection", 1))
    assert.equal("connect, open 101, sent, received, sent, received, close 1000, closed 1000", story(events, "connection", 2))
    assert.equal("dns tcp upgrade open closed", phases(events, 1))
    assert.equal("dns tcp upgrade open closing closed", phases(events, 2))
  end)

  it("writes each byte of both kinds of messages", function()
    local all = {}
    for i = 0, 255 do
      all[#all + 1] = string.char(i)
    end
    local bytes, text = table.concat(all), '{"a":"é\\u0000"}'
    local events = read((recorded.make(function(client)
      local conn = assert(client:realtime("echo"))
      conn:send(text)
      conn:receive(5)
      conn:send_binary(bytes)
      conn:close()
    end)))
    local sent = {}
    for _, event in ipairs(events) do
      sent[#sent + 1] = event.event == "sent" and { event.data, event.binary } or nil
    end
    assert.same({ { text }, { bytes, true } }, sent)
  end)

  it("can be read though something was refused before it began", function()
    local server = told.start {
      on_request = function(request)
        request:respond(200, { { "content-type", "application/json" } }, "{}")
        return true
      end,
    }
    local path = os.tmpname()
    local recorder = assert(record.to(path))
    local client = beam.client { gateway = server.url:gsub("^ws", "http"), token = false }
    assert(client.call("one", {}))
    pcall(client.call, "two", {}, { tls = { ca_file = 5 } }) -- raises
    assert.is_nil((client.call("three", {}, { headers = { ["a b"] = "" } })))
    assert(client.call("four", {}))
    recorder:stop()
    server.close()
    local events = read(path)
    assert.equal("request, done 200", story(events, "request", 1))
    assert.equal("request, done 200", story(events, "request", 2))
  end)

  it("never writes a secret, wherever it stands and however it is written", function()
    local path = recorded.make(function(client)
      client:call("multiply", { x = 1, token = token, coded = base64.encode(token) })
      client:call("mirror", { text = "whole " .. token })
      client:call("multiply", { x = 1 }, { headers = { ["X-Api-Key"] = "another-secret", Cookie = "session=cookie-secret" } })
      client:call("multiply", { x = 1 }, { path = "?auth_token=query-secret&key=keyed-secret" })
      for _ in client:stream { "count", input = { to = 20, token = token } } do
      end
      local conn = assert(client:realtime("echo", { headers = { ["X-Api-Key"] = "another-secret" } }))
      conn:send { token = token, basic = base64.encode("id:" .. token) }
      conn:receive(5)
      conn:send_binary("\255" .. token)
      conn:close(1000, token)
      local basic = beam.client { gateway = client:address("multiply"):match "^%l+://[^/]+", basic = { id = "id", secret = "basic-secret" } }
      basic:call("multiply", { x = base64.encode "id:basic-secret" }, { retry = false })
    end)
    local text = recorded.read(path)
    for _, secret in ipairs { token, "another-secret", "cookie-secret", "query-secret", "keyed-secret", "basic-secret" } do
      for _, form in ipairs { secret, base64.encode(secret):gsub("=+$", ""), secret:gsub("/", "\\/"), (base64.encode("id:" .. secret)) } do
        assert.is_nil(text:find(form, 1, true), form)
      end
    end
    assert.is_nil(text:lower():find "authorization")
    assert.is_nil(text:lower():find "cookie")
    assert.is_truthy(text:find("[secret]", 1, true))
    for _, event in ipairs(read(path)) do
      assert.is_nil((event.data or ""):find(token, 1, true))
    end
  end)

  it("writes what looked like the beginning of a secret", function()
    local body = "the end is " .. token:sub(1, -2)
    local events = read((recorded.make(function(client)
      local stream = assert(client:stream { "mirror", input = { text = body }, format = "raw" })
      while stream:next() do
      end
    end)))
    local pieces = {}
    for _, event in ipairs(events) do
      pieces[#pieces + 1] = event.event == "piece" and event.data or nil
    end
    assert.equal(body, table.concat(pieces))
  end)

  it("writes refusals, failures, and what the program gives up", function()
    local events = read((recorded.make(function(client, server)
      server:fault "status=401:1"
      client:realtime("echo", { retry = false })
      server:fault "hang_up:1"
      client:call("multiply", { x = 1 }, { retry = false })
      server:fault "latency=30"
      client:call("multiply", { x = 1 }, { retry = false, timeout = 0.2 })
      recorded.client("http://127.0.0.1:1"):call("multiply", { x = 1 }, { retry = false })
    end)))
    assert.equal("connect, closed 401", story(events, "connection", 1))
    local last = {}
    for _, event in ipairs(events) do
      if event.event == "done" or event.event == "abandoned" then
        last[event.request] = event.error or event.event
      end
    end
    assert.same({ "http", "timeout", "connect" }, last)
  end)

  it("ends with its bound, says so once, and the program goes on", function()
    local path, seen
    local lines = with_log(function()
      path, seen = recorded.faulty { max_bytes = 1500 }
    end)
    assert.same({ ("the recording %s ends here: it has the 1500 bytes that it may have"):format(path) }, lines)
    assert.is_truthy(seen:find "3 3$")
    assert.is_true(#recorded.read(path) <= 1500)
    local events = read(path)
    assert.equal("full", events[#events].event)
  end)

  it("has no secret in it that the program knows from elsewhere", function()
    local secrets = require "beam.settings.secrets"
    secrets.learn "learned-before-it-began"
    local path = recorded.make(function(client)
      secrets.learn "learned-while-it-ran"
      local conn = assert(client.realtime "echo")
      assert(conn:request({ seen = "learned-before-it-began", too = "learned-while-it-ran" }, { timeout = 5 }))
      conn:close()
    end)
    local text = recorded.read(path)
    assert.is_truthy(text:find("[secret]", 1, true))
    assert.is_nil(text:find("learned-", 1, true))
    os.remove(path)
  end)

  it("that cannot write says why", function()
    local writer, err = record.to "/nowhere/at/all"
    assert.same({ nil, "invalid" }, { writer, err.kind })
    assert.is_truthy(err.message:find "^the recording cannot be written: /nowhere/at/all: ")
    writer, err = record.to "/dev/full"
    assert.same({ nil, "invalid" }, { writer, err.kind })
  end)

  it("raises what is a mistake", function()
    assert.has_error(function()
      record.to(5)
    end, "beam.record.to wants the path of a file, not a number")
    assert.has_error(function()
      record.to("x", { max_byte = 1 })
    end, "beam.record.to: unknown option 'max_byte'; did you mean 'max_bytes'?")
    assert.has_error(function()
      record.to("x", { max_bytes = 10 })
    end, "beam.record.to: max_bytes is a whole number of at least 1024")
    local path = os.tmpname()
    local writer = assert(record.to(path))
    assert.has_error(function()
      record.to "x"
    end, ("beam.record.to: %s is being recorded already"):format(path))
    writer:stop()
    writer:stop()
    os.remove(path)
  end)

  it("tells who closed, with the words of both", function()
    local path = os.tmpname()
    local writer = assert(record.to(path))
    local server = told.start {
      on_message = function(ws)
        ws:close(4001, "enough")
      end,
    }
    local conn = assert(recorded.client("http://127.0.0.1"):realtime(server.url, { retry = false }))
    conn:send "x"
    local _, err = conn:receive(5)
    server.close()
    writer:stop()
    assert.same({ 4001, "enough" }, { err.code, err.reason })
    local events = read(path)
    assert.equal("connect, open 101, sent, closed 4001", story(events, "connection", 1))
    assert.equal("enough", events[#events].reason)
  end)

  it("writes what is still open when the context ends", function()
    local path = os.tmpname()
    local writer = assert(record.to(path))
    local context = assert(require("beam.core").new())
    assert(context:websocket({ url = "ws://127.0.0.1:1/" }, function() end))
    assert(context:http({ url = "http://127.0.0.1:1/x?token=abcd" }, function() end))
    context:close()
    writer:stop()
    local events = read(path)
    assert.equal("connect, left", story(events, "connection", 1))
    assert.equal("request, abandoned", story(events, "request", 1))
    assert.equal("/x?token=[secret]", events[2].target)
    assert.is_number(driver.now())
  end)

  it("has every method of the core's websocket", function()
    local source = assert(io.open "lua/binding/core.lua")
    local text = source:read "*a"
    source:close()
    local wrapped = require("beam.record.websocket").methods
    local count = 0
    for name in text:gmatch "function ws:([a-z_]+)" do
      count = count + 1
      assert.is_function(wrapped[name], name)
    end
    assert.is_true(count >= 10)
  end)
end)
