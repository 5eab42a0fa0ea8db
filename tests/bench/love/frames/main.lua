-- What beam.step adds to the frames of a game while the network does its worst: frame times with and without it, side by side in one run.
--   love tests/bench/love/frames GATEWAY MUTE     (frames.sh starts both servers)
local root = love.filesystem.getSource():gsub("/tests/bench/love/frames/?$", "")
package.path = root .. "/lua/?.lua;" .. root .. "/lua/?/init.lua;" .. package.path
package.cpath = root .. "/build/lua/jit/?.so;" .. package.cpath
local beam = require "beam"

local FRAMES = 800 -- of each scenario
local BUDGET = 0.0004 -- seconds of a frame for messages

local client, mute

local function ignore() end

-- Each starts something, and returns what is done every frame and how it ends.
local scenarios = {
  {
    "nothing open",
    function()
      return ignore, ignore
    end,
  },
  {
    "a message every frame",
    function()
      local conn = assert(client.realtime("echo", { on_message = ignore }))
      local number = 0
      return function()
        number = number + 1
        conn:send { number = number }
      end, function()
        conn:close()
      end
    end,
  },
  {
    "1,000 messages at once, ten times",
    function()
      local seen = 0
      local conn = assert(client.realtime("burst", {
        on_message = function(message)
          seen = seen + #message.text
        end,
      }))
      local frame = 0
      return function()
        frame = frame + 1
        if frame % 80 == 1 then
          conn:send { count = 1000 }
        end
      end, function()
        assert(seen == 10000 * 20, "all came: " .. seen)
        conn:close()
      end
    end,
  },
  {
    "a server that says nothing, and calls to it",
    function()
      local conn = assert(client.realtime(mute, { wait = false, retry = false }))
      for _ = 1, 20 do
        beam.spawn(client.call, mute:gsub("^ws", "http"), {}, { timeout = 3 })
      end
      return ignore, function()
        conn:close()
      end
    end,
  },
  {
    "names that are not resolved for seconds",
    function()
      for i = 1, 20 do
        beam.spawn(client.call, ("http://name%d.hang/"):format(i), {}, { timeout = 2, connect_timeout = 2 })
      end
      local conn = assert(client.realtime("ws://realtime.hang/", { wait = false, connect_timeout = 1 }))
      return ignore, function()
        conn:close()
      end
    end,
  },
}

-- ---- Frames ----

local function draw()
  for i = 1, 200 do
    love.graphics.circle("fill", (i * 37) % 320, (i * 53) % 240, 6)
  end
end

local function frame(work)
  love.event.pump()
  for name in love.event.poll() do
    if name == "quit" then
      os.exit(1)
    end
  end
  local before = love.timer.getTime()
  work()
  local between = love.timer.getTime()
  love.graphics.clear()
  draw()
  love.graphics.present()
  local after = love.timer.getTime()
  love.timer.sleep(0.001)
  return (between - before) * 1000, (after - before) * 1000
end

-- Sorted: the steps, the frames, and the same frames without their steps.
local function run(work)
  local steps, frames, rests = {}, {}, {}
  for i = 1, FRAMES do
    steps[i], frames[i] = frame(work)
    rests[i] = frames[i] - steps[i]
  end
  table.sort(steps)
  table.sort(frames)
  table.sort(rests)
  return steps, frames, rests
end

local function at(list, share)
  return list[math.ceil(#list * share)]
end

local function print_row(name, steps, frames, rests, without)
  print(("%-44s %7.3f %7.3f %7.3f   %7.2f %7.2f %7.2f   %+6.2f"):format(name, at(steps, 0.5), at(steps, 0.99), at(steps, 1),
    at(without, 0.99), at(rests, 0.99), at(frames, 0.99), at(frames, 0.99) - at(rests, 0.99)))
end

-- ---- Histogram: how many frames took less than so many milliseconds ----

local bounds = { 1, 2, 3, 4, 6, 8, 12, 16, 33, math.huge }

local function histogram(frames)
  local counts, place = {}, 1
  for i = 1, #bounds do
    counts[i] = 0
  end
  for _, time in ipairs(frames) do -- sorted
    while time >= bounds[place] do
      place = place + 1
    end
    counts[place] = counts[place] + 1
  end
  local cells = {}
  for i, count in ipairs(counts) do
    cells[i] = ("%5d"):format(count)
  end
  return table.concat(cells)
end

local function print_histograms(rows)
  local cells = {}
  for i, bound in ipairs(bounds) do
    cells[i] = ("%5s"):format(bound < math.huge and "<" .. bound or "more")
  end
  print(("\n%-44s %8s  %s"):format("frames by their milliseconds", "", table.concat(cells)))
  for _, row in ipairs(rows) do
    print(("%-44s %8s  %s"):format(row.name, "without", histogram(row.without)))
    print(("%-44s %8s  %s"):format("", "with", histogram(row.with)))
  end
end

function love.run()
  local urls = arg
  beam.fd() -- loads the transport
  client, mute = beam.client { gateway = urls[2], token = false }, urls[3]
  print(("%-44s %23s   %33s"):format("", "beam.step, ms", "frame p99, ms"))
  print(("%-44s %7s %7s %7s   %7s %7s %7s   %6s"):format("", "p50", "p99", "max", "no step", "less it", "with it", "added"))
  run(ignore) -- the first frames are slow
  local rows = {}
  for _, scenario in ipairs(scenarios) do
    local _, without = run(ignore)
    local each, finish = scenario[2]()
    local steps, frames, rests = run(function()
      each()
      beam.step(0, BUDGET)
    end)
    print_row(scenario[1], steps, frames, rests, without)
    rows[#rows + 1] = { name = scenario[1], without = without, with = frames }
    for _ = 1, 500 do
      beam.step(0.001)
    end
    finish()
  end
  print_histograms(rows)
  return function()
    return 0
  end
end
