-- Spans: what on_span is given for calls, streams, tasks, connections and requests, and the traceparent that is sent along.
local beam = require "beam"
local serve = require "beam.serve"

local function noop() end

describe("on_span", function()
  local app, server, spans, seen

  local function client(options)
    options = options or {}
    options.gateway, options.token, options.log = server.url, false, noop
    options.on_span = options.on_span or function(span)
      spans[#spans + 1] = span
    end
    return beam.client(options)
  end

  local function named(name)
    local found = {}
    for _, span in ipairs(spans) do
      if span.name == name then
        found[#found + 1] = span
      end
    end
    return found
  end

  before_each(function()
    spans, seen = {}, {}
    app = serve.new()
    app.endpoint("hi", function(_, context)
      seen[#seen + 1] = context.headers
      return { hi = true }
    end)
    app.endpoint("bad", function()
      error "no"
    end)
    app.endpoint("items", function(_, context)
      local i = 0
      return function()
        i = i + 1
        context.sleep(0.02)
        return i <= 3 and { i = i } or nil
      end
    end)
    app.task_queue("job", function()
      return { done = true }
    end)
    app.realtime("echo", function(text)
      return text
    end)
    server = assert(app.listen { pause = 0, log = noop })
  end)

  after_each(function()
    app.close()
  end)

  it("is given an attempt and the whole of a call, with OpenTelemetry's names, and what it sends along is the attempt's", function()
    local before = os.time()
    assert(client().call("hi", { x = 1 }))
    assert.equal(2, #spans)
    local attempt, whole = spans[1], spans[2]
    assert.same({ "POST", "client", "unset" }, { attempt.name, attempt.kind, attempt.status })
    assert.same({ "beam.call hi", "internal", "unset" }, { whole.name, whole.kind, whole.status })
    assert.is_nil(whole.parent_id)
    assert.equal(whole.span_id, attempt.parent_id)
    assert.equal(whole.trace_id, attempt.trace_id)
    assert.is_truthy(whole.trace_id:find "^%x+$" and #whole.trace_id == 32 and #whole.span_id == 16)
    assert.same({ "POST", 200, server.url .. "/endpoint/hi", "127.0.0.1", tonumber(server.url:match "%d+$") }, {
      attempt.attributes["http.request.method"],
      attempt.attributes["http.response.status_code"],
      attempt.attributes["url.full"],
      attempt.attributes["server.address"],
      attempt.attributes["server.port"],
    })
    assert.is_nil(attempt.attributes["http.request.resend_count"])
    assert.is_true(attempt.attributes["beam.seconds.wait"] > 0)
    assert.same({ "hi", 1 }, { whole.attributes["beam.deployment.name"], whole.attributes["beam.attempts"] })
    assert.is_true(whole.started <= attempt.started and attempt.started <= attempt.ended and attempt.ended <= whole.ended)
    assert.is_true(whole.started >= before - 1 and whole.ended <= os.time() + 2)
    assert.equal(("00-%s-%s-01"):format(attempt.trace_id, attempt.span_id), seen[1].traceparent)
  end)

  it("is given each attempt, and what became of it", function()
    server:fault "status=503:2"
    local c = client()
    assert(c.call("hi", {}, { retry = beam.retry.backoff { base = 0.001, max = 0.002 } }))
    local attempts = named "POST"
    assert.equal(3, #attempts)
    assert.same({ "error", "503" }, { attempts[1].status, attempts[1].attributes["error.type"] })
    assert.same({ 1, 2 }, { attempts[2].attributes["http.request.resend_count"], attempts[3].attributes["http.request.resend_count"] })
    assert.equal("unset", attempts[3].status)
    assert.equal(3, named("beam.call hi")[1].attributes["beam.attempts"])
    spans = {}
    local _, err = c.call("bad", {})
    local whole = named("beam.call bad")[1]
    assert.same({ "error", "500", err.message, "yes" }, { whole.status, whole.attributes["error.type"], whole.message, whole.attributes["beam.executed"] })
    spans = {}
    local unreachable = beam.client { gateway = "http://127.0.0.1:1", token = false, log = noop, on_span = function(span)
      spans[#spans + 1] = span
    end }
    assert.is_nil(unreachable.call("hi", {}, { retry = false }))
    assert.same({ "connect", "connect" }, { spans[1].attributes["error.type"], spans[2].attributes["error.type"] })
  end)

  it("goes on with the caller's trace, and hands its tracestate on", function()
    local c, trace_id, parent = client(), ("4b"):rep(16), ("a7"):rep(8)
    assert(c.call("hi", {}, { traceparent = ("00-%s-%s-01"):format(trace_id, parent), tracestate = "vendor=1" }))
    assert.same({ trace_id, parent, "vendor=1" }, { spans[2].trace_id, spans[2].parent_id, spans[2].tracestate })
    assert.same({ trace_id, spans[2].span_id }, { spans[1].trace_id, spans[1].parent_id })
    assert.same({ ("00-%s-%s-01"):format(trace_id, spans[1].span_id), "vendor=1" }, { seen[1].traceparent, seen[1].tracestate })
    spans = {}
    assert(c.call("hi", {}, { traceparent = ("00-%s-%s-00"):format(trace_id, parent) })) -- the caller does not record
    assert.same({}, spans)
    assert.is_truthy(seen[2].traceparent:find("^00%-" .. trace_id .. "%-%x+%-00$"))
    assert(c.call("hi", {}, { traceparent = "00-broken\r\nx: y", tracestate = "a\nb" })) -- as if there were none
    assert.is_nil(spans[2].parent_id)
    assert.is_nil(seen[3].tracestate)
    assert.is_nil(seen[3].x)
  end)

  it("is not needed to hand a trace on", function()
    local plain = beam.client { gateway = server.url, token = false, log = noop }
    local given = ("00-%s-%s-01"):format(("4b"):rep(16), ("a7"):rep(8))
    assert(plain.call("hi", {}, { traceparent = given, tracestate = "vendor=1", headers = { Traceparent = "other" } }))
    assert.same({ given, "vendor=1" }, { seen[1].traceparent, seen[1].tracestate })
    assert(plain.call("hi", {}))
    assert.is_nil(seen[2].traceparent)
  end)

  it("is given a share of all traces", function()
    local c = client { sampling = 0.25 }
    for _ = 1, 400 do
      assert(c.call("hi", {}))
    end
    local count = #named "beam.call hi"
    assert.is_true(count > 50 and count < 160, count) -- 100, and 8.7 is the standard deviation
    assert.equal(2 * count, #spans)
    local sampled = 0
    for _, headers in ipairs(seen) do
      sampled = sampled + (headers.traceparent:find "01$" and 1 or 0)
    end
    assert.equal(count, sampled)
    spans = {}
    assert(client({ sampling = 0 }).call("hi", {}))
    assert.same({}, spans)
    assert.error_matches(function()
      client { sampling = 2 }
    end, "'sampling' wants a number from 0 to 1")
  end)

  it("keeps each attempt's headers apart when many inputs go at once", function()
    local c = client()
    for _, result, err in c.map("hi", { {}, {}, {}, {}, {}, {} }, { concurrency = 3 }) do
      assert(result, err)
    end
    assert.same({ 6, 6 }, { #named "beam.map hi", #named "POST" })
    local ids, distinct = {}, 0
    for _, headers in ipairs(seen) do
      distinct = distinct + (ids[headers.traceparent] and 0 or 1)
      ids[headers.traceparent] = true
    end
    assert.equal(6, distinct)
    for _, attempt in ipairs(named "POST") do
      assert.is_true(ids[("00-%s-%s-01"):format(attempt.trace_id, attempt.span_id)])
    end
  end)

  it("is given a stream when it has ended", function()
    local stream = assert(client().stream("items", {}))
    assert.same({ 1, 0 }, { #named "POST", #named "beam.stream items" })
    local count = 0
    for _ in stream do
      count = count + 1
    end
    assert.equal(3, count)
    local whole = named("beam.stream items")[1]
    assert.is_true(whole.ended - whole.started >= 0.04)
    assert.equal("unset", whole.status)
  end)

  it("is given a task, below what submitted it", function()
    local task = assert(client().submit("job", {}))
    assert(task:wait(10))
    local submitted, watched = named("beam.submit job")[1], named("beam.task")[1]
    assert.equal(task.id, submitted.attributes["beam.task.id"])
    assert.same({ task.id, "COMPLETE", "unset" }, { watched.attributes["beam.task.id"], watched.attributes["beam.task.status"], watched.status })
    assert.same({ submitted.trace_id, submitted.span_id }, { watched.trace_id, watched.parent_id })
    for _, asked in ipairs(named "beam.api") do
      assert.equal(submitted.trace_id, asked.trace_id)
    end
  end)

  it("is given a connection's opening, its tries, each loss, and requests", function()
    server:fault "status=503:1,drop_after=3:1"
    local conn = assert(client().realtime("echo", { retry = beam.retry.backoff { base = 0.001, max = 0.002 } }))
    beam.sleep(0.01)
    local tries, opening = named "connect", named("beam.realtime echo")[1]
    assert.same({ 2, "error", "503", 101 }, {
      #tries,
      tries[1].status,
      tries[1].attributes["error.type"],
      tries[2].attributes["http.response.status_code"],
    })
    assert.same({ "unset", 2, opening.span_id, opening.span_id }, {
      opening.status,
      opening.attributes["beam.attempts"],
      tries[1].parent_id,
      tries[2].parent_id,
    })
    assert.is_number(tries[2].attributes["beam.seconds.queued"])
    assert(conn:request({ n = 1 }, { timeout = 30 }))
    local request = named("beam.request echo")[1]
    assert.same({ opening.span_id, opening.trace_id }, { request.links[1].span_id, request.links[1].trace_id })
    assert.are_not.equal(opening.trace_id, request.trace_id)
    assert(conn:request({ n = 1 }, { timeout = 30, traceparent = ("00-%s-%s-01"):format(("4b"):rep(16), ("a7"):rep(8)) }))
    assert.equal(("4b"):rep(16), named("beam.request echo")[2].trace_id)
    conn:send { n = 2 } -- the third
    local deadline = os.time() + 30
    while not named("beam.reconnect echo")[1] and os.time() < deadline do
      beam.sleep(0.01)
    end
    local again = named("beam.reconnect echo")[1]
    assert.same({ opening.span_id, "unset", 1 }, { again.links[1].span_id, again.status, again.attributes["beam.attempts"] })
    conn:close()
    assert.is_nil(client().realtime("nothing", { retry = false }))
    beam.sleep(0.01)
    assert.same({ "error", "400" }, { named("beam.realtime nothing")[1].status, named("beam.realtime nothing")[1].attributes["error.type"] })
  end)

  it("may fail, which harms nothing and is said once", function()
    local lines = {}
    local c = client { on_span = function()
      error "broken"
    end }
    require("beam.log").to(function(level, line)
      lines[#lines + 1] = level .. " " .. line
    end)
    assert(c.call("hi", {}))
    assert(c.call("hi", {}))
    require("beam.log").to(noop)
    assert.equal(1, #lines)
    assert.is_truthy(lines[1]:find "^error on_span failed, .*broken")
  end)
end)

describe("a traceparent", function()
  local context = require "beam.observe.trace_context"
  local id, own = ("0af7651916cd43dd"):rep(2), "b7ad6b7169203331"

  it("is read as W3C says", function()
    assert.same({ trace_id = id, span_id = own, sampled = true }, context.parse("00-" .. id .. "-" .. own .. "-01"))
    assert.is_false(context.parse("00-" .. id .. "-" .. own .. "-02").sampled)
    assert.is_true(context.parse("cc-" .. id .. "-" .. own .. "-01-what-the-future-brings").sampled)
    for _, broken in ipairs {
      "",
      "00",
      "00-" .. id .. "-" .. own,
      "00-" .. id .. "-" .. own .. "-01-",
      "00-" .. id .. "-" .. own .. "-1",
      "ff-" .. id .. "-" .. own .. "-01",
      "00-" .. ("0"):rep(32) .. "-" .. own .. "-01",
      "00-" .. id .. "-" .. ("0"):rep(16) .. "-01",
      "00-" .. id:upper() .. "-" .. own .. "-01",
      "00-" .. id .. "0-" .. own .. "-01",
      "cc-" .. id .. "-" .. own .. "-01.more",
      " 00-" .. id .. "-" .. own .. "-01",
      "00-" .. id .. "-" .. own .. "-01\n",
    } do
      assert.is_nil(context.parse(broken), broken)
    end
    assert.is_nil(context.parse(nil))
  end)

  it("comes with a tracestate that can be handed on, or with none", function()
    assert.equal("a=1,b=2", context.state "a=1,b=2")
    assert.is_nil(context.state(("x"):rep(513)))
    assert.is_nil(context.state "a=1\r\nb: 2")
    assert.is_nil(context.state "")
  end)
end)
