-- A thousand connections whose server restarts at once: how they come back, and whether all do.
local beam = require "beam"
local driver = require "beam.driver"
local hosts = require "spec.hosts"

local restart = {}

local function start_server(port, counts)
  local app = require("beam.serve").new()
  app.realtime("echo", function(text)
    return text
  end)
  return assert(app.listen {
    port = port,
    pause = 0,
    ping = 60,
    log = function(_, line)
      counts.accepted = counts.accepted + (line:find(" 101 ", 1, true) and 1 or 0)
    end,
  })
end

local function count_open(conns)
  local open = 0
  for _, conn in ipairs(conns) do
    open = open + (conn.state == "open" and 1 or 0)
  end
  return open
end

local function wait_until_open(conns, seconds)
  local deadline = driver.now() + seconds
  while count_open(conns) < #conns and driver.now() < deadline do
    beam.sleep(0.02)
  end
  return count_open(conns)
end

-- How many of `times` fall into each of `bins` parts of the time from 0 to `window`; later ones into the last.
local function histogram(times, window, bins)
  local counts = {}
  for i = 1, bins do
    counts[i] = 0
  end
  for _, time in ipairs(times) do
    local bin = math.min(bins, math.floor(time / window * bins) + 1)
    counts[bin] = counts[bin] + 1
  end
  return counts
end

local function open_all(options, url, waits)
  local conns, tasks, backoff = {}, {}, require("beam.retry").backoff()
  local function retry(attempt, err)
    local seconds = backoff(attempt, err)
    if attempt == 1 then
      waits[#waits + 1] = seconds
    end
    return seconds
  end
  for i = 1, options.connections do
    tasks[i] = beam.spawn(function()
      conns[i] = assert(beam.realtime { url = url, token = false, retry = retry })
    end)
    if i % 50 == 0 then
      tasks[i]:join(30)
    end
  end
  for _, task in ipairs(tasks) do
    local _, err = task:join(30)
    assert(not err, err)
  end
  return conns
end

--- options: connections, down (seconds that the server is away).
--- Returns { connections, back, answered, waits (a histogram of ten parts of the first window), back_times (the same, of coming back),
--- slowest (seconds) }.
function restart.run(options)
  local counts, waits, back_times = { accepted = 0 }, {}, {}
  local port = hosts.free_port()
  local server = start_server(port, counts)
  local conns = open_all(options, server.url .. "/asgi/echo", waits)
  local lost_at = driver.now()
  for _, conn in ipairs(conns) do
    conn:on("phase", function(phase)
      if phase == "open" then
        back_times[#back_times + 1] = driver.now() - lost_at
      end
    end)
  end
  server:close()
  beam.sleep(options.down)
  server = start_server(port, counts)
  local back = wait_until_open(conns, 60)
  local slowest = driver.now() - lost_at
  local answered = 0
  for i, conn in ipairs(conns) do
    local reply = conn:request({ n = i }, { timeout = 10 })
    answered = answered + (reply and reply.n == i and 1 or 0)
  end
  for _, conn in ipairs(conns) do
    beam.spawn(conn.close, conn)
  end
  beam.sleep(0.5)
  server:close()
  return {
    connections = options.connections,
    back = back,
    answered = answered,
    waits = histogram(waits, 0.5, 10),
    back_times = histogram(back_times, math.max(0.5, slowest), 10),
    slowest = slowest,
  }
end

return restart
