-- The ids that Beam lists are those of deployments, and addresses are made of stubs' ids: either works wherever a name does.
local beam = require "beam"
local driver = require "beam.driver"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "a-token"

describe("the id of a deployment", function()
  local app, server, client, seen
  setup(function()
    app = serve.new()
    app.endpoint("multiply", function(input)
      return { result = input.x * 2 }
    end)
    app.endpoint("count", function()
      local i = 0
      return function()
        i = i + 1
        return i <= 2 and { i = i } or nil
      end
    end)
    app.realtime("echo", function(text)
      return text
    end)
    app.task_queue("train", function(input)
      return input
    end)
    app.remote_function("once", function(input)
      return input
    end)
    server = assert(app.listen {
      token = TOKEN,
      pause = 0,
      log = function(_, line)
        seen[#seen + 1] = line
      end,
    })
    client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20 })
  end)
  before_each(function()
    seen = {}
  end)
  teardown(function()
    app:close()
  end)

  local function id_of(name)
    return assert(client.deployments { name = name, limit = 1 }:next()).id
  end

  it("can be called, streamed from, submitted to, connected to", function()
    assert.are.equal(4, assert(client.call(id_of "multiply", { x = 2 })).result)
    assert.are.same({ i = 1 }, assert(client.stream(id_of "count")):next())
    assert.is_truthy(client.submit(id_of "train", {}))
    assert.is_truthy(client.submit({ id_of "once", kind = "function" }, {}))
    local conn = assert(client.realtime { id_of "echo", ready_timeout = 10 })
    assert.are.same({ a = 1 }, conn:request({ a = 1 }, { timeout = 5 }))
    conn:close()
  end)

  it("is asked for once", function()
    local id = id_of "multiply"
    assert(client.call(id, { x = 1 }))
    seen = {}
    assert(client.call(id, { x = 1 }))
    assert.are.equal(1, #seen, table.concat(seen, "\n"))
  end)

  it("serves a deployment object, asked about or not", function()
    assert.are.equal(6, assert(client.deployment(id_of "multiply"):call { x = 3 }).result)
    local deployment = assert(client.deployment(id_of "multiply"):fetch())
    assert.are.equal(6, assert(deployment:call { x = 3 }).result)
  end)

  it("of another kind is told as what it is", function()
    local result, err = client.call(id_of "train", {})
    assert.is_nil(result)
    assert.are.same({ 400, "this is the id of 'train', a deployment of kind taskqueue: see beam.submit" }, { err.status, err.hint })
  end)

  it("that nobody has stays an error", function()
    local result, err = client.call("00000000-0000-4000-8000-00000000abcd", {})
    assert.is_nil(result)
    assert.are.equal(400, err.status)
  end)

  it("is not looked up for longer than the call may take", function()
    local api = told.start()
    api:on("POST /endpoint/id/.*", function(request)
      driver.context():timer(0.7, function()
        told.reply(request, 400, { message = "Invalid stub id" })
      end)
    end)
    api:on("GET /api/v1/deployment/.*", function() end)
    local began = driver.now()
    local at = assert(beam.client { gateway = api.url, token = TOKEN, workspace = told.workspace })
    local result, err = at.call({ id = "00000000-0000-4000-8000-00000000abcd" }, {}, { timeout = 1 })
    assert.are.same({ nil, 400 }, { result, err.status })
    assert.is_true(driver.now() - began < 1.5, driver.now() - began)
    api:close()
  end)

  it("warms up by its own kind, and by a name's", function()
    assert.is_true(client.deployment("train"):warmup())
    assert.is_true(client.deployment("echo"):warmup())
    assert.is_true(client.deployment(id_of "train"):warmup())
    local done, err = client.deployment("once"):warmup()
    assert.is_nil(done)
    assert.are.same({ "invalid", "a function has no warm-up" }, { err.kind, err.message })
    done, err = client.deployment("nothing"):warmup()
    assert.is_nil(done)
    assert.are.equal(400, err.status)
  end)
end)
