-- The REST API: requests, the workspace, both versions, pages.
local beam = require "beam"
local told = require "told_api"
local query = require "beam.rest.query"

local task_path = "/api/v1/task/" .. told.workspace

describe("api", function()
  local api, client
  before_each(function()
    api = told.start()
    client = assert(beam.client { gateway = api.url, token = "a-token-that-no-message-may-show", timeout = 10 })
    api.tasks.a = { id = "a", status = "RUNNING" }
  end)
  after_each(function()
    api:close()
  end)

  it("writes queries the same way each time", function()
    assert.are.equal("", query())
    assert.are.equal("", query {})
    assert.are.equal("?active=false&limit=10&name=a%20b%26c&status=A,B",
      query { status = { "A", "B" }, active = false, limit = 10, name = "a b&c" })
  end)

  describe("asks for the workspace", function()
    it("once for each client, however many want it at once", function()
      local waiting = {}
      for i = 1, 10 do
        waiting[i] = beam.spawn(function()
          return client.task("a"):status()
        end)
      end
      for _, one in ipairs(waiting) do
        assert.are.equal("RUNNING", (one:join(10)))
      end
      assert.are.equal("RUNNING", (client.task("a"):status()))
      assert.are.same({ 1, 11 }, { api:count "workspace/current", api:count(task_path:gsub("%-", "%%-") .. "/a$") })
    end)

    it("not at all if it is told", function()
      local told_client = beam.client { gateway = api.url, token = "t", workspace = told.workspace }
      assert.are.equal("RUNNING", (told_client.task("a"):status()))
      assert.are.equal(0, api:count "workspace/current")
    end)

    it("again for another token", function()
      client.task("a"):status()
      client.task("a", { token = "another" }):status()
      assert.are.equal(2, api:count "workspace/current")
    end)

    it("again when Beam does not accept it any more", function()
      client.task("a"):status()
      local moved = "99999999-2222-4333-8444-555555555555"
      api:on("GET /api/v1/workspace/current", function(request)
        told.reply(request, 200, { external_id = moved })
      end)
      api:on("GET /api/v1/task/([^/]+)/a", function(request, _, workspace)
        if workspace == moved then
          return told.reply(request, 200, { id = "a", status = "COMPLETE" })
        end
        told.reply(request, 400, { message = "Invalid workspace ID" })
      end)
      assert.are.equal("COMPLETE", (client.task("a"):status()))
      assert.are.equal(2, api:count "workspace/current")
    end)

    it("and each of those who wait hears of a failure", function()
      local held = {}
      api:on("GET /api/v1/workspace/current", function(request)
        held[#held + 1] = request
      end)
      local waiting = {}
      for i = 1, 3 do
        waiting[i] = beam.spawn(function()
          return client.task("a"):status()
        end)
      end
      while not held[1] do
        beam.step(0.02)
      end
      told.reply(held[1], 403, { message = "no" })
      for _, one in ipairs(waiting) do
        local status, err = one:join(10)
        assert.is_nil(status)
        assert.are.same({ "http", 403, "no", false, "the token is valid, but not for this workspace" },
          { err.kind, err.status, err.executed, err.retryable, err.hint })
      end
      assert.are.equal(1, api:count "workspace/current")
      held = {}
      local again = beam.spawn(function() -- a failure is not kept
        return client.task("a"):status()
      end)
      while not held[1] do
        beam.step(0.02)
      end
      told.reply(held[1], 200, { external_id = told.workspace })
      assert.are.equal("RUNNING", (again:join(10)))
    end)

    it("but no longer than the caller has time", function()
      api:on("GET /api/v1/workspace/current", function() end)
      local status, err = client.task("a"):status { timeout = 0.1 }
      assert.is_nil(status)
      assert.are.same({ "timeout", "a" }, { err.kind, err.task_id })
    end)
  end)

  describe("tries again", function()
    it("what may pass", function()
      local count = 0
      api:on("GET /api/v1/task/[^/]+/a", function(request)
        count = count + 1
        if count == 1 then
          return request:abort(false)
        end
        told.reply(request, count < 4 and 503 or 200, { id = "a", status = "COMPLETE" })
      end)
      local quick = beam.client { gateway = api.url, token = "t", workspace = told.workspace }
      local settings = setmetatable({}, { __index = quick.settings })
      local record, err = require("beam.rest.v1").task(settings, "a", { retry = function(attempt, failure)
        return failure.retryable and attempt < 9 and 0 or nil
      end })
      assert.is_nil(err)
      assert.are.same({ "COMPLETE", 4 }, { record.status, count })
    end)

    it("not what will not", function()
      local status, err = client.task("unknown"):status()
      assert.is_nil(status)
      assert.are.same({ "http", 404, "no", false, "unknown" }, { err.kind, err.status, err.executed, err.retryable, err.task_id })
      assert.is_truthy(err.hint:find("Beam knows nothing of this id", 1, true))
      assert.are.equal(1, api:count "/unknown")
    end)

    it("a 401 with another token, if the token function has one", function()
      local tokens, seen = { "old", "new" }, {}
      api:on("GET /api/v1/task/[^/]+/a", function(request, view)
        for _, header in ipairs(view.headers) do
          if header[1] == "authorization" then
            seen[#seen + 1] = header[2]
          end
        end
        told.reply(request, #seen == 1 and 401 or 200, #seen == 1 and { message = "Invalid token" } or { id = "a", status = "COMPLETE" })
      end)
      local asking = beam.client { gateway = api.url, workspace = told.workspace, token = function()
        return table.remove(tokens, 1)
      end }
      assert.are.equal("COMPLETE", (asking.task("a"):status()))
      assert.are.same({ "Bearer old", "Bearer new" }, seen)
    end)
  end)

  it("says so if what answers is not Beam's API", function()
    api:on("GET /api/v1/task/[^/]+/a", function(request)
      request:respond(200, { { "content-type", "text/html" } }, "<html>")
    end)
    local status, err = client.task("a"):status()
    assert.is_nil(status)
    assert.are.same({ "json", 200, "no", false, "is this Beam's API? See the options api and api_version" },
      { err.kind, err.status, err.executed, err.retryable, err.hint })
    api:on("GET /api/v1/task/[^/]+/a", function(request)
      told.reply(request, 200, { "a", "list" })
    end)
    status, err = client.task("a"):status()
    assert.is_nil(status)
    assert.are.same({ "http", "task a: Beam's answer is no object" }, { err.kind, err.message })
  end)

  it("shows no token in an error", function()
    api:on("GET /api/v1/task/[^/]+/a", function(request)
      told.reply(request, 400, { message = "no" })
    end)
    local _, err = client.task("a"):status()
    assert.is_nil((tostring(err)):find("a-token-that-no-message-may-show", 1, true))
  end)

  describe("version 2", function()
    local public
    before_each(function()
      public = assert(beam.client { gateway = "http://127.0.0.1:1", api = api.url, api_version = "v2", token = "t", timeout = 10 })
    end)

    it("has tasks without a workspace", function()
      api:on("GET /v2/task/([^/]+)/", function(request, _, id)
        told.reply(request, 200, { id = id, status = "PENDING" })
      end)
      assert.are.equal("PENDING", (public.task("x"):status()))
      assert.are.same({ "GET /v2/task/x/" }, api.requests)
    end)

    it("is sent Basic for older keys", function()
      local seen
      api:on("GET /v2/task/([^/]+)/", function(request, view, id)
        for _, header in ipairs(view.headers) do
          seen = header[1] == "authorization" and header[2] or seen
        end
        told.reply(request, 200, { id = id, status = "PENDING" })
      end)
      local older = assert(beam.client { gateway = api.url, basic = { id = "i", secret = "s" } })
      assert.are.equal("PENDING", (older.task("x"):status()))
      assert.are.equal("Basic aTpz", seen)
    end)

    it("lists in whichever shape", function()
      local pages = {
        { results = { { id = "a", status = "RUNNING" } }, next = "https://elsewhere.example/v2/task/?cursor=p%3D2&limit=1" },
        { data = { { id = "b", status = "RUNNING" } }, next = "p3" },
        { { id = "c", status = "RUNNING" } },
      }
      api:on("GET /v2/task/", function(request)
        told.reply(request, 200, table.remove(pages, 1))
      end)
      local ids = {}
      local list = public.tasks { status = "RUNNING" }
      local one = list:next()
      while one do
        ids[#ids + 1] = one.id
        one = list:next()
      end
      assert.are.same({ "a", "b", "c" }, ids)
      assert.is_nil(list.err)
      assert.are.same({ "cursor=p%3D2", "cursor=p3" }, { api.requests[2]:match "cursor=[^&]*", api.requests[3]:match "cursor=[^&]*" })
    end)

    it("says if it has no list", function()
      local list, err = public.tasks():all()
      assert.is_nil(list)
      assert.are.same({ "http", 404, "the public API has no such list: api_version = 'v1' asks the gateway" },
        { err.kind, err.status, err.hint })
    end)
  end)
end)
