-- Deployments: used, asked about, listed, warmed up.
local beam = require "beam"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"

local function names_of(list)
  local names = {}
  local deployment = list:next()
  while deployment do
    names[#names + 1] = tostring(deployment)
    deployment = list:next()
  end
  table.sort(names)
  return names
end

describe("deployment", function()
  local app, server, client
  setup(function()
    app = serve.new()
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    app.endpoint("multiply", function(input)
      return { result = input.x * 3 }
    end)
    app.endpoint("multiply-more", function() end)
    app.endpoint("asleep", function() end, { active = false })
    app.realtime("echo", function(text)
      return text
    end)
    app.task_queue("train", function(input)
      return input
    end)
    app.endpoint("count", function(input)
      local i = 0
      return function()
        i = i + 1
        return i <= input.to and { i = i } or nil
      end
    end)
    for i = 1, 120 do
      app.endpoint("many-" .. i, function() end)
    end
    server = assert(app.listen { token = TOKEN, pause = 0, log = function() end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  teardown(function()
    app:close()
  end)

  it("knows at once what its target says, and asks nothing", function()
    local nowhere = beam.client { gateway = "http://127.0.0.1:1", token = TOKEN }
    local deployment = nowhere.deployment { "multiply/v2", kind = "endpoint" }
    assert.are.same({ "multiply", 2, "endpoint", nil, "beam.deployment multiply" },
      { deployment.name, deployment.version, deployment.kind, deployment.id, tostring(deployment) })
    assert.are.equal("http://127.0.0.1:1/endpoint/multiply/v2", (deployment:url()))
    assert.are.equal("http://127.0.0.1:1/endpoint/multiply/", (nowhere.deployment("multiply"):url() .. "/"))
    deployment = nowhere.deployment "resize-7a7db8c-v3"
    assert.are.same({ "resize", 3 }, { deployment.name, deployment.version })
    deployment = nowhere.deployment "https://resize-7a7db8c-v3.app.beam.cloud"
    assert.are.same({ "resize", 3 }, { deployment.name, deployment.version })
    deployment = nowhere.deployment "http://gateway/taskqueue/train/v4"
    assert.are.same({ "train", 4, "taskqueue" }, { deployment.name, deployment.version, deployment.kind })
  end)

  it("is called, each version for itself", function()
    assert.are.same({ result = 6 }, (client.deployment("multiply"):call { x = 2 }))
    assert.are.same({ result = 4 }, (client.deployment("multiply/v1"):call({ x = 2 }, { timeout = 10 })))
    local result, info = client.deployment("multiply/v1"):call { x = 2 }
    assert.are.same({ 4, 200 }, { result.result, info.status })
  end)

  it("is streamed from", function()
    local stream = assert(client.deployment("count"):stream { to = 3 })
    local items = {}
    local item = stream:next()
    while item do
      items[#items + 1] = item.i
      item = stream:next()
    end
    assert.are.same({ 1, 2, 3 }, items)
  end)

  it("is connected to, submitted to, and its tasks are listed", function()
    local conn = assert(client.deployment("echo"):realtime())
    assert(conn:send { hello = 1 })
    assert.are.same({ hello = 1 }, (conn:receive(10)))
    conn:close()
    local train = client.deployment "train"
    local task = assert(train:submit { x = 1 })
    assert.are.same({ x = 1 }, (task:result(20)))
    local tasks = assert(train:tasks():all())
    assert.are.same({ 1, task.id }, { #tasks, tasks[1].id })
  end)

  it("says what Beam knows of it, once asked", function()
    local deployment = assert(client.deployment("multiply"):fetch())
    assert.are.same({ "multiply", 2, "endpoint", true, "string", "string", "string" }, {
      deployment.name, deployment.version, deployment.kind, deployment.active,
      type(deployment.id), type(deployment.stub_id), type(deployment.created_at),
    })
    local first = assert(client.deployment("multiply/v1"):fetch())
    assert.are.equal(1, first.version)
    assert.are.equal(first.id, assert(client.deployment(first.id):fetch()).id)
    assert.are.equal(first.id, assert(first:fetch()).id)
    local none, err = client.deployment("multipl"):fetch()
    assert.is_nil(none)
    assert.are.same({ "http", 404, "nothing is deployed as 'multipl'", "beam.deployments() lists what is" },
      { err.kind, err.status, err.message, err.hint })
  end)

  it("that is known by its id is asked for its address", function()
    local first = assert(client.deployment("multiply/v1"):fetch())
    assert.are.equal(server.url .. "/endpoint/multiply/v1", (client.deployment(first.id):url()))
    assert.are.equal(server.url .. "/endpoint/id/" .. first.stub_id, (client.deployment(first.stub_id):url()))
    assert.are.equal(server.url .. "/endpoint/multiply/v1", (first:url()))
  end)

  it("is warmed up", function()
    assert.are.same({ true }, { client.deployment("multiply"):warmup() })
    assert.are.same({ true }, { client.deployment({ "echo", kind = "asgi" }):warmup { timeout = 10 } })
    local done, err = client.deployment("nothing"):warmup()
    assert.is_nil(done)
    assert.are.same({ "http", "no" }, { err.kind, err.executed })
    local ok, message = pcall(client.deployment("multiply").warmup, client.deployment "multiply", { timout = 1 })
    assert.is_false(ok)
    assert.is_truthy(message:find("deployment:warmup: unknown option 'timout'; did you mean 'timeout'?", 1, true))
  end)

  it("is warmed up again after what passes", function()
    local api = told.start()
    local count = 0
    api:on("POST /endpoint/x/warmup", function(request)
      count = count + 1
      if count == 1 then
        return request:abort(false)
      end
      request:respond(count == 2 and 502 or 200)
    end)
    local there = beam.client { gateway = api.url, token = TOKEN, timeout = 20 }
    assert.are.same({ true }, { there.deployment("x"):warmup { retry = beam.retry.backoff { base = 0.01 } } })
    api:close()
    assert.are.equal(3, count)
  end)

  describe("list", function()
    it("has all of them, from all pages", function()
      assert.are.equal(127, #names_of(client.deployments()))
      assert.are.equal(5, #names_of(client.deployments { limit = 5 }))
    end)

    it("has exact names", function()
      assert.are.same({ "beam.deployment multiply/v1", "beam.deployment multiply/v2" }, names_of(client.deployments { name = "multiply" }))
      assert.are.same({ "beam.deployment multiply/v1" }, names_of(client.deployments { name = "multiply", version = 1 }))
      assert.are.same({}, names_of(client.deployments { name = "multi" }))
    end)

    it("may be of a kind, and of what is active or not", function()
      assert.are.same({ "beam.deployment echo/v1" }, names_of(client.deployments { kind = "asgi" }))
      assert.are.same({ "beam.deployment asleep/v1" }, names_of(client.deployments { active = false }))
      assert.are.equal(126, #names_of(client.deployments { active = true }))
    end)

    it("has deployments that can be called", function()
      local found = client.deployments({ name = "multiply", version = 1 }):next()
      assert.are.same({ result = 4 }, (found:call { x = 2 }))
    end)

    it("is looked at again, where the server knows no filter", function()
      local api = told.start()
      local seen
      api:on("GET /api/v1/deployment/[^/]+", function(request, view)
        seen = view.query
        told.reply(request, 200, {
          { id = "1", name = "a", version = 1, stub_type = "endpoint/deployment", active = true },
          { id = "2", name = "ab", version = 1, stub_type = "endpoint/deployment", active = true },
          { id = "3", name = "a", version = 2, stub_type = "asgi/deployment", active = true },
          { id = "4", name = "a", version = 3, stub_type = "endpoint/deployment", active = false },
        })
      end)
      local there = beam.client { gateway = api.url, token = TOKEN, timeout = 20 }
      local list = assert(there.deployments({ name = "a", kind = "endpoint", active = true }):all())
      api:close()
      assert.are.same({ 1, "1" }, { #list, list[1].id })
      assert.are.equal("active=true&limit=100&name=a&pagination=true&stub_type=endpoint%2Fdeployment", seen)
    end)

    it("raises for mistakes", function()
      local ok, message = pcall(client.deployments, { nam = "x" })
      assert.is_false(ok)
      assert.is_truthy(message:find("beam.deployments: unknown option 'nam'; did you mean 'name'?", 1, true))
      ok, message = pcall(client.deployments, { active = "yes" })
      assert.is_false(ok)
      assert.is_truthy(message:find("beam.deployments: option 'active' wants a boolean", 1, true))
      ok, message = pcall(client.deployments, { limit = -1 })
      assert.is_false(ok)
      assert.is_truthy(message:find("beam.deployments: 'limit' is a whole number from 0 on", 1, true))
    end)
  end)

  it("shows no secret to who prints it", function()
    for _, value in pairs(client.deployment { "multiply", token = nil }) do
      assert.are_not.equal("table", type(value))
    end
  end)

  it("has no warm-up where its kind has none", function()
    for _, kind in ipairs { "function", "schedule", "pod", "bot" } do
      local done, err = client.deployment({ "train", kind = kind }):warmup()
      assert.are.same({ nil, "invalid", "a " .. kind .. " has no warm-up", "no" }, { done, err.kind, err.message, err.executed })
    end
    assert.is_true(client.deployment({ "train", kind = "taskqueue" }):warmup())
  end)

  it("has the address that Beam hands out", function()
    local api = told.start()
    local stub = "3f1b6a0e-1234-4000-8000-00000000abcd"
    local public = api.url .. "/endpoint/public/" .. stub
    api:on("GET /api/v1/deployment/" .. told.workspace:gsub("%-", "%%-"), function(request)
      told.reply(request, 200, { data = { { id = "d", name = "open", version = 1, stub_type = "endpoint/deployment", invoke_url = public } }, next = "" })
    end)
    local seen
    api:on("POST /endpoint/public/.*", function(request, view)
      for _, pair in ipairs(view.headers) do
        seen = seen or pair[1] == "authorization"
      end
      told.reply(request, 200, {})
    end)
    local at = assert(beam.client { gateway = api.url, token = TOKEN })
    local url = assert(assert(at.deployments({ name = "open" }):next()):url())
    assert.are.equal(public, url)
    assert(at.call(url, {}))
    assert.is_false(seen)
    api:close()
  end)

  it("is found by what a label with a port says", function()
    local pod = client.deployment "multiply-7a7db8c-v2-8000"
    assert.are.same({ "multiply", 2 }, { pod.name, pod.version })
    assert.are.equal(server.url .. "/pod/multiply/v2/8000", (pod:url()))
  end)
end)
