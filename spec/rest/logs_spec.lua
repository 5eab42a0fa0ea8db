-- Logs and events: each line once and in order, whatever becomes of the connection; what is asked, and what a refusal means.
local beam = require "beam"
local driver = require "beam.driver"
local hosts = require "spec.hosts"
local log = require "beam.log"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"
local LINES = tonumber(os.getenv "BEAM_LOG_LINES") or 4000 -- the whole story: 100000
local CUTS = tonumber(os.getenv "BEAM_LOG_CUTS") or 20 -- and 50

local at_once = beam.retry.backoff { base = 0.001, max = 0.01, attempts = 50 }

local function all(lines)
  local list = {}
  local line = lines:next()
  while line do
    list[#list + 1] = line
    line = lines:next()
  end
  return list, lines.err
end

describe("logs", function()
  local app, server, client, go_on, cuts, port
  before_each(function()
    cuts, port = 0, port or hosts.free_port()
    log.to(function() end)
    go_on = driver.signal()
    app = serve.new()
    app.task_queue("train", function(input, context)
      for i = 1, input.lines or 3 do
        context.log(("%s %d"):format(input.name or "line", i))
        if input.wait then
          go_on:wait()
        end
        if i % 500 == 0 then
          context.sleep(0.001)
        end
      end
      if input.fail then
        error("it broke", 0)
      end
      return {}
    end, { workers = 4 })
    app.endpoint("multiply", function(input, context)
      context.log "multiplied"
      context.log("to stderr", "stderr")
      return { result = input.x * 2 }
    end)
    server = assert(app.listen { port = port, token = TOKEN, log = function(_, line)
      cuts = cuts + (line:find("(cut)", 1, true) and 1 or 0)
    end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  after_each(function()
    go_on:wake_all()
    app:close()
    log.to(nil)
  end)

  it("of a task are what it said so far", function()
    local task = assert(client.submit("train", { lines = 3 }))
    assert(task:wait(10))
    assert(client.submit("train", { name = "other" })):wait(10)
    assert.are.same({ "line 1", "line 2", "line 3" }, (all(task:logs())))
    assert.are.same({ "line 1", "line 2", "line 3" }, (all(client.logs { task = task.id })))
    assert.are.same({ "line 1", "line 2", "line 3" }, (all(client.logs { task = task })))
  end)

  it("bring Beam's record with each line", function()
    local _, info = client.call("multiply", { x = 1 })
    local lines = client.logs { task = info.task_id }
    local line, record = lines:next()
    assert.are.same({ "multiplied", "multiplied", "stdout", info.task_id }, { line, record.message, record.stream, record.task_id })
    assert.are.equal("stderr", select(2, lines:next()).stream)
    assert.is_nil(lines:next())
    assert.is_nil(lines.err)
  end)

  it("of a deployment and of a container are those of all their tasks", function()
    for i = 1, 3 do
      assert(assert(client.submit("train", { lines = 1, name = "task " .. i })):wait(10))
    end
    client.call("multiply", { x = 1 })
    local expected = { "task 1 1", "task 2 1", "task 3 1" }
    local deployment = app.deployments:find { kind = "taskqueue", name = "train" }
    for _, target in ipairs { "train", "train/v1", deployment.deployment_id, deployment.id, deployment.subdomain } do
      assert.are.same(expected, (all(client.logs { deployment = target })), target)
    end
    assert.are.same(expected, (all(client.logs { container = deployment:container_id() })))
  end)

  it("are those since a time", function()
    assert(assert(client.submit("train", { lines = 2 })):wait(10))
    assert.are.equal(2, #all(client.logs { deployment = "train", since = 60 }))
    assert.are.equal(2, #all(client.logs { deployment = "train", since = "10m" }))
    assert.are.equal(2, #all(client.logs { deployment = "train", since = "2026-01-01T00:00:00Z" }))
    assert.are.equal(0, #all(client.logs { deployment = "train", since = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 5) }))
  end)

  it("are followed to the end of a task", function()
    local task = assert(client.submit("train", { lines = 3, wait = true }))
    local lines = task:logs { follow = true }
    for i = 1, 3 do
      assert.are.equal("line " .. i, (lines:next()))
      go_on:wake_all()
    end
    assert.is_nil(lines:next())
    assert.is_nil(lines.err)
    assert.are.equal("COMPLETE", (task:status()))
  end)

  it("are followed from now on", function()
    assert(assert(client.submit("train", { name = "old" })):wait(10))
    local lines = client.logs { deployment = "train", follow = true }
    local first = beam.spawn(lines.next, lines)
    beam.sleep(0.2)
    assert(client.submit("train", { name = "new" }))
    assert.are.same({ "new 1", "new 2", "new 3" }, { (first:join(5)), (lines:next()), (lines:next()) })
    local waiting = beam.spawn(lines.next, lines)
    lines:close()
    assert.is_nil((waiting:join(5)))
    assert.is_nil(lines:next())
    assert.is_nil(lines.err)
  end)

  it("end when their time is over", function()
    local lines = client.logs { deployment = "train", follow = true, timeout = 0.2 }
    assert.is_nil(lines:next())
    assert.are.same({ "timeout", "no end of the logs of train within 0.2 s" }, { lines.err.kind, lines.err.message })
  end)

  it("come each once and in order though the stream is cut again and again, and memory stays flat", function()
    server:fault { watch = ("hang_up:%d@20%%"):format(CUTS), cut_inside = ("1..%d:%d"):format(math.floor(LINES / CUTS), CUTS) }
    local task = assert(client.submit("train", { lines = LINES }))
    local lines = task:logs { follow = true, retry = at_once, silence = 5 }
    local count, most = 0, 0
    for line in lines do
      count = count + 1
      assert.are.equal("line " .. count, line)
      most = math.max(most, lines.state.last - lines.state.first)
    end
    assert.is_nil(lines.err, tostring(lines.err))
    assert.are.equal(LINES, count)
    assert(cuts >= CUTS * 0.8, cuts .. " cuts")
    assert.are.equal("COMPLETE", (task:status()))
    assert(most < 1500, most .. " lines waited to be read")
  end)

  it("go on after a server that restarts", function()
    local task = assert(client.submit("train", { lines = 4, wait = true }))
    local lines = task:logs { follow = true, retry = beam.retry.backoff { base = 0.05, max = 0.1, attempts = 100 } }
    assert.are.equal("line 1", (lines:next()))
    server:close()
    beam.spawn(function()
      beam.sleep(0.2)
      server = assert(app.listen { port = port, token = TOKEN, log = function() end })
      for _ = 1, 4 do
        go_on:wake_all()
        beam.sleep(0.02)
      end
    end)
    assert.are.same({ "line 2", "line 3", "line 4" }, (all(lines)))
    assert.is_nil(lines.err)
  end)

  it("of a gateway that is not there are an error, soon", function()
    local nowhere = beam.client { gateway = "http://127.0.0.1:1", token = TOKEN, workspace = "w" }
    local started = driver.now()
    local line, err = nowhere.logs({ container = "c", follow = true }):next()
    assert.are.same({ nil, "connect" }, { line, err.kind })
    assert(driver.now() - started < 10, driver.now() - started)
  end)

  it("of what is not there are an error", function()
    local nobody = "00000000-0000-4000-8000-000000000000"
    for _, options in ipairs { { task = nobody }, { task = nobody, follow = true }, { deployment = "nothing" }, { deployment = nobody } } do
      local lines = client.logs(options)
      local line, err = lines:next()
      assert.are.same({ nil, "http", 404, lines.err }, { line, err.kind, err.status, err })
    end
  end)

  it("are asked for with a mistake", function()
    for _, row in ipairs {
      { {}, "beam.logs: one of deployment, task and container" },
      { { task = "a", container = "b" }, "beam.logs: one of deployment, task and container" },
      { { task = "a", since = "soon" }, "beam.logs: 'since' is seconds, '10m', '2h' or a time like '2026-08-01T10:00:00Z', not 'soon'" },
      { { task = "a", follow = 1 }, "beam.logs: option 'follow' wants a boolean, not a number" },
      { { task = "a", folow = true }, "beam.logs: unknown option 'folow'; did you mean 'follow'?" },
      { { task = "a b" }, "beam.logs: a task is its id, or what beam.task and beam.submit return" },
    } do
      local ok, problem = pcall(client.logs, row[1])
      assert.are.same({ false, row[2] }, { ok, (problem:gsub("^.-:%d+: ", "")) })
    end
    local public = beam.client { gateway = server.url, token = TOKEN, api_version = "v2" }
    assert.are.equal("Beam's public API has no logs and no events", select(2, public.logs({ task = "a" }):next()).message)
  end)

  it("are the last lines of a task that failed, where they are wanted", function()
    local task = assert(client.submit("train", { lines = 30, fail = true }))
    local record, err, lines = task:wait { timeout = 10, logs = 3 }
    assert.are.same({ "ERROR", nil, 3 }, { record.status, err, #lines })
    local none, failure = task:result { timeout = 10, logs = 200 }
    assert.is_nil(none)
    assert.are.equal("line 1", failure.logs[1])
    assert.is_truthy(table.concat(failure.logs, "\n"):find("it broke", 1, true))
    assert.is_truthy(tostring(failure):find("\n  | line 30\n", 1, true))
    assert.is_truthy(failure.hint:find("beamlua logs " .. task.id, 1, true))
    assert.is_nil(select(2, task:result(10)).logs)
    local good = assert(client.submit("train", {}))
    assert.is_nil(select(3, good:wait { timeout = 10, logs = 3 }))
  end)

  it("are named by the error of a call", function()
    app.endpoint("fail", function()
      error "it cannot"
    end)
    local _, err = client.call("fail", {})
    assert.is_truthy(err.hint:find("beamlua logs " .. err.task_id, 1, true))
  end)

  it("events are followed as well", function()
    local task = assert(client.submit("train", {}))
    local seen = {}
    for kind, record in client.events { task = task.id, follow = true } do
      seen[#seen + 1] = kind .. " " .. record.data.status
    end
    assert.are.same({ "task.created PENDING", "task.updated RUNNING", "task.updated COMPLETE" }, seen)
    assert.is_true(#all(client.events { deployment = "train" }) >= 3)
  end)
end)

-- What the local Beam does not do on its own.
describe("a stream of logs", function()
  local api, client, opened
  before_each(function()
    log.to(function() end)
    api = told.start()
    opened = {}
    client = assert(beam.client { gateway = api.url, token = TOKEN, timeout = 20 })
  end)
  after_each(function()
    api:close()
    log.to(nil)
  end)

  local function event(number)
    return ('id: %s\nevent: log\ndata: {"seq_num":0,"message":"%s"}\n\n'):format(number, number)
  end

  -- answers[n](request) answers the n-th opening.
  local function on_stream(answers)
    api:on("GET /api/v1/logs/[^/]+/stream", function(request, view)
      local headers = {}
      for _, pair in ipairs(view.headers) do
        headers[pair[1]] = pair[2]
      end
      opened[#opened + 1] = { id = headers["last-event-id"], query = view.query }
      answers[math.min(#opened, #answers)](request)
    end)
  end

  local function streamed(text, cut)
    return function(request)
      api:begin(request)
      request:stream_write(text)
      api:finish(request, cut)
    end
  end

  it("drops what comes twice, also where numbers have 64 bits", function()
    local large = { "9007199254740992", "9007199254740993", "18446744073709551615" }
    on_stream { streamed(event(large[1]) .. event(large[2]), true), streamed(event(large[1]) .. event(large[2]) .. event(large[3])) }
    local lines, err = all(client.logs { container = "c", retry = at_once })
    assert.are.same({ large, nil }, { lines, err })
    assert.are.same({ nil, large[2] }, { opened[1].id, opened[2].id })
    assert.is_truthy(opened[1].query:find("seq_num=0", 1, true))
    assert.is_nil(opened[2].query:find("seq_num", 1, true))
  end)

  it("that says nothing for long is opened anew, from when it was opened first", function()
    on_stream {
      function(request)
        api:begin(request)
        request:stream_write ": connected\n\n"
      end,
      streamed(event(1)),
    }
    local lines = client.logs { container = "c", follow = true, silence = 0.1, retry = at_once }
    assert.are.equal("1", (lines:next()))
    lines:close()
    assert.are.equal("object_id=c&object_type=container", opened[1].query)
    assert.is_truthy(opened[2].query:find "start_time=%d%d%d%d%-")
  end)

  it("ends where nothing more comes, though Beam does not say so", function()
    local function silent(text)
      return function(request)
        api:begin(request)
        request:stream_write(": connected\n\n" .. text)
      end
    end
    on_stream { silent(event(1)), silent(event(2)), silent "" }
    local lines, err = all(client.logs { container = "c", silence = 0.1, retry = at_once, timeout = 10 })
    assert.are.same({ { "1", "2" }, nil, 3 }, { lines, err, #opened })
  end)

  it("that tells of an error after a line goes on behind that line", function()
    on_stream { streamed(event(1) .. 'event: error\ndata: {"error":"the store went away"}\n\n'), streamed(event(2)) }
    local lines, err = all(client.logs { container = "c", retry = at_once })
    assert.are.same({ { "1", "2" }, nil, "1" }, { lines, err, opened[2] and opened[2].id })
  end)

  it("that tells of an error is opened again, and given up when the policy says so", function()
    on_stream { streamed 'event: error\ndata: {"error":"the store went away"}\n\n' }
    local lines, err = all(client.logs { container = "c", retry = beam.retry.backoff { base = 0, attempts = 2 } })
    assert.are.same({ 0, 3, "http" }, { #lines, #opened, err.kind })
    assert.is_truthy(err.message:find("was ended by an error: the store went away", 1, true))
  end)

  it("is refused for good where there are none, and asked again where that may pass", function()
    local answer = { 503, { message = "Log streams are not configured" } }
    on_stream {
      function(request)
        told.reply(request, answer[1], answer[2])
      end,
    }
    local _, err = all(client.logs { container = "c", retry = at_once })
    assert.are.same({ 503, 1, false }, { err.status, #opened, err.retryable })
    opened, answer = {}, { 403, {} }
    _, err = all(client.logs { container = "c", retry = at_once })
    assert.are.same({ 403, 2, 2 }, { err.status, #opened, api:count "workspace/current" })
    opened, answer = {}, { 502, {} }
    _, err = all(client.logs { container = "c", retry = beam.retry.backoff { base = 0, attempts = 3 } })
    assert.are.same({ 502, 4 }, { err.status, #opened })
  end)
end)
