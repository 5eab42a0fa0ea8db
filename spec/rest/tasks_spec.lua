-- Lists of tasks: all pages, lazily, of both versions of the API; and what a server may do wrong with pages.
local beam = require "beam"
local serve = require "beam.serve"
local told = require "told_api"

local TOKEN = "t"

local function ids_of(list)
  local ids = {}
  local task = list:next()
  while task do
    ids[#ids + 1] = task.id
    task = list:next()
  end
  return ids
end

for _, version in ipairs { "v1", "v2" } do
  describe("tasks, " .. version, function()
    local app, server, client, submitted
    setup(function()
      app = serve.new()
      app.task_queue("slow", function(_, context)
        context.sleep(60)
      end, { workers = 2, max_pending = 1000 })
      app.task_queue("quick", function() end, { workers = 4, max_pending = 1000 })
      app.task_queue("quick", function() end, { workers = 4, max_pending = 1000 }) -- version 2
      server = assert(app.listen { token = TOKEN, log = function() end })
      client = assert(beam.client { gateway = server.url, token = TOKEN, timeout = 20, api_version = version })
      submitted = {}
      for i = 1, 230 do
        submitted[i] = assert(client.submit(i <= 5 and "slow" or i <= 8 and "quick/v1" or "quick"))
      end
      for i = 6, 230 do
        assert(submitted[i]:wait { timeout = 20, interval = 0.05 })
      end
    end)
    teardown(function()
      app:close()
    end)

    it("come from all pages, newest first, each once", function()
      local ids = ids_of(client.tasks())
      assert.are.equal(230, #ids)
      for i, id in ipairs(ids) do
        assert.are.equal(submitted[231 - i].id, id)
      end
    end)

    it("raise in a loop what cannot be asked, and hand it to who asks", function()
      local stranger = assert(beam.client { gateway = server.url, token = "wrong", workspace = "w", api_version = version })
      for _, name in ipairs { "tasks", "deployments" } do
        local list = stranger[name]()
        local ok, err = pcall(function()
          for _ in list do
            error "there is none"
          end
        end)
        assert.are.same({ false, 401, true }, { ok, err.status, err == list.err })
        local item, told_again = list:next()
        assert.are.same({ nil, err }, { item, told_again })
        assert.are.same({ nil, 401 }, { stranger[name]():all(), select(2, stranger[name]():all()).status })
      end
      local events = stranger.task(submitted[1].id):events()
      local ok, err = pcall(events)
      assert.are.same({ false, 401, true }, { ok, err.status, err == events.err })
    end)

    it("refuse states and kinds that there are not", function()
      local function said(list, options)
        return (select(2, pcall(list, options)):gsub("^[^ ]*:%d+: ", ""))
      end
      assert.are.equal("beam.tasks: there is no state of a task 'RUNING'; did you mean 'RUNNING'?", said(client.tasks, { status = { "PENDING", "RUNING" } }))
      assert.are.equal("beam.tasks: there is no state of a task 'complete'; did you mean 'COMPLETE'?", said(client.tasks, { status = "complete" }))
      assert.are.equal("beam.tasks: there is no kind 'task_queue'; did you mean 'taskqueue'?", said(client.tasks, { kind = "task_queue" }))
      assert.are.equal("beam.deployments: there is no kind 'x'", said(client.deployments, { kind = "x" }))
    end)

    it("are fetched as they are read", function()
      local count = 0
      for task in client.tasks() do
        count = count + 1
        assert.are.equal("COMPLETE", task.record.status)
        if count == 3 then
          break
        end
      end
      assert.are.equal(3, count)
    end)

    it("may be asked for by state, and by several", function()
      assert.are.equal(225, #ids_of(client.tasks { status = "COMPLETE" }))
      assert.are.equal(2, #ids_of(client.tasks { status = "RUNNING" }))
      assert.are.equal(5, #ids_of(client.tasks { status = { "PENDING", "RUNNING" } }))
      assert.are.same({}, ids_of(client.tasks { status = "ERROR" }))
    end)

    it("are as many as were asked for", function()
      assert.are.equal(7, #ids_of(client.tasks { limit = 7 }))
      assert.are.equal(150, #ids_of(client.tasks { limit = 150 }))
      local list = assert(client.tasks():all(120))
      assert.are.same({ 120, true }, { #list, list.more })
      list = assert(client.tasks():all())
      assert.are.same({ 230, nil }, { #list, list.more })
      assert.are.same({}, ids_of(client.tasks { limit = 0 }))
    end)

    it("are tasks", function()
      local task = client.tasks({ status = "RUNNING", limit = 1 }):next()
      assert.are.equal("RUNNING", (task:status()))
    end)

    if version == "v1" then
      it("may be those of a deployment", function()
        assert.are.equal(5, #ids_of(client.tasks { deployment = "slow" }))
        assert.are.equal(225, #ids_of(client.tasks { deployment = "quick" }))
        assert.are.equal(3, #ids_of(client.tasks { deployment = "quick/v1" }))
        assert.are.equal(222, #ids_of(client.tasks { deployment = { name = "quick", version = "latest" } }))
        local deployment = assert(client.deployment("quick/v1"):fetch())
        assert.are.equal(3, #ids_of(client.tasks { deployment = deployment.id }))
        assert.are.equal(3, #ids_of(client.tasks { deployment = deployment.stub_id }))
        assert.are.equal(3, #ids_of(deployment:tasks { status = "COMPLETE" }))
        assert.are.equal(3, #ids_of(client.tasks { deployment = deployment.subdomain .. "-v1" }))
        local list = client.tasks { deployment = "quic" }
        assert.are.same({ nil, "nothing is deployed as 'quic'", 404 }, { list:next(), list.err.message, list.err.status })
      end)
    end
  end)
end

describe("tasks", function()
  local api, client
  before_each(function()
    api = told.start()
    client = assert(beam.client { gateway = api.url, token = TOKEN, workspace = told.workspace, timeout = 20 })
  end)
  after_each(function()
    api:close()
  end)

  local function serve_pages(pages)
    local asked = {}
    api:on("GET /api/v1/task/[^/]+", function(request, view)
      asked[#asked + 1] = view.query:match "cursor=([^&]*)" or "first"
      local page = pages[#asked]
      if type(page) == "number" then
        return told.reply(request, page, { message = "no" })
      end
      told.reply(request, 200, page)
    end)
    return asked
  end

  local function record(id, status)
    return { id = id, status = status or "COMPLETE" }
  end

  it("that move to the next page while it is read come once", function()
    local asked = serve_pages {
      { data = { record "a", record "b" }, next = "2" },
      { data = { record "b", record "c" }, next = "3" },
      { data = beam.array {}, next = "4" },
      { data = { record "d" }, next = "" },
    }
    assert.are.same({ "a", "b", "c", "d" }, ids_of(client.tasks()))
    assert.are.same({ "first", "2", "3", "4" }, asked)
  end)

  it("do not go round for ever where the cursor stays the same", function()
    local asked = serve_pages {
      { data = { record "a" }, next = "2" },
      { data = { record "b" }, next = "2" },
    }
    assert.are.same({ "a", "b" }, ids_of(client.tasks()))
    assert.are.same({ "first", "2" }, asked)
  end)

  it("are looked at again, where the server knows no filter", function()
    serve_pages { { data = { record("a", "ERROR"), record("b", "COMPLETE"), "no record", record("c", "ERROR") }, next = "" } }
    assert.are.same({ "a", "c" }, ids_of(client.tasks { status = "ERROR" }))
  end)

  it("end with the error of a page that fails", function()
    serve_pages { { data = { record "a" }, next = "2" }, 403 }
    local list = client.tasks()
    assert.are.equal("a", list:next().id)
    local task, err = list:next()
    assert.is_nil(task)
    assert.are.same({ 403, err, nil }, { err.status, list.err, (list:next()) })
    serve_pages { { data = { record "a" }, next = "2" }, 403 }
    local all
    all, err = client.tasks():all()
    assert.is_nil(all)
    assert.are.equal(403, err.status)
  end)

  it("come as null, a bare array or nothing from older releases", function()
    serve_pages { beam.null }
    assert.are.same({}, ids_of(client.tasks()))
    serve_pages { { record "a" } }
    assert.are.same({ "a" }, ids_of(client.tasks()))
    serve_pages { { data = beam.null, next = beam.null } }
    assert.are.same({}, ids_of(client.tasks()))
  end)

  it("are no empty list where the answer is none", function()
    local value
    local function reply(request)
      told.reply(request, 200, value)
    end
    api:on("GET /api/v1/[a-z]+/[^/]+", reply)
    api:on("GET /v2/task/", reply)
    api:on("GET /volume/.*", reply)
    local public = assert(beam.client { gateway = api.url, api = api.url, token = TOKEN, api_version = "v2" })
    local function get(list)
      return function()
        return list():all()
      end
    end
    for _, row in ipairs {
      { "tasks", get(client.tasks) },
      { "tasks", get(public.tasks) },
      { "deployments", get(client.deployments) },
      { "containers", client.containers },
      { "volumes", client.volumes },
      {
        "volume data",
        function()
          return client.volume("data"):list()
        end,
      },
    } do
      for _, none in ipairs { { error = "down for maintenance" }, "sorry" } do
        value = none
        local list, err = row[2]()
        assert.are.same({ nil, "http", row[1] .. ": Beam's answer is no list" }, { list, err and err.kind, err and err.message })
      end
      for _, empty in ipairs { {}, beam.null } do
        value = empty
        assert.are.equal(0, #assert(row[2]()), row[1])
      end
    end
  end)

  it("raise for mistakes", function()
    local function message(...)
      local ok, err = pcall(client.tasks, ...)
      assert.is_false(ok)
      return (err:gsub("^[^ ]*:%d+: ", ""))
    end
    assert.are.equal("beam.tasks: unknown option 'statuses'; did you mean 'status'?", message { statuses = "RUNNING" })
    assert.are.equal("beam.tasks: option 'limit' wants a number, not a string", message { limit = "5" })
    for _, limit in ipairs { -1, 1.5, 0 / 0 } do
      assert.are.equal("beam.tasks: 'limit' is a whole number from 0 on", message { limit = limit })
    end
  end)
end)
