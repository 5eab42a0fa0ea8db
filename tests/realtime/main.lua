-- The long forms of the tests in this folder, one at a time, against real servers: TAP, with the figures as comments.
--   beamlua tests/realtime/main.lua drops [local_beam|uvicorn] [report|again] [DROPS]
--                                   half_open [unread|vanish]     restart [CONNECTIONS]     soak [SECONDS]
local what, first, second, third = ...
local count, failed = 0, false

local function check(ok, text, ...)
  count = count + 1
  failed = failed or not ok
  print(("%s %d - %s"):format(ok and "ok" or "not ok", count, text:format(...)))
end

local function note(text, ...)
  print("# " .. text:format(...))
  io.stdout:flush()
end

local function show_histogram(title, counts, window)
  note("%s:", title)
  for i, n in ipairs(counts) do
    note("  %5.2f to %5.2f s %4d %s", (i - 1) * window / #counts, i * window / #counts, n, ("*"):rep(math.ceil(n / 4)))
  end
end

local tests = {}

function tests.drops()
  local options = { server = first or "local_beam", policy = second or "report", drops = tonumber(third) or 1000 }
  local figures, problems = require("tests.realtime.drops").run(options)
  note("%d messages in %.0f s through %d connections", figures.sent, figures.seconds, figures.connections)
  note("written %d, unknown %d, expired %d, dropped %d", figures.written, figures.unknown or 0, figures.expired or 0, figures.dropped or 0)
  note("received %d, twice %d, not at all %d; sent again %d", figures.received, figures.duplicates, figures.lost, figures.resent)
  for _, problem in ipairs(problems) do
    note("%s", problem)
  end
  check(#problems == 0, "%d drops, %s, %s: no unreported loss, no duplicate, order kept", options.drops, options.server, options.policy)
  if options.policy == "again" then
    check(figures.lost == 0, "what was unknown was sent again: nothing is lost")
  end
end

function tests.half_open()
  local half_open = require "tests.realtime.half_open"
  local way = first or "unread"
  for _, row in ipairs { { 20, 20, false }, { 20, 20, true }, { 1, 1, false } } do
    if way ~= "vanish" or row[1] == 1 then -- the interface goes down once
      local promised = row[1] + row[2]
      local seconds, err = half_open.run { way = way, ping_after = row[1], dead_after = row[2], busy = row[3] }
      local line = "a ping after %g s, unanswered for %g s%s: known after %.2f s"
      note(line, row[1], row[2], row[3] and ", while sending" or "", seconds or -1)
      check(seconds and seconds <= promised + 1 and err.kind == "timeout", "half-open (%s), promised within %g s", way, promised)
    end
  end
end

function tests.restart()
  local connections = tonumber(first) or 1000
  for _, down in ipairs { 0, 3 } do
    local result = require("tests.realtime.restart").run { connections = connections, down = down }
    show_histogram("the first wait of each", result.waits, 0.5)
    show_histogram("when they were back", result.back_times, math.max(0.5, result.slowest))
    check(result.back == connections, "%d of %d back, the last after %.1f s", result.back, connections, result.slowest)
    check(result.answered == connections, "%d of them answered", result.answered)
    local most = math.max((table.unpack or unpack)(result.waits))
    check(most < 2 * connections / #result.waits, "spread over the window: at most %d in a tenth of it", most)
  end
end

function tests.soak()
  local result = require("tests.realtime.soak").run {
    seconds = tonumber(first) or 600,
    users = 20,
    report = function(sample, counts)
      local line = "%4.0f s: Lua %.0f kB, resident %.0f kB, %d reconnects, %d requests"
      note(line, sample.seconds, sample.lua, sample.resident, counts.reconnects, counts.requests)
    end,
  }
  for name, n in pairs(result.counts) do
    note("%s %d", name, n)
  end
  check(result.lua_growth < 1.1, "Lua's memory is flat: %.3f times", result.lua_growth)
  check(result.resident_growth < 1.05, "the process is flat: %.3f times", result.resident_growth)
end

local _, err = require("beam").spawn(assert(tests[what], "which test? see the head of this file")):join()
check(not err, "it came to its end%s", err and ": " .. tostring(err) or "")
print("1.." .. count)
os.exit(failed and 1 or 0)
