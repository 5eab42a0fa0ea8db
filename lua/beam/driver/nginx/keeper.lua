-- The worker's own light threads, in a timer of nginx that lasts as long as the worker: whatever is done for connections is
-- done here and not in the request that happens to be there, for connections outlive requests.
--
--   the keeper      waits for the descriptor, makes the step, in which event functions change state and wake
--   its threads     run what the step, requests and other phases leave to be done; each serves one task after the other, for a
--                   request of nginx never forgets a light thread that it once had
local code_cache = require "beam.driver.nginx.code_cache"
local log = require "beam.log"
local phase = require "beam.driver.nginx.phase"
local semaphore = require "ngx.semaphore"
local watch = require "beam.driver.nginx.descriptor"

local keeper = {}

local longest = 1e6 -- seconds of one wait of nginx
local ending = "beam: this worker of nginx is about to end, and has closed its connections"

local look_every = 0.5 -- seconds between two looks whether the request whose state this is has ended
local watching = watch.new()
local options = {} -- setup()
local ctx -- the context, once this has started
local relief -- a semaphore: the other thread has to go on with the step
local parts, most_parts = 0, 4 -- of this step; nginx sees to its other connections in the end
local stepping = false -- an event function may be running
local stopping = false
local queue, first, last = {}, 1, 0 -- tasks that no thread serves yet
local idle = {} -- threads that wait for one
local own = {} -- our threads, by their coroutine
local threads = {} -- of the keeper
local report -- fun(): tells of tasks that failed
local sources, busy = 0, 0 -- objects of beam.core that may cause an event; threads that serve a task

-- ---- Threads ----

local function take()
  if first > last then
    return nil
  end
  local task = queue[first]
  queue[first] = nil
  first = first + 1
  return task
end

local function wait_for_task(thread)
  idle[#idle + 1] = thread
  repeat
    thread.semaphore:wait(longest)
  until thread.task
  local task = thread.task
  thread.task = nil
  return task
end

local function serve(thread)
  own[coroutine.running()] = true
  while true do
    local task = take() or wait_for_task(thread)
    busy = busy + 1
    task:run()
    busy = busy - 1
    if code_cache.is_off() then
      keeper.poke()
    end
  end
end

--- Leaves a task to be run by a thread of the worker's own. May be called anywhere; waits for nothing.
---@param task { run: fun(task) }
function keeper.submit(task)
  keeper.start()
  local thread = table.remove(idle)
  if thread then
    thread.task = task
    thread.semaphore:post(1)
    return
  end
  last = last + 1
  queue[last] = task
  keeper.poke()
end

--- Lets the keeper look around, soon.
function keeper.poke()
  if not stepping then
    watching:poke()
  end
end

---@return boolean whether the caller is one of the worker's own threads, or an event function
function keeper.is_own()
  return stepping or own[coroutine.running()] == true
end

-- ---- Turning ----

local function protected(method, kept)
  stepping = true
  local ok, result, one = pcall(method, ctx, nil, kept)
  stepping = false
  if not ok then
    log.write("error", "an event function failed: " .. tostring(result))
  end
  return ok and result, one
end

-- Part of a step. Returns true if there is more to do at once; and whether one message in `kept` is all that came.
local function step_on(kept)
  parts = parts + 1
  local more, one
  if parts < most_parts then
    more, one = protected(ctx.turn, kept)
  else
    one = select(2, protected(ctx.step, kept))
  end
  if not more then
    parts = 0
    watching:served()
  end
  return more, one
end

-- Whoever was woken goes on before the rest of the step is done: the answer to a request is what it mostly is about. So two light
-- threads take turns, and each time those that were woken stand between them.
local function relieve()
  own[coroutine.running()] = true
  while true do
    local called = relief:wait(longest)
    if called and step_on() or first <= last or code_cache.is_off() then
      watching:poke()
    end
    report()
  end
end

local function step_for_asker(kept)
  local more, one = step_on(kept)
  if more or first <= last then
    watching:poke()
  end
  report()
  return one == true
end

local longest_asked = 0.1 -- seconds

--- Waits in the keeper's place for a short while, and makes the step: for a light thread that has sent a message and waits for one, the
--- straight way. true: that is all that came; it is then the only one in `kept`, and nobody was told of it. false: go on with the signal.
---@param kept beam.core.arrivals
---@param timeout number seconds
---@param signal beam.signal by which whoever has other news wakes the caller
---@param holds fun(connection: table, request: table): boolean whether what the caller did before it waited is still all that was done
---@return boolean one
function keeper.turn_for(kept, timeout, signal, holds, connection, request)
  if stepping or stopping or code_cache.is_off() or not watching:can_be_asked() then
    return false
  end
  local told, woken = signal:wait_told(math.min(timeout, longest_asked), watching)
  return told and step_for_asker(not woken and holds(connection, request) and kept or nil)
end

-- A thread that has ended would stay with the request of our timer; those that serve never do.
local function start_threads()
  while first <= last do
    threads[#threads + 1] = ngx.thread.spawn(serve, { semaphore = assert(semaphore.new(0)) })
  end
end

-- A request's own state ends when there is nothing to wait for, and with the request.
local function is_done()
  if not code_cache.is_off() or first <= last then
    return false
  end
  return sources == 0 and busy == 0 or code_cache.request_is_over() and not keeper.is_awaited()
end

local function turn_until_stopped()
  while not stopping and not is_done() do
    watching:wait(code_cache.is_off() and look_every or nil)
    if step_on() then
      relief:post(1)
    end
    start_threads()
    report()
  end
end

-- Ends what the keeper has. A request's own state may begin anew.
local function stop()
  for _, thread in ipairs(threads) do
    ngx.thread.kill(thread)
  end
  watching:stop()
  code_cache.leave()
  ctx:close()
  if not stopping then
    ctx, threads, idle, own, parts, sources, busy = nil, {}, {}, {}, 0, 0, 0
  end
end

local function keep(premature)
  if premature or stopping then
    return
  end
  own[coroutine.running()] = true
  relief = assert(semaphore.new(0))
  threads[1] = ngx.thread.spawn(relieve)
  local how, err = watching:start(ctx:fd(), options.watch)
  if not how then
    log.write("error", "the event loop cannot be watched inside nginx, and no connection will work: " .. err)
    return
  end
  keeper.how = how
  log.write("info", "the event loop is watched by nginx: " .. how)
  watching:poke()
  turn_until_stopped()
  stop()
end

-- ---- Life ----

local function run_soon(fn)
  local ok, err = ngx.timer.at(0, fn)
  if not ok then
    error(("beam: nginx starts no timer (%s): put init_worker_by_lua_block { require('beam').setup() } into its http block"):format(err), 0)
  end
end

--- Starts what is needed, once in each worker. Raises where that cannot be.
---@param given { watch: "direct"|"waker"|nil, connections: integer? }?
function keeper.start(given)
  if ctx then
    return
  end
  phase.check_is_worker()
  if ngx.worker.exiting() then
    error(ending, 0)
  end
  options = given or options
  local made, err = require("beam.base.native").core().new { log = log.write, log_level = "warning", connections = options.connections }
  if not made then
    error("beam: the event loop could not be made: " .. tostring(err), 0)
  end
  ctx = made
  code_cache.enter(ctx)
  code_cache.follow_request()
  run_soon(keep)
  if not code_cache.is_off() then
    keeper.started()
  end
end

--- One more object of beam.core that may cause an event.
function keeper.attach()
  sources = sources + 1
end

function keeper.detach()
  sources = sources - 1
  if sources == 0 and code_cache.is_off() then
    keeper.poke()
  end
end

--- Whether a light thread of the request waits for something of ours.
function keeper.is_awaited()
  return false
end

---@return boolean
function keeper.has_started()
  return ctx ~= nil
end

---@return beam.core.context
function keeper.context()
  if not ctx then
    keeper.start()
  elseif stopping then
    error(ending, 0)
  end
  return ctx
end

--- Raises inside an event function.
function keeper.check_may_wait()
  if stepping then
    error("beam: waiting is not possible inside an event or log function", 0)
  end
  phase.check_may_wait()
end

--- Whether nothing but the worker's own threads keeps it from ending.
---@return boolean
function keeper.is_alone()
  local waits = 1 + #threads + (keeper.how == "waker" and 1 or 0) -- each has one timer
  return watching.timers() <= waits
end

--- Ends the worker's own threads and, with close code 1001, every connection that is left.
function keeper.stop()
  stopping = true
  watching:poke()
end

---@param fn fun() called after each step
function keeper.after_step(fn)
  report = fn
end

function keeper.started() end

return keeper
