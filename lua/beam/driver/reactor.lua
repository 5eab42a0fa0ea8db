-- Turning the loop: one beam.core context, and a queue of the coroutines that are ready to go on.
--
--   turn:  ctx:step  -> event functions change state and wake -> ready queue -> coroutines go on
--
-- What goes on is a task, a coroutine that was started for us (beam/driver/coroutines.lua), or a guest, one of another event loop. How
-- they wait, and are woken, is in beam/driver/waiting.lua.
local errors = require "beam.error"
local log = require "beam.log"

local reactor = { log_level = "warning" } -- log_level: the most talkative one of the context, which is made on first use

local OUTSIDE = {} -- what a task of ours yields first; any other yield is the user's own
local resume, yield, running = coroutine.resume, coroutine.yield, coroutine.running
local not_here = "beam: waiting is not possible inside an event or log function"

local ctx, step_of, now_of -- the context, from its first use on, and its methods that are called most
local stepping = false -- an event function may be running
local turning = false -- the ready queue is looked at before anybody waits again
local descriptor_used = false -- somebody waits on fd(): it has to be told
local current -- the task that runs now
local ready, ready_first, ready_last = {}, 1, 0 -- tasks and guests to go on with, in order
local host -- the other event loop that we live in
local limit -- when the turn has to end, if it has to
local watchers = {} -- called after each step, outside event functions
local interruption, interruptions = nil, 0 -- what ended the waits last, and how often one did

-- ---- The context ----

---@return beam.core.context
function reactor.context()
  if not ctx then
    local made, err = require("beam.base.native").core().new { log = log.write, log_level = reactor.log_level }
    if not made then
      error(errors.from_core(err, "the event loop could not be made"), 0)
    end
    ctx, step_of, now_of = made, made.step, made.now
  end
  return ctx
end

---@return number seconds monotonic
function reactor.now()
  return now_of and now_of(ctx) or reactor.context():now()
end

-- ---- The ready queue ----

local function tell_descriptor()
  if descriptor_used and not turning and ready_first <= ready_last then
    ctx:wakeup()
  end
end

--- Lets a task that is suspended go on in the next turn.
---@param task table { thread: its coroutine, ended: fun(task, ok, ...) told its results }, or { guest: what the other loop knows it by }
function reactor.make_ready(task)
  ready_last = ready_last + 1
  ready[ready_last] = task
  tell_descriptor()
end

-- ---- Tasks ----

local function call_outside(task, outside, ...)
  return outside(task, ...)
end

-- A task has stopped: it is suspended, has yielded by itself (then others run first), or has ended.
local function stopped(task, outer, ok, first, ...)
  current = outer
  if first == OUTSIDE then
    return call_outside(task, ...)
  elseif ok and coroutine.status(task.thread) == "suspended" then
    reactor.make_ready(task)
  else
    task:ended(ok, first, ...)
  end
end

--- Lets a task run until it stops.
function reactor.resume(task, ...)
  local outer = current
  current = task
  return stopped(task, outer, resume(task.thread, ...))
end

--- A task that yields this and a function, yield(reactor.OUTSIDE, outside, ...), is suspended, and then outside(task, ...) is called:
--- that sees to it that it is made ready some time.
reactor.OUTSIDE = OUTSIDE

--- Suspends the running task for good and calls outside(task). It must not run across C.
---@param outside fun(task: table)
function reactor.leave(outside)
  yield(OUTSIDE, outside)
end

--- The task that is running, unless the caller is a coroutine of somebody else's inside it.
function reactor.running_task()
  if current and current.thread == running() then
    return current
  end
end

--- The task that has been resumed last and has not stopped.
function reactor.current_task()
  return current
end

--- Raises where waiting would turn the loop inside itself.
function reactor.check_may_wait()
  if stepping then
    error(not_here, 3)
  end
end

--- The same, for who is about to wait in that coroutine. Nothing calls further from here: a coroutine that waits keeps the memory of the
--- deepest call that it ever made.
---@param thread thread? the running one
---@return table? task if that is a task
function reactor.task_to_wait(thread)
  if stepping then
    error(not_here, 3)
  elseif current and current.thread == thread then
    return current
  end
end

-- ---- Turning ----

local function is_late()
  return limit and ctx and ctx:now() >= limit
end

-- Goes on with what is ready now; what becomes ready meanwhile waits for the next turn. One goes on however late it is.
local function drain()
  local last = ready_last
  while ready_first <= last do
    local task = ready[ready_first]
    ready[ready_first] = nil
    ready_first = ready_first + 1
    if task.guest then
      host.resume(task.guest)
    else
      reactor.resume(task)
    end
    if is_late() then
      break
    end
  end
end

local ended = "the event loop of this process has ended, and nothing can be waited for any more"

-- Returns what an event function raised, and whether the wait was cut short with nothing done.
local function step(timeout)
  stepping = true
  local ok, done, err = pcall(step_of, ctx, timeout)
  stepping = false
  if not ok then
    return done
  elseif done == nil then
    return errors.from_core(err, ended) -- a finalizer that waits, at the end of the process
  end
  return nil, not done
end

--- One turn: at most one wait, at most one resume for each task.
---@param timeout number? seconds; nil: until there is something to do
---@param budget number? seconds after the wait when nobody else goes on in this turn
---@return any problem what an event function raised, or what interrupts who turns
---@return boolean? early the wait ended before its time, with nothing done
function reactor.turn(timeout, budget)
  local nested, outer_limit, before = turning, limit, interruptions
  turning = true
  local problem, early
  if ctx then
    problem, early = step(ready_first <= ready_last and 0 or timeout or -1)
  end
  if budget then
    limit = reactor.now() + budget
  end
  for i = 1, #watchers do -- also where nothing has needed a context yet
    watchers[i]()
  end
  if ready_first <= ready_last then
    drain()
  end
  turning, limit = nested, outer_limit
  if descriptor_used then
    tell_descriptor()
  end
  if interruptions > before then
    return interruption
  end
  return problem, early
end

--- The first half of a turn, for a caller outside of tasks who waits for one message: true if that is all that came. It is then the only
--- one in `kept`, and nobody was told of it. false: what came has been told, or nothing was done; go on with a signal, which makes the
--- other half.
---@param kept beam.core.arrivals
---@param timeout number seconds
---@return boolean? one
function reactor.turn_for(kept, timeout)
  if current or host or turning or stepping or ready_first <= ready_last then
    return false
  end
  local before = interruptions
  turning, stepping = true, true
  local ok, done, one = pcall(step_of, ctx, timeout, kept)
  stepping = false
  for i = 1, #watchers do
    watchers[i]()
  end
  turning = false
  if descriptor_used then
    tell_descriptor()
  end
  if interruptions > before then
    error(interruption, 0)
  elseif not ok then
    error(done, 0)
  end
  return one == true
end

--- Calls watch() in each turn from now on, after its step; it may wake, and runs nothing of the user's.
---@param watch fun()
function reactor.after_step(watch)
  watchers[#watchers + 1] = watch
end

--- Whoever turns the loop now, and waits in a seat therefore, finds an error in its wait.
---@param err any
function reactor.interrupt_turners(err)
  interruption, interruptions = err, interruptions + 1
end

--- For a task that could go on for long: lets the others run, and the turn end, if the budget of the turn is used.
function reactor.give_way()
  if limit and reactor.running_task() and is_late() then
    yield()
  end
end

---@return boolean nothing is ready to go on
function reactor.quiet()
  return ready_first > ready_last
end

--- One descriptor that is readable when step() has something to do, timers included.
---@return integer
function reactor.fd()
  local fd = reactor.context():fd()
  descriptor_used = true
  tell_descriptor()
  return fd
end

-- ---- Inside another event loop ----

--- From now on we live in another event loop.
---@param adapter { guest: (fun(): table?), pause: fun(guest: table), resume: fun(guest: table), arrived: fun(), left: fun() }?
---   guest() is something of the loop's to suspend the running coroutine by, or nil if that cannot be suspended; arrived() and left()
---   tell of waits that begin and end. nil: no longer
function reactor.live_in(adapter)
  host = adapter
end

---@return table? adapter of the loop that we live in
function reactor.host()
  return host
end

return reactor
