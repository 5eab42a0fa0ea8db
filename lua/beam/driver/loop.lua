-- The driver for plain Lua: our own loop, which is stepped, or run until nothing is left to wait for. The interface is described in
-- beam/driver/init.lua.
--
--   reactor.lua      how it turns              waiting.lua   who waits for what
--   coroutines.lua   what spawn() gives
local compat = require "beam.base.compat"
local coroutines = require "beam.driver.coroutines"
local interruption = require "beam.driver.interruption"
local reactor = require "beam.driver.reactor"
local mistake = require "beam.base.mistake"
local seconds = require "beam.settings.seconds"
local waiting = require "beam.driver.waiting"

local loop = {
  context = reactor.context,
  now = reactor.now,
  fd = reactor.fd,
  spawn = coroutines.spawn,
  defer = coroutines.defer,
  attend = coroutines.attend,
  attendant = coroutines.attendant,
  signal = waiting.signal,
  is_guest = waiting.is_guest,
  attach = waiting.attach,
  detach = waiting.detach,
  give_way = reactor.give_way,
  after_step = reactor.after_step,
  turn_for = reactor.turn_for,
}

-- Nobody here ends a coroutine from outside, as OpenResty does with those of a request.
loop.background = coroutines.spawn

--- Calls fn(...).
function loop.aside(fn, ...)
  return fn(...)
end

--- Outside OpenResty there is nothing to set up.
---@return boolean true
function loop.setup()
  return true
end

local running_task = reactor.running_task

local in_run = 0 -- coroutines that wait in run()
local all_done = waiting.signal() -- where those wait; woken, they look again
local reasons = 0 -- ref()
local guests = 0 -- coroutines of another event loop that wait for us
local watcher -- told when there is something to live for, and when not any more

-- ---- What there is to live for ----

local function idle()
  return coroutines.count == in_run and reasons == 0
end

-- To be called after every change of what idle() looks at, and when a coroutine failed, which may be what a run() waits for.
local function tell_if_idle(failed)
  if in_run > 0 and (failed or idle()) then
    all_done:wake_all()
  end
  if watcher then
    watcher(coroutines.count > 0 or reasons > 0 or guests > 0)
  end
end

coroutines.changed = tell_if_idle

--- One more reason for run() to go on although no coroutine waits.
function loop.ref()
  reasons = reasons + 1
  tell_if_idle()
end

function loop.unref()
  reasons = reasons - 1
  tell_if_idle()
end

--- From now on we live in another event loop, which turns us by step() when fd() is readable.
---@param adapter table? see reactor.live_in; further: busy(boolean), told whether there is something to live for. nil: no longer
function loop.live_in(adapter)
  watcher = adapter and adapter.busy
  if adapter then
    function adapter.arrived()
      guests = guests + 1
      tell_if_idle()
    end
    function adapter.left()
      guests = guests - 1
      tell_if_idle()
    end
  end
  reactor.live_in(adapter)
  tell_if_idle()
end

-- ---- Sleeping and stepping ----

--- Suspends the caller. 0 lets the others run.
---@param duration number seconds
function loop.sleep(duration)
  if duration == nil then
    mistake "beam.sleep wants a number of seconds"
  elseif type(duration) ~= "number" or not (duration > -math.huge and duration < math.huge) then
    seconds.check_wait(duration, "beam.sleep")
  elseif duration > 0 then
    return waiting.sleep(duration)
  elseif running_task() then
    return waiting.wait_a_turn()
  end
  waiting.sleep(0)
end

local function turn(timeout, budget)
  local problem, early = reactor.turn(timeout, budget)
  coroutines.report()
  if problem then
    error(problem, 0)
  end
  return early
end

--- Does what is due; waits for up to `timeout` seconds for the first thing to do.
---@param timeout number? default 0
---@param budget number? seconds that this may take after the wait: what is left then goes on in the next step. One message, or
---one coroutine up to its next wait, is never interrupted
function loop.step(timeout, budget)
  reactor.check_may_wait()
  seconds.check_wait(timeout, "beam.step")
  seconds.check(budget, "beam.step: the budget")
  local deadline = timeout and timeout > 0 and reactor.now() + timeout
  repeat
    local early = turn(timeout or 0, budget)
    timeout = deadline and math.max(0, deadline - reactor.now())
  until not early or timeout == 0
end

-- ---- Running to the end ----

local function deadlock()
  local task = next(coroutines.alive)
  local where = task and "\na coroutine waits here:\n" .. debug.traceback(task.thread) or ""
  return ("beam.run: %d coroutines wait for what can no longer come (deadlock)%s"):format(coroutines.count, where)
end

local function wait_until_idle(main)
  while not idle() and not (main and main.err) do
    all_done:wait()
  end
  return true
end

-- Who interrupts beamlua ends this wait with an error, and the script may go on. beamlua has no Lua 5.1 in it.
local wait_guarded = compat.can_wait_in_pcall() and function(main)
  return pcall(wait_until_idle, main)
end or wait_until_idle

local function run_in_task(main)
  in_run = in_run + 1
  tell_if_idle()
  local ok, err = wait_guarded(main)
  in_run = in_run - 1
  if not ok then
    error(err, 0)
  end
end

local function run_in_loop(main)
  while not (main and main.err) and not (idle() and reactor.quiet()) do
    if waiting.stuck() then
      error(deadlock(), 0)
    end
    turn()
  end
end

--- Runs fn(...) as a coroutine, and all others, until nothing is left to wait for. Raises what fn raised, as soon as it
--- did, or at the end what the first coroutine raised that nobody joined; both as a beam.error of kind "script".
---@param fn function?
---@return any ... the results of fn
function loop.run(fn, ...)
  reactor.check_may_wait()
  local main = fn and loop.spawn(fn, ...)
  if main then
    main.joined = true
  end
  if running_task() then
    run_in_task(main)
  else
    run_in_loop(main)
  end
  coroutines.report()
  local unclaimed = coroutines.take_unclaimed()
  local err = main and main.err or unclaimed
  if err then
    error(err, 0)
  end
  if main then
    return main:join()
  end
end

-- ---- Ending it from outside ----

--- Every coroutine that waits in a script's code finds the error there, and so does who turns the loop.
---@param err beam.error kind "interrupted"
---@param told table? a task that knows already
---@return table[] interrupted
function loop.interrupt(err, told)
  return interruption.start(coroutines.alive, err, told)
end

loop.unwinds = interruption.goes_on

-- A failure that no step came to report is reported when the state closes.
loop.at_exit = compat.guard(coroutines.report)

return loop
