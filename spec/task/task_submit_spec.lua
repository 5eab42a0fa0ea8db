-- Submitting: once, whatever comes back; what nobody knows is said. The local Beam counts how often the handler ran.
local beam = require "beam"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"
local maybe = "the task may be in the queue: look with beam.tasks { deployment = … } before it is submitted again"
local surely = "err.task_id is the task's: ask beam.task(err.task_id) before it is submitted again"

describe("submit", function()
  local app, server, client, runs
  before_each(function()
    runs = 0
    app = serve.new()
    app.task_queue("train", function()
      runs = runs + 1
    end, { workers = 4 })
    app.task_queue("narrow", function(_, context)
      context.sleep(0.3)
    end, { max_pending = 1 })
    app.endpoint("multiply", function(input)
      return input
    end)
    server = assert(app.listen { token = TOKEN, log = function() end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  after_each(function()
    app:close()
  end)

  -- Lets what was submitted run, and counts.
  local function counted()
    local task = assert(client.submit { "train", retry = false })
    assert(task:wait(20))
    return runs - 1
  end

  it("is done once though it was refused at first", function()
    server:fault "status=429:2"
    local task = assert(client.submit { "train", retry = beam.retry.backoff { base = 0.01, attempts = 5 } })
    assert.are.equal("COMPLETE", assert(task:wait(20)).status)
    assert.are.equal(1, counted())
  end)

  it("waits for room in the queue", function()
    assert(client.submit "narrow")
    local task = assert(client.submit { "narrow", retry = beam.retry.backoff { base = 0.1, max = 0.2, attempts = 50 } })
    assert.are.equal("COMPLETE", assert(task:wait(20)).status)
  end)

  it("that is refused for good is not in the queue", function()
    server:fault "status=429"
    local task, err = client.submit { "train", retry = beam.retry.backoff { base = 0, attempts = 2 } }
    server:fault(nil)
    assert.is_nil(task)
    assert.are.same({ "http", 429, "no", true, 3 }, { err.kind, err.status, err.executed, err.retryable, err.attempts })
    assert.are.equal(0, counted())
  end)

  for _, row in ipairs {
    { "lost=502:1", "http", 502 },
    { "lost=500:1", "http", 500 },
    { "lost:1", "http" },
    { "lost=reset:1", "http" },
    { "slow=5s:1", "timeout" },
  } do
    it("is not repeated when nobody knows: " .. row[1], function()
      server:fault(row[1])
      local task, err = client.submit { "train", timeout = row[2] == "timeout" and 0.3 or nil }
      server:fault(nil)
      assert.is_nil(task)
      assert.are.same({ row[2], row[3], "unknown", false, 1, maybe },
        { err.kind, err.status, err.executed, err.retryable, err.attempts, err.hint })
      assert.are.equal(1, counted())
    end)
  end

  it("takes a large input from a file or in pieces", function()
    app.task_queue("length", function(input)
      return #input.text
    end)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write('{"text":"', ("x"):rep(1000000), '"}')
    file:close()
    local task = assert(client.submit { "length", file = path })
    os.remove(path)
    assert.are.equal(1000000, (task:result(20)))
    local pieces = { '{"text":"', "abc", '"}' }
    task = assert(client.submit { "length", body = function()
      return table.remove(pieces, 1)
    end })
    assert.are.equal(3, (task:result(20)))
  end)

  it("names the task, where the answer does", function()
    local api = told.start()
    api:on("POST /taskqueue/train", function(request)
      request:respond(502, { { "x-task-id", "t-1" } }, '{"error":"Backend route unavailable"}')
    end)
    local task, err = beam.client({ gateway = api.url, token = TOKEN }).submit "train"
    api:close()
    assert.is_nil(task)
    assert.are.same({ 502, "unknown", "t-1", surely, 1 }, { err.status, err.executed, err.task_id, err.hint, api:count "POST" })
  end)

  it("of a function or a schedule waits while the workspace is at its limit", function()
    local api = told.start()
    for _, kind in ipairs { "function", "schedule" } do
      local asked = 0
      api:on("POST /" .. kind .. "/train", function(request)
        asked = asked + 1
        if asked < 3 then
          return told.reply(request, 500, { error = "concurrency_limit_reached: 2 of 2 containers" })
        end
        told.reply(request, 200, { task_id = "t-" .. kind })
      end)
      local at = assert(beam.client { gateway = api.url, token = TOKEN })
      local task = assert(at.submit({ "train", kind = kind, retry = beam.retry.backoff { base = 0, attempts = 4 } }))
      assert.are.same({ "t-" .. kind, 3 }, { task.id, asked })
      asked = 0
      local none, err = at.submit({ "train", kind = kind, retry = false })
      assert.are.same({ nil, 500, "no", true, 1 }, { none, err.status, err.executed, err.retryable, asked })
    end
    api:close()
  end)

  it("is repeated if the caller says that this does no harm", function()
    server:fault "lost=502:1"
    local task = assert(client.submit { "train", idempotent = true, retry = beam.retry.backoff { base = 0.01 } })
    assert.are.equal("COMPLETE", assert(task:wait(20)).status)
    assert.are.equal(2, counted())
  end)

  it("to what is no task queue says so", function()
    local task, err = client.submit { server.url .. "/endpoint/multiply" }
    assert.is_nil(task)
    assert.are.same({ "http", 200, "unknown", false, "is this a task queue or a function? beam.call is for endpoints" },
      { err.kind, err.status, err.executed, err.retryable, err.hint })
    task, err = client.submit "nothing"
    assert.is_nil(task)
    assert.are.same({ "http", "no", false }, { err.kind, err.executed, err.retryable })
  end)

  it("to a bot or an endpoint is a mistake, and so is a call to a bot", function()
    for _, row in ipairs {
      { "submit", "endpoint", "beam.submit: a taskqueue, a function or a schedule takes tasks, not one of kind endpoint: see beam.call" },
      { "submit", "bot", "beam.submit: a bot is a WebSocket and takes no calls: see beam.realtime" },
      { "call", "bot", "beam.call: a bot is a WebSocket and takes no calls: see beam.realtime" },
    } do
      local ok, problem = pcall(client[row[1]], { "x", kind = row[2] })
      assert.are.same({ false, row[3] }, { ok, (problem:gsub("^.-:%d+: ", "")) })
    end
  end)

  it("takes a token for the task's whole life", function()
    local other = assert(beam.client { gateway = server.url, token = "wrong", timeout = 20 })
    local task, err = other.submit "train"
    assert.is_nil(task)
    assert.are.same({ 401, "no" }, { err.status, err.executed })
    task = assert(other.submit { "train", token = TOKEN, timeout = 5 })
    assert.are.equal("COMPLETE", assert(task:wait(20)).status)
  end)
end)
