-- Tasks against the local Beam: submitted, waited for, their results and files, cancelled.
local beam = require "beam"
local errors = require "beam.error"
local serve = require "beam.serve"

local TOKEN = "a-token-that-no-message-may-show"

local function read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local big = ("0123456789abcdef"):rep(65536) -- 1 MiB

for _, version in ipairs { "v1", "v2" } do
  describe("task, " .. version, function()
    local app, server, client, runs
    setup(function()
      app = serve.new()
      runs = {}
      local function count(name)
        runs[name] = (runs[name] or 0) + 1
      end
      app.task_queue("train", function(input, context)
        count "train"
        context.output("model.bin", big)
        return { accuracy = 0.75, epochs = input.epochs, none = beam.null, list = beam.array {} }
      end)
      app.remote_function("square", function(input)
        return input.x * input.x
      end)
      app.task_queue("fail", function()
        error "it cannot"
      end)
      app.task_queue("slow", function(_, context)
        context.sleep(60)
      end)
      app.task_queue("late", function(_, context)
        context.sleep(60)
      end, { timeout = 0.3 })
      app.task_queue("stuck", function(_, context)
        context.sleep(60)
      end, { ttl = 0.2 })
      app.task_queue("pickle", function()
        return "\128\4K\1."
      end, { result = "pickle" })
      app.task_queue("nothing", function() end)
      server = assert(app.listen { token = TOKEN, log = function() end })
      client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20, api_version = version })
    end)
    teardown(function()
      app:close()
    end)

    it("is submitted, and gives its result", function()
      local task = assert(client.submit("train", { epochs = 3 }))
      assert.is_truthy(task.id:find "^%x+%-%x+%-")
      local result, form = task:result { timeout = 20, interval = 0.1 }
      assert.are.same({ accuracy = 0.75, epochs = 3, none = beam.null, list = {} }, result)
      assert.are.equal("json", form)
      assert.are.same({ "COMPLETE", "COMPLETE" }, { task:status(), task.record.status })
      assert.are.equal(("beam.task %s (COMPLETE)"):format(task.id), tostring(task))
    end)

    it("is submitted once, in each way to say it", function()
      local before = runs.train or 0
      for _, task in ipairs {
        assert(client.submit { "train", input = { epochs = 1 } }),
        assert(client:submit({ name = "train", kind = "taskqueue" }, { epochs = 1 })),
        assert(client.deployment("train"):submit { epochs = 1 }),
      } do
        assert.are.equal("COMPLETE", assert(task:wait { timeout = 20, interval = 0.1 }).status)
      end
      assert.are.equal(before + 3, runs.train)
    end)

    it("may be a function", function()
      local task = assert(client.submit({ "square", kind = "function" }, { x = 12 }))
      assert.are.equal(144, (task:result { timeout = 20, interval = 0.1 }))
    end)

    it("without a result gives beam.null", function()
      local result, form = assert(client.submit "nothing"):result { timeout = 20, interval = 0.1 }
      assert.are.same({ beam.null, "json" }, { result, form })
    end)

    it("gives a pickle as bytes, and says so", function()
      local result, form = assert(client.submit "pickle"):result { timeout = 20, interval = 0.1 }
      assert.are.same({ "\128\4K\1.", "pickle" }, { result, form })
    end)

    it("that failed is an error of kind task, but waiting for it is none", function()
      local task = assert(client.submit "fail")
      local result, err = task:result { timeout = 20, interval = 0.1 }
      assert.is_nil(result)
      assert.is_true(errors.is(err))
      assert.are.same({ "task", "ERROR", task.id, "yes", false },
        { err.kind, err.task_status, err.task_id, err.executed, err.retryable })
      assert.is_truthy(err.failure_reason:find("it cannot", 1, true))
      assert.are.same({ "ERROR", nil }, { assert(task:wait(20)).status })
    end)

    it("that ran too long, or never, says which", function()
      local late = assert(client.submit "late")
      local first, second = assert(client.submit "stuck"), assert(client.submit "stuck")
      local _, err = late:result { timeout = 20, interval = 0.1 }
      assert.are.same({ "task", "TIMEOUT", "yes", false }, { err.kind, err.task_status, err.executed, err.retryable })
      _, err = second:result { timeout = 20, interval = 0.1 }
      assert.are.same({ "task", "EXPIRED", "no", true }, { err.kind, err.task_status, err.executed, err.retryable })
      assert.are.equal("CANCELLED", (first:cancel(20)))
    end)

    it("is cancelled for sure", function()
      local task = assert(client.submit "slow")
      local status, record, ended_before = task:cancel { timeout = 20 }
      assert.are.same({ "CANCELLED", "CANCELLED", false }, { status, record.status, ended_before })
      assert.are.same({ "CANCELLED", "CANCELLED", true }, { task:cancel() , task.record.status, (select(3, task:cancel())) })
      local _, err = task:result(20)
      assert.are.same({ "task", "CANCELLED" }, { err.kind, err.task_status })
      task = assert(client.submit "nothing")
      assert(task:wait { timeout = 20, interval = 0.1 })
      assert.are.same({ "COMPLETE", true }, { (task:cancel()), (select(3, task:cancel())) })
    end)

    it("that is not awaited goes on", function()
      local task = assert(client.submit "slow")
      local record, err = task:wait { timeout = 0.3, interval = 0.1 }
      assert.is_nil(record)
      assert.are.same({ "timeout", "unknown", task.id, "the task goes on: wait again, or end it with task:cancel()" },
        { err.kind, err.executed, err.task_id, err.hint })
      assert.is_truthy(err.message:find("within 0.3 s", 1, true))
      assert.are.equal("CANCELLED", (task:cancel(20)))
    end)

    it("nobody knows is an error at once", function()
      local unknown = client.task "0b6a2c1e-0000-4000-8000-000000000000"
      for _, outcome in ipairs { { unknown:status() }, { unknown:wait() }, { unknown:result() }, { unknown:cancel() }, { unknown:outputs() } } do
        assert.is_nil(outcome[1])
        assert.are.same({ "http", 404, "no", false, unknown.id },
          { outcome[2].kind, outcome[2].status, outcome[2].executed, outcome[2].retryable, outcome[2].task_id })
      end
    end)

    it("has files, which are streamed to disk", function()
      local path = os.tmpname()
      local task = assert(client.submit("train", {}))
      assert(task:wait { timeout = 20, interval = 0.1 })
      local outputs = assert(task:outputs())
      assert.are.same({ 1, "model.bin", "string", "number" },
        { #outputs, outputs[1].name, type(outputs[1].url), type(outputs[1].expires_in) })
      assert.are.equal(#big, (task:download("model.bin", path)))
      assert.are.equal(big, read(path))
      os.remove(path)
      assert.are.equal(#big, (task:download(outputs[1], path)))
      assert.are.same({ big, nil }, { read(path), read(path .. ".part") })
      os.remove(path)
      local count, err = task:download("nothing.bin", path)
      assert.is_nil(count)
      assert.are.same({ "invalid", "it has: model.bin", task.id }, { err.kind, err.hint, err.task_id })
      assert.is_nil(read(path))
    end)
  end)
end

describe("task", function()
  local client = beam.client { gateway = "http://127.0.0.1:1", token = TOKEN }

  local function message(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    return (tostring(err):gsub("^[^ ]*:%d+: ", ""))
  end

  it("raises for mistakes", function()
    local task = client.task "x"
    assert.are.equal("beam.task wants the id of a task", message(client.task, "a/b"))
    assert.are.equal("beam.task wants the id of a task", message(client.task))
    assert.are.equal("beam.submit: a taskqueue, a function or a schedule takes tasks, not one of kind endpoint: see beam.call",
      message(client.submit, { "x", kind = "endpoint" }))
    assert.are.equal("beam.submit: unknown option 'timout'; did you mean 'timeout'?", message(client.submit, { "x", timout = 1 }))
    assert.are.equal("beam.submit: input is an array, and Beam wants an object: name it, as in { items = {…} }",
      message(client.submit, "x", { 1 }))
    assert.are.equal("task:wait: unknown option 'intervall'; did you mean 'interval'?", message(task.wait, task, { intervall = 1 }))
    assert.are.equal("task:wait: option 'timeout' wants a number of seconds, 0 or more, not a string", message(task.wait, task, { timeout = "5" }))
    assert.are.equal("task:result: option 'timeout' wants a number of seconds, 0 or more, not -1", message(task.result, task, -1))
    assert.are.equal("task:wait: 'retry' wants a function", message(task.wait, task, { retry = 3 }))
    assert.are.equal("task:download wants an output or its name, and a path", message(task.download, task, "x"))
    assert.are.equal("task:download: 'max_body' wants a number", message(task.download, task, "x", "/tmp/x", { max_body = "1" }))
    assert.are.equal("task:wait: 'logs' is a number of lines, from 1 to 1000", message(task.wait, task, { logs = 0.5 }))
  end)

  it("shows no secret to who prints it", function()
    local task = client.task "x"
    for _, value in pairs(task) do
      assert.are_not.equal("table", type(value))
    end
  end)
end)
