-- beam.metrics: what it counts, how it is written, and that nothing is touched before it is asked for.
local beam = require "beam"
local serve = require "beam.serve"

local function noop() end

describe("beam.metrics", function()
  local app, server, client

  before_each(function()
    app = serve.new()
    app.endpoint("hi", function()
      return { hi = true }
    end)
    app.realtime("echo", function(text)
      return text
    end)
    server = assert(app.listen { pause = 0, log = noop })
    client = beam.client { gateway = server.url, token = false, log = noop }
  end)

  after_each(function()
    app.close()
  end)

  -- Figures are of the whole process: what came since `before`.
  local function since(before, now, name)
    return (now[name] or 0) - (before[name] or 0)
  end

  it("looks at nothing until it is asked for, and then once", function()
    local hooks = require "beam.observe.observers"
    assert(client.call("hi", {}))
    assert.same({ false, false, false }, { hooks.call, hooks.phase, hooks.request })
    beam.metrics()
    local watch = hooks.call
    assert.is_function(watch)
    beam.metrics()
    assert.equal(watch, hooks.call)
  end)

  it("counts calls, statuses, attempts, retries and times", function()
    local before = beam.metrics()
    assert(client.call("hi", {}))
    server:fault "status=503:2"
    assert(client.call("hi", {}, { retry = beam.retry.backoff { base = 0.001, max = 0.002 } }))
    assert.is_nil(client.call("nothing", {}))
    local now = beam.metrics()
    assert.same({ 2, 1 }, { since(before.calls, now.calls, "ok"), since(before.calls, now.calls, "http") })
    assert.same({ 2, 1 }, { since(before.statuses, now.statuses, 200), since(before.statuses, now.statuses, 400) })
    assert.same({ 5, 2 }, { since(before, now, "attempts"), since(before, now, "retries") })
    assert.equal(3, since(before.durations, now.durations, "count"))
    assert.equal(3, since(before.durations, now.durations, #now.bounds))
    assert.is_true(now.durations.sum > before.durations.sum)
  end)

  it("counts connections and messages, those that have ended as well", function()
    local before = beam.metrics().connections
    local conn = assert(client.realtime("echo", { retry = false }))
    conn:send { n = 1 }
    assert(conn:receive(5))
    local during = beam.metrics().connections
    assert.same({ 1, 1, 1 }, { since(before, during, "begun"), since(before, during, "sent"), since(before, during, "received") })
    assert.equal(1, since(before.states, during.states, "open"))
    conn:close()
    local after = beam.metrics().connections
    assert.same({ 1, 1, 1 }, { since(before, after, "sent"), since(before, after, "received"), since(before, after, "attempts") })
    assert.equal(0, since(before.states, after.states, "open"))
    assert.equal(1, since(before, after, "written") + since(before, after, "unknown"))
  end)

  it("times calls and connections by their parts, requests, and what waits in the queue", function()
    local before = beam.metrics()
    assert(client.call("hi", {}))
    local conn = assert(client.realtime("echo", { retry = false, wait = false }))
    conn:send { n = 1 } -- it is not open yet: this waits
    assert(conn:wait_open())
    assert(conn:receive(5))
    assert(conn:request({ n = 2 }, { timeout = 5 }))
    local _, late = conn:request({ n = 3 }, { timeout = 0 })
    assert.equal("timeout", late.kind)
    conn:close()
    local now = beam.metrics()
    local function more(name, part)
      local old, new = before[name], now[name]
      if part then
        old, new = old[part] or {}, new[part] or {}
      end
      return since(old, new, "count")
    end
    assert.equal(1, more("phases", "wait"))
    assert.equal(1, more "openings")
    assert.equal(1, more("connection_phases", "tcp"))
    assert.equal(1, more("connection_phases", "queued"))
    assert.equal(1, more "round_trips")
    assert.equal(1, more "queue_waits")
    assert.same({ 1, 1 }, { since(before.requests, now.requests, "ok"), since(before.requests, now.requests, "timeout") })
    local wait = now.phases.wait
    assert.equal(wait.count, wait[#now.bounds]) -- the last bound has them all
    for i = 2, #now.bounds do
      assert.is_true(wait[i] >= wait[i - 1])
    end
  end)

  it("counts streams by how they ended", function()
    app.endpoint("items", function()
      local i = 0
      return function()
        i = i + 1
        return i <= 3 and { i = i } or nil
      end
    end)
    local before = beam.metrics()
    for _ in assert(client.stream("items", {})) do
    end
    assert(client.stream("items", {})):close()
    server:fault "cut=1"
    local stream = assert(client.stream("items", {}))
    repeat
      local item = stream:next()
    until item == nil
    assert.is_truthy(stream.err)
    local now = beam.metrics()
    assert.same({ 2, 1 }, { since(before.streams, now.streams, "ok"), since(before.streams, now.streams, stream.err.kind) })
  end)

  it("counts tasks by how they ended", function()
    app.task_queue("job", function()
      return { done = true }
    end)
    local before = beam.metrics()
    local task = assert(client.submit("job", {}))
    assert(task:wait(10))
    local now = beam.metrics()
    assert.equal(1, since(before.tasks, now.tasks, "COMPLETE"))
  end)

  it("does not keep connections that have ended", function()
    beam.metrics()
    local kept = setmetatable({}, { __mode = "k" })
    for _ = 1, 130 do
      local conn = client.realtime("echo", { retry = false, wait = false })
      kept[conn] = true
      conn:close()
    end
    beam.sleep(0.05)
    beam.metrics()
    collectgarbage()
    collectgarbage()
    local count = 0
    for _ in pairs(kept) do
      count = count + 1
    end
    assert.is_true(count < 70, count)
  end)

  it("does not keep open what was forgotten, and what that had sent counts on", function()
    local deployment = app.deployments:find { kind = "asgi", name = "echo" }
    local before = beam.metrics().connections
    local function talk()
      local conn = assert(client.realtime("echo", { retry = false }))
      conn:send "hello"
      assert(conn:receive(5))
      beam.metrics()
    end
    local talking = beam.spawn(talk)
    talking:join(10)
    talking = nil -- luacheck: ignore 311
    assert.equal(1, deployment.live)
    for _ = 1, 100 do
      collectgarbage()
      beam.sleep(0.02)
      if deployment.live == 0 then
        break
      end
    end
    assert.equal(0, deployment.live)
    local now = beam.metrics().connections
    assert.same({ 1, 1 }, { since(before, now, "sent"), since(before, now, "attempts") })
    assert.same(1, since(before, beam.metrics().connections, "sent"))
  end)

  it("is what Prometheus reads", function()
    assert(client.call("hi", {}))
    beam.metrics()
    assert(client.call("hi", {}))
    local types, samples = {}, 0
    for line in tostring(beam.metrics()):gmatch "[^\n]+" do
      local name, kind = line:match "^# TYPE (beam_[a-z_]+) (%l+)$"
      local sample = line:match '^(beam_[a-z_]+) [%d.e+-]+$' or line:match '^(beam_[a-z_]+){[a-z]+="[^"]*"[^}]*} [%d.e+-]+$'
      if name then
        types[name] = kind
      elseif not line:find "^# HELP " then
        assert.is_truthy(sample, line)
        assert.is_truthy(types[sample] or types[sample:gsub("_bucket$", ""):gsub("_sum$", ""):gsub("_count$", "")], line)
        samples = samples + 1
      end
    end
    assert.equal("histogram", types.beam_call_seconds)
    assert.is_true(samples > 60)
  end)
end)
