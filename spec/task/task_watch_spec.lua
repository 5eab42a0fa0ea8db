-- Watching a task through all that happens to a stream of events: told servers, and the local Beam across a restart.
local beam = require "beam"
local driver = require "beam.driver"
local hosts = require "spec.hosts"
local serve = require "beam.serve"
local told = require "told_api"

local function quickly(_, err)
  return err.retryable and 0.05 or nil
end

-- The states that a watch brings, until it ends.
local function states_of(events)
  local states = {}
  local status = events:next()
  while status do
    states[#states + 1] = status
    status = events:next()
  end
  return states
end

describe("watching a task", function()
  local api, client, task, port
  local function is(status, fields)
    local record = fields or {}
    record.id, record.status = "a", status
    api.tasks.a = record
    return record
  end
  local function watch(options)
    options = options or {}
    options.interval, options.timeout = options.interval or 0.05, options.timeout or 20
    options.retry = options.retry or quickly
    return task:events(options)
  end

  before_each(function()
    port = port or hosts.free_port()
    api = told.start(port)
    client = assert(beam.client { gateway = api.url, token = "t", workspace = told.workspace, timeout = 20 })
    task = client.task "a"
    is "PENDING"
  end)
  after_each(function()
    api:close()
  end)

  it("is told each change once", function()
    function api.events(request)
      api:begin(request)
      for _, status in ipairs { "PENDING", "PENDING", "RUNNING", "RUNNING", "COMPLETE" } do
        request:stream_write(told.event(is(status, { result = status == "COMPLETE" and { x = 1 } or nil })))
      end
      api:finish(request)
    end
    local seen = {}
    local events = watch()
    for status, record in events do
      seen[#seen + 1] = status .. " " .. record.status
    end
    assert.are.same({ "PENDING PENDING", "RUNNING RUNNING", "COMPLETE COMPLETE" }, seen)
    assert.is_nil(events.err)
    assert.are.same({ 1, 1 }, { api.subscriptions, api:count "/a$" })
    assert.are.same({ { x = 1 }, 1 }, { (task:result()), 1 })
  end)

  it("works in coroutines", function()
    function api.events(request)
      api:begin(request)
      request:stream_write(told.event(is "COMPLETE"))
      api:finish(request)
    end
    local watcher = beam.spawn(function()
      return states_of(watch())
    end)
    assert.are.same({ "PENDING", "COMPLETE" }, (watcher:join(20)))
  end)

  it("does not ask again while the stream is silent and short", function()
    local stream
    function api.events(request)
      stream = request
      api:begin(request)
    end
    local watcher = beam.spawn(function()
      return states_of(watch())
    end)
    while not stream do
      beam.step(0.02)
    end
    beam.sleep(0.3)
    assert.are.same({ 1, 1 }, { api.subscriptions, api:count "/a$" })
    stream:stream_write(told.event(is "CANCELLED"))
    assert.are.same({ "PENDING", "CANCELLED" }, (watcher:join(20)))
  end)

  it("goes on where an event was cut in its middle", function()
    function api.events(request, _, number)
      api:begin(request)
      local event = told.event(is(number == 1 and "RUNNING" or "COMPLETE"))
      if number > 1 then
        request:stream_write(event)
        return api:finish(request)
      end
      request:stream_write(told.event { id = "a", status = "PENDING" } .. event:sub(1, 30))
      driver.defer(function()
        while request:pending() > 0 do
          driver.sleep(0.001)
        end
        api:finish(request, true)
      end)
    end
    assert.are.same({ "PENDING", "RUNNING", "COMPLETE" }, states_of(watch()))
    assert.are.same({ 2, 2 }, { api.subscriptions, api:count "/a$" })
  end)

  it("finds the final state that was reached while nobody listened", function()
    function api.events(request)
      api:begin(request)
      request:stream_write(told.event(is "RUNNING"))
      is("COMPLETE", { result = 7 })
      api:finish(request)
    end
    assert.are.same({ "PENDING", "RUNNING", "COMPLETE" }, states_of(watch()))
    assert.are.equal(1, api.subscriptions)
    assert.are.equal(7, (task:result()))
  end)

  it("looks where there are no events, and tries them again from time to time", function()
    function api.events(request, _, number)
      if number < 4 then
        return told.reply(request, 503, { message = "no" })
      end
      api:begin(request)
      request:stream_write(told.event(is "COMPLETE"))
      api:finish(request)
    end
    assert.are.same({ "PENDING", "COMPLETE" }, states_of(watch { interval = 0.02 }))
    assert.are.equal(4, api.subscriptions)
    local looks = api:count "/a$"
    assert.is_true(looks >= 7, looks .. " looks") -- 1, 2 and 4 of them between the refusals
  end)

  it("makes sure where a stream is silent: a proxy may swallow the events", function()
    function api.events(request)
      api:begin(request)
    end
    local events = watch { silence = 0.1 }
    assert.are.equal("PENDING", (events:next()))
    local watcher = beam.spawn(function()
      return states_of(events)
    end)
    while api:count "/a$" < 3 do -- silent, and nothing to tell: the same stream
      beam.step(0.02)
    end
    assert.are.equal(1, api.subscriptions)
    is "RUNNING"
    while api:count "/a$" < 8 do
      beam.step(0.02)
    end
    assert.are.equal(1, api.gone) -- it should have told
    is "COMPLETE"
    assert.are.same({ "RUNNING", "COMPLETE" }, (watcher:join(20)))
  end)

  it("does not wait for a stream that does not even begin", function()
    function api.events() end
    local watcher = beam.spawn(function()
      return states_of(watch { silence = 0.1 })
    end)
    while api.subscriptions < 2 do
      beam.step(0.02)
    end
    is "COMPLETE"
    assert.are.same({ "PENDING", "COMPLETE" }, (watcher:join(20)))
  end)

  it("never hammers a server whose streams end at once", function()
    function api.events(request)
      api:begin(request)
      api:finish(request)
    end
    local record, err = task:wait { timeout = 0.5, interval = 0.1 }
    assert.is_nil(record)
    assert.are.equal("timeout", err.kind)
    assert.is_true(api.subscriptions <= 8, api.subscriptions .. " subscriptions")
  end)

  it("drops what was overtaken, and what is of another task or no event", function()
    function api.events(request)
      api:begin(request)
      request:stream_write(told.event { id = "a", status = "RUNNING", updated_at = "2026-08-01T10:00:02.5Z" })
      request:stream_write(told.event { id = "a", status = "PENDING", updated_at = "2026-08-01T10:00:02.123456789Z" })
      request:stream_write(told.event { id = "b", status = "ERROR" })
      request:stream_write ": a comment\n\nevent: ping\ndata: {}\n\nevent: status\ndata: no json\n\ndata: {\"status\":1}\n\ndata: null\n\n"
      request:stream_write(told.event { id = "a", status = "COMPLETE", updated_at = "2026-08-01T10:00:03Z" })
      api:finish(request)
    end
    assert.are.same({ "PENDING", "RUNNING", "COMPLETE" }, states_of(watch()))
  end)

  it("passes on states it does not know, and does not end with them", function()
    function api.events(request)
      api:begin(request)
      for _, status in ipairs { "PAUSED", "RUNNING", "RETRY", "RUNNING", "complete", "COMPLETE" } do
        request:stream_write(told.event(is(status)))
      end
      api:finish(request)
    end
    assert.are.same({ "PENDING", "PAUSED", "RUNNING", "RETRY", "RUNNING", "complete", "COMPLETE" }, states_of(watch()))
  end)

  it("survives a restart of the server", function()
    local watcher = beam.spawn(function()
      return states_of(watch())
    end)
    function api.events(request, _, number)
      api:begin(request)
      if number == 1 then
        request:stream_write(told.event(is "RUNNING"))
      end
    end
    while api.subscriptions < 1 do
      beam.step(0.02)
    end
    beam.sleep(0.1)
    api:close()
    beam.sleep(0.3)
    is "COMPLETE"
    api:listen()
    assert.are.same({ "PENDING", "RUNNING", "COMPLETE" }, (watcher:join(20)))
  end)

  it("gives up on a server that does not come back, as its policy says", function()
    api:close()
    local asked = {}
    local events = watch { retry = function(attempt, err)
      asked[#asked + 1] = attempt .. " " .. err.kind
      return attempt < 3 and 0 or nil
    end }
    assert.are.same({ nil, "connect" }, { (events:next()), events.err.kind })
    assert.are.same({ "1 connect", "2 connect", "3 connect" }, asked)
    assert.are.same({ nil, events.err }, { events:next() })
  end)

  it("ends at once where the task is unknown", function()
    api.tasks = {}
    local status, err = watch():next()
    assert.is_nil(status)
    assert.are.same({ "http", 404, 0 }, { err.kind, err.status, api.subscriptions })
  end)

  it("takes another token when the first is refused on the way", function()
    local valid, given = "first", 0
    client = assert(beam.client { gateway = api.url, workspace = told.workspace, token = function()
      given = given + 1
      return valid == "first" and "first" or "second"
    end })
    task = client.task "a"
    local function check(request, view)
      for _, header in ipairs(view.headers) do
        if header[1] == "authorization" and header[2] ~= "Bearer " .. valid then
          told.reply(request, 401, { message = "Invalid token" })
          return false
        end
      end
      return true
    end
    api:on("GET /api/v1/task/[^/]+/a", function(request, view)
      return check(request, view) and told.reply(request, 200, api.tasks.a)
    end)
    api:on("GET /api/v1/task/[^/]+/a/subscribe", function(request, view)
      if check(request, view) then
        api:begin(request)
        request:stream_write(told.event(is(valid == "first" and "RUNNING" or "COMPLETE")))
        valid = "second"
        api:finish(request)
      end
    end)
    assert.are.same({ "PENDING", "RUNNING", "COMPLETE" }, states_of(watch()))
    assert.is_true(given >= 4)
  end)

  it("ends with the token's refusal where there is no other", function()
    api:on("GET /api/v1/task/[^/]+/a", function(request)
      told.reply(request, 401, { message = "Invalid token" })
    end)
    local events = task:events { timeout = 20 }
    assert.are.same({ nil, 401 }, { (events:next()), events.err.status })
  end)

  it("ends when it is told to, in whichever coroutine", function()
    function api.events(request)
      api:begin(request)
    end
    local events = watch()
    assert.are.equal("PENDING", (events:next()))
    local watcher = beam.spawn(function()
      return events:next()
    end)
    while api.subscriptions < 1 do
      beam.step(0.02)
    end
    events:close()
    events:close()
    assert.are.same({}, { watcher:join(20) })
    assert.is_nil(events.err)
    local deadline = driver.now() + 10
    while api.gone < 1 and driver.now() < deadline do
      beam.step(0.02)
    end
    assert.are.equal(1, api.gone)
  end)

  it("ends when it is told to while it rests", function()
    local events = watch { interval = 1000, timeout = 1000 }
    assert.are.equal("PENDING", (events:next()))
    local watcher = beam.spawn(function()
      return events:next()
    end)
    while api.subscriptions < 1 do
      beam.step(0.02)
    end
    beam.sleep(0.1)
    events:close()
    assert.are.same({}, { watcher:join(10) })
  end)

  it("is bounded while it looks, listens and rests", function()
    for _, behaviour in ipairs { "silent", "mute", "refused" } do
      function api.events(request)
        if behaviour == "silent" then
          api:begin(request)
        elseif behaviour == "refused" then
          told.reply(request, 404)
        end
      end
      local record, err = task:wait { timeout = 0.3, interval = 100 }
      assert.is_nil(record)
      assert.are.same({ "timeout", "PENDING", "a" }, { err.kind, err.task_status, err.task_id })
    end
  end)

  it("is told of a cancel that others asked for", function()
    function api.events(request)
      api:begin(request)
      request:stream_write(told.event(is "CANCELLED"))
      api:finish(request)
    end
    assert.are.equal("CANCELLED", assert(task:wait(20)).status)
  end)

  -- ---- The local Beam ----

  describe("of the local Beam", function()
    local app, server, release, local_client, again
    before_each(function()
      again = again or hosts.free_port()
      release = false
      app = serve.new()
      app.task_queue("train", function(_, context)
        while not release and context.sleep(0.02) do -- luacheck: ignore 542
        end
        return { done = true }
      end)
      server = assert(app.listen { port = again, log = function() end })
      local_client = assert(beam.client { gateway = server.url, token = "t", timeout = 20 })
    end)
    after_each(function()
      app:close()
    end)

    local function start_watching(submitted)
      local states = {}
      local watcher = beam.spawn(function()
        local events = submitted:events { timeout = 20, interval = 0.05, retry = quickly }
        local status = events:next()
        while status do
          states[#states + 1] = status
          status = events:next()
        end
        return events.err
      end)
      local deadline = driver.now() + 10
      while states[#states] ~= "RUNNING" and driver.now() < deadline do
        beam.step(0.02)
      end
      assert.are.equal("RUNNING", states[#states])
      return watcher, states
    end

    it("goes on across a restart", function()
      local submitted = assert(local_client.submit "train")
      local watcher, states = start_watching(submitted)
      server:close()
      beam.sleep(0.2)
      release = true
      beam.sleep(0.2)
      server = assert(app.listen { port = again, log = function() end })
      assert.is_nil((watcher:join(20)))
      assert.are.equal("COMPLETE", states[#states])
      assert.are.same({ done = true }, (submitted:result(20)))
    end)

    for _, fault in ipairs { "cut=1", "cut_inside=1", "cut=0", "watch=503", "watch=hang_up", "watch=reset", "api=503:3", "api=reset:3" } do
      it("ends right with " .. fault, function()
        local submitted = assert(local_client.submit "train")
        server:fault(fault)
        local watcher, states = start_watching(submitted)
        release = true
        assert.is_nil((watcher:join(20)))
        assert.are.equal("COMPLETE", states[#states])
        for i = 2, #states do
          assert.are_not.equal(states[i - 1], states[i])
        end
      end)
    end
  end)
end)
