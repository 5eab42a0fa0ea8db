-- Scripts that want to stay, to fill the memory, or to reach what they may not. The first line of each says what becomes of it under limits:
--   stopped     a limit ends it, each time it is called, within 1.5 times its budget and two of the slowest instructions
--   contained   it may end by itself, or is stopped; in time
--   refused     an error says what it may not do
--   held        it looks itself whether a promise of docs/scripting.md holds, and raises if not
-- and in plain Lua the first two do not end, or end for lack of memory or stack, the third does what it wants, and the fourth raises.
local script = require "sandbox.script"

local budget = { seconds = tonumber(os.getenv "HOSTILE_SECONDS" or 0.05), memory = 16 << 20 }
local plenty = 40 * budget.seconds -- of the clock's time, for what is to come to its end: others may have the processor for most of it
local few_instructions = 200000
local slack = 1.5
local shown = os.getenv "HOSTILE_SHOW"

local function list()
  local pipe = assert(io.popen "ls tests/sandbox/hostile/*/*.lua")
  local paths = {}
  for path in pipe:lines() do
    if path:find(os.getenv "HOSTILE_ONLY" or "", 1, true) then
      paths[#paths + 1] = path
    end
  end
  pipe:close()
  return paths
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text, text:match "^%-%- (%a+):", text:match "\n%-%- allow: (%g+)"
end

local failures, count, problems = 0, 0, {}
local longest, largest = 0, 0

local function check(condition, format, ...)
  if not condition then
    problems[#problems + 1] = format:format(...)
  end
end

local tries_left -- to measure once more
local late -- only the time was not held: somebody else may have had the processor's caches meanwhile

local function report(name)
  count = count + 1
  failures = failures + (#problems > 0 and 1 or 0)
  for _, problem in ipairs(problems) do
    print("# " .. problem)
  end
  print(("%s %d - %s"):format(#problems == 0 and "ok" or "not ok", count, name))
  problems = {}
end

local function new(seconds, instructions, allow)
  local object = assert(script.new { seconds = seconds, memory = budget.memory, instructions = instructions, allow = { allow } })
  object:provide("log", function() end)
  object:provide("fail", function()
    error "it failed"
  end)
  object:provide("again", function()
    return object:call "tick"
  end)
  return object
end

-- What one instruction on the largest string takes here and now, which nothing can interrupt: on a busy machine memory is slow.
local function one_instruction()
  local began = fixture.clock "cpu"
  local text = (" "):rep(budget.memory // 2) .. "1"
  return math.min(fixture.clock "cpu" - began, budget.seconds), text
end

-- Runs f; checks that it took no more than it may, of the CPU of this thread, on which the script runs: what ends by itself, too.
local function timed(object, f, ...)
  local cpu, wall = fixture.clock "cpu", fixture.clock "wall"
  local ok, err = f(object, ...)
  cpu, wall = fixture.clock "cpu" - cpu, fixture.clock "wall" - wall
  late = late or cpu > slack * budget.seconds and cpu > slack * budget.seconds + 2 * (one_instruction())
  if late and tries_left == 0 then
    check(false, "%.1f ms CPU, %.1f ms wall, of a budget of %.1f ms", cpu * 1e3, wall * 1e3, budget.seconds * 1e3)
  end
  local peak = object:usage().peak
  longest, largest = late and longest or math.max(longest, cpu), math.max(largest, peak)
  check(peak <= budget.memory, "%d bytes of memory, of a budget of %d", peak, budget.memory)
  return ok, err, cpu, peak
end

local function check_outcome(class, ok, err)
  if class == "stopped" then
    check(not ok and err.limit, "not stopped: %s", tostring(err))
  elseif class == "refused" then
    check(not ok and not err.limit and #err.message < 300, "not refused: %s", tostring(err))
  elseif class == "held" then
    check(ok, "a promise is broken: %s", tostring(err))
  end
  if not ok then
    check(err.kind == "script" and err.message ~= "" and (err.file or err.traceback == ""), "a poor error: %s", tostring(err))
  end
end

-- The state can be called again, unless it was given up: then each call says so at once.
local function run(path, instructions)
  local text, class, allow = read(path)
  local seconds = (class == "held" or class == "refused") and plenty or budget.seconds
  local object = new(seconds, instructions, allow)
  local ok, err, cpu, peak = timed(object, object.load, text, "@" .. path)
  local calls = 0
  while object:has "tick" and calls < 2 or err and err.broken and calls < 1 do
    calls = calls + 1
    ok, err, cpu, peak = timed(object, object.call, "tick")
    check_outcome(class, ok, err)
  end
  if calls == 0 then
    check_outcome(class, ok, err)
  end
  if shown then
    print(("# %-32s %6.1f ms %6.2f MiB %s"):format(path:match "([^/]*)%.lua$", cpu * 1e3, peak / 1048576, err and tostring(err.message):sub(1, 110) or ""))
  end
  object:close()
end

local honest = [[
local count = 0
return { message = function(m) count = count + 1 return { echo = m, count = count } end }
]]

-- The host, and its other scripts, go on.
local bystander = new(plenty)
assert(bystander:load(honest, "=bystander"))
local function check_bystander(expected)
  local ok, result = bystander:call("message", { text = "hello", list = { 1, 2, 3 } })
  check(ok and result.count == expected and result.echo.text == "hello" and #result.echo.list == 3, "the bystander: %s", tostring(result))
  check(string.rep("x", 3) == "xxx" and not getmetatable("").__div2 and not rawget(_G, "undeclared"), "the host's state was changed")
end

local function check_bite(path)
  local _, class = read(path)
  local status = fixture.plain(3 * budget.seconds, 512 << 20, "tests/sandbox/script_plain.lua", path)
  if class == "held" then
    check(status == 3, "holds without limits too: %s", status)
  elseif class == "refused" then
    check(status == 0, "does not do what it wants without limits: %s", status)
  else
    check(status == "killed" or status == 4, "comes to an end without limits: %s", status)
  end
end

-- Three times at most: a script that takes too long takes too long each time.
local function run_in_time(path, instructions)
  tries_left = 3
  repeat
    tries_left = tries_left - 1
    late = false
    run(path, instructions)
  until not late or tries_left == 0
end

for number, path in ipairs(list()) do
  run_in_time(path)
  run_in_time(path, few_instructions)
  check_bystander(number)
  check_bite(path)
  report(path:match "([^/]*)%.lua$")
end
bystander:close()
print(("# the longest call took %.2f times its time, the largest state %.2f of its memory"):format(longest / budget.seconds, largest / budget.memory))
print("1.." .. count)
return failures == 0 and count > 0
