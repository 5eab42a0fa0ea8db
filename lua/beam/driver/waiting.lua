-- Waiting and waking: signals, deadlines, and who waits for them.
--
-- A waiter is a task (a coroutine that beam/driver/coroutines.lua started) or, where the caller is none of ours, a seat: the wait then
-- turns the loop (beam/driver/reactor.lua) until the seat is woken. So the main thread and other people's coroutines wait without being
-- yielded. Inside another event loop (beam/driver/other_loops.lua) its own coroutines can be suspended: then they are guests.
local new_alarm = require("beam.driver.alarm").new
local links = require "beam.driver.wait_list"
local reactor = require "beam.driver.reactor"

local waiting = {}

local OUTSIDE, yield, running = reactor.OUTSIDE, coroutine.yield, coroutine.running
local task_to_wait, running_task = reactor.task_to_wait, reactor.running_task

local alarm, deadlines -- of the waits that have one
local sources = 0 -- attach()
local seats, depth = {}, 0 -- waits outside tasks, one inside the other

-- ---- Beginning and ending ----

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
    alarm:arm(reactor.context())
  end
end

-- Lets a waiter go on: a task or a guest in the next turn, a seat as soon as it looks.
local function end_wait(waiter)
  links.unlink(waiter)
  if waiter.position then
    deadlines:remove(waiter)
  end
  if not waiter.thread then
    waiter.ready = true
  end
  if waiter.thread or waiter.guest then
    reactor.make_ready(waiter)
  end
end

alarm = new_alarm(end_wait)
deadlines = alarm.deadlines

--- Lets a task go on that waits; nothing happens if it does not.
function waiting.cut_short(task)
  if task.signal or task.position then
    end_wait(task)
  end
end

--- A task that waits finds an error in its wait; one that does not, in its next.
---@param err any
function waiting.interrupt(task, err)
  task.raises = err
  waiting.cut_short(task)
end

-- The wait of a task ends with an error, once.
local function raise(task)
  local err = task.raises
  task.raises = nil
  error(err, 0)
end

-- ---- Waits that cannot end ----

--- One more object of beam.core that may still cause an event.
function waiting.attach()
  sources = sources + 1
end

function waiting.detach()
  sources = sources - 1
end

---@return boolean nothing is ready, and nothing could make it so
function waiting.stuck()
  return sources == 0 and reactor.quiet() and not deadlines:first()
end

-- ---- Seats ----

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
    if waiting.stuck() then
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

-- ---- Guests ----

-- luv holds no coroutine that has yielded, and what it waits for may be held by it alone.
local waiting_guests = {} -- luacheck: ignore 241

---@return table? guest by which the other loop suspends the running coroutine
local function guest_here()
  local host = reactor.host()
  return host and host.guest()
end

--- Whether the running coroutine is one of another event loop.
---@return boolean
function waiting.is_guest()
  return not running_task() and guest_here() ~= nil
end

-- The host may go on with its coroutine before it is time.
local function wait_as_guest(waiter)
  local host = reactor.host()
  waiting_guests[waiter] = true
  host.arrived()
  while not waiter.ready do
    host.pause(waiter.guest)
  end
  host.left()
  waiting_guests[waiter] = nil
  return waiter.woken
end

-- ---- Tasks ----

-- What a coroutine that waits takes of memory is its stack and a record of each call that is under way, or ever was at once: 80 bytes of
-- Lua 5.4, which doubles a stack of more than 40 slots. So a task is suspended from as few calls as can be, and the rest of the wait begins
-- outside of it.

local function suspend(task, signal, timeout)
  yield(OUTSIDE, begin_wait, signal, timeout)
  if task.raises ~= nil then
    raise(task)
  end
  return task.woken
end

local function sleep(task, duration)
  yield(OUTSIDE, begin_wait, nil, duration)
  if task.raises ~= nil then
    raise(task)
  end
end

--- Suspends the running task for one turn, in which the others run.
function waiting.wait_a_turn()
  local task = running_task()
  if task.raises == nil then
    yield()
  end
  if task.raises ~= nil then
    raise(task)
  end
end

-- ---- Signals ----

---@class beam.signal
local Signal = {}
Signal.__index = Signal

---@return beam.signal
function waiting.signal()
  return setmetatable({ first = nil, last = nil }, Signal)
end

--- Suspends the caller until wake(), for up to `timeout` seconds.
---@param timeout number?
---@return boolean woken false: the time is over
function Signal:wait(timeout)
  local task = task_to_wait(running())
  if task then
    if task.raises ~= nil then
      raise(task)
    end
    return suspend(task, self, timeout)
  end
  local guest = guest_here()
  local waiter = guest and { guest = guest } or take_seat()
  waiter.ready = false
  begin_wait(waiter, self, timeout)
  return (guest and wait_as_guest or wait_in_seat)(waiter)
end

local never = waiting.signal()

--- Suspends the caller for so many seconds.
---@param duration number above 0
function waiting.sleep(duration)
  local task = task_to_wait(running())
  if task then
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
  waiter.woken = true
  end_wait(waiter)
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

return waiting
