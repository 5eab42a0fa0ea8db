-- The REST API of the local Beam, asked with beam.core alone: workspace, tasks and deployments, v1 and v2 (docs/wire.md sections 2 and 6).
local driver = require "beam.driver"
local hosts = require "spec.hosts"
local http = require "served_http"
local json = require "beam.json"
local serve = require "beam.serve"

local WS = "10ca1bea-0000-4000-8000-000000000001"
local OTHER = "10ca1bea-0000-4000-8000-000000000002"

local app, server, ask -- of the test that runs

local function start(options)
  options = options or {}
  options.log = options.log or function() end
  server = assert(app.listen(options))
  ask = http.asker(server)
end

-- status and body, in a table.
local function answer(...)
  local status, body = ask(...)
  return { status, body }
end

local function tasks(query)
  local status, page = ask("GET", "/api/v1/task/" .. WS .. "?" .. (query or ""))
  assert.equal(200, status)
  return page
end

local function deployments(query)
  local status, list = ask("GET", "/api/v1/deployment/" .. WS .. "?" .. (query or ""))
  assert.equal(200, status)
  return list
end

-- A field of each item of a list.
local function each(list, field)
  local values = {}
  for i, item in ipairs(list) do
    values[i] = item[field]
  end
  return values
end

local function wait_for(id, state)
  local task = app.tasks:find(id)
  http.until_true(function()
    return task.status == state
  end)
end

local function submit(name, input)
  local status, body = ask("POST", "/taskqueue/" .. name, { body = json.encode(input or {}) })
  assert.equal(200, status)
  return body.task_id
end

describe("the API of the local Beam:", function()
  before_each(function()
    app = serve.new()
    app.task_queue("train", function(input, context)
      if input.fail then
        error "no"
      end
      context.sleep(input.seconds or 0)
      return input.n
    end, { workers = 50 })
  end)

  after_each(function()
    app.close()
  end)

  describe("who may ask", function()
    it("401 without a token, with a wrong one, and for another workspace", function()
      start { token = "secret", workspace = OTHER:upper() }
      local auth = { auth = { scheme = "bearer", secret = "secret" } }
      for _, path in ipairs { "/api/v1/workspace/current", "/api/v1/task/" .. OTHER, "/api/v1/deployment/" .. OTHER, "/v2/task/x/" } do
        assert.same({ 401, { message = "Unauthorized" } }, answer("GET", path))
        assert.same({ 401, { message = "Unauthorized" } }, answer("GET", path, { auth = { scheme = "bearer", secret = "no" } }))
      end
      assert.same({ 401, { message = "Unauthorized" } }, answer("GET", "/api/v1/task/" .. WS, auth))
      local status, workspace = ask("GET", "/api/v1/workspace/current", auth)
      assert.same({ 200, OTHER, OTHER, "local" }, { status, workspace.id, workspace.external_id, workspace.name })
    end)

    it("404 for what there is not, 405 for what cannot be done to it", function()
      start()
      assert.same({ 404, { message = "Not Found" } }, answer("GET", "/api/v1/nothing"))
      assert.same({ 405, { message = "Method Not Allowed" } }, answer("POST", "/api/v1/task/" .. WS, { body = "{}" }))
      assert.same({ 404, { message = "" } }, answer("GET", "/api/v1/task/" .. WS .. "/no-such-task"))
      assert.same({ 404, { message = "" } }, answer("GET", "/api/v1/task/" .. WS .. "/no-such-task/subscribe"))
      assert.same({ 404, { message = "" } }, answer("GET", "/api/v1/deployment/" .. WS .. "/no-such-one"))
      assert.same({ 400, { message = "Invalid deployment ID" } }, answer("GET", "/api/v1/deployment/no-such-one/url"))
      assert.same({ 400, { message = "Invalid stub ID" } }, answer("GET", "/api/v1/stub/no-such-one/url"))
      assert.same({ 404, { detail = "Not found." } }, answer("GET", "/v2/task/no-such-task/"))
    end)

    it("a workspace is a UUID", function()
      assert.has_error(function()
        app.listen { workspace = "mine" }
      end, "app:listen: workspace wants a UUID")
    end)
  end)

  describe("lists of tasks", function()
    it("come in pages, the newest first, and new ones shift nothing", function()
      start()
      local ids = {}
      for n = 1, 25 do
        ids[n] = submit("train", { n = n })
      end
      wait_for(ids[25], "COMPLETE")
      local page, seen = tasks "limit=10", {}
      submit "train"
      while true do
        for _, task in ipairs(page.data) do
          seen[#seen + 1] = task.id
        end
        if page.next == "" then
          break
        end
        page = tasks("limit=10&cursor=" .. page.next:gsub("[+/=]", function(c)
          return ("%%%02X"):format(c:byte())
        end))
      end
      local wanted = {}
      for n = 25, 1, -1 do
        wanted[#wanted + 1] = ids[n]
      end
      assert.same(wanted, seen)
      assert.equal(10, #tasks().data)
      assert.same({ 26, "" }, { #tasks("limit=100").data, tasks("limit=100").next })
      assert.equal(1, #tasks("limit=100&offset=25").data)
      assert.is_nil(tasks().data[1].result)
    end)

    it("are filtered", function()
      app.endpoint("double", function(input)
        return input.x * 2
      end)
      start()
      local good, bad = submit "train", submit("train", { fail = true })
      wait_for(good, "COMPLETE")
      wait_for(bad, "ERROR")
      local _, _, headers = ask("POST", "/endpoint/double", { body = '{"x":1}' })
      local call = headers["x-task-id"]
      local stub = app.deployments.list[1].id
      local container = app.tasks:find(good).container_id
      local middle = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 60)
      for query, ids in pairs {
        ["status=ERROR"] = { bad },
        ["status=ERROR,COMPLETE"] = { call, bad, good },
        ["status=PENDING"] = {},
        ["task_ids=" .. good .. "," .. call] = { call, good },
        ["task_ids=nonsense"] = { call, bad, good },
        ["stub_ids=" .. stub] = { bad, good },
        ["stub_types=endpoint/deployment"] = { call },
        ["stub_names=taskqueue/deployment/train:train&status=COMPLETE"] = { good },
        ["container_ids=" .. container] = { bad, good },
        ["created_at_start=" .. middle] = {},
        ["created_at_end=" .. middle] = { call, bad, good },
        ["created_at_start=2020-01-01"] = { call, bad, good },
        ["created_at_end=2020-01-01T00:00:00%2B02:00"] = {},
        ["max_duration=60000&stub_types=endpoint/deployment"] = { call },
        ["min_duration=60000"] = {},
        ["status="] = { call, bad, good },
      } do
        assert.same(ids, each(tasks(query).data, "id"), query)
      end
      for _, query in ipairs { "limit=many", "offset=-1", "created_at_start=yesterday", "min_duration=long" } do
        local wanted = { 400, { message = "Failed to decode query parameters" } }
        assert.same(wanted, answer("GET", "/api/v1/task/" .. WS .. "?" .. query))
      end
      assert.same({ 500, { message = "Failed to list" } }, answer("GET", "/api/v1/task/" .. WS .. "?cursor=nonsense"))
    end)

    it("leave outputs and stats out if told to", function()
      app.task_queue("make", function(_, context)
        context.output("a", "b")
      end)
      start()
      wait_for(submit "make", "COMPLETE")
      assert.equal(1, #tasks().data[1].outputs)
      assert.equal("[]", json.encode(tasks("skip_details=true").data[1].outputs))
    end)
  end)

  describe("watching", function()
    -- Reads the stream of a task's states. Returns the states, what ended it, and the raw text.
    local function watch(id)
      local status, body, rest = ask("GET", "/api/v1/task/" .. WS .. "/" .. id .. "/subscribe", { raw = true })
      local text, states = status and body or rest, {}
      for data in text:gmatch "event: status\ndata: ([^\n]+)\n\n" do
        local task = assert(json.decode(data))
        assert.equal(id, task.id)
        states[#states + 1] = task.status
      end
      return states, status or body, text, rest
    end

    it("the state now, then one event per change, until the end", function()
      start()
      local id = submit("train", { seconds = 0.1, n = 7 })
      wait_for(id, "RUNNING")
      local states, status, text, headers = watch(id)
      assert.same({ { "RUNNING", "COMPLETE" }, 200, "text/event-stream" }, { states, status, headers["content-type"] })
      assert.equal(7, json.decode(text:match "data: ([^\n]+)\n\n$").result)
      assert.is_nil(text:find("id:", 1, true))
      states = watch(id)
      assert.same({ "COMPLETE" }, states)
    end)

    it("ends when the server does; the next server tells the rest", function()
      local port = hosts.free_port()
      start { port = port }
      local id = submit("train", { seconds = 0.3 })
      wait_for(id, "RUNNING")
      driver.spawn(function()
        driver.sleep(0.05)
        server:close()
      end)
      local states, err = watch(id)
      assert.same({ { "RUNNING" }, "table" }, { states, type(err) })
      start { port = port }
      assert.same({ "RUNNING", "COMPLETE" }, (watch(id)))
    end)

    it("cut, cut inside an event, refused, and then not any more", function()
      start { fault = "cut=1:1,cut_inside=1:1,watch=503:1" }
      local id = submit("train", { seconds = 0.2 })
      wait_for(id, "RUNNING")
      assert.equal(503, (ask("GET", "/api/v1/task/" .. WS .. "/" .. id .. "/subscribe")))
      local states, err, text = watch(id)
      assert.same({ { "RUNNING" }, "table" }, { states, type(err) })
      assert.truthy(text:find "\n\n$")
      states, err, text = watch(id)
      assert.same({ { "RUNNING" }, "table", true }, { states, type(err), not text:find "\n\n$" })
      assert.same({ "COMPLETE" }, (watch(id)))
    end)

    it("breaks off where the local Beam itself fails in the middle", function()
      start {
        fault = "cut=1..9",
        random = function()
          error("no dice", 0)
        end,
      }
      local id = submit("train", { seconds = 0 })
      wait_for(id, "COMPLETE")
      local began = driver.now()
      local states, err = watch(id)
      assert.same({ {}, "table" }, { states, type(err) })
      assert.is_true(driver.now() - began < 10)
    end)

    it("whoever leaves is forgotten", function()
      start()
      local id = submit("train", { seconds = 60 })
      wait_for(id, "RUNNING")
      local exchange = driver.context():http({
        url = server.url .. "/api/v1/task/" .. WS .. "/" .. id .. "/subscribe",
        stream = true,
        timeout = 60,
      }, function() end)
      driver.attach()
      http.until_true(function()
        return next(server.exchanges) ~= nil
      end)
      exchange:free()
      driver.detach()
      http.until_true(function()
        return next(server.exchanges) == nil
      end)
    end)
  end)

  describe("the public flavour, v2", function()
    it("a task by its id alone, lists, and cancelling by a body", function()
      start()
      local id, done = submit("train", { seconds = 60 }), submit("train", { n = 3 })
      wait_for(done, "COMPLETE")
      for _, path in ipairs { "/v2/task/" .. done .. "/", "/v2/task/" .. done } do
        local status, task = ask("GET", path)
        assert.same({ 200, "COMPLETE", 3 }, { status, task.status, task.result })
      end
      local _, page = ask("GET", "/v2/task/?status=RUNNING")
      assert.same({ id }, each(page.data, "id"))
      local required = { 400, { task_ids = { "This field is required." } } }
      assert.same(required, answer("DELETE", "/v2/task/cancel/?task_ids=" .. id))
      assert.same(required, answer("DELETE", "/v2/task/cancel/", { body = '{"task_ids":"x"}' }))
      assert.equal("RUNNING", app.tasks:find(id).status)
      local body = json.encode { task_ids = { id, "no-such-task" } }
      assert.same({ 200, {} }, answer("DELETE", "/v2/task/cancel/", { body = body }))
      assert.equal("CANCELLED", app.tasks:find(id).status)
    end)

    it("v1 does not look at a body: what the JS SDK sends cancels nothing", function()
      start()
      local id = submit("train", { seconds = 60 })
      assert.same({ 200, {} }, answer("DELETE", "/api/v1/task/" .. WS, { body = json.encode { ids = { id }, task_ids = { id } } }))
      assert.truthy(({ PENDING = true, RUNNING = true })[app.tasks:find(id).status])
    end)
  end)

  describe("deployments", function()
    before_each(function()
      app.endpoint("train-fast", print)
      app.endpoint("train-fast", print, { active = false })
      app.realtime("echo", print)
      start()
    end)

    it("a bare array, the newest first; pages if asked for", function()
      assert.same({ "echo", "train-fast", "train-fast", "train" }, each(deployments(), "name"))
      assert.same({ "train-fast" }, each(deployments "limit=1&offset=1", "name"))
      local page = deployments "pagination=true&limit=3"
      assert.equal(3, #page.data)
      page = deployments("pagination=true&limit=3&cursor=" .. page.next:gsub("=", "%%3D"))
      assert.same({ { "train" }, "" }, { each(page.data, "name"), page.next })
      local _, latest = ask("GET", "/api/v1/deployment/" .. WS .. "/latest")
      assert.same({ { "echo", "train-fast", "train" }, { 1, 2, 1 } }, { each(latest.data, "name"), each(latest.data, "version") })
    end)

    it("are filtered: a name is a part of one, as at Beam", function()
      local first = deployments("version=1&name=train-fast")[1]
      for query, names in pairs {
        ["name=train"] = { "train-fast", "train-fast", "train" },
        ["name=train-fast&version=2"] = { "train-fast" },
        ["search_query=cho"] = { "echo" },
        ["search_query=" .. first.id] = { "train-fast" },
        ["stub_type=asgi/deployment,taskqueue/deployment"] = { "echo", "train" },
        ["active=false"] = { "train-fast" },
        ["active=true&name=train-fast"] = { "train-fast" },
        ["subdomain=" .. first.subdomain] = { "train-fast", "train-fast" },
        ["stub_ids=" .. first.stub_id] = { "train-fast" },
        ["name=" .. "%25"] = {},
      } do
        assert.same(names, each(deployments(query), "name"), query)
      end
      for _, query in ipairs { "version=v1", "active=maybe", "limit=x" } do
        local wanted = { 400, { message = "Failed to decode query parameters" } }
        assert.same(wanted, answer("GET", "/api/v1/deployment/" .. WS .. "?" .. query))
      end
    end)

    it("one of them, its address, and its stub's: another id", function()
      local shown = deployments("name=echo")[1]
      assert.are_not.equal(shown.id, shown.stub_id)
      local status, one = ask("GET", "/api/v1/deployment/" .. WS .. "/" .. shown.id)
      assert.same({ 200, shown }, { status, one })
      assert.same({ "asgi/deployment", true, 1, "echo" }, { one.stub_type, one.active, one.version, one.app.name })
      assert.truthy(one.subdomain:find "^echo%-%w%w%w%w%w%w%w$")
      assert.same({ 200, { url = server.url .. "/asgi/echo/v1" } }, answer("GET", "/api/v1/deployment/" .. one.id .. "/url"))
      local stub = { 200, { url = server.url .. "/asgi/id/" .. one.stub_id } }
      assert.same(stub, answer("GET", "/api/v1/stub/" .. one.stub_id .. "/url"))
      assert.same(stub, answer("GET", "/api/v1/stub/" .. WS .. "/" .. one.stub_id .. "/url"))
      local id = "ABCDEF12-0000-4000-8000-000000000001"
      app.endpoint("capitals", function() end, { id = id })
      assert.equal(200, (ask("GET", "/api/v1/stub/" .. id .. "/url")))
      assert.equal(200, (ask("POST", "/endpoint/id/" .. id)))
      assert.equal(200, (ask("POST", "/endpoint/id/" .. id:lower())))
    end)
  end)

  describe("faults", function()
    it("api: refused with a status, hung up, reset, late; calls are not", function()
      app.endpoint("one", function()
        return 1
      end)
      start { fault = "api=503:1,api=hang_up:1,api=reset:1,api=100ms:1" }
      assert.equal(200, (ask("POST", "/endpoint/one", { body = "{}" })))
      assert.equal(503, (ask("GET", "/api/v1/workspace/current")))
      for _ = 1, 2 do
        assert.is_nil((ask("GET", "/api/v1/workspace/current")))
      end
      local before = driver.now()
      assert.equal(200, (ask("GET", "/v2/task/")))
      assert.is_true(driver.now() - before >= 0.1)
      assert.equal(200, (ask("GET", "/v2/task/")))
    end)
  end)
end)
