-- The task queues of the local Beam, asked with beam.core alone: what becomes of a task, and how often its handler runs.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local hosts = require "spec.hosts"
local http = require "served_http"
local json = require "beam.json"
local serve = require "beam.serve"

local WS = "10ca1bea-0000-4000-8000-000000000001"

local app, server, ask -- of the test that runs

local function start(options)
  options = options or {}
  options.log = options.log or function() end
  server = assert(app.listen(options))
  ask = http.asker(server)
  return server
end

-- status and body, in a table.
local function answer(...)
  local status, body = ask(...)
  return { status, body }
end

local function submit(name, input)
  local status, body = ask("POST", "/taskqueue/" .. name, { body = json.encode(input or {}) })
  assert.same({ 200, "string" }, { status, type(body.task_id) })
  return body.task_id
end

local function get(id)
  local status, task = ask("GET", "/api/v1/task/" .. WS .. "/" .. id)
  assert.equal(200, status)
  return task
end

-- Waits until the task is in one of these states. Returns it as the API shows it.
local function until_state(id, ...)
  local wanted, deadline = {}, driver.now() + 10
  for _, state in ipairs { ... } do
    wanted[state] = true
  end
  local task = app.tasks:find(id)
  while not wanted[task.status] and driver.now() < deadline do
    task.changed:wait(deadline - driver.now())
  end
  assert.truthy(wanted[task.status], ("the task is %s: %s"):format(task.status, task.failure_reason))
  return get(id)
end

describe("tasks of the local Beam:", function()
  before_each(function()
    app = serve.new()
  end)

  after_each(function()
    app.close()
  end)

  describe("a life", function()
    it("that ends with a text which is no UTF-8 is shown like any other", function()
      local bad, seen = "caf\233 \255", "caf\239\191\189 \239\191\189"
      app.task_queue("bad", function(_, context)
        context.log(bad)
        error(bad, 0)
      end)
      app.endpoint("bad", function()
        error(bad, 0)
      end)
      start()
      local task = until_state(submit "bad", "ERROR")
      assert.equal(1, (task.failure_reason:find(seen, 1, true)))
      local _, list = ask("GET", "/api/v1/task/" .. WS)
      assert.equal(task.failure_reason, list.data[1].failure_reason)
      local _, page = ask("GET", "/api/v1/logs/" .. WS .. "?task_id=" .. task.id)
      assert.equal(seen, page.logs[1].message)
      local status, body = ask("POST", "/endpoint/bad", { body = "{}" })
      assert.same({ 500, 1 }, { status, (body.error:find(seen, 1, true)) })
    end)

    it("whose result is too deep to be shown has failed", function()
      app.task_queue("deep", function(input)
        local result = {}
        for _ = 2, input.depth do
          result = { result }
        end
        return result
      end)
      start()
      assert.truthy(until_state(submit("deep", { depth = 128 }), "ERROR").failure_reason:find("cannot be sent", 1, true))
      assert.same("table", type(until_state(submit("deep", { depth = 127 }), "COMPLETE").result))
    end)

    it("PENDING, RUNNING, COMPLETE, with its times, container and result", function()
      local go = driver.signal()
      app.task_queue("train", function(input, context)
        go:wait()
        return { x = input.x, args = context.args, id = context.task_id, none = json.null, list = json.array {} }
      end)
      start()
      local id, second = submit("train", { x = 1, args = { 7 } }), submit "train"
      local running, pending = until_state(id, "RUNNING"), get(second)
      assert.same({ "PENDING", "", json.null, json.null }, { pending.status, pending.container_id, pending.started_at, pending.ended_at })
      assert.same({ json.null, json.null }, { pending.result, running.result })
      assert.same({ active_containers = 1, queue_depth = 2 }, running.stats)
      assert.equal(1, (running.container_id:find("taskqueue-" .. running.stub.id .. "-", 1, true)))
      go:wake()
      local task = until_state(id, "COMPLETE")
      assert.same({ x = 1, args = { 7 }, id = id, none = json.null, list = {} }, task.result)
      assert.equal("[]", json.encode(task.result.list))
      local stamp = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$"
      for _, name in ipairs { "created_at", "started_at", "ended_at", "updated_at" } do
        assert.truthy(task[name]:find(stamp), name)
      end
      assert.is_true(task.created_at <= task.started_at and task.started_at <= task.ended_at)
      assert.same({ "", id, "train", 1 }, { task.failure_reason, task.external_id, task.deployment.name, task.deployment.version })
      assert.same({ "taskqueue/deployment", "taskqueue/deployment/train:train" }, { task.stub.type, task.stub_name })
      assert.equal(100, json.decode(task.stub.config).max_pending_tasks)
      until_state(second, "RUNNING")
      go:wake()
      assert.same({ active_containers = 0, queue_depth = 0 }, until_state(second, "COMPLETE").stats)
    end)

    it("ERROR: what the handler raised, and a result that is no JSON", function()
      app.task_queue("raise", function()
        error "out of memory"
      end)
      app.task_queue("odd", function()
        return { print }
      end)
      start()
      local task = until_state(submit "raise", "ERROR")
      assert.truthy(task.failure_reason:find("out of memory", 1, true))
      assert.truthy(task.failure_reason:find("traceback", 1, true))
      assert.equal(json.null, task.result)
      assert.truthy(until_state(submit "odd", "ERROR").failure_reason:find("cannot be sent", 1, true))
    end)

    it("RETRY: it runs again, so often and no more", function()
      local runs, seen, go = 0, {}, driver.signal()
      app.task_queue("flaky", function()
        runs = runs + 1
        if runs == 1 then
          go:wait()
        end
        if runs < 3 then
          error("attempt " .. runs)
        end
        return runs
      end, { retries = 2 })
      app.task_queue("hopeless", function()
        runs = runs + 1
        error "never"
      end, { retries = 1 })
      start()
      local id = submit "flaky"
      until_state(id, "RUNNING")
      local task = app.tasks:find(id)
      local set = task.set
      task.set = function(self, status, ...)
        seen[#seen + 1] = status
        return set(self, status, ...)
      end
      go:wake()
      assert.equal(3, until_state(id, "COMPLETE").result)
      assert.same({ "RETRY", "RUNNING", "RETRY", "RUNNING", "COMPLETE" }, seen)
      runs = 0
      assert.equal("ERROR", until_state(submit "hopeless", "ERROR").status)
      assert.equal(2, runs)
    end)

    it("TIMEOUT: the handler is told, its slot is free, its result counts no more", function()
      local told
      app.task_queue("slow", function(input, context)
        if input.quick then
          return "quick"
        end
        told = context.sleep(60)
        return "late"
      end, { timeout = 0.1 })
      start()
      local id, after = submit "slow", submit("slow", { quick = true })
      local task = until_state(id, "TIMEOUT")
      assert.equal("The task ran longer than 0.1 s", task.failure_reason)
      assert.equal("quick", until_state(after, "COMPLETE").result)
      assert.same({ false, "TIMEOUT", json.null }, { told, get(id).status, get(id).result })
    end)

    it("EXPIRED: no worker took it in time", function()
      app.task_queue("busy", function(_, context)
        context.sleep(60)
      end, { ttl = 0.05 })
      start()
      submit "busy"
      local task = until_state(submit "busy", "EXPIRED")
      assert.same({ json.null, "No worker took the task in time" }, { task.started_at, task.failure_reason })
      assert.same({}, app.deployments.list[1].slots.waiting)
    end)

    it("CANCELLED in the very turn in which its turn came: it does not run", function()
      local ran, go = {}, driver.signal()
      app.task_queue("one", function(input)
        ran[#ran + 1] = input.n
        go:wait()
      end)
      start()
      local first, second, third = submit("one", { n = 1 }), submit("one", { n = 2 }), submit("one", { n = 3 })
      local task = app.tasks:find(second)
      local set = task.changed.wake_all
      function task.changed.wake_all(changed)
        task.changed.wake_all = nil
        set(changed)
        task:set("CANCELLED")
      end
      go:wake()
      until_state(third, "RUNNING")
      go:wake()
      until_state(third, "COMPLETE")
      assert.same({ { 1, 3 }, "COMPLETE", "CANCELLED" }, { ran, get(first).status, get(second).status })
    end)

    it("CANCELLED: while it waits it never runs, while it runs its handler is told; what has ended stays", function()
      local ran, told = {}, nil
      app.task_queue("long", function(input, context)
        ran[#ran + 1] = input.n
        assert(not context.cancelled())
        if input.n == 1 then
          context.sleep(60)
          told = context.cancelled()
        end
        return input.n
      end)
      start()
      local first, second, third = submit("long", { n = 1 }), submit("long", { n = 2 }), submit("long", { n = 3 })
      until_state(first, "RUNNING")
      local status, body = ask("DELETE", ("/api/v1/task/%s?task_ids=%s,%s,no-such-task"):format(WS, first, second))
      assert.same({ 200, {} }, { status, body })
      assert.same({ "CANCELLED", "CANCELLED" }, { get(first).status, get(second).status })
      assert.equal(3, until_state(third, "COMPLETE").result)
      assert.same({ json.null, 0 }, { get(first).result, app.deployments.list[1].slots.running })
      assert.same({ { 1, 3 }, true }, { ran, told })
      ask("DELETE", "/api/v1/task/" .. WS .. "?task_ids=" .. third)
      assert.equal("COMPLETE", get(third).status)
    end)
  end)

  describe("workers and limits", function()
    it("as many at once as there are workers, in order", function()
      local running, most, order = 0, 0, {}
      app.task_queue("pair", function(input)
        running = running + 1
        most = math.max(most, running)
        order[#order + 1] = input.n
        driver.sleep(0.01)
        running = running - 1
      end, { workers = 2 })
      start()
      local last
      for n = 1, 6 do
        last = submit("pair", { n = n })
      end
      until_state(last, "COMPLETE")
      assert.same({ 2, 6 }, { most, #order })
      for i, n in ipairs(order) do -- of the two that run together either may be heard of first
        assert.is_true(math.abs(i - n) <= 1, n .. " came as number " .. i)
      end
    end)

    it("429 beyond max_pending, waiting and running together", function()
      app.task_queue("one", function(_, context)
        context.sleep(60)
      end, { max_pending = 2 })
      start()
      local first = submit "one"
      submit "one"
      local status, body = ask("POST", "/taskqueue/one", { body = "{}" })
      assert.same({ 429, { error = "exceeded max pending tasks: 2" } }, { status, body })
      app.tasks:cancel(first)
      submit "one"
    end)

    it("what Beam refuses: payloads, methods, sub-paths", function()
      app.task_queue("train", print, { version = 3 })
      start()
      for _, case in ipairs {
        { "POST", "/taskqueue/train", "[1]", 400, { error = "invalid request payload" } },
        { "GET", "/taskqueue/train", nil, 405, { message = "Method Not Allowed" } },
        { "POST", "/taskqueue/train/sub", "{}", 404, { message = "Not Found" } },
        { "POST", "/taskqueue/train/v2", "{}", 400, { message = "Invalid deployment" } },
        { "POST", "/endpoint/train", "{}", 400, { message = "Invalid deployment" } },
      } do
        local method, path, body, status, wanted = compat.unpack(case, 1, 5)
        assert.same({ status, wanted }, answer(method, path, { body = body }))
      end
    end)

    it("by name, version, latest, id, public id, label; functions too", function()
      local function who(name)
        return function()
          return name
        end
      end
      app.task_queue("q", who "q1", { id = "aaaaaaaa-0000-4000-8000-000000000001" })
      app.task_queue("q", who "q2")
      app.remote_function("f", who "f1", { id = "aaaaaaaa-0000-4000-8000-000000000002" })
      app.task_queue("off", who "off", { active = false })
      start()
      for path, result in pairs {
        ["/taskqueue/q"] = "q2",
        ["/taskqueue/q/v1"] = "q1",
        ["/taskqueue/q/latest"] = "q2",
        ["/taskqueue/id/aaaaaaaa-0000-4000-8000-000000000001"] = "q1",
        ["/taskqueue/public/aaaaaaaa-0000-4000-8000-000000000001"] = "q1",
        ["/function/f"] = "f1",
        ["/function/id/aaaaaaaa-0000-4000-8000-000000000002"] = "f1",
      } do
        local status, body = ask("POST", path, { body = "{}" })
        assert.equal(200, status, path)
        assert.equal(result, until_state(body.task_id, "COMPLETE").result)
      end
      local _, body = ask("POST", "/", { body = "", headers = { { "host", "q-abcdefg-v1.app.beam.localhost" } } })
      assert.equal("q1", until_state(body.task_id, "COMPLETE").result)
      assert.same({ 400, { message = "Deployment is not active" } }, answer("POST", "/taskqueue/off", { body = "{}" }))
    end)

    it("health is answered for every kind, warm-up of a task queue's", function()
      app.task_queue("q", print)
      app.remote_function("f", print)
      start()
      assert.equal(200, (ask("POST", "/taskqueue/q/warmup")))
      for _, path in ipairs { "/taskqueue/q", "/function/f" } do
        assert.equal(200, (ask("GET", path .. "/health")))
      end
    end)

    it("a caller's mistakes are named", function()
      for _, case in ipairs {
        { { worker = 2 }, "taskqueue 'q': unknown option 'worker'; did you mean 'workers'?" },
        { { workers = 0 }, "taskqueue 'q': option 'workers' must be a number above 0" },
        { { retries = "3" }, "taskqueue 'q': option 'retries' must be a number, 0 or more" },
        { { result = "json" }, "taskqueue 'q': option 'result' is \"pickle\" or nothing" },
      } do
        assert.has_error(function()
          app.task_queue("q", print, case[1])
        end, case[2])
      end
      assert.has_error(function()
        app.endpoint("e", print, { inputs = { x = "float" } })
      end, "endpoint 'e': inputs are fields and their kinds, like { x = \"number\", name = \"string?\" }; field 'x' is none: "
        .. "string, number, integer, boolean, array, object, any")
    end)
  end)

  describe("results and outputs", function()
    it("a pickle is handed over as base64", function()
      app.remote_function("p", function()
        return "\128\4K\42."
      end, { result = "pickle" })
      app.remote_function("not_bytes", function()
        return 42
      end, { result = "pickle" })
      start()
      local _, body = ask("POST", "/function/p", { body = "{}" })
      assert.same({ base64 = "gARLKi4=" }, until_state(body.task_id, "COMPLETE").result)
      _, body = ask("POST", "/function/not_bytes", { body = "{}" })
      assert.truthy(until_state(body.task_id, "ERROR").failure_reason:find("pickle", 1, true))
    end)

    it("outputs are downloaded without a token, from memory or a file, until they expire", function()
      local path = os.tmpname()
      local file = assert(io.open(path, "wb"))
      local big = ("0123456789abcdef"):rep(65536)
      file:write(big)
      file:close()
      app.task_queue("make", function(_, context)
        context.output("small.bin", "\0\1\2", { expires_in = 3600 })
        context.output("big.bin", { path = path })
        context.output("gone.txt", "gone", { expires_in = 0 })
      end)
      start { token = "secret" }
      local auth = { auth = { scheme = "bearer", secret = "secret" }, body = "{}" }
      local _, body = ask("POST", "/taskqueue/make", auth)
      local task = app.tasks:find(body.task_id)
      while not task:is_final() do
        task.changed:wait(10)
      end
      local _, shown = ask("GET", "/api/v1/task/" .. WS .. "/" .. task.id, { auth = auth.auth })
      local outputs = shown.outputs
      assert.same({ "small.bin", 3600, "big.bin", "gone.txt" }, { outputs[1].name, outputs[1].expires_in, outputs[2].name, outputs[3].name })
      assert.equal(1, (outputs[1].url:find(server.url, 1, true)))
      local contents = {}
      for i, output in ipairs(outputs) do
        local status, content, headers = ask("GET", output.url:sub(#server.url + 1), { raw = true })
        contents[i] = { status, i == 2 and #content or content, headers["content-disposition"] }
      end
      assert.same({ 200, "\0\1\2", 'attachment; filename="small.bin"' }, contents[1])
      assert.same({ 200, #big, 'attachment; filename="big.bin"' }, contents[2])
      assert.same({ 410, '{"message":"Output expired"}' }, contents[3])
      assert.same({ 404, { message = "" } }, answer("GET", "/output/id/no-such"))
      os.remove(path)
    end)

    it("an output's path leads out of its folder by no link, and to nothing that is no file", function()
      local folder = os.tmpname()
      os.remove(folder)
      local function sh(command, ...)
        assert(os.execute(command:format(...)))
      end
      sh("mkdir -p %s/out/below %s/far && echo inside > %s/out/below/real && echo outside > %s/far/secret", folder, folder, folder, folder)
      sh("cd %s/out && ln -s below/real good && ln -s ../far/secret bad && ln -s ../far/nothing none && ln -s loop loop", folder)
      sh("cd %s/out && ln -s ../out/../far/secret round && ln -s below/real.there below/x && mkfifo pipe && ln -s out ../link", folder)
      sh("mkdir %s/out-side && echo beside > %s/out-side/file && ln -s ../out-side/file %s/out/beside", folder, folder, folder)
      local wanted = {
        { "out/good", 200 },
        { "out/below/real", 200 },
        { "link/good", 200 }, -- the folder itself may be a link
        { "out/bad", 404 },
        { "out/none", 404 },
        { "out/loop", 404 },
        { "out/round", 404 },
        { "out/beside", 404 }, -- its folder's name begins as the other's
        { "out/below/x", 404 },
        { "out/pipe", 404 }, -- which nobody writes: it would be waited for
        { "out/below", 404 },
        { "out/missing", 404 },
      }
      app.task_queue("make", function(_, context)
        for i, case in ipairs(wanted) do
          context.output("o" .. i, { path = folder .. "/" .. case[1] })
        end
      end)
      start()
      local task = until_state(submit("make", {}), "COMPLETE")
      for i, case in ipairs(wanted) do
        local status, content = ask("GET", task.outputs[i].url:sub(#server.url + 1), { raw = true })
        assert.same({ case[1], case[2] }, { case[1], status })
        assert.equal(case[2] == 200 and "inside\n" or '{"message":""}', content)
      end
      sh("rm -r %s", folder)
    end)

    it("a handler's mistakes with outputs fail its task", function()
      app.task_queue("bad", function(input, context)
        context.output(input.name, input.content)
      end)
      start()
      for _, case in ipairs {
        { { name = "../x", content = "" }, "file name" },
        { { name = "..", content = "" }, "file name" },
        { { name = "a\\b", content = "" }, "file name" },
        { { name = "a\0b", content = "" }, "file name" },
        { { name = "x", content = 1 }, "bytes or {path=}" },
        { { name = "x", content = { path = "../../etc/passwd" } }, "no '..' in it" },
        { { name = "x", content = { path = "/tmp/a/../../etc/passwd" } }, "no '..' in it" },
        { { name = "x", content = { path = "a\\..\\b" } }, "no '..' in it" },
      } do
        assert.truthy(until_state(submit("bad", case[1]), "ERROR").failure_reason:find(case[2], 1, true))
      end
    end)
  end)

  describe("a call to an endpoint is a task", function()
    it("COMPLETE or ERROR, by the X-Task-Id of the answer", function()
      app.endpoint("double", function(input, context)
        assert(input.x, "x?")
        return { twice = input.x * 2, id = context.task_id }
      end)
      start()
      local _, body, headers = ask("POST", "/endpoint/double", { body = '{"x":2}' })
      assert.equal(body.id, headers["x-task-id"])
      local task = get(body.id)
      assert.same({ "COMPLETE", "endpoint/deployment", json.null }, { task.status, task.stub.type, task.result })
      _, _, headers = ask("POST", "/endpoint/double", { body = "{}" })
      assert.same({ "ERROR", true }, { get(headers["x-task-id"]).status, get(headers["x-task-id"]).failure_reason:find "x%?" ~= nil })
    end)

    it("and keeps nothing of what was answered", function()
      local kept = setmetatable({}, { __mode = "k" })
      app.endpoint("give", function()
        local value = { 1 }
        kept[value] = true
        return value
      end)
      start()
      assert.equal(200, (ask("POST", "/endpoint/give", { body = "{}" })))
      driver.sleep(0.01)
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(kept))
    end)

    it("who leaves while it waits cancels it; once it runs, it runs to its end", function()
      local ran, go = {}, driver.signal()
      app.endpoint("one", function(input)
        ran[#ran + 1] = input.n
        go:wait()
      end, { workers = 1 })
      start()
      local first = http.leave(server, "/endpoint/one", '{"n":1}')
      local second = http.leave(server, "/endpoint/one", '{"n":2}')
      http.until_true(function()
        return #app.tasks.list == 2 and app.tasks.list[1].status == "RUNNING"
      end)
      first.close()
      second.close()
      local tasks = app.tasks.list
      until_state(tasks[2].id, "CANCELLED")
      assert.equal("RUNNING", tasks[1].status)
      go:wake()
      until_state(tasks[1].id, "COMPLETE")
      assert.same({ { 1 }, "CANCELLED" }, { ran, tasks[2].status })
    end)

    it("workers, max_pending, and a queue in which the one that waited longest gives way", function()
      local go = driver.signal()
      app.endpoint("one", function(input)
        go:wait()
        return input.n
      end, { workers = 1, queue = 1, max_pending = 3 })
      start()
      local answers = {}
      local function call(n)
        driver.spawn(function()
          local status, body = ask("POST", "/endpoint/one", { body = ('{"n":%d}'):format(n) })
          answers[n] = { status, body }
        end)
        http.until_true(function()
          return #app.tasks.list >= n or answers[n]
        end)
      end
      call(1)
      call(2)
      call(3)
      http.until_true(function()
        return answers[2]
      end)
      assert.same({ 429, { error = "Request queue full" } }, answers[2])
      app.deployments.list[1].options.queue = math.huge
      app.deployments.list[1].options.max_pending = 2
      call(4)
      http.until_true(function()
        return answers[4]
      end)
      assert.same({ 429, { error = "exceeded max pending tasks: 2" } }, answers[4])
      go:wake()
      http.until_true(function()
        return answers[1] and app.tasks.list[3].status == "RUNNING"
      end)
      go:wake()
      http.until_true(function()
        return answers[3]
      end)
      assert.same({ { 200, 1 }, { 200, 3 } }, { answers[1], answers[3] })
    end)

    it("502 and TIMEOUT beyond its timeout; 504 and EXPIRED beyond its ttl; both with the task's id", function()
      app.endpoint("slow", function(_, context)
        context.sleep(60)
      end, { timeout = 0.05 })
      app.endpoint("busy", function(_, context)
        context.sleep(60)
      end, { workers = 1, ttl = 0.05 })
      start()
      local status, body, headers = ask("POST", "/endpoint/slow", { body = "{}" })
      assert.same({ 502, { error = "Backend route unavailable" } }, { status, body })
      assert.equal("TIMEOUT", get(headers["x-task-id"]).status)
      local held = http.leave(server, "/endpoint/busy", "{}")
      http.until_true(function()
        return #app.tasks.list == 2
      end)
      status, body, headers = ask("POST", "/endpoint/busy", { body = "{}" })
      assert.same({ 504, { error = "Timed out waiting for a backend container" } }, { status, body })
      assert.equal("EXPIRED", get(headers["x-task-id"]).status)
      held.close()
    end)

    it("a stream beyond its timeout ends with what is no event", function()
      app.endpoint("drip", function(_, context)
        local first = true
        return function()
          if first then
            first = false
            return 1
          end
          context.sleep(60)
        end
      end, { timeout = 0.1 })
      start()
      local status, body = ask("POST", "/endpoint/drip", { body = "{}", raw = true })
      assert.same({ 200, 'data: {"data":1}\n\n{"error":"Internal server error"}\n' }, { status, body })
    end)

    it("a stream that begins when the time is over is asked for nothing", function()
      local begun, given = driver.signal(), 0
      app.endpoint("late", function(_, context)
        while context.sleep(1) do -- luacheck: ignore 542
        end
        begun:wake_all()
        return function()
          given = given + 1
          return given < 1000 and given or nil
        end
      end, { timeout = 0.05 })
      start()
      assert.equal(502, (ask("POST", "/endpoint/late", { body = "{}" })))
      driver.sleep(0.1)
      assert.is_true(given <= 1, given .. " items for nobody")
    end)

    it("200 with a ValidationError for what its inputs do not allow; the handler does not run", function()
      local runs = 0
      app.endpoint("typed", function()
        runs = runs + 1
        return runs
      end, { inputs = { x = "number", name = "string?", tags = "array?", o = "object?", n = "integer?", b = "boolean?", a = "any?" } })
      start()
      for body, wanted in pairs {
        ["{}"] = { "x", "Field 'x' is required" },
        ['{"x":"1"}'] = { "x", "Field 'x' must be of type number" },
        ['{"x":1,"name":2}'] = { "name", "Field 'name' must be of type string" },
        ['{"x":1,"tags":{}}'] = { "tags", "Field 'tags' must be of type array" },
        ['{"x":1,"o":[]}'] = { "o", "Field 'o' must be of type object" },
        ['{"x":1,"n":1.5}'] = { "n", "Field 'n' must be of type integer" },
        ['{"x":1,"b":0}'] = { "b", "Field 'b' must be of type boolean" },
      } do
        local wanted_answer = { 200, { error = "ValidationError", field = wanted[1], message = wanted[2] } }
        assert.same(wanted_answer, answer("POST", "/endpoint/typed", { body = body }))
      end
      assert.equal(0, runs)
      local whole = '{"x":1,"name":"n","tags":[],"o":{},"n":2,"b":false,"a":null}'
      assert.same({ 200, 1 }, answer("POST", "/endpoint/typed", { body = whole }))
    end)
  end)

  describe("the store", function()
    it("belongs to the app: another server on the same port shows the same tasks, and they run on", function()
      local go = driver.signal()
      app.task_queue("train", function()
        go:wait()
        return "done"
      end)
      local port = hosts.free_port()
      start { port = port }
      local id = submit "train"
      until_state(id, "RUNNING")
      server:close()
      go:wake()
      start { port = port }
      assert.equal(port, server.port)
      assert.equal("done", until_state(id, "COMPLETE").result)
    end)

    it("forgets the oldest that have ended, and none that has not", function()
      app.task_queue("train", print, { workers = 1 })
      local deployment, store = app.deployments.list[1], app.tasks
      local first, second = store:add(deployment), store:add(deployment)
      second:set "COMPLETE"
      for _ = 1, 10999 do
        store:add(deployment):set "COMPLETE"
      end
      assert.same({ 10000, first, nil }, { #store.list, store:find(first.id), store:find(second.id) })
      assert.equal(1, deployment.in_flight)
    end)

    it("app.close() cancels what has not ended", function()
      app.task_queue("train", function(_, context)
        context.sleep(60)
      end)
      start()
      local id = submit "train"
      app.close()
      assert.equal("CANCELLED", app.tasks:find(id).status)
    end)
  end)

  describe("faults", function()
    it("lost: the task is taken and runs, its id never arrives", function()
      local runs = 0
      app.task_queue("train", function()
        runs = runs + 1
      end)
      start { fault = "lost=502:1" }
      assert.same({ 502, { error = "Backend route unavailable" } }, answer("POST", "/taskqueue/train", { body = "{}" }))
      assert.equal(1, #app.tasks.list)
      until_state(app.tasks.list[1].id, "COMPLETE")
      assert.equal(1, runs)
    end)

    it("cold: the submission is answered at once, the task waits; a call waits PENDING", function()
      app.task_queue("train", function()
        return 1
      end)
      app.endpoint("e", function()
        return 1
      end)
      start { fault = "cold=150ms" }
      local before = driver.now()
      local id = submit "train"
      assert.equal("PENDING", get(id).status)
      until_state(id, "COMPLETE")
      assert.is_true(driver.now() - before >= 0.15)
      driver.spawn(ask, "POST", "/endpoint/e", { body = "{}" })
      http.until_true(function()
        return app.tasks.list[2]
      end)
      assert.equal("PENDING", app.tasks.list[2].status)
      until_state(app.tasks.list[2].id, "COMPLETE")
    end)

    it("a refusal with an id is a task that no app saw", function()
      app.endpoint("e", print)
      start { fault = "status=502:1,status=504:1,status=429:1" }
      for _, state in ipairs { "ERROR", "EXPIRED" } do
        local _, _, headers = ask("POST", "/endpoint/e", { body = "{}" })
        assert.equal(state, get(headers["x-task-id"]).status)
      end
      local _, _, headers = ask("POST", "/endpoint/e", { body = "{}" })
      assert.same({ nil, 2 }, { headers["x-task-id"], #app.tasks.list })
    end)
  end)
end)
