-- Event style: functions that are called when something happens to a connection.
--
-- They run in a coroutine of their own, one after the other and in the order of the events, so that they may wait.
-- While one waits, messages collect in the inbox, and when that is full the sender is held back. A handler that raises
-- is reported to on_error, or logged; the others and the connection live on.
local compat = require "beam.base.compat"
local driver = require "beam.driver"
local errors = require "beam.error"
local log = require "beam.log"

local Handlers = {}
Handlers.__index = Handlers
Handlers.__name = "beam.handlers"

local handlers = {}

-- What a handler is given: open(conn) message(message, conn, kind) phase(phase, conn, seconds) stalled(seconds, conn)
-- outcome(message, conn, outcome) close(err, conn) error(err, conn).
handlers.names = { open = true, message = true, phase = true, stalled = true, outcome = true, close = true, error = true }

---@param conn table read with conn:take(), which gives a message or nil
function handlers.new(conn)
  return setmetatable({
    conn = conn,
    lists = {},
    queue = {},
    first = 1,
    last = 0,
    signal = driver.signal(),
    running = false,
    finished = false,
    told = 0, -- functions that have heard of the end
    calling = false, -- an event that several functions hear, while they do
  }, Handlers)
end

---@param name string
---@return boolean
function Handlers:has(name)
  return self.lists[name] ~= nil
end

-- One that raises has had its turn: where this is called again it goes on with the next one.
local function call_rest(self)
  local calling = self.calling
  while calling.at < #calling.list do
    calling.at = calling.at + 1
    calling.list[calling.at](compat.unpack(calling, 1, calling.n))
  end
  self.calling = false
end

local function call_all(self, name, ...)
  local list = self.lists[name]
  if list and #list == 1 then
    list[1](...)
  elseif list then
    self.calling = compat.pack(...)
    self.calling.list, self.calling.at = list, 0
    call_rest(self)
  end
end

local function call_each(list, ...)
  for _, fn in ipairs(list) do
    fn(...)
  end
end

local failed

local function deliver_message(self)
  local message, kind = self.conn:take()
  if kind == "error" then
    failed(self, message)
  elseif message ~= nil then
    call_all(self, "message", message, self.conn, kind)
  end
  return message ~= nil
end

-- Delivers one event. Returns false if there is none.
local function deliver(self)
  local event = self.queue[self.first]
  if event then
    self.queue[self.first] = nil
    self.first = self.first + 1
    if event.name == "outcome" then
      self.conn.room:wake()
    end
    if event.value ~= nil then
      call_all(self, event.name, event.value, self.conn, event.extra)
    else
      call_all(self, event.name, self.conn)
    end
    return true
  end
  return self.lists.message ~= nil and deliver_message(self)
end

-- Each hears of it once, also one that is added later.
local function tell_end(self)
  local list = self.lists.close
  while list and self.told < #list do
    self.told = self.told + 1
    list[self.told](self.closed, self.conn)
  end
  self.finished = true
end

local function deliver_all(self)
  if self.calling then
    call_rest(self)
  end
  while not self.finished do
    if deliver(self) then
      driver.give_way()
    elseif self.closed then
      tell_end(self)
    else
      self.signal:wait()
    end
  end
end

function failed(self, err)
  if self.lists.error then
    local _, worse = driver.spawn(call_each, self.lists.error, err, self.conn):join()
    err = worse
  end
  if err and not errors.is_interruption(err) then
    log.write("error", "a handler of a connection failed: " .. tostring(err))
  end
end

-- A handler that raises ends the coroutine that delivers; another one goes on where it stopped.
local function supervise(self)
  repeat
    local _, err = driver.spawn(deliver_all, self):join()
    if err then
      failed(self, err)
    end
  until self.finished
  self.running = false
end

--- Adds a function. Not inside an event function of the core: handlers may start to run here.
function Handlers:add(name, fn)
  self.lists[name] = self.lists[name] or {}
  table.insert(self.lists[name], fn)
  self.finished = false -- it may have something to hear of what is over
  if not self.running then
    self.running = true
    driver.background(supervise, self)
  else
    self.signal:wake()
  end
end

---@return integer events that wait to be delivered
function Handlers:backlog()
  return self.last - self.first + 1
end

--- Something happened; kept only if somebody listens.
function Handlers:post(name, value, extra)
  if self.lists[name] then
    self.last = self.last + 1
    self.queue[self.last] = { name = name, value = value, extra = extra }
    self.signal:wake()
  end
end

--- A message is in the inbox.
function Handlers:arrived()
  self.signal:wake()
end

--- The connection has ended: after what is still to be delivered, `close` is, if it ever was open.
function Handlers:ended(err, was_open)
  if not was_open then
    self.lists.close = nil
  end
  self.closed = err
  self.signal:wake()
end

return handlers
