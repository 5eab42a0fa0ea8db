-- Streams, from a server that sends what it is told, and from the local Beam.
local beam = require "beam"
local driver = require "beam.driver"
local errors = require "beam.error"
local log = require "beam.log"
local serve = require "beam.serve"
local start_host = require("stream_host").start

local host, lines

local function open(told, options)
  local given = { url = host.url, path = "/stream", input = told }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  return host.client.stream(given)
end

-- All that a stream gives, then its error.
local function collect(stream)
  local items = {}
  while true do
    local item, event = stream:next()
    if item == nil then
      return items, event, stream
    end
    items[#items + 1] = item
  end
end

local function items_of(told, options)
  return collect(assert(open(told, options)))
end

local function facts(err)
  return { err.kind, err.message:gsub("http://[%d.:]+", "URL"), err.phase, err.status, err.executed, err.retryable, err.task_id }
end

setup(function()
  host = start_host(beam)
  log.to(function(level, line)
    lines[#lines + 1] = level .. ": " .. line
  end)
end)
teardown(function()
  log.to(nil)
  host.stop()
end)
before_each(function()
  lines = {}
end)

describe("stream, what it is read as", function()
  it("Beam's data lines, whatever the content type", function()
    local told = { pieces = { "da", 'ta: {"i":1}\n', '\ndata: {"i":2}\n\ndata: {"da', 'ta":3}\n\n', "data: [1,2]\n\n" } }
    for _, kind in ipairs { "text/plain", "text/plain; charset=utf-8", "application/octet-stream" } do
      told.type = kind
      local items, err, stream = items_of(told)
      assert.same({ { { i = 1 }, { i = 2 }, 3, { 1, 2 } }, nil, "data", 200, "task-1" }, { items, err, stream.format, stream.status, stream.task_id })
    end
    assert.same({ { i = 1 }, { i = 2 }, { data = 3 }, { 1, 2 } }, (items_of(told, { unwrap = false })))
    assert.same({ "{\"i\":1}", "{\"i\":2}", "{\"data\":3}", "[1,2]" }, (items_of(told, { raw = true })))
  end)

  it("what blocks without data say of ids and of connecting again", function()
    local stream = assert(open { type = "text/event-stream", pieces = { "retry: 2500\n\nid: 41\n\ndata: 1\n\n", "data: 2\n\nid: 42\n\nretry: 900\n\n" } })
    assert.same({ "1", { id = "41", retry = 2.5, data = "1" } }, { stream:next() })
    assert.same({ "41", 2.5 }, { stream.last_id, stream.retry })
    assert.same({ "2", { id = "41", data = "2" } }, { stream:next() })
    assert.same({ "41", 2.5 }, { stream.last_id, stream.retry })
    assert.is_nil(stream:next())
    assert.same({ "42", 0.9 }, { stream.last_id, stream.retry })
  end)

  it("server-sent events, with their types and ids", function()
    local told = {
      type = "text/event-stream",
      pieces = { ": hello\r\n\r\nevent: status\r\nid: 7\r\nretry: 1500\r\ndata: {\"a\":\r", "\ndata: 1}\r\n\r\n", "data: 42\n\ndata: [DONE]\n\ndata: lost" },
    }
    local stream = assert(open(told))
    assert.same({ { a = 1 }, { event = "status", id = "7", retry = 1.5, data = '{"a":\n1}' } }, { stream:next() })
    assert.same({ "42", { id = "7", data = "42" } }, { stream:next() })
    assert.same({ "[DONE]", { id = "7", data = "[DONE]" } }, { stream:next() })
    assert.same({ nil, nil, "sse" }, { stream:next(), stream.err, stream.format })
    assert.same({}, { stream:next() })
  end)

  it("NDJSON", function()
    local told = { type = "application/x-ndjson", pieces = { '{"a":1}\n{"a"', ":2}\r\n\nnull\n", "3" } }
    assert.same({ { { a = 1 }, { a = 2 }, beam.null, 3 } }, { (items_of(told)) })
  end)

  it("one JSON document, as one item", function()
    assert.same({ { { a = { 1, 2 } } } }, { (items_of { type = "application/json", pieces = { '{"a":', "[1,2]}" } }) })
    assert.same({ { beam.null } }, { (items_of { type = "application/json", pieces = { " " } }) })
  end)

  it("raw chunks, and what the caller wants", function()
    assert.equal("Hello, data: x", table.concat((items_of { pieces = { "Hello, ", "data: x" } })))
    local told = { type = "application/json", pieces = { '{"a":1}\n', '{"a":2}\n' } }
    assert.same({ { a = 1 }, { a = 2 } }, (items_of(told, { format = "lines" })))
    assert.equal('{"a":1}\n{"a":2}\n', table.concat((items_of(told, { format = "raw" }))))
    assert.same({ 'data: x\n' }, (items_of({ pieces = { "data: x\n" } }, { format = "raw" })))
  end)

  it("nothing at all", function()
    assert.same({ {} }, { (items_of { pieces = {} }) })
    assert.same({ {} }, { (items_of { type = "text/event-stream", pieces = {} }) })
  end)
end)

describe("stream, as it comes", function()
  it("gives an item as soon as it is there, to next and to for", function()
    local stream = assert(open { pieces = { "data: 1\n\n", "data: 2\n\n" }, ["end"] = "open" })
    assert.equal(1, (stream:next()))
    assert.equal(2, (stream:next()))
    assert.equal(1, host.count "streaming")
    stream:close()
    local sum = 0
    for item, event in assert(open { pieces = { "data: 1\n\n", "data: 2\n\n" } }) do
      sum = sum + item
      assert.equal(tostring(item), event.data)
    end
    assert.equal(3, sum)
  end)

  it("frees the connection when it is left after the first item", function()
    local stream = assert(open { pieces = { "data: 1\n\n" }, ["end"] = "open" })
    for item in stream do -- luacheck: ignore 512
      assert.equal(1, item)
      break
    end
    stream:close()
    stream:close()
    assert.equal(0, host.await("streaming", 0))
    assert.same({}, { stream:next() })
    assert.equal("over", tostring(stream):match "%((.-)%)$")
  end)

  it("frees it without being told to, when it is forgotten or a scope ends", function()
    local forgotten = assert(open { pieces = { "data: 1\n\n" }, ["end"] = "open" })
    assert.equal(1, (forgotten:next()))
    forgotten = nil -- luacheck: ignore 311
    local deadline = driver.now() + 10
    repeat
      collectgarbage()
      driver.sleep(0.02)
    until host.count "streaming" == 0 or driver.now() > deadline
    assert.equal(0, host.count "streaming")
    if _VERSION < "Lua 5.4" then
      return
    end
    for _ in open { pieces = { "data: 1\n\n" }, ["end"] = "open" } do -- luacheck: ignore 512
      break
    end
    assert.equal(0, host.await("streaming", 0))
  end)

  it("holds the sender back while nobody reads", function()
    local mib = 24
    local stream = assert(host.client.stream { url = host.url, path = "/flood", input = { mib = mib }, format = "raw" })
    local size = #stream:next()
    driver.sleep(0.5)
    local stuck = host.count "flooded"
    assert.is_true(stuck > 0 and stuck < 16 * 2 ^ 20, stuck) -- what the two sockets hold
    driver.sleep(0.2)
    assert.equal(stuck, host.count "flooded")
    for bytes in stream do
      size = size + #bytes
    end
    assert.same({ mib * 2 ^ 20, nil }, { size, stream.err })
  end)

  it("keeps its memory flat", function()
    local stream = assert(host.client.stream { url = host.url, path = "/flood", input = { mib = 4, item = 'data: {"text":"hello"}\n\n' } })
    local count, most, base = 0, 0, nil
    for item in stream do
      count = count + 1
      if count % 5000 == 0 then
        assert.equal("hello", item.text)
        collectgarbage()
        base = base or collectgarbage "count"
        most = math.max(most, collectgarbage "count")
      end
    end
    assert.is_nil(stream.err)
    assert.equal(host.count "flooded" / 24, count)
    assert.is_true(most < base + 2048, ("%.0f KiB, at first %.0f KiB"):format(most, base))
  end)

  it("can be read in coroutines, with other work beside it", function()
    local order = {}
    beam.run(function()
      beam.spawn(function()
        local stream = assert(open { pieces = { "data: 1\n\n", "data: 2\n\n" }, pause = 0.1 })
        order[#order + 1] = stream:next()
        order[#order + 1] = stream:next()
        order[#order + 1] = tostring(stream:next())
      end)
      order[#order + 1] = "meanwhile"
    end)
    assert.same({ "meanwhile", 1, 2, "nil" }, order)
  end)
end)

describe("stream, how it fails", function()
  it("an answer that is no success is returned, as for a call", function()
    local stream, err = open { status = 500, pieces = { '{"error":', '"Traceback"}' }, type = "application/json" }
    assert.is_nil(stream)
    assert.same({ "http", "POST URL/stream was answered with 500: Traceback", "response", 500, "yes", false, "task-1" }, facts(err))
    assert.same({ { error = "Traceback" }, 1 }, { err.body, err.attempts })
  end)

  it("it is told by a loop that has not asserted it", function()
    local task = beam.spawn(function()
      for _ in open { status = 400, pieces = { '{"error":"no such thing"}' } } do -- luacheck: ignore 512
        error "nothing came"
      end
    end)
    local _, err = task:join()
    assert.same({ "script", true }, { err.kind, err.message:find("attempt to call a nil value", 1, true) ~= nil })
    if not rawget(_G, "jit") then
      assert.truthy(err.message:find("the loop was given no iterator, but an error: http: POST .* was answered with 400: no such thing"), err.message)
    end
    _, err = beam
      .spawn(function()
        local nothing = {}
        nothing.at_all()
      end)
      :join()
    assert.is_nil(err.message:find("the loop", 1, true))
  end)

  it("a validation error with status 200, too", function()
    local said = '{"error":"ValidationError","message":"missing","field":"prompt"}'
    local stream, err = open { type = "application/json", pieces = { said } }
    assert.is_nil(stream)
    assert.same({ "validation", 200, "prompt" }, { err.kind, err.status, err.body.field })
  end)

  it("is tried again before it has begun, never after", function()
    local _, err = open({ status = 503, pieces = { '{"error":"No compute capacity for GPU type A"}' }, type = "application/json" }, {
      retry = function(attempt)
        return attempt < 3 and 0 or nil
      end,
    })
    assert.same({ "http", 503, 3 }, { err.kind, err.status, err.attempts })
    local before = host.count "/stream"
    local items, broken = items_of({ pieces = { "data: 1\n\n" }, ["end"] = "cut" }, { retry = function() return 0 end, idempotent = true })
    assert.same({ { 1 }, "http", before + 1 }, { items, broken.kind, host.count "/stream" })
  end)

  it("a connection that is lost: the items until then, then the error", function()
    local items, err, stream = items_of { pieces = { "data: 1\n\n", "data: {\"a\"" }, ["end"] = "cut" }
    assert.same({ 1 }, items)
    assert.same({ "http", "response", 200, "yes", false, "task-1" }, { err.kind, err.phase, err.status, err.executed, err.retryable, err.task_id })
    assert.equal(err, stream.err)
    assert.same({ nil, err }, { stream:next() })
  end)

  it("in a loop it raises, each time", function()
    local stream = assert(open { pieces = { "data: 1\n\n" }, ["end"] = "cut" })
    local count = 0
    for _ = 1, 2 do
      local ok, err = pcall(function()
        for _ in stream do
          count = count + 1
        end
      end)
      assert.same({ false, true, "http" }, { ok, err == stream.err, err.kind })
    end
    assert.same({ 1, {} }, { count, lines })
  end)

  it("Beam's error at the deadline", function()
    for _, kind in ipairs { "text/plain", "text/event-stream" } do
      local items, err = items_of { type = kind, pieces = { 'data: {"i":1}\n\n{"error":"Internal', ' server error"}\n' } }
      assert.same({ { i = 1 } }, items[1] and items)
      assert.same({ "http", "POST URL/stream: the stream was ended by an error: Internal server error", "response", 200, "yes", false, "task-1" }, facts(err))
      assert.same({ error = "Internal server error" }, err.body)
    end
  end)

  it("Beam's error in the place of a first item", function()
    local items, err = items_of { pieces = { '{"error":"Internal', ' server error"}' } }
    assert.same({ {}, "http", { error = "Internal server error" } }, { items, err.kind, err.body })
    assert.same({ '{"error":"none"}' }, (items_of { pieces = { '{"error"', ':"none"}' } })) -- what only begins like it is none
  end)

  it("items that cannot be read", function()
    local items, err = items_of { pieces = { "data: 1\n\n", "data: {broken\n\n", "data: 2\n\n" } }
    assert.same({ { 1 }, "json", "{broken", "yes" }, { items, err.kind, err.body, err.executed })
    local stream = assert(open { type = "application/x-ndjson", pieces = { "{broken\n2\n" } })
    err = select(2, stream:next())
    assert.same({ "json", nil, err }, { err.kind, stream:next() }) -- what came behind it in the same piece is no item any more
    items, err = items_of { pieces = { "data: 1\n\nwhat is this\n\n" } }
    assert.same({ { 1 }, "protocol", "what is this" }, { items, err.kind, err.body })
    items, err = items_of({ pieces = { "data: 1\n\ndata: 1234567890\n\n" } }, { max_item = 10 })
    assert.same({ { 1 }, "too_large" }, { items, err.kind })
    assert.equal(0, host.await("streaming", 0))
  end)

  it("time-outs: next's own changes nothing, silence and the deadline are the end", function()
    local told = { pieces = { "data: 1\n\n" }, ["end"] = "open" }
    local stream = assert(open(told))
    assert.equal(1, (stream:next(5)))
    local item, err = stream:next(0.05)
    assert.same({ nil, "timeout", "no item of the stream of POST URL/stream within 0.05 s", "response", "yes" }, {
      item,
      err.kind,
      (err.message:gsub("http://[%d.:]+", "URL")),
      err.phase,
      err.executed,
    })
    assert.is_nil(stream.err)
    stream:close()

    stream = assert(open(told, { idle_timeout = 0.2 }))
    assert.equal(1, (stream:next()))
    assert.equal("timeout", select(2, stream:next(0.05)).kind)
    assert.is_nil(stream.err)
    item, err = stream:next()
    assert.same({ nil, "no byte of the stream of POST URL/stream within 0.2 s", 200 }, { item, (err.message:gsub("http://[%d.:]+", "URL")), err.status })
    assert.equal(err, stream.err)
    assert.equal(0, host.await("streaming", 0))

    stream = assert(open(told, { timeout = 0.3 }))
    assert.equal(1, (stream:next()))
    item, err = stream:next()
    assert.same({ nil, "timeout", "yes", false }, { item, err.kind, err.executed, err.retryable })
  end)

  it("silence counts from where it is waited for", function()
    local stream = assert(open({ pieces = { "data: 1\n\n", "data: 2\n\n" }, pause = 1.6 }, { idle_timeout = 1.2 }))
    assert.equal(1, (stream:next()))
    driver.sleep(1)
    assert.equal(2, (stream:next()))
    stream:close()
  end)

  it("closed while somebody waits for an item: the end", function()
    local stream = assert(open { pieces = { "data: 1\n\n" }, ["end"] = "open" })
    assert.equal(1, (stream:next()))
    local results
    local waiting = beam.spawn(function()
      results = { n = select("#", stream:next()), stream.err }
    end)
    stream:close()
    waiting:join(5)
    assert.same({ true, nil }, { results ~= nil, results[1] })
  end)

  it("mistakes raise", function()
    local function raises(options, message)
      local ok, raised = pcall(open, {}, options)
      assert.same({ false, message }, { ok, (tostring(raised):gsub("^spec/[^:]*:%d+: ", "")) })
    end
    raises({ format = "xml" }, "beam.stream: format is 'sse', 'data', 'lines', 'whole', 'raw' or 'auto'")
    raises({ max_item = 0 }, "beam.stream: option 'max_item' wants a number of bytes above 0")
    raises({ idle_timeout = "1" }, "beam.stream: option 'idle_timeout' wants a number of seconds above 0, not a string")
    raises({ unwrap = 1 }, "beam.stream: option 'unwrap' cannot be a number")
    raises({ idletimeout = 1 }, "beam.stream: unknown option 'idletimeout'; did you mean 'idle_timeout'?")
  end)
end)

describe("stream, of the local Beam", function()
  local local_beam, client
  setup(function()
    local app = serve.new()
    app.endpoint("count", function(input)
      local i = 0
      return function()
        i = i + 1
        if i <= input.to then
          return i % 2 == 0 and { i = i } or i
        end
      end
    end)
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    local_beam = assert(app.listen { token = "t", log = function() end })
    client = assert(beam.client { gateway = local_beam.url, token = "t", timeout = 10 })
  end)
  teardown(function()
    local_beam:close()
  end)

  it("gives what an iterator gives, and the one answer of what streams nothing", function()
    assert.same({ { 1, { i = 2 }, 3 } }, { (collect(assert(client.stream("count", { to = 3 })))) })
    assert.same({ { { result = 24 } } }, { (collect(assert(client.stream { "multiply", input = { x = 12 } }))) })
    local stream, err = client.stream "nobody"
    assert.same({ nil, "http", 400, true }, { stream, err.kind, err.status, errors.is(err) })
  end)
end)
