-- Coroutines that are started and joined, inside nginx: light threads of a request, or work for the worker's own threads
-- (beam/driver/nginx/keeper.lua).
local compat = require "beam.base.compat"
local errors = require "beam.error"
local join = require "beam.driver.join"
local keeper = require "beam.driver.nginx.keeper"
local log = require "beam.log"
local waiting = require "beam.driver.nginx.waiting"
local unasserted = require "beam.driver.unasserted"

local tasks = {}

---@class beam.coroutine
local Task = {}
Task.__index = Task
Task.__name = "beam.coroutine"

local failed = {} -- tasks that failed and have not been reported

-- The tasks of one request: `live` have not ended; `running` are those of them in run().
---@class beam.family
---@field live integer
---@field running integer
---@field changed beam.signal
---@field first_unclaimed beam.error?

local family_name = "beam.driver.nginx"

---@return beam.family of the request that the caller belongs to
function tasks.family_here()
  local ctx = ngx.ctx
  local family = ctx[family_name]
  if not family then
    family = { live = 0, running = 0, changed = waiting.signal(), tasks = setmetatable({}, { __mode = "k" }) }
    ctx[family_name] = family
  end
  return family
end

---@return beam.coroutine not started: run() does its work in the light thread that calls it
function tasks.new(fn, ...)
  return setmetatable({ fn = fn, arguments = compat.pack(...), done = false, joined = false }, Task)
end

local function with_traceback(value)
  return errors.from_script(unasserted.explain(value, nil, 2))
end

local function leave_family(family, task)
  family.live = family.live - 1
  family.tasks[task.thread] = nil
  family.changed:wake_all()
end

local function ended(task, ok, ...)
  task.done, task.fn, task.arguments = true, nil, nil
  if ok then
    task.results = compat.pack(...)
  else
    task.err = (...)
    failed[#failed + 1] = task
    keeper.poke()
  end
  if task.family then
    leave_family(task.family, task)
  end
  if task.joiners then
    task.joiners:wake_all()
  end
end

function Task:run()
  self.thread = coroutine.running()
  if self.family then
    self.family.tasks[self.thread] = self
  end
  local arguments = self.arguments
  return ended(self, xpcall(self.fn, with_traceback, compat.unpack(arguments, 1, arguments.n)))
end

--- Tells of those that failed and that nobody has joined.
function tasks.report()
  while #failed > 0 do
    local task = table.remove(failed, 1)
    if not task.joined then
      local family = task.family
      if family then
        family.first_unclaimed = family.first_unclaimed or task.err
      end
      log.write("error", "a coroutine failed that nobody joined: " .. tostring(task.err))
    end
  end
end

--- Waits for the end of the coroutine.
---@param timeout number? seconds; nil: as long as it takes
---@return any ... its results, or nil and a beam.error of kind "script" (what it raised) or "timeout"
function Task:join(timeout)
  return join.wait(self, timeout, self.thread == coroutine.running() and not self.done, waiting.signal)
end

--- The results of what was called aside; raises what that raised.
function Task:results_of()
  self:join()
  if self.err then
    error(self.err.cause, 0)
  end
  return join.results(self)
end

--- Waits until the other light threads of the request have ended, but for those that wait for the same; or `main` has failed.
function tasks.wait_for_family(family, main)
  local task = family.tasks[coroutine.running()]
  if task then
    family.running = family.running + 1
    family.changed:wake_all()
  end
  while family.live > family.running and not (main and main.err) do
    family.changed:wait()
  end
  if task then
    family.running = family.running - 1
  end
end

return tasks
