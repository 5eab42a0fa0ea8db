-- Each row of docs/wire.md's table of statuses (section 4), and what can go wrong besides: how often did the handler run, counted where it runs?
-- Never twice, unless that was asked for.
local beam = require "beam"
local driver = require "beam.driver"
local eventually = require("told_server").eventually
local hosts = require "spec.hosts"
local log = require "beam.log"
local serve = require "beam.serve"

local TOKEN = "a-token-that-no-message-may-show"

local at_once = beam.retry.backoff { base = 0, attempts = 3 }

local function again_once(attempt)
  return attempt == 1 and 0 or nil
end

local function silent() end

describe("the handler of a call", function()
  local server, client, runs
  local usual = {}
  local handlers = setmetatable({}, { __index = usual }) -- what a test puts here is there for that test alone
  setup(function()
    local app = serve.new()
    for _, name in ipairs { "work", "schema", "fail", "page", "teapot", "wait" } do
      app.endpoint(name, function(input)
        runs[name] = runs[name] + 1
        return handlers[name](input, app)
      end)
    end
    server = assert(app.listen { token = TOKEN, log = silent, port = hosts.free_port() })
    log.to(silent) -- retries are told there
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  teardown(function()
    log.to(nil)
    server:close()
  end)
  before_each(function()
    runs = setmetatable({}, {
      __index = function()
        return 0
      end,
    })
  end)
  after_each(function()
    server:fault(nil)
    for name in pairs(usual) do
      handlers[name] = nil
    end
  end)

  function usual.work(input)
    return { result = input.x * 2 }
  end
  function usual.schema()
    return { error = "ValidationError", message = "x is missing", field = "x" }
  end
  function usual.fail()
    error "it cannot"
  end
  function usual.page(_, app)
    return app.response(200, "<html>", { ["content-type"] = "text/html" })
  end
  function usual.teapot(_, app)
    return app.response(418, { message = "short and stout" })
  end

  -- Calls with faults; options as for beam.call.
  local function call(name, faults, options)
    server:fault(faults)
    return client.call(name, { x = 21 }, options)
  end

  -- What is wrong, options -> the error's kind, status and executed, or "result"; attempts; runs of the handler.
  local function check(name, faults, options, expected)
    local result, info = call(name, faults, options)
    local seen = { result and "result" or info.kind, result and 200 or info.status or "-", result and "yes" or info.executed, info.attempts, runs[name] }
    assert.are.same(expected, seen, tostring(info.message))
    return result, info
  end

  local asked, harmless = { idempotent = true, retry = at_once }, { idempotent = true, retry = again_once }

  -- handler, fault, options, expected
  local rows = {
    { "work", nil, {}, { "result", 200, "yes", 1, 1 } },
    { "schema", nil, asked, { "validation", 200, "no", 1, 1 } },
    { "schema", nil, { raw = true }, { "validation", 200, "no", 1, 1 } },
    { "page", nil, asked, { "json", 200, "yes", 1, 1 } },
    { "teapot", nil, asked, { "http", 418, "yes", 1, 1 } },
    { "work", "status=400:1", asked, { "http", 400, "no", 1, 0 } },
    { "work", "status=401:1", asked, { "http", 401, "no", 1, 0 } },
    { "work", "status=404:1", asked, { "http", 404, "no", 1, 0 } },
    { "work", "status=429:3", { retry = at_once }, { "result", 200, "yes", 4, 1 } },
    { "work", "status=429:4", { retry = at_once }, { "http", 429, "no", 4, 0 } },
    { "work", "status=429:1", { retry = false }, { "http", 429, "no", 1, 0 } },
    { "work", "status=429:1", {}, { "result", 200, "yes", 2, 1 } }, -- the policy of who names none
    { "work", "status=503:2", { retry = at_once }, { "result", 200, "yes", 3, 1 } },
    { "work", "status=504:1", { retry = at_once }, { "result", 200, "yes", 2, 1 } },
    { "work", "status=429:1,status=503:1,status=504:1", { retry = at_once }, { "result", 200, "yes", 4, 1 } },
    -- 502: before the handler and after it look the same
    { "work", "status=502:1", { retry = at_once }, { "http", 502, "unknown", 1, 0 } },
    { "work", "lost=502:1", { retry = at_once }, { "http", 502, "unknown", 1, 1 } },
    { "work", "lost=502:1", { retry = again_once }, { "http", 502, "unknown", 1, 1 } },
    { "work", "status=502:1", asked, { "result", 200, "yes", 2, 1 } },
    { "work", "lost=502:1", asked, { "result", 200, "yes", 2, 2 } },
    { "work", "lost=502:4", asked, { "http", 502, "unknown", 4, 4 } },
    -- 500: it ran and failed
    { "fail", nil, {}, { "http", 500, "yes", 1, 1 } },
    { "fail", nil, asked, { "http", 500, "yes", 1, 1 } },
    { "fail", nil, { retry = again_once }, { "http", 500, "yes", 1, 1 } },
    { "fail", nil, harmless, { "http", 500, "yes", 2, 2 } },
    -- the connection ends instead of an answer: before the handler, and after it
    { "work", "hang_up:1", { retry = at_once }, { "http", "-", "unknown", 1, 0 } },
    { "work", "hang_up=reset:1", { retry = at_once }, { "http", "-", "unknown", 1, 0 } },
    { "work", "lost:1", { retry = at_once }, { "http", "-", "unknown", 1, 1 } },
    { "work", "lost=reset:1", { retry = at_once }, { "http", "-", "unknown", 1, 1 } },
    { "work", "lost=reset:1", { retry = again_once }, { "http", "-", "unknown", 1, 1 } },
    { "work", "hang_up=reset:1", asked, { "result", 200, "yes", 2, 1 } },
    { "work", "lost=reset:1", asked, { "result", 200, "yes", 2, 2 } },
    { "work", "lost:1", asked, { "result", 200, "yes", 2, 2 } },
    -- of several failures the first that is not known to have run nothing is the end
    { "work", "status=429:1,lost=502:1", { retry = at_once }, { "http", 502, "unknown", 2, 1 } },
    { "work", "status=429:1,lost=reset:1", {}, { "http", "-", "unknown", 2, 1 } },
  }
  for i, row in ipairs(rows) do
    local name, faults, options, expected = row[1], row[2], row[3], row[4]
    it(("%s, %s (row %d): runs %d times"):format(name, faults or "no fault", i, expected[5]), function()
      check(name, faults, options, expected)
    end)
  end

  it("is named by the error where nobody knows whether it ran", function()
    for _, faults in ipairs { "status=502", "lost=502" } do
      local _, err = call("work", faults)
      assert.are.same({ "string", true }, { type(err.task_id), err.hint:find("err.task_id", 1, true) ~= nil })
    end
  end)

  it("is told of though the last attempt ran nothing", function()
    local function busy_now(attempt)
      server:fault "status=429"
      return attempt < 3 and 0 or nil
    end
    local _, lost = check("work", "lost=502:1", { idempotent = true, retry = busy_now }, { "http", 429, "unknown", 3, 1 })
    assert.are.same({ "string", nil }, { type(lost.task_id), lost.headers["x-task-id"] })
  end)

  it("runs on when the client's time is over, and does not run again", function()
    local go_on = driver.signal()
    local done = 0
    function handlers.wait()
      go_on:wait()
      done = done + 1
      return {}
    end
    for _, options in ipairs { { retry = at_once }, asked } do
      runs.wait, done = nil, 0
      local result, err = call("wait", nil, { timeout = 0.8, retry = options.retry, idempotent = options.idempotent })
      assert.are.same({ nil, "timeout", "unknown", 1, 1, 0 }, { result, err.kind, err.executed, err.attempts, runs.wait, done })
      assert.is_truthy(err.hint:find("the handler may run", 1, true))
      go_on:wake_all()
      eventually(function()
        return done == 1
      end)
      assert.are.equal(1, runs.wait)
    end
  end)

  it("runs once after a cold start", function()
    check("work", "cold=200ms", {}, { "result", 200, "yes", 1, 1 })
  end)

  it("runs in none of several attempts whose waits would pass the deadline", function()
    local started = driver.now()
    local _, err = check("work", "status=429,retry_after=60", { timeout = 15 }, { "http", 429, "no", 1, 0 })
    assert.are.equal(60, err.retry_after)
    assert.is_true(driver.now() - started < 10)
  end)

  it("runs when Retry-After is over, and not before", function()
    local _, info = check("work", "status=429:1,retry_after=1", { retry = at_once }, { "result", 200, "yes", 2, 1 })
    assert.is_true(info.elapsed >= 0.99)
  end)

  it("does not run on a wrong token, and once after a new one", function()
    local tokens, asked_for
    local function provide()
      asked_for = asked_for + 1
      return table.remove(tokens, 1) or "none-is-left"
    end
    tokens, asked_for = { "old", "old" }, 0
    check("work", nil, { token = provide, retry = again_once }, { "http", 401, "no", 2, 0 })
    assert.are.equal(3, asked_for) -- for the first, after its 401, for the second, which again_once wanted
    tokens, asked_for = { "old", TOKEN }, 0
    check("work", nil, { token = provide, retry = false }, { "result", 200, "yes", 2, 1 })
    assert.are.equal(2, asked_for)
    tokens, asked_for = { "old", "older" }, 0
    runs.work = nil
    check("work", nil, { token = provide }, { "http", 401, "no", 2, 0 })
    assert.are.equal(2, asked_for)
  end)

  it("does not run twice because it answers 401 itself", function()
    local tokens = { TOKEN, TOKEN, "another" }
    function handlers.teapot(_, app)
      return app.response(401, { message = "not for you" }, {})
    end
    local _, err = check("teapot", nil, { token = function()
      return table.remove(tokens, 1)
    end }, { "http", 401, "yes", 1, 1 })
    assert.are.equal("the handler itself answered with this status", err.hint)
    assert.are.equal(2, #tokens)
  end)

  it("runs once on a connection that was kept, and once where that has gone stale", function()
    check("work", nil, {}, { "result", 200, "yes", 1, 1 })
    check("work", "lost:1", { retry = at_once }, { "http", "-", "unknown", 1, 2 }) -- curl would send it again by itself
    check("work", nil, {}, { "result", 200, "yes", 1, 3 })
    local port = server.port
    server:close()
    server = assert(server.app.listen { token = TOKEN, log = silent, port = port })
    check("work", nil, {}, { "result", 200, "yes", 1, 4 })
  end)

  it("runs once when the server that was not there has come", function()
    local port, app = server.port, server.app
    server:close()
    local seen = {}
    local result, info = client.call { "work", input = { x = 1 }, retry = function(attempt, err)
      seen[#seen + 1] = { attempt, err.kind, err.executed, err.retryable }
      if attempt == 2 then
        server = assert(app.listen { token = TOKEN, log = silent, port = port })
      end
      return 0
    end }
    assert.are.same({ { result = 2 }, 3, 1 }, { result, info.attempts, runs.work })
    assert.are.same({ { 1, "connect", "no", true }, { 2, "connect", "no", true } }, seen)
  end)

  it("does not run where nothing is reached; a name is tried again, a port without TLS is not", function()
    for _, row in ipairs {
      { "tls", "https://127.0.0.1:" .. server.port .. "/endpoint/work", false, 1 },
      { "dns", "https://no-such-host.invalid/", true, 4 },
    } do
      local kind, address, retryable, attempts = row[1], row[2], row[3], row[4]
      local result, err = client.call { address, input = {}, retry = at_once }
      assert.are.same(
        { nil, kind, "no", retryable, attempts, 0 },
        { result, err.kind, err.executed, err.retryable, err.attempts, runs.work }
      )
    end
  end)

  it("runs once for each call of a batch that meets every fault", function()
    local faults = "status=429@15%,status=503@10%,status=502@5%,lost=502@5%,lost=reset@5%,hang_up=reset@5%"
    server:fault(faults)
    local by_input, outcomes = {}, { result = 0, unknown = 0 }
    function handlers.work(input)
      by_input[input.x] = (by_input[input.x] or 0) + 1
      return { result = input.x }
    end
    local tasks = {}
    for i = 1, 100 do
      tasks[i] = beam.spawn(client.call, { "work", input = { x = i }, retry = beam.retry.backoff { base = 0.001, attempts = 50 } })
    end
    for i, task in ipairs(tasks) do
      local result, err = task:join(20)
      local executed = result and "result" or err.executed
      outcomes[executed] = assert(outcomes[executed], tostring(err)) + 1
      assert.is_true((by_input[i] or 0) <= 1, "input " .. i .. " ran twice")
      assert.is_true(not result or by_input[i] == 1)
    end
    assert.are.equal(100, outcomes.result + outcomes.unknown)
    assert.is_true(outcomes.result > 20 and outcomes.unknown > 0)
  end)
end)

-- Words that the local Beam does not say: those of other gateways and of proxies on the way. The requests are counted.
describe("an answer", function()
  local core, requests, reply
  setup(function()
    log.to(silent)
    core = assert(driver.context():server({}, function(request)
      requests = requests + 1
      request:respond(reply[1], reply[3] or {}, reply[2])
    end))
    driver.attach()
  end)
  teardown(function()
    log.to(nil)
    core:close()
    driver.detach()
  end)

  local json = { { "content-type", "application/json" } }
  local html = "<html><head><title>Bad Gateway</title></head></html>"
  -- status, body, headers -> executed, retryable, requests, a part of the message
  local rows = {
    { 429, '{"error":"exceeded max pending tasks: 100"}', json, "no", true, 3, "exceeded max pending tasks: 100" },
    { 429, '{"message":"Request queue full"}', json, "no", true, 3, "Request queue full" },
    { 429, "slow down", nil, "no", true, 3, "slow down" },
    { 429, "", nil, "no", true, 3, "429" },
    { 503, '{"error":"No compute capacity for GPU type H100"}', json, "no", true, 3, "H100" },
    { 503, html, nil, "unknown", false, 1, "503" },
    { 503, "", nil, "unknown", false, 1, "503" },
    { 504, '{"error":"Timed out waiting for a backend container"}', json, "no", true, 3, "container" },
    { 504, html, nil, "unknown", false, 1, "504" },
    { 502, html, nil, "unknown", false, 1, "502" },
    { 502, '{"error":"Backend route unavailable"}', json, "unknown", false, 1, "Backend route unavailable" },
    { 502, "", nil, "unknown", false, 1, "502" },
    { 500, '{"detail":"it failed"}', json, "yes", false, 1, "it failed" },
    { 500, "", nil, "yes", false, 1, "500" },
    { 422, '{"detail":[{"loc":["x"],"msg":"field required"}]}', json, "unknown", false, 1, "field required" },
    { 413, html, nil, "no", false, 1, "413" },
    { 403, "", nil, "no", false, 1, "403" },
    { 405, "", nil, "no", false, 1, "405" },
    { 302, "", { { "location", "http://127.0.0.1/elsewhere" } }, "unknown", false, 1, "302" },
    { 400, '{"detail":"There was an error parsing the body"}', json, "no", false, 1, "parsing" },
  }
  for i, row in ipairs(rows) do
    it(("with %d (row %d) means: executed %s"):format(row[1], i, row[4]), function()
      requests, reply = 0, row
      local client = beam.client { gateway = "http://127.0.0.1:" .. core:port(), token = TOKEN, timeout = 20 }
      local result, err = client.call { "work", retry = beam.retry.backoff { base = 0, attempts = 2 } }
      assert.are.same({ nil, "http", row[1], row[4], row[5], row[6], row[6] },
        { result, err.kind, err.status, err.executed, err.retryable, requests, err.attempts })
      assert.is_truthy(err.message:find(row[7], 1, true), err.message)
      assert.is_nil(tostring(err):find(TOKEN, 1, true))
    end)
  end

  it("may be wanted again at a date", function()
    requests, reply = 0, { 429, "", { { "date", "Sun, 06 Nov 1994 08:49:37 GMT" }, { "retry-after", "Sun, 06 Nov 1994 08:50:07 GMT" } } }
    local client = beam.client { gateway = "http://127.0.0.1:" .. core:port(), token = TOKEN, timeout = 20 }
    local _, err = client.call "work"
    assert.are.same({ 30, 1, 1 }, { err.retry_after, err.attempts, requests }) -- 30 s would pass the deadline
  end)
end)
