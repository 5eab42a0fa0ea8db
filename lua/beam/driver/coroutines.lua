-- Coroutines that are started and joined, in plain Lua: the tasks of beam/driver/reactor.lua.
local compat = require "beam.base.compat"
local errors = require "beam.error"
local join = require "beam.driver.join"
local log = require "beam.log"
local reactor = require "beam.driver.reactor"
local unasserted = require "beam.driver.unasserted"
local waiting = require "beam.driver.waiting"

local coroutines = {
  alive = {}, -- those that have not ended, as keys
  count = 0, -- of them
}

local running_task = reactor.running_task

local alive = coroutines.alive
local failed = {} -- those that failed and have not been reported
local first_unclaimed -- the first failure that nobody joined

--- Called when one has begun or ended: beam/driver/loop.lua says what then.
---@type fun(failed: boolean?)
coroutines.changed = nil

---@class beam.coroutine
local Task = {}
Task.__index = Task
Task.__name = "beam.coroutine"

-- ---- Beginning and ending ----

local function over(self, ok, ...)
  if alive[self] then
    alive[self] = nil
    coroutines.count = coroutines.count - 1
  end
  self.done = true
  if ok then
    self.results = compat.pack(...)
  else
    local raised = self.traceback and (...) or unasserted.explain((...), self.thread, 0)
    self.err = errors.from_script(raised, self.thread, self.traceback)
    failed[#failed + 1] = self
  end
  if self.joiners then
    self.joiners:wake_all()
  end
  coroutines.changed(not ok)
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
  alive[task] = true
  coroutines.count = coroutines.count + 1
  coroutines.changed()
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

  -- What xpcall returned; or why the coroutine could not go on: somebody has closed it.
  function Task:ended(went_on, ...)
    if went_on then
      return over(self, ...)
    end
    return over(self, false, ...)
  end
end

--- Starts a coroutine at once; it runs until its first wait. An error in it is returned by join(). If nobody joins
--- before the next step is over, it is logged with its traceback, and run() raises it at the end.
---@param fn function
---@return beam.coroutine
function coroutines.spawn(fn, ...)
  if type(fn) ~= "function" then
    error("beam.spawn wants a function, not a " .. type(fn), 2)
  end
  return start(fn, ...)
end

--- Starts a coroutine from the ready queue. It may be called in event functions, where nothing of the user's may run.
---@param fn fun()
---@return beam.coroutine
function coroutines.defer(fn)
  local task = new_live_task(unwinding(fn))
  reactor.make_ready(task)
  return task
end

--- Starts a coroutine from the ready queue that serves an object for as long as that lives: run() does not go on for its
--- sake, and while it waits nothing holds it but the signal it waits on. Work that run() shall see to its end is marked
--- with ref() and unref().
---@param fn fun()
function coroutines.attend(fn)
  reactor.make_ready(new_task(unwinding(fn)))
end

--- Such a coroutine for work that comes again and again: start() is called when there is some and fn is not running.
---@param fn fun()
---@return fun() start
function coroutines.attendant(fn)
  local more
  return function()
    if more then
      more:wake()
      return
    end
    more = waiting.signal()
    coroutines.attend(function()
      while true do
        fn()
        more:wait()
      end
    end)
  end
end

--- Waits for the end of the coroutine.
---@param timeout number? seconds; nil: as long as it takes
---@return any ... its results, or nil and a beam.error of kind "script" (what it raised) or "timeout"
function Task:join(timeout)
  return join.wait(self, timeout, self == running_task(), waiting.signal)
end

--- Tells of those that failed and that nobody has joined.
function coroutines.report()
  while #failed > 0 do
    local task = table.remove(failed, 1)
    if not task.joined and not errors.is_interruption(task.err) then
      first_unclaimed = first_unclaimed or task.err
      log.write("error", "a coroutine failed that nobody joined: " .. tostring(task.err))
    end
  end
end

--- The first failure that was told so, once.
---@return beam.error?
function coroutines.take_unclaimed()
  local err = first_unclaimed
  first_unclaimed = nil
  return err
end

return coroutines
