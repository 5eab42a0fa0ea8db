-- A stand-in for beam.core on a virtual clock, after the contract in lua/binding/core.lua: contexts, timers, WebSockets
-- and servers, without a network. spec/driver/virtual_core_spec.lua holds it against the real one.
--
--   local world = virtual.world()         one clock, one network; for each test its own
--   package.loaded["beam.core"] = world.core
--
-- What the real one cannot be made to do, the world can: world.route (opening.lua), link:silence, link:stall.
local arrivals = require "virtual.arrivals"
local clock = require "virtual.clock"
local failure = require "virtual.failure"
local http = require "virtual.http"
local opening = require "virtual.opening"
local server = require "virtual.server"
local websocket = require "virtual.websocket"

local virtual = {}

local json = require("beam.core").json -- the real one: it has neither a clock nor a network

-- ---- Contexts ----

local Context = {}
local context_meta = { __name = "beam.context", __index = Context }

local Timer = {}
local timer_meta = { __name = "beam.timer", __index = Timer }

local function over(self)
  return self.closed and { failure.over "context" } or nil
end

--- What a call causes is told at the end of the step, or of the next one.
function Context:defer(fn)
  self.tasks[#self.tasks + 1] = fn
end

--- Something that is to be told in a step.
function Context:later(seconds, fire)
  return self.clock:after(seconds, fire)
end

--- Calls an event function: an error in it is for the step to raise.
---@return boolean ok
function Context:call(fn, ...)
  if self.closed then
    return true
  end
  self.called = true
  local ok, err = pcall(fn, ...)
  if not ok then
    self.failed = self.failed or { err }
  end
  return ok
end

function Context:own(object)
  self.owned[object] = true
  self.count = self.count + 1
end

function Context:disown(object)
  if self.owned[object] then
    self.owned[object] = nil
    self.count = self.count - 1
  end
end

-- What this step causes waits for the next.
local function run_due(self)
  local asked = self.clock.asked
  local item = self.clock:take(asked)
  while item do
    item.fire()
    item = self.clock:take(asked)
  end
end

--- A WebSocket has something to tell at the end of the step.
function Context:has_news(websocket_end)
  if not websocket_end.news then
    websocket_end.news = true
    self.newsy[#self.newsy + 1] = websocket_end
  end
end

-- Whether all that is to be told is one message, the only one in `kept`; it then counts as told.
local function told_one(self, kept)
  local first = self.newsy[1]
  if self.called or #self.newsy ~= 1 or not first.news or first.options.arrivals ~= kept or not kept:told_one() then
    return false
  end
  first.news, self.newsy = false, {}
  return true
end

local function tell_news(self)
  local newsy = self.newsy
  self.newsy = {}
  for _, websocket_end in ipairs(newsy) do
    websocket_end:tell_news()
  end
end

local function run_tasks(self)
  local tasks = self.tasks
  self.tasks = {}
  for _, fn in ipairs(tasks) do
    fn()
  end
end

function Context:step(timeout, kept)
  if over(self) then
    return failure.over "context"
  elseif self.stepping then
    error("ctx:step was called from inside an event function", 2)
  end
  local limit = timeout or 0
  if limit ~= 0 and not self.woken and #self.tasks == 0 then
    self.clock:leap(limit < 0 and math.huge or limit)
  end
  self.stepping, self.woken, self.failed, self.called = true, false, nil, false
  self.steps = self.steps + 1
  run_due(self)
  run_tasks(self)
  local one = kept and told_one(self, kept)
  tell_news(self)
  self.stepping = false
  if self.failed then
    error(self.failed[1], 0)
  end
  return true, one
end

function Context.fd()
  return nil, failure.new { kind = "invalid", message = "the virtual world has no descriptors" }
end

function Context:wakeup()
  self.woken = true
end

function Context:now()
  return self.clock:now()
end

function Context:close()
  if self.closed then
    return
  end
  local all = {}
  for object in pairs(self.owned) do
    all[#all + 1] = object
  end
  for _, object in ipairs(all) do
    object:free()
  end
  self.closed = true
end

context_meta.__close = Context.close

-- ---- Timers ----

function Context:timer(seconds, fire)
  if over(self) then
    return failure.over "context"
  elseif type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 1e12) then
    error("bad argument #2 (seconds from 0 to 1e12 are expected)", 2)
  end
  local timer = setmetatable({ context = self, fires = true }, timer_meta)
  self:own(timer)
  timer.item = self:later(seconds, function()
    timer.item = nil
    self:disown(timer)
    self:call(fire)
  end)
  return timer
end

function Timer:stop()
  self.context.clock:cancel(self.item)
  self.item = nil
  self.context:disown(self)
end

Timer.free = Timer.stop
timer_meta.__close = Timer.stop

-- ---- The rest ----

function Context:websocket(options, on_event)
  if over(self) then
    return failure.over "context"
  end
  local self_end, object = websocket.new(self, "client", options, on_event, "")
  local started, err = opening.start(self_end, options.url)
  if not started then
    self:disown(self_end)
    return nil, err
  end
  return object
end

function Context:server(_, on_request, on_gone)
  if over(self) then
    return failure.over "context"
  end
  return server.new(self, on_request, on_gone)
end

function Context:http(options, on_event)
  if over(self) then
    return failure.over "context"
  end
  return http.start(self, options, on_event)
end

-- ---- The world ----

local World = {}
World.__index = World

--- `latency`: seconds from one end to the other; `window`: bytes that a connection takes without its reader.
function virtual.world()
  local world = setmetatable({ clock = clock.new(), latency = 0.001, window = 65536, servers = {}, last_port = 1024, links = 0 }, World)
  world.core = { version = "0.1.0", json = json, arrivals = arrivals }
  function world.core.new()
    world.context = setmetatable({ world = world, clock = world.clock, owned = {}, count = 0, tasks = {}, newsy = {}, steps = 0 }, context_meta)
    return world.context
  end
  return world
end

--- What befalls the next attempt: to be replaced.
function World.route() end

--- A connection was accepted: to be replaced.
function World.linked() end

---@return boolean nothing is to come any more
function World:still()
  return self.clock:count() == 0 and #self.context.tasks == 0
end

--- Calls fn in a step, as an event function.
function World:after(seconds, fn)
  return self.context:later(seconds, function()
    self.context:call(fn)
  end)
end

return virtual
