-- Deployments started, stopped, deleted, scaled; containers listed and ended; the further filters of lists.
local beam = require "beam"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token-that-no-message-may-show"

describe("a deployment", function()
  local app, server, client
  before_each(function()
    app = serve.new()
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    app.endpoint("multiply", function(input)
      return { result = input.x * 3 }
    end)
    app.task_queue("train", function(_, context)
      context.sleep(60)
    end)
    server = assert(app.listen { token = TOKEN, log = function() end })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  after_each(function()
    app:close()
  end)

  it("is stopped and started, by name, version, id", function()
    local deployment = client.deployment "multiply"
    assert.is_true(deployment:stop())
    assert.is_false(deployment.active)
    local result, err = client.call("multiply/v2", { x = 1 })
    assert.are.same({ nil, 400 }, { result, err.status })
    assert.are.same({ result = 2 }, (client.call("multiply/v1", { x = 1 })))
    assert.is_true(client.deployment(deployment.id):start())
    assert.are.same({ result = 3 }, (client.call("multiply/v2", { x = 1 })))
    assert.is_true(client.deployment("multiply/v1"):stop())
    assert.are.same({ nil, 400 }, { (client.call("multiply/v1", { x = 1 })), select(2, client.call("multiply/v1", { x = 1 })).status })
  end)

  it("is deleted", function()
    assert.is_true(client.deployment("multiply/v2"):delete())
    assert.are.same({ "multiply/v1" }, { assert(client.deployments({ name = "multiply" }):next()).described })
    local done, err = client.deployment("nothing"):delete()
    assert.are.same({ nil, 404 }, { done, err.status })
  end)

  it("is scaled where Beam does that, which is told with status 200", function()
    local done, err = client.deployment("multiply"):scale(2)
    assert.are.same({ nil, "http" }, { done, err.kind })
    assert.is_truthy(err.message:find("cannot be scaled directly", 1, true))
    local api, seen = told.start(), nil
    api:on("POST /api/v1/gateway/deployments/([^/]+)/scale", function(request, view, id)
      seen = { id, view.body }
      told.reply(request, 200, { ok = true, err_msg = "" })
    end)
    api:on("GET /api/v1/deployment/[^/]+/([^/]+)", function(request, _, id)
      told.reply(request, 200, { id = id, name = "vllm", version = 1, stub_type = "pod/deployment" })
    end)
    local id = "3f1b6a0e-1234-4000-8000-00000000abcd"
    assert.is_true(beam.client({ gateway = api.url, token = TOKEN }).deployment(id):scale(3))
    assert.are.same({ id, '{"containers":3}' }, seen)
    api:close()
    assert.has_error(function()
      client.deployment("multiply"):scale "2"
    end)
  end)

  it("may be refused to a token", function()
    local api = told.start()
    api:on("POST /api/v1/deployment/.*", function(request)
      told.reply(request, 401, { message = "Unauthorized" })
    end)
    api:on("GET /api/v1/deployment/[^/]+/([^/]+)", function(request, _, id)
      told.reply(request, 200, { id = id, name = "x", version = 1, stub_type = "endpoint/deployment" })
    end)
    local at = beam.client { gateway = api.url, token = TOKEN }
    local done, err = at.deployment("3f1b6a0e-1234-4000-8000-00000000abcd"):stop()
    assert.are.same({ nil, 401, "restricted tokens may not do this: use one that is not" }, { done, err.status, err.hint })
    done, err = beam.client({ gateway = api.url, token = TOKEN, api_version = "v2" }).deployment("x"):stop()
    assert.are.same({ nil, "Beam's public API does not stop deployments" }, { done, err.message })
    api:close()
  end)

  it("is found by more than its name", function()
    local function names(options)
      local list, all = client.deployments(options), {}
      local item = list:next()
      while item do
        all[#all + 1] = item.described
        item = list:next()
      end
      assert.is_nil(list.err)
      table.sort(all)
      return table.concat(all, " ")
    end
    assert.are.equal("multiply/v1 multiply/v2 train/v1", names {})
    assert.are.equal("multiply/v2 train/v1", names { latest = true })
    assert.are.equal("multiply/v2", names { latest = true, name = "multiply" })
    assert.are.equal("multiply/v1 multiply/v2", names { search = "multi" })
    assert.are.equal("", names { created_after = "2099-01-01T00:00:00Z" })
    assert.are.equal("multiply/v1 multiply/v2", names { app = app.deployments.list[1].app_id })
    local api, asked = told.start(), nil
    api:on("GET /api/v1/deployment/[^/]+", function(request, view)
      asked = view.query
      told.reply(request, 200, { data = {}, next = "" })
    end)
    local at = beam.client { gateway = api.url, token = TOKEN }
    at.deployments({ min_containers = 2, deleted = true, created_before = "2026-08-01T00:00:00Z" }):next()
    assert.are.equal("created_at_end=2026-08-01T00%3A00%3A00Z&limit=100&min_containers=2&pagination=true&show_deleted=true", asked)
    api:close()
  end)

  it("has containers, which are listed and ended", function()
    local task = assert(client.submit("train", {}))
    for status in task:events(10) do
      if status == "RUNNING" then
        break
      end
    end
    client.call("multiply", { x = 1 })
    local list = assert(client.containers())
    assert.are.equal(2, #list)
    local mine = assert(client.containers { deployment = "train" })
    assert.are.same({ 1, "RUNNING" }, { #mine, mine[1].status })
    assert.is_true(mine[1]:stop())
    assert.are.equal("CANCELLED", assert(task:wait(10)).status)
    assert.are.equal(1, #assert(client.containers()))
    local done, err = client.container(mine[1].id):stop()
    assert.are.same({ nil, 400 }, { done, err.status })
    assert.has_error(function()
      client.container "a/b"
    end)
  end)

  it("whose stub is not told has no containers, and an error says so", function()
    local api = told.start()
    api:on("GET /api/v1/deployment/[^/]+", function(request)
      told.reply(request, 200, { data = { { id = "d", name = "bare", version = 1, stub_type = "endpoint/deployment" } } })
    end)
    local list, err = beam.client({ gateway = api.url, token = TOKEN }).containers { deployment = "bare" }
    assert.are.same({ nil, "http", "Beam did not say which stub the deployment has" }, { list, err.kind, err.message })
    api:close()
  end)

  it("takes no file where it wants JSON, and says what to do", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write "RIFF"
    file:close()
    for _, send in ipairs { client.call, client.stream, client.submit } do
      local done, err = send { send == client.submit and "train" or "multiply", file = path }
      assert.are.same({ nil, 400 }, { done, err.status })
      assert.is_truthy(err.hint:find("beam.upload(path) gives a URL", 1, true))
    end
    os.remove(path)
  end)
end)
