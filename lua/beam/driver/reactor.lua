-- Waiting and waking: one beam.core context, signals, deadlines, and a queue of the coroutines that are ready to go on.
--
--   turn:  ctx:step  -> event functions change state and wake -> ready queue -> coroutines go on
--
-- A waiter is a task (a coroutine that beam/driver/loop.lua started) or, where the caller is none of ours, a seat: the
-- wait then turns the loop until the seat is woken. So the main thread and other people's coroutines wait without being
-- yielded. Inside another event loop (beam/driver/other_loops.lua) its own coroutines can be suspended: then they are guests.
local errors = require "beam.error"
local new_alarm = require("beam.driver.alarm").new
local links = require "beam.driver.wait_list"
local log = require "beam.log"

local reactor = { log_level = "warning" } -- log_level: the most talkative one of the context, which is made on first use

local WAIT = {} -- what a task yields when it waits; any other yield but LEAVE is the user's own
local LEAVE = {} -- what it yields, with a function, to be left by that
local resume, yield, running = coroutine.resume, coroutine.yield, coroutine.running

local ctx, step_of, now_of -- the context, from its first use on, and its methods that are called most
local stepping = false -- an event function may be running
local turning = false -- the ready queue is looked at before anybody waits again
local descriptor_used = false -- somebody waits on fd(): it has to be told
local current -- the task that runs now
local ready, ready_first, ready_last = {}, 1, 0 -- tasks to go on with, in order
local alarm, deadlines -- of the waits
local sources = 0 -- attach()
local seats, depth = {}, 0 -- waits outside tasks, one inside the other
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

--- One more object of beam.core that may still cause an event.
function reactor.attach()
  sources = sources + 1
end

function reactor.detach()
  sources = sources - 1
end

-- ---- Waking ----

local function tell_descriptor()
  if descriptor_used and not turning and ready_first <= ready_last then
    ctx:wakeup()
  end
end

--- Lets a waiter go on: a task in the next turn, a seat as soon as it looks.
local function make_ready(waiter)
  if waiter.position then
    deadlines:remove(waiter)
  end
  if not waiter.thread then
    waiter.ready = true
  end
  if waiter.thread or waiter.guest then
    ready_last = ready_last + 1
    ready[ready_last] = waiter
    tell_descriptor()
  end
end

reactor.make_ready = make_ready

alarm = new_alarm(function(waiter)
  links.unlink(waiter)
  make_ready(waiter)
end)
deadlines = alarm.deadlines

-- ---- Turning ----

-- A waiter waits from now on.
---@param signal beam.signal? nil: it sleeps
---@param timeout number? seconds
local function begin_wait(waiter, signal, timeout)
  if signal then
    waiter.woken = false
    links.link(signal, waiter)
  end
  if timeout and timeout < math.huge then
    deadlines:add(waiter, reactor.now() + timeout)
    alarm:arm(ctx)
  end
end

-- A task has stopped: it waits, has yielded by itself (then others run first), or has ended.
local function stopped(task, outer, ok, first, ...)
  current = outer
  if first == WAIT then
    return begin_wait(task, ...)
  elseif first == LEAVE then
    (...)(task)
  elseif ok and coroutine.status(task.thread) == "suspended" then
    make_ready(task)
  else
    task:ended(ok, first, ...)
  end
end

--- Lets a task run until it stops. task.thread is its coroutine, task:ended(ok, ...) is told its results.
function reactor.resume(task, ...)
  local outer = current
  current = task
  return stopped(task, outer, resume(task.thread, ...))
end

--- Suspends the running task for good and calls outside(task). It must not run across C.
---@param outside fun(task: table)
function reactor.leave(outside)
  yield(LEAVE, outside)
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
---@param budget number? seconds after which nobody else goes on in this turn
---@return any problem what an event function raised, or what interrupts who turns
---@return boolean? early the wait ended before its time, with nothing done
function reactor.turn(timeout, budget)
  local nested, outer_limit, before = turning, limit, interruptions
  turning = true
  if budget then
    limit = reactor.now() + (timeout or 0) + budget
  end
  local problem, early
  if ctx then
    problem, early = step(ready_first <= ready_last and 0 or timeout or -1)
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

---@return boolean nothing is ready, and nothing could make it so
function reactor.stuck()
  return ready_first > ready_last and sources == 0 and not deadlines:first()
end

--- One descriptor that is readable when step() has something to do, timers included.
---@return integer
function reactor.fd()
  local fd = reactor.context():fd()
  descriptor_used = true
  tell_descriptor()
  return fd
end

--- Raises where waiting would turn the loop inside itself.
function reactor.check_may_wait()
  if stepping then
    error("beam: waiting is not possible inside an event or log function", 3)
  end
end

-- ---- Signals ----

---@class beam.signal
local Signal = {}
Signal.__index = Signal

---@return beam.signal
function reactor.signal()
  return setmetatable({ first = nil, last = nil }, Signal)
end

local function take_seat()
  depth = depth + 1
  local seat = seats[depth]
  if not seat then
    seat = {}
    seats[depth] = seat
  end
  return seat
end

-- Turns the loop until the seat is ready. Returns what went wrong.
local function turn_until_ready(seat)
  while not seat.ready do
    if reactor.stuck() then
      return "beam: this wait would never end: nothing is open, due or running that could end it (deadlock)"
    end
    local problem = reactor.turn()
    if problem then
      return problem
    end
  end
end

local function wait_in_seat(seat)
  local problem = turn_until_ready(seat)
  depth = depth - 1
  if problem then
    links.unlink(seat)
    deadlines:remove(seat)
    error(problem, 0)
  end
  return seat.woken
end

-- The wait of a task ends with an error, once.
local function raise(task)
  local err = task.raises
  task.raises = nil
  error(err, 0)
end

--- A task that waits finds an error in its wait; one that does not, in its next.
---@param err any
function reactor.interrupt(task, err)
  task.raises = err
  if task.signal or task.position then
    links.unlink(task)
    make_ready(task)
  end
end

-- luv holds no coroutine that has yielded, and what it waits for may be held by it alone.
local waiting_guests = {} -- luacheck: ignore 241

--- Suspends the running task for one turn, in which the others run.
function reactor.wait_a_turn()
  local task = reactor.running_task()
  if task.raises == nil then
    yield()
  end
  if task.raises ~= nil then
    raise(task)
  end
end

-- The host may go on with its coroutine before it is time.
local function wait_as_guest(waiter)
  waiting_guests[waiter] = true
  host.arrived()
  while not waiter.ready do
    host.pause(waiter.guest)
  end
  host.left()
  waiting_guests[waiter] = nil
  return waiter.woken
end

--- From now on we live in another event loop.
---@param adapter { guest: (fun(): table?), pause: fun(guest: table), resume: fun(guest: table), arrived: fun(), left: fun() }?
---   guest() is something of the loop's to suspend the running coroutine by, or nil if that cannot be suspended; arrived() and left()
---   tell of waits that begin and end. nil: no longer
function reactor.live_in(adapter)
  host = adapter
end

--- Whether the running coroutine is one of another event loop.
---@return boolean
function reactor.is_guest()
  return host ~= nil and not reactor.running_task() and host.guest() ~= nil
end

-- What a coroutine that waits takes of memory is its stack and a record of each call that is under way, or ever was at once: 80 bytes of
-- Lua 5.4, which doubles a stack of more than 40 slots. So a task is suspended from as few calls as can be, and the rest of the wait begins
-- outside of it.

local function suspend(task, signal, timeout)
  yield(WAIT, signal, timeout)
  if task.raises ~= nil then
    raise(task)
  end
  return task.woken
end

local function sleep(task, duration)
  yield(WAIT, nil, duration)
  if task.raises ~= nil then
    raise(task)
  end
end

--- Suspends the caller until wake(), for up to `timeout` seconds.
---@param timeout number?
---@return boolean woken false: the time is over
function Signal:wait(timeout)
  if stepping then
    reactor.check_may_wait()
  end
  local task = current
  if task and task.thread == running() then
    if task.raises ~= nil then
      raise(task)
    end
    return suspend(task, self, timeout)
  end
  local guest = host and host.guest()
  local waiter = guest and { guest = guest } or take_seat()
  waiter.ready = false
  begin_wait(waiter, self, timeout)
  return (guest and wait_as_guest or wait_in_seat)(waiter)
end

local never = reactor.signal()

--- Suspends the caller for so many seconds.
---@param duration number above 0
function reactor.sleep(duration)
  if stepping then
    reactor.check_may_wait()
  end
  local task = current
  if task and task.thread == running() then
    if task.raises ~= nil then
      raise(task)
    end
    return sleep(task, duration)
  end
  never:wait(duration)
end

--- Wakes the one who has waited longest.
---@return boolean whether there was one
function Signal:wake()
  local waiter = self.first
  if not waiter then
    return false
  end
  links.unlink(waiter)
  waiter.woken = true
  make_ready(waiter)
  return true
end

function Signal:wake_all()
  while self.first do
    self:wake()
  end
end

---@return boolean whether somebody waits
function Signal:is_awaited()
  return self.first ~= nil
end

return reactor
