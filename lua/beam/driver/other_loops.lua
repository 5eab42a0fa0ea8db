-- Our connections inside a program that has an event loop of its own:
--
--   beam.loop.luv()   beam.loop.cqueues([controller])   beam.loop.copas()
--
-- One call, once. From then on the other loop watches beam.fd() and turns ours when there is something to do, and a wait of ours in one of
-- its coroutines suspends that coroutine, as its own waits do. Coroutines of beam.spawn work as everywhere. While there is something of
-- ours to wait for, the other loop does not end; after that we do not hold it. (Copas 1.1 and 1.2 never end by themselves.)
--
-- On the main thread, outside the coroutines of the other loop, a wait turns our loop alone, as ever.
local driver = require "beam.driver"
local log = require "beam.log"

local loop = {}

local inside -- the name of the loop that we live in

-- ---- What all have in common ----

local function step()
  local ok, problem = pcall(driver.step, 0)
  if not ok then
    log.write("error", tostring(problem))
  end
end

-- The coroutine of the caller, unless it is the main thread or cannot be suspended where it stands.
local function suspendable()
  local thread, main = coroutine.running()
  local yieldable = coroutine.isyieldable -- luacheck: ignore 143
  if thread and not main and (not yieldable or yieldable()) then
    return thread
  end
end

---@class beam.loop.inside
---@field stop fun() leaves the other loop; no coroutine of its may be waiting for something of ours

local function check_free(name)
  if inside then
    error(("beam.loop.%s: we live in the loop of %s already"):format(name, inside), 3)
  elseif not driver.live_in then
    error(("beam.loop.%s: inside nginx the driver is nginx's own"):format(name), 3)
  end
end

local function enter(name, adapter, leave)
  inside = name
  driver.live_in(adapter)
  return {
    stop = function()
      if inside == name then
        inside = nil
        driver.live_in(nil)
        leave()
      end
    end,
  }
end

-- A coroutine of the other loop that turns ours: started when there is something to wait for, and over after it.
--   start(fn)   starts a coroutine of the other loop       wait()   suspends it until beam.fd() is readable
local function pump(start, wait)
  local wanted, running = false, false
  local function run()
    while wanted do
      wait()
      step()
    end
    running = false
  end
  return function(busy)
    wanted = busy
    if busy and not running then
      running = true
      start(run)
    elseif running and not busy then
      driver.context():wakeup() -- it looks again
    end
  end
end

-- ---- The loops ----

-- Kept for ever: luv 1.44 crashes at the end of the process if a handle was closed and its loop did not run any more
-- (docs/versions.md).
local poll

--- Inside uv.run() of luv. Any coroutine but the main thread is suspended by coroutine.yield and gone on with from the loop.
---@param uv table? default: require "luv"
---@return beam.loop.inside
function loop.luv(uv)
  check_free "luv"
  uv = uv or require "luv"
  local adapter = { guest = suspendable, pause = coroutine.yield }

  poll = poll or assert(uv.new_poll(driver.fd()))

  function adapter.resume(thread)
    local ok, problem = coroutine.resume(thread)
    if not ok then
      log.write("error", "a coroutine failed: " .. debug.traceback(thread, tostring(problem)))
    end
  end

  function adapter.busy(busy)
    (busy and poll.ref or poll.unref)(poll)
  end

  poll:start("r", step)
  return enter("luv", adapter, function()
    poll:stop()
  end)
end

--- Inside a controller of cqueues.
---@param controller table? default: the one that runs the caller
---@return beam.loop.inside
function loop.cqueues(controller)
  check_free "cqueues"
  local cqueues, condition = require "cqueues", require "cqueues.condition"
  controller = controller or cqueues.running() or error("beam.loop.cqueues wants the controller: beam.loop.cqueues(cqueues.new())", 2)
  local readable = { pollfd = driver.fd(), events = "r" }
  local adapter = {}

  function adapter.guest()
    local _, runs_us = cqueues.running()
    return runs_us and condition.new() or nil
  end

  function adapter.pause(guest)
    guest:wait()
  end

  function adapter.resume(guest)
    guest:signal()
  end

  adapter.busy = pump(function(run)
    controller:wrap(run)
  end, function()
    cqueues.poll(readable)
  end)
  return enter("cqueues", adapter, function()
    adapter.busy(false)
  end)
end

-- What Copas takes for a socket: readable when beam.fd() is, and at once when `ready()` says so. Of several sockets with one descriptor
-- select() names one only: whichever is asked turns our loop. The first time it is asked whether it has something already.
local function as_socket(ready)
  local socket, asked = { getfd = driver.fd, dirty = ready }, false

  function socket.settimeout() end
  function socket.close() end -- Copas closes what a coroutine waited for last

  function socket.receive()
    if asked then
      step()
    end
    if ready() or asked and not socket.guest then
      return "ready"
    end
    asked = true
    return nil, "timeout"
  end

  return socket
end

local function never()
  return false
end

--- Inside copas.loop() or copas.step().
---@return beam.loop.inside
function loop.copas()
  check_free "copas"
  local copas = require "copas"
  local adapter = {}

  function adapter.guest()
    if not suspendable() then
      return nil
    end
    local guest = { awake = false }
    guest.socket = as_socket(function()
      return guest.awake
    end)
    guest.socket.guest = guest
    return guest
  end

  function adapter.pause(guest)
    copas.receive(guest.socket)
  end

  function adapter.resume(guest)
    guest.awake = true
  end

  adapter.busy = pump(copas.addthread, function()
    copas.receive(as_socket(never))
  end)
  return enter("copas", adapter, function()
    adapter.busy(false)
  end)
end

return loop
