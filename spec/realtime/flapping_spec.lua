-- A week of flapping on the virtual clock: a server that drops, resets, closes and falls silent every few minutes, a client that
-- stays; and two days of one connection that holds. What they hold must not grow.
local fresh = require "virtual.fresh"
local random = require "virtual.random"
local virtual = require "virtual.core"

local day = 24 * 3600

-- Echoes, pings every 5 s, and ends each connection after half a minute to ten minutes.
local function serve(world, context, numbers, figures, holds)
  local link
  function world.linked(_, made)
    link = made
  end
  return context:server({}, function(request)
    local over, own = false, link
    if not holds and numbers:chance(0.1) then
      return request:respond(numbers:of { 429, 502, 503, 504 }, {}, "{}")
    end
    local ws
    ws = request:accept({ close_timeout = 1 }, function(event, data)
      if event == "message" then
        figures.arrived = figures.arrived + 1
        ws:send(data)
      elseif event == "closed" then
        over = true
      end
    end)
    own = link or own
    local function ping()
      if not over then
        ws:send '{"type":"ping"}'
        world:after(5, ping)
      end
    end
    ping()
    local ends = {
      function()
        ws:abort()
      end,
      function()
        ws:abort(true)
      end,
      function()
        ws:close(1012, "restart")
      end,
      function()
        own:silence()
        over = true
        world:after(300, function() -- TCP would notice some day
          ws:free()
        end)
      end,
    }
    world:after(numbers:seconds(30, 600), function()
      if not over and not holds then
        numbers:of(ends)()
      end
    end)
  end)
end

local function heap()
  if rawget(_G, "jit") then
    _G.jit.flush() -- its machine code keeps growing for a while, and is none of ours
  end
  for _ = 1, 3 do
    collectgarbage()
  end
  return collectgarbage "count"
end

local function play(world, days, holds, at_end_of_day)
  local beam, driver = require "beam", require "beam.driver"
  local numbers, figures = random.new(7), { arrived = 0, received = 0, sent = 0 }
  require("beam.log").to(function() end)
  local context = driver.context()
  local server = serve(world, context, numbers, figures, holds)
  local conn
  driver.spawn(function()
    conn = assert(beam.client({ token = false }).realtime("ws://127.0.0.1:" .. server:port(), {
      retry = beam.retry.backoff {
        random = function()
          return numbers:next()
        end,
      },
      queue = { max = 100, overflow = "drop_oldest" },
      incoming = function(message)
        return message
      end,
      outgoing = function(message)
        return message
      end,
      on_reconnect = function(_, unknown)
        return unknown
      end,
      on_outcome = function(_, _, outcome)
        figures[outcome] = (figures[outcome] or 0) + 1
      end,
      on_message = function()
        figures.received = figures.received + 1
      end,
    }))
    while conn.state ~= "closed" do
      figures.sent = figures.sent + (conn:send { n = figures.sent, text = "a message of some length" } and 1 or 0)
      beam.sleep(20)
    end
  end)
  local start = driver.now()
  for number = 1, days do
    while driver.now() - start < number * day do
      driver.step(60)
    end
    at_end_of_day(number, conn, figures)
  end
  assert(conn.state ~= "closed", tostring(conn.err))
  driver.spawn(conn.close, conn)
  server:close()
  local deadline = driver.now() + 1000
  while driver.now() < deadline do
    driver.step(60)
  end
  return conn:stats(), figures, context.count
end

local function sizes_of(days, holds)
  local world, sizes, text = virtual.world(), {}, {}
  world.latency = 0.05
  local stats, figures, left = fresh.with(world.core, function()
    return play(world, days, holds, function(number)
      sizes[number] = heap()
    end)
  end)
  for number, size in ipairs(sizes) do
    text[number] = ("%.0f"):format(size)
  end
  local line = "# Lua heap after each day, kB: %s; %d reconnects, %d messages: %d written, %d unknown, %d dropped, %d answers"
  local written, unknown, dropped = figures.written or 0, figures.unknown or 0, figures.dropped or 0
  print(line:format(table.concat(text, " "), stats.reconnects, figures.sent, written, unknown, dropped, figures.received))
  assert.is_true(sizes[days] < sizes[1] * 1.05 + 16, "it has grown to " .. sizes[days] .. " kB")
  assert.are.equal(figures.sent, written + unknown + dropped)
  assert.are.equal(0, left)
  return stats
end

describe("the memory", function()
  it("is after a week of flapping what it was", function()
    assert.is_true(sizes_of(7, false).reconnects > 1500)
  end)

  it("is after two days of one connection what it was", function()
    assert.are.equal(0, sizes_of(2, true).reconnects)
  end)
end)
