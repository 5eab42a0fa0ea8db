-- The driver for plain Lua, on beam/driver/reactor.lua and waiting.lua: coroutines that are started, joined, put to sleep and run to
-- their end. The interface is described in beam/driver/init.lua.
local compat = require "beam.base.compat"
local errors = require "beam.error"
local interruption = require "beam.driver.interruption"
local log = require "beam.log"
local reactor = require "beam.driver.reactor"
local mistake = require "beam.base.mistake"
local seconds = require "beam.settings.seconds"
local unasserted = require "beam.driver.unasserted"
local waiting = require "beam.driver.waiting"

local loop = {
  context = reactor.context,
  now = reactor.now,
  fd = reactor.fd,
  signal = waiting.signal,
  is_guest = waiting.is_guest,
  attach = waiting.attach,
  detach = waiting.detach,
  give_way = reactor.give_way,
  after_step = reactor.after_step,
  turn_for = reactor.turn_for,
}

local running_task = reactor.running_task

local tasks, live = {}, 0 -- those that have not ended
local in_run = 0 -- those of them that wait in run()
local all_done = waiting.signal() -- where they wait; woken, they look again
local reasons = 0 -- ref()
local guests = 0 -- coroutines of another event loop that wait for us
local watcher -- told when there is something to live for, and when not any more
local failed = {} -- tasks that failed and have not been reported
local first_unclaimed -- the first failure that nobody joined, for run()

-- ---- Tasks ----

---@class beam.coroutine
local Task = {}
Task.__index = Task
Task.__name = "beam.coroutine"

local function idle()
  return live == in_run and reasons == 0
end

-- To be called after every change of what idle() looks at.
local function tell_if_idle()
  if in_run > 0 and idle() then
    all_done:wake_all()
  end
  if watcher then
    watcher(live > 0 or reasons > 0 or guests > 0)
  end
end

local function over(self, ok, ...)
  if tasks[self] then
    tasks[self] = nil
    live = live - 1
  end
  self.done = true
  if ok then
    self.results = compat.pack(...)
  else
    local raised = self.traceback and (...) or unasserted.explain((...), self.thread, 0)
    self.err = errors.from_script(raised, self.thread, self.traceback)
    failed[#failed + 1] = self
    all_done:wake_all() -- it may be what a run() waits for
  end
  if self.joiners then
    self.joiners:wake_all()
  end
  tell_if_idle()
end

-- The reactor says that the coroutine has returned or failed.
Task.ended = over

local function keep_traceback(raised)
  raised = unasserted.explain(raised, nil, 2)
  local task = running_task()
  if task then
    task.traceback = debug.traceback("", 2):sub(2)
  end
  return raised
end

local function new_task(fn)
  return setmetatable({ thread = coroutine.create(fn) }, Task)
end

local function new_live_task(fn)
  local task = new_task(fn)
  tasks[task] = true
  live = live + 1
  tell_if_idle()
  return task
end

-- Starts a coroutine.
local function start(fn, ...)
  local task = new_live_task(fn)
  reactor.resume(task, ...)
  return task
end

-- Makes the function of one that is started later.
local function unwinding(fn)
  return fn
end

-- Where a coroutine has to-be-closed variables, an error ends them within it, so that they may wait.
if coroutine.close then -- luacheck: ignore 143
  function start(fn, ...)
    local task = new_live_task(xpcall)
    reactor.resume(task, fn, keep_traceback, ...)
    return task
  end

  function unwinding(fn)
    return function()
      return xpcall(fn, keep_traceback)
    end
  end

  function Task:ended(_, ...)
    return over(self, ...)
  end
end

--- Starts a coroutine at once; it runs until its first wait. An error in it is returned by join(). If nobody joins
--- before the next step is over, it is logged with its traceback, and run() raises it at the end.
---@param fn function
---@return beam.coroutine
function loop.spawn(fn, ...)
  if type(fn) ~= "function" then
    error("beam.spawn wants a function, not a " .. type(fn), 2)
  end
  return start(fn, ...)
end

--- Starts a coroutine from the ready queue. It may be called in event functions, where nothing of the user's may run.
---@param fn fun()
---@return beam.coroutine
function loop.defer(fn)
  local task = new_live_task(unwinding(fn))
  reactor.make_ready(task)
  return task
end

--- Starts a coroutine from the ready queue that serves an object for as long as that lives: run() does not go on for its
--- sake, and while it waits nothing holds it but the signal it waits on. Work that run() shall see to its end is marked
--- with ref() and unref().
---@param fn fun()
function loop.attend(fn)
  reactor.make_ready(new_task(unwinding(fn)))
end

--- Such a coroutine for work that comes again and again: start() is called when there is some and fn is not running.
---@param fn fun()
---@return fun() start
function loop.attendant(fn)
  local more
  return function()
    if more then
      more:wake()
      return
    end
    more = waiting.signal()
    loop.attend(function()
      while true do
        fn()
        more:wait()
      end
    end)
  end
end

-- Nobody here ends a coroutine from outside, as OpenResty does with those of a request.
loop.background = loop.spawn

--- Calls fn(...).
function loop.aside(fn, ...)
  return fn(...)
end

--- Outside OpenResty there is nothing to set up.
---@return boolean true
function loop.setup()
  return true
end

--- Waits for the end of the coroutine.
---@param timeout number? seconds; nil: as long as it takes
---@return any ... its results, or nil and a beam.error of kind "script" (what it raised) or "timeout"
function Task:join(timeout)
  seconds.check_wait(timeout, "coroutine:join")
  if self == running_task() then
    error("a coroutine cannot join itself", 2)
  end
  self.joined = true
  if not self.done then
    self.joiners = self.joiners or waiting.signal()
    if not self.joiners:wait(timeout) then
      self.joined = false
      return nil, errors.timeout("end of the coroutine", timeout)
    end
  end
  if self.err then
    return nil, self.err
  end
  return compat.unpack(self.results, 1, self.results.n)
end

local function report_failures()
  while #failed > 0 do
    local task = table.remove(failed, 1)
    if not task.joined and not errors.is_interruption(task.err) then
      first_unclaimed = first_unclaimed or task.err
      log.write("error", "a coroutine failed that nobody joined: " .. tostring(task.err))
    end
  end
end

-- A failure that no step came to report is reported when the state closes.
loop.at_exit = compat.guard(report_failures)

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
  report_failures()
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

-- ---- Ending it from outside ----

--- Every coroutine that waits in a script's code finds the error there, and so does who turns the loop.
---@param err beam.error kind "interrupted"
---@param told table? a task that knows already
---@return table[] interrupted
function loop.interrupt(err, told)
  return interruption.start(tasks, err, told)
end

loop.unwinds = interruption.goes_on

local function deadlock()
  local task = next(tasks)
  local where = task and "\na coroutine waits here:\n" .. debug.traceback(task.thread) or ""
  return ("beam.run: %d coroutines wait for what can no longer come (deadlock)%s"):format(live, where)
end

local function run_in_task(main)
  in_run = in_run + 1
  tell_if_idle()
  while not idle() and not (main and main.err) do
    all_done:wait()
  end
  in_run = in_run - 1
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
  report_failures()
  local err = main and main.err or first_unclaimed
  if err then
    first_unclaimed = nil
    error(err, 0)
  end
  if main then
    return main:join()
  end
end

return loop
