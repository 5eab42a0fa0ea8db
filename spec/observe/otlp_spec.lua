-- beam.otlp: what reaches a collector, what is tried again, what is dropped and counted, and that it keeps nobody waiting.
local beam = require "beam"
local json = require "beam.json"
local log = require "beam.log"
local served = require "beam.serve"
local told = require "told_server"
local lfs = require "lfs"

local interpreter = lfs.symlinkattributes("/proc/self/exe", "target")

local function noop() end

local function span(name)
  return {
    name = name,
    trace_id = ("4b"):rep(16),
    span_id = ("a7"):rep(8),
    kind = "client",
    started = 1700000000.25,
    ended = 1700000001.5,
    attributes = { ["http.request.method"] = "POST", ["http.response.status_code"] = 200, share = 0.5, public = true },
    status = "unset",
  }
end

describe("beam.otlp", function()
  local collector, hooks, bodies, heads, lines

  local function exporter(options)
    options = options or {}
    options.endpoint = options.endpoint or collector.url:gsub("^ws", "http")
    return beam.otlp(options)
  end

  before_each(function()
    bodies, heads, lines = {}, {}, {}
    hooks = {
      on_request = function(request, view)
        bodies[#bodies + 1], heads[#heads + 1] = view.body, view
        local answer = hooks.answers and table.remove(hooks.answers, 1) or { 200, "{}" }
        if answer == "silent" then
          return true
        end
        request:respond(answer[1], answer[3] or {}, answer[2])
        return true
      end,
    }
    collector = told.start(hooks)
    log.to(function(level, line)
      lines[#lines + 1] = level .. " " .. line
    end)
  end)

  after_each(function()
    collector.close()
    log.to(noop)
  end)

  local function spans_in(body)
    local value = assert(json.decode(body))
    return value.resourceSpans[1].scopeSpans[1].spans, value
  end

  it("sends spans as OTLP's JSON, with who sends them", function()
    local otlp = exporter { service = "shop", resource = { ["deployment.environment.name"] = "test" }, headers = { ["x-key"] = "k" } }
    local failed = span "two"
    failed.status, failed.message, failed.parent_id, failed.tracestate = "error", "it was late", ("c1"):rep(8), "vendor=1"
    failed.links = { { trace_id = ("5c"):rep(16), span_id = ("b8"):rep(8), sampled = true } }
    otlp(span "one")
    otlp(failed)
    assert.same({ sent = 0, dropped = 0, waiting = 2 }, otlp:stats())
    assert(otlp:flush(5))
    assert.same({ sent = 2, dropped = 0, waiting = 0 }, otlp:stats())
    assert.same({ 1, "POST", "/v1/traces" }, { #bodies, heads[1].method, heads[1].target })
    local sent = {}
    for _, pair in ipairs(heads[1].headers) do
      sent[pair[1]] = pair[2]
    end
    assert.same({ "application/json", "k" }, { sent["content-type"], sent["x-key"] })
    assert.is_nil(sent.traceparent)
    local list, value = spans_in(bodies[1])
    assert.same({
      traceId = ("4b"):rep(16),
      spanId = ("a7"):rep(8),
      name = "one",
      kind = 3,
      startTimeUnixNano = "1700000000250000000",
      endTimeUnixNano = "1700000001500000000",
      attributes = {
        { key = "http.request.method", value = { stringValue = "POST" } },
        { key = "http.response.status_code", value = { intValue = "200" } },
        { key = "public", value = { boolValue = true } },
        { key = "share", value = { doubleValue = 0.5 } },
      },
      links = {},
      status = { code = 0 },
    }, list[1])
    assert.same({ { code = 2, message = "it was late" }, ("c1"):rep(8), "vendor=1", { { traceId = ("5c"):rep(16), spanId = ("b8"):rep(8) } } }, {
      list[2].status,
      list[2].parentSpanId,
      list[2].traceState,
      list[2].links,
    })
    local resource = {}
    for _, pair in ipairs(value.resourceSpans[1].resource.attributes) do
      resource[pair.key] = pair.value.stringValue
    end
    assert.same({ "shop", "test", "lua-beam", "lua" }, {
      resource["service.name"],
      resource["deployment.environment.name"],
      resource["telemetry.sdk.name"],
      resource["telemetry.sdk.language"],
    })
  end)

  it("sends what a client's calls were, and nothing about itself", function()
    local app = served.new()
    app.endpoint("hi", function()
      return {}
    end)
    local server = assert(app.listen { pause = 0, log = noop })
    local otlp = exporter()
    local client = beam.client { gateway = server.url, token = false, on_span = otlp }
    beam.metrics()
    local before = beam.metrics().calls.ok or 0
    assert(client.call("hi", {}))
    assert(otlp:flush(5))
    assert(otlp:flush(5))
    assert.equal(before + 1, beam.metrics().calls.ok)
    assert.equal(1, #bodies)
    local list = spans_in(bodies[1])
    assert.same({ "POST", "beam.call hi" }, { list[1].name, list[2].name })
    assert.same({ list[2].spanId, 3, 1 }, { list[1].parentSpanId, list[1].kind, list[2].kind })
    app.close()
  end)

  it("sends a batch when it is full, or old enough", function()
    local otlp = exporter { batch = 3, every = 3600 }
    for i = 1, 7 do
      otlp(span(tostring(i)))
    end
    told.eventually(function()
      return otlp:stats().sent == 6
    end)
    assert.same({ 2, 1 }, { #bodies, otlp:stats().waiting })
    assert.same({ 3, 3 }, { #spans_in(bodies[1]), #spans_in(bodies[2]) })
    local soon = exporter { batch = 3, every = 0.05 }
    soon(span "old enough")
    told.eventually(function()
      return soon:stats().sent == 1
    end)
    assert.equal("old enough", spans_in(bodies[3])[1].name)
    assert(otlp:flush(5))
    assert.same({ sent = 7, dropped = 0, waiting = 0 }, otlp:stats())
  end)

  it("drops what its queue has no room for, and counts it", function()
    local otlp = exporter { queue = 10, batch = 5, every = 60 }
    hooks.answers = { "silent" }
    for i = 1, 40 do
      otlp(span(tostring(i)))
    end
    local stats = otlp:stats()
    assert.equal(40, stats.dropped + stats.waiting)
    assert.is_true(stats.waiting <= 15)
    assert.equal(1, #lines) -- and not one for each
    assert.is_truthy(lines[1]:find "^warning beam.otlp: 1 spans did not reach http://127.0.0.1:%d+/v1/traces: the queue is full")
    otlp:end_with()
  end)

  it("tries again what may pass, as told, and drops the rest", function()
    local otlp = exporter()
    hooks.answers = { { 503, "", { { "retry-after", "0" } } }, { 429, "", { { "retry-after", "0" } } }, { 200, "" } }
    otlp(span "one")
    assert(otlp:flush(5))
    assert.same({ 3, 1, 0 }, { #bodies, otlp:stats().sent, otlp:stats().dropped })
    assert.equal(bodies[1], bodies[3])
    hooks.answers = { { 400, "what?" } }
    otlp(span "two")
    local done, err = otlp:flush(5)
    assert.is_nil(done)
    assert.is_truthy(err.message:find "^1 spans did not reach .*: it was answered with 400$")
    hooks.answers = { { 200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}' } }
    otlp(span "three")
    otlp(span "four")
    assert.is_nil((otlp:flush(5)))
    assert.same({ sent = 2, dropped = 2, waiting = 0 }, otlp:stats())
  end)

  it("takes no count for true that cannot be one", function()
    local otlp = exporter()
    for i, count in ipairs { "0.5", "9e300", "-3", '"nan"' } do
      hooks.answers = { { 200, '{"partialSuccess":{"rejectedSpans":' .. count .. "}}" } }
      otlp(span "one")
      otlp:flush(5)
      local stats = otlp:stats()
      assert.same({ i, 0 }, { stats.sent + stats.dropped, stats.waiting }, count)
      assert.same(math.min(i, 2), stats.dropped)
    end
  end)

  it("sends what is no UTF-8 as text that is, and drops what is no text at all", function()
    local otlp, odd, broken = exporter(), span "a\255b", span "broken"
    odd.attributes = { ["beam.deployment.name"] = "\27[2J", number = 0 / 0 }
    otlp(odd)
    assert(otlp:flush(5))
    local sent = spans_in(bodies[1])[1]
    assert.equal("a\\xffb", sent.name)
    assert.equal("\\x1b[2J", sent.attributes[1].value.stringValue)
    broken.parent_id = "\255"
    otlp(broken)
    assert.is_nil((otlp:flush(5)))
    assert.same({ sent = 1, dropped = 1, waiting = 0 }, otlp:stats())
    otlp(span "good")
    assert(otlp:flush(5))
  end)

  it("gives up a collector that is not there, and nobody waits for it", function()
    local otlp = exporter { endpoint = "http://127.0.0.1:1", timeout = 1 }
    otlp(span "one")
    local began = os.clock()
    local done, err = otlp:flush(0.2)
    assert.is_nil(done)
    assert.equal("timeout", err.kind)
    assert.is_true(os.clock() - began < 0.2)
    otlp:end_with() -- the last try
    told.eventually(function()
      return otlp:stats().dropped == 1
    end)
    assert.same({ sent = 0, dropped = 1, waiting = 0 }, otlp:stats())
  end)

  it("takes what it is not told from the environment, and what it is told before it", function()
    local function url(options, environment)
      local getenv = os.getenv
      os.getenv = function(name) -- luacheck: ignore 122
        if name:find "^OTEL_" then
          return environment[name]
        end
        return getenv(name)
      end
      local ok, read = pcall(require("beam.observe.otlp_options").read, options)
      os.getenv = getenv -- luacheck: ignore 122
      assert(ok, read)
      return read.url, read
    end
    assert.equal("http://localhost:4318/v1/traces", (url({}, {})))
    assert.equal("http://one:1/v1/traces", (url({}, { OTEL_EXPORTER_OTLP_ENDPOINT = "http://one:1/" })))
    assert.equal("http://one:1/sub/v1/traces", (url({}, { OTEL_EXPORTER_OTLP_ENDPOINT = "http://one:1/sub" })))
    assert.equal("http://two/t", (url({}, { OTEL_EXPORTER_OTLP_ENDPOINT = "http://one:1", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "http://two/t" })))
    assert.equal("http://three/v1/traces", (url({ endpoint = "http://three" }, { OTEL_EXPORTER_OTLP_ENDPOINT = "http://one:1" })))
    assert.equal("http://three/x", (url({ endpoint = "http://three/x" }, {})))
    local _, read = url({ resource = { b = "4" }, headers = { two = "own" } }, {
      OTEL_SERVICE_NAME = "shop",
      OTEL_RESOURCE_ATTRIBUTES = "service.name=other,a=1%2C2,b=3",
      OTEL_EXPORTER_OTLP_HEADERS = "key=a%20b, two=2",
      OTEL_EXPORTER_OTLP_TIMEOUT = "2500",
    })
    assert.same({ "shop", "1,2", "4" }, { read.resource["service.name"], read.resource.a, read.resource.b })
    assert.same({ key = "a b", two = "own" }, read.headers)
    assert.equal(2.5, read.timeout)
  end)

  it("raises for what makes no sense", function()
    for _, case in ipairs {
      { { endpoint = "localhost:4318" }, "the endpoint is a URL like" },
      { { batch = 0.5 }, "'batch' wants a whole number" },
      { { every = -1 }, "'every'" },
      { { enpoint = "x" }, "endpoint" },
      { { headers = "x" }, "'headers' cannot be a string" },
    } do
      local ok, problem = pcall(beam.otlp, case[1])
      assert.is_false(ok)
      assert.is_truthy(tostring(problem):find(case[2], 1, true), problem)
    end
  end)

  -- A program of its own, whose last spans come with its end.
  it("sends what is left when a program ends, and does not hold it up", function()
    local code = ([[
      local beam = require "beam"
      local otlp = beam.otlp { endpoint = "%s", every = 60 }
      local client = beam.client { gateway = "http://127.0.0.1:1", token = false, on_span = otlp }
      beam.run(function() client.call("x", {}, { retry = false }) end)
    ]]):format((collector.url:gsub("^ws", "http")))
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(code)
    file:close()
    local began, done = os.time(), false
    beam.spawn(function()
      os.execute(("timeout 60 '%s' '%s' & echo"):format(interpreter, path))
      done = true
    end)
    local deadline = os.time() + 50
    while #bodies == 0 and os.time() < deadline do
      beam.sleep(0.02)
    end
    os.remove(path)
    assert.is_true(done)
    assert.equal(1, #bodies)
    assert.equal(2, #spans_in(bodies[1]))
    assert.is_true(os.time() - began < 50)
  end)
end)
