-- Light threads that wait: each wait has a semaphore of nginx, and a place in the list of the signal that it waits for.
--
-- A light thread may go while it waits: its request was aborted, or somebody killed it. Nobody is told of that; but nginx takes it off its
-- semaphore, whose count then is 0 where a living wait makes it -1. So a waiter that is gone is known when it is looked
-- at, and is never woken in the place of another one.
local links = require "beam.driver.wait_list"
local phase = require "beam.driver.nginx.phase"
local semaphore = require "ngx.semaphore"

local waiting = {}

local longest = 1e6 -- seconds that one wait of nginx lasts: its timers count milliseconds in 32 bits
local kept_free = 1024

local free = {} -- waiters that wait for nothing
local all = setmetatable({}, { __mode = "k" })

local function new_waiter()
  local made, err = semaphore.new(0)
  if not made then
    error("beam: nginx has no semaphore left: " .. tostring(err), 0)
  end
  local waiter = { semaphore = made, woken = false }
  all[waiter] = true
  return waiter
end

local function is_alive(waiter)
  return waiter.semaphore:count() < 0
end

--- How many light threads wait, but for those of the worker's own.
---@return integer
function waiting.count()
  local count = 0
  for waiter in pairs(all) do
    if not waiter.own and is_alive(waiter) then
      count = count + 1
    end
  end
  return count
end

-- ---- Signals ----

---@class beam.signal
local Signal = {}
Signal.__index = Signal

---@return beam.signal
function waiting.signal()
  return setmetatable({ first = nil, last = nil }, Signal)
end

-- The one who has waited longest; those that are gone leave the list.
local function first_alive(self)
  local waiter = self.first
  while waiter and not is_alive(waiter) do
    links.unlink(waiter)
    waiter = self.first
  end
  return waiter
end

local function wait_for_post(waiter, seconds)
  return waiter.semaphore:wait(math.max(1, math.ceil(seconds * 1000)) / 1000) -- nginx cuts off what is less than a millisecond
end

local function suspend(waiter, timeout)
  local ok, err
  repeat
    local lasts = math.min(timeout or longest, longest)
    ok, err = wait_for_post(waiter, lasts)
    timeout = timeout and timeout - lasts
  until ok or err ~= "timeout" or waiter.woken or timeout and timeout <= 0
  if not waiter.woken then
    links.unlink(waiter)
    if err ~= "timeout" then
      error("beam: " .. tostring(err), 0)
    end
  elseif not ok then
    waiter.semaphore:wait(0) -- it was posted when its time was over already
  end
  return waiter.woken
end

waiting.is_own = false -- fun(): boolean   the caller is one of the worker's own threads
waiting.check = phase.check_may_wait

local function join(self)
  waiting.check()
  first_alive(self)
  local waiter = table.remove(free) or new_waiter()
  waiter.woken, waiter.own = false, waiting.is_own()
  links.link(self, waiter)
  return waiter
end

local function leave(waiter)
  if #free < kept_free then
    free[#free + 1] = waiter
  end
end

--- Suspends the caller until wake(), for up to `timeout` seconds.
---@param timeout number?
---@return boolean woken false: the time is over
function Signal:wait(timeout)
  local waiter = join(self)
  local woken = suspend(waiter, timeout)
  leave(waiter)
  return woken
end

--- The same, or until the descriptor is ready.
---@param timeout number
---@param watching beam.driver.nginx.descriptor
---@return boolean told it is, and the caller has to make the step
---@return boolean woken
function Signal:wait_told(timeout, watching)
  local waiter = join(self)
  watching:ask(waiter.semaphore)
  local ok, err = wait_for_post(waiter, timeout)
  local told, woken = watching:was_told(), waiter.woken
  if not woken then
    links.unlink(waiter)
  end
  if (not ok or told and woken) and waiter.semaphore:count() > 0 then
    waiter.semaphore:wait(0) -- it was posted when its time was over already, or twice
  end
  leave(waiter)
  if not ok and err ~= "timeout" and not woken and not told then
    error("beam: " .. tostring(err), 0)
  end
  return told, woken
end

--- Wakes the one who has waited longest.
---@return boolean whether there was one
function Signal:wake()
  local waiter = first_alive(self)
  if not waiter then
    return false
  end
  links.unlink(waiter)
  waiter.woken = true
  waiter.semaphore:post(1)
  return true
end

function Signal:wake_all()
  while self:wake() do
  end
end

---@return boolean whether somebody waits
function Signal:is_awaited()
  return first_alive(self) ~= nil
end

return waiting
