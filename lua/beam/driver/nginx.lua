-- The driver for OpenResty, nginx with lua-nginx-module: whoever waits is a light thread that nginx suspends, so that a worker
-- never stands still. The interface is described in beam/driver/init.lua.
--
--   nginx/waiting.lua    signals                 nginx/keeper.lua   the worker's own threads, which make the steps
--   nginx/coroutines.lua what spawn() gives      nginx/descriptor.lua how nginx tells of our descriptor
--   nginx/phase.lua      where what is possible  nginx/leaving.lua  the end of a worker
local errors = require "beam.error"
local keeper = require "beam.driver.nginx.keeper"
local leaving = require "beam.driver.nginx.leaving"
local log = require "beam.log"
local phase = require "beam.driver.nginx.phase"
local coroutines = require "beam.driver.nginx.coroutines"
local waiting = require "beam.driver.nginx.waiting"
local mistake = require "beam.base.mistake"
local seconds = require "beam.settings.seconds"

local driver = {
  context = keeper.context,
  signal = waiting.signal,
}

waiting.is_own = keeper.is_own
waiting.check = keeper.check_may_wait
keeper.started = leaving.arm

local function ignore() end

-- A worker runs until nginx ends it, and somebody else may always wake who waits.
driver.ref, driver.unref = ignore, ignore
driver.attach, driver.detach = keeper.attach, keeper.detach
driver.turn_for = keeper.turn_for
keeper.is_awaited = function()
  return waiting.count() > 0
end

---@return boolean false: what nginx runs is ours to suspend
function driver.is_guest()
  return false
end

---@return number seconds monotonic
function driver.now()
  return keeper.context():now()
end

---@return integer
function driver.fd()
  return keeper.context():fd()
end

-- ---- Log ----

local levels = { error = ngx.ERR, warning = ngx.WARN, info = ngx.INFO, debug = ngx.DEBUG }

log.to(function(level, line)
  ngx.log(levels[level], "beam: ", line)
end)

-- ---- Tasks ----

keeper.after_step(coroutines.report)

local function check_function(fn, where)
  if type(fn) ~= "function" then
    error(where .. " wants a function, not a " .. type(fn), 3)
  end
end

--- Starts fn(...) in a thread of the worker's own: it outlives the request, knows nothing of it, and starts soon.
---@param fn function
---@return beam.coroutine
function driver.background(fn, ...)
  local task = coroutines.new(fn, ...)
  keeper.submit(task)
  return task
end

--- Starts a light thread of the request at once; it ends with the request. In phases that have none, and in functions of connections, it is
--- one of the worker's own. An error in it is returned by join(); if nobody joins, it is logged.
---@param fn function
---@return beam.coroutine
function driver.spawn(fn, ...)
  check_function(fn, "beam.spawn")
  if keeper.is_own() or not phase.allows_threads() then
    return driver.background(fn, ...)
  end
  keeper.start()
  local task = coroutines.new(fn, ...)
  task.family = coroutines.family_here()
  task.family.live = task.family.live + 1
  ngx.thread.spawn(task.run, task)
  return task
end

---@param fn fun()
---@return beam.coroutine
function driver.defer(fn)
  return driver.background(fn)
end

---@param fn fun()
function driver.attend(fn)
  driver.background(fn)
end

---@param fn fun()
---@return fun() start
function driver.attendant(fn)
  return function()
    driver.background(fn)
  end
end

--- Calls fn(...) in a thread of the worker's own, and waits: a request that is aborted meanwhile does not stop it half-way.
function driver.aside(fn, ...)
  if keeper.is_own() then
    return fn(...)
  end
  local task = driver.background(fn, ...)
  task.joined = true
  return task:results_of()
end

-- ---- Sleeping and running ----

local shortest = 0.001 -- seconds; nginx has no shorter timers, and without a patch a sleep of 0 makes it turn without rest
local longest = 1e9 -- beyond some more its milliseconds overflow

--- Suspends the caller. 0 lets the others run.
---@param duration number seconds
function driver.sleep(duration)
  if duration == nil then
    mistake "beam.sleep wants a number of seconds"
  end
  seconds.check_wait(duration, "beam.sleep")
  keeper.check_may_wait()
  ngx.sleep(math.min(longest, math.max(shortest, duration)))
end

local longest_turn = 0.002 -- seconds that somebody who need not wait goes on while others have to
local turn, began -- nginx's time, which stands still while it turns, and when we first saw it

--- For a coroutine that could go on for long: lets nginx serve others.
function driver.give_way()
  if ngx.now() ~= turn then
    turn, began = ngx.now(), driver.now()
  elseif driver.now() - began > longest_turn and phase.may_wait_here() then
    ngx.sleep(shortest)
  end
end

--- nginx does what is due: this only waits for `timeout` seconds.
---@param timeout number? default 0; there is no budget: nginx divides the time
function driver.step(timeout)
  driver.sleep(timeout or 0)
end

--- Runs fn(...), and the coroutines of this request, until they have ended.
---@param fn function?
---@return any ... the results of fn
function driver.run(fn, ...)
  keeper.check_may_wait()
  local main = fn and driver.spawn(fn, ...)
  if main then
    main.joined = true
  end
  if keeper.is_own() then
    return main and main:results_of()
  end
  local family = coroutines.family_here()
  coroutines.wait_for_family(family, main)
  coroutines.report()
  local err = main and main.err or family.first_unclaimed
  family.first_unclaimed = nil
  if err then
    error(err, 0)
  elseif main then
    return main:join()
  end
end

-- ---- Setting up ----

local known = { watch = true, drain = true, connections = true }
local ways = { direct = true, waker = true }

local function check_setup(options)
  errors.check_options(options, known, "beam.setup")
  if options.watch ~= nil and not ways[options.watch] then
    error("beam.setup: watch is 'direct' or 'waker'", 3)
  elseif options.drain ~= nil and not (type(options.drain) == "number" and options.drain >= 0 and options.drain < 1e6) then
    error("beam.setup: drain wants a number of seconds", 3)
  end
end

--- Gets a worker ready, in init_worker_by_lua. Without it the first use does, with the defaults.
---@param options { watch: "direct"|"waker"|nil, drain: number?, connections: integer? }? watch: how our descriptor is watched,
---   default: direct if that is possible; drain: seconds that requests may go on to wait for answers when the worker is told to end,
---   default 30; connections: how many are expected
---@return boolean false: this process of nginx is no worker, and has no connections
function driver.setup(options)
  options = options or {}
  check_setup(options)
  if require("ngx.process").type() == "privileged agent" then
    return false
  elseif keeper.has_started() then
    error("beam.setup: this worker has been set up; call it once, in init_worker_by_lua", 2)
  end
  leaving.drain = options.drain or leaving.drain
  keeper.start(options)
  return true
end

--- How our descriptor is watched: "direct" or "waker"; nil: not yet.
---@return string?
function driver.watched()
  return keeper.how
end

return driver
