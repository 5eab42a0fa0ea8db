-- A long run with everything in use at once: connections that are dropped in every way, requests, queues, transforms, time-outs, and
-- connections that come and go. Memory is looked at all the time: Lua's own, and the whole process.
local beam = require "beam"
local driver = require "beam.driver"

local soak = {}

local faults = {
  latency = "1ms..5ms",
  status = "503@10%",
  "drop_after=20..200@30%,reset_after=20..200@30%,close=1012/20..200@50%,silence_after=1s..5s@30%,zombie_after=1s..5s",
}

local function start_server()
  local app = require("beam.serve").new()
  app.realtime("echo", function(text)
    return text
  end)
  return assert(app.listen { pause = 0, ping = 0.2, websocket_ping = 2, fault = faults, log = function() end })
end

-- Handlers keep their connection: one that is to be forgotten has none.
local function options_for(url, counts, forgotten)
  return {
    url = url,
    token = false,
    retry = require("beam.retry").backoff { base = 0.02, max = 0.2 },
    heartbeat = { ping_after = 0.5, dead_after = 0.5, task_timeout = 0.5 },
    stalled = { after = 1, reconnect = true },
    queue = { max = 200, overflow = "drop_oldest", ttl = 2 },
    incoming = function(message)
      return message
    end,
    outgoing = function(message)
      return message
    end,
    on_outcome = not forgotten and function(_, _, outcome)
      counts[outcome] = (counts[outcome] or 0) + 1
    end or nil,
    on_reconnect = function(_, unknown)
      counts.reconnects = counts.reconnects + 1
      return unknown
    end,
  }
end

-- One of those who use a connection: for a while, then a new one.
local function use(url, counts, state)
  while not state.stop do
    local forgotten = math.random() < 0.5
    local conn, err = beam.realtime(options_for(url, counts, forgotten))
    if not conn and not err.retryable then
      error(err)
    end
    local until_when = driver.now() + 5 + 10 * math.random()
    while conn and driver.now() < until_when and not state.stop and conn.state ~= "closed" do
      for n = 1, 5 do
        conn:send { n = n, text = ("x"):rep(math.random(500)) }
      end
      counts.requests = counts.requests + 1
      conn:request({ n = 6 }, { timeout = 0.2 })
      while conn:receive(0.01) do
        counts.received = counts.received + 1
      end
    end
    if conn and not forgotten then
      conn:close()
    end -- else the garbage collector ends it
  end
end

local page = 4096

local function resident()
  local file = io.open "/proc/self/statm"
  local pages = file:read("*l"):match "^%d+ (%d+)"
  file:close()
  return tonumber(pages) * page / 1024
end

local function measure(samples, began)
  collectgarbage()
  collectgarbage()
  samples[#samples + 1] = { seconds = driver.now() - began, lua = collectgarbage "count", resident = resident() }
end

local function mean(samples, name, from, to)
  local sum = 0
  for i = from, to do
    sum = sum + samples[i][name]
  end
  return sum / (to - from + 1)
end

--- options: seconds, users. Returns { counts, samples, lua_growth, resident_growth: the last quarter over the second one }.
function soak.run(options)
  local server = start_server()
  local counts, state, tasks, samples = { requests = 0, received = 0, reconnects = 0 }, { stop = false }, {}, {}
  local began = driver.now()
  for i = 1, options.users do
    tasks[i] = beam.spawn(use, server.url .. "/asgi/echo", counts, state)
  end
  local interval = options.seconds / 40
  while driver.now() - began < options.seconds do
    beam.sleep(interval)
    measure(samples, began)
    if options.report and #samples % 4 == 0 then
      options.report(samples[#samples], counts)
    end
  end
  state.stop = true
  for _, task in ipairs(tasks) do
    local _, err = task:join(30)
    assert(not err, err)
  end
  server:close()
  local quarter = math.floor(#samples / 4)
  local result = { counts = counts, samples = samples }
  for _, name in ipairs { "lua", "resident" } do
    local early = mean(samples, name, quarter + 1, 2 * quarter)
    result[name .. "_growth"] = mean(samples, name, #samples - quarter + 1, #samples) / early
  end
  return result
end

return soak
