-- Times of the wrong kind, wherever one is taken: what is wanted is said, at the line of who gave it.
local beam = require "beam"
local seconds = require "beam.settings.seconds"
local serve = require "beam.serve"

local wrong = { infinity = math.huge, ["-infinity"] = -math.huge, NaN = 0 / 0, ["a string"] = "5", ["a boolean"] = true, ["a function"] = print }
local dead = "http://127.0.0.1:1/x" -- nobody is asked: what is wrong is noticed before

local function check(name, give, also)
  it(name, function()
    local values = { zero = also and also.zero or nil, ["a table"] = also and also.table and {} or nil }
    for kind, value in pairs(wrong) do
      values[kind] = value
    end
    for kind, value in pairs(values) do
      local ok, message = pcall(give, value)
      assert.is_false(ok, kind)
      assert.is_string(message, kind)
      assert.is_truthy(message:find("a number of seconds", 1, true), kind .. ": " .. message)
      assert.is_truthy(message:find "^spec/settings/seconds_spec%.lua:%d+: ", kind .. ": " .. message)
    end
  end)
end

describe("times", function()
  local client, local_beam, conn
  local option = { zero = 0, table = true }

  setup(function()
    local app = serve.new()
    app.realtime("echo", function(event)
      return event
    end)
    app.endpoint("items", function()
      return { 1, 2 }
    end)
    local_beam = assert(app.listen { token = "t", log = function() end })
    client = assert(beam.client { gateway = local_beam.url, token = "t", workspace = "w" })
    conn = assert(client.realtime "echo")
  end)
  teardown(function()
    conn:close()
    local_beam:close()
  end)

  for _, name in ipairs { "timeout", "connect_timeout", "ready_timeout" } do
    check("beam.client " .. name, function(value)
      return beam.client { [name] = value }
    end, option)
  end

  for _, name in ipairs { "timeout", "connect_timeout" } do
    for _, call in ipairs { "call", "submit", "stream" } do
      check(("beam.%s %s"):format(call, name), function(value)
        return client[call] { url = dead, [name] = value }
      end, option)
    end
    for _, list in ipairs { "tasks", "deployments" } do
      check(("beam.%s %s"):format(list, name), function(value)
        return client[list] { [name] = value }
      end, option)
    end
  end

  check("beam.stream idle_timeout", function(value)
    return client.stream { url = dead, idle_timeout = value }
  end, option)

  for _, name in ipairs { "timeout", "connect_timeout", "deadline" } do
    check("beam.map " .. name, function(value)
      return client.map { url = dead, inputs = { {} }, [name] = value }
    end, option)
  end

  for _, name in ipairs { "connect_timeout", "ready_timeout", "close_timeout", "idle_timeout", "ready_after" } do
    check("beam.realtime " .. name, function(value)
      return client.realtime { "echo", [name] = value }
    end, option)
  end

  for table_name, name in pairs { heartbeat = "dead_after", stalled = "after", queue = "ttl" } do
    check(("beam.realtime %s.%s"):format(table_name, name), function(value)
      return client.realtime { "echo", [table_name] = { [name] = value } }
    end, { table = true })
  end

  for _, method in ipairs { "status", "wait", "events", "result", "outputs", "cancel" } do
    check(("task:%s timeout"):format(method), function(value)
      local task = client.task "9b2f3c1e-0000-4000-8000-000000000001"
      return task[method](task, { timeout = value })
    end, { table = true })
  end

  for _, method in ipairs { "fetch", "warmup", "url", "call", "submit" } do
    check(("deployment:%s timeout"):format(method), function(value)
      local deployment = client.deployment "x"
      if method == "call" or method == "submit" then
        return deployment[method](deployment, {}, { timeout = value })
      end
      return deployment[method](deployment, { timeout = value })
    end, option)
  end

  check("beam.sleep", function(value)
    beam.sleep(value)
  end, { table = true })
  check("beam.step", function(value)
    beam.step(value)
  end, { table = true })
  check("join", function(value)
    local coroutine = beam.spawn(beam.sleep, 0)
    return coroutine:join(value)
  end, { table = true })
  check("beam.read_line", function(value)
    return beam.read_line(value)
  end, { table = true })
  check("conn:receive", function(value)
    return conn:receive(value)
  end, { table = true })
  check("conn:flush", function(value)
    return conn:flush(value)
  end, { table = true })
  check("conn:request timeout", function(value)
    return conn:request({}, { timeout = value })
  end, { table = true })
  check("stream:next", function(value)
    local stream = assert(client.stream "items")
    return stream:next(value)
  end, { table = true })

  it("beyond what a time-out holds, too", function()
    local ok, message = pcall(client.call, { url = dead, timeout = 1e10 })
    assert.same({ false, "beam.call: option 'timeout' wants a number of seconds, at most 4294967, not 1e+10" }, { ok, (message:gsub("^[^:]*:%d+: ", "")) })
    assert.is_true(seconds.fit(4294967))
  end)

  it("of nothing: a wait of 0 or less is over at once", function()
    assert.same("timeout", select(2, conn:receive(-1)).kind)
    beam.sleep(-1)
    beam.step(-1)
  end)
end)
