-- A realtime connection (wire.md section 5), once beam/realtime.lua has started it.
--
--   connecting -> open -> closing -> closed        "closed" once, with the reason in conn.err
--
-- An attempt (beam/attempt.lua) reports events, which change the state and wake who waits. Sending and reading
-- (beam/messaging.lua) and the handlers are the caller's side: they run in coroutines, never inside an event. A message
-- goes to the oldest request that waits, else into the inbox, which receive(), messages() or the message handlers read.
local driver = require "beam.driver"
local errors = require "beam.error"
local handlers = require "beam.handlers"
local headers = require "beam.headers"
local heartbeat = require "beam.heartbeat"
local new_inbox = require("beam.inbox").new
local messaging = require "beam.messaging"
local new_requests = require("beam.requests").new

local connection = {}

local MiB = 1024 * 1024

---@class beam.connection
---@field state "connecting"|"open"|"closing"|"closed"
---@field phase string how far it has come: beam.core's phases
---@field url string
---@field err beam.error? why it is closed
local Connection = {}
local meta = { __name = "beam.connection", __index = Connection }
for name, method in pairs(messaging) do
  Connection[name] = method
end

function meta.__tostring(self)
  return ("beam.connection to %s (%s)"):format(self.url, self.state)
end

---@param url string
---@param options beam.realtime_options
---@return beam.connection
function connection.new(url, options)
  local inbox = options.inbox or {}
  return setmetatable({
    state = "connecting",
    phase = "none",
    url = url,
    was_open = false,
    filters_pings = options.heartbeat ~= false,
    max_pending = options.max_pending or 64 * MiB,
    inbox = new_inbox(inbox.max or 1024, inbox.max_bytes or 64 * MiB),
    requests = new_requests(),
    arrived = driver.signal(), -- a message, or the end
    changed = driver.signal(), -- another state
    sent = 0,
    received = 0,
    app_pings = 0,
  }, meta)
end

-- ---- What the attempt reports: change the state, wake ----

local events = {}
connection.events = events

function events.message(self, data, binary)
  if self.filters_pings and not binary and heartbeat.is_app_ping(data) then
    self.app_pings = self.app_pings + 1
    return
  end
  self.received = self.received + 1
  if self.requests:answer(data, binary) then
    return
  end
  if self.inbox:push(data, binary) and self.state == "open" then
    self.attempt.ws:pause()
  end
  self.arrived:wake()
  if self.handlers then
    self.handlers:arrived()
  end
end

function events.phase(self, phase)
  self.phase = phase
  if self.handlers then
    self.handlers:post("phase", phase)
  end
end

function events.open(self)
  self.state, self.was_open = "open", true
  self.changed:wake_all()
  if self.handlers then
    self.handlers:post "open"
  end
end

-- Why it ended, and what that means for who used it.
local function ending(self, code, reason, err, response)
  if response and response.status and response.status ~= 101 then
    response.headers = headers.to_table(response.headers)
    return errors.from_rejection(self.url, response, self.scheme)
  elseif not self.was_open then
    return errors.from_attempt(err or { kind = "canceled", message = "closed before it was open", host = "" }, self.url)
  end
  return errors.from_close(self.url, code, reason or "", err)
end

--- It is over, because of `err`.
function Connection:fail(err)
  self.err = err
  self.state, self.phase = "closed", "closed"
  self.requests:fail()
  self.changed:wake_all()
  self.arrived:wake_all()
  if self.handlers then
    self.handlers:ended(self.err, self.was_open)
  end
end

function events.closed(self, code, reason, err, response)
  self:fail(ending(self, code, reason, err, response))
end

--- Waits until it is open, or will never be.
---@return boolean
function Connection:wait_open()
  while not self.was_open and self.state ~= "closed" do
    self.changed:wait()
  end
  return self.was_open
end

-- ---- Ending ----

--- Closes the connection: sends the close frame and waits for the peer's, for up to close_timeout. May be called in any
--- state, any number of times. What had come before can still be received.
---@param code integer? default 1000
---@param reason string? up to 123 bytes
---@return true
function Connection:close(code, reason)
  if self.state == "open" or self.state == "connecting" then
    local ws = self.attempt.ws
    local ok, err = ws:close(code or 1000, reason)
    if not ok and err.kind == "invalid" then
      error("conn:close: " .. err.message, 2)
    end
    self.state = "closing"
    ws:resume() -- the peer's close frame comes behind what it sent before
  end
  while self.state ~= "closed" do
    self.changed:wait()
  end
  return true
end

meta.__close = function(self)
  self:close()
end

-- ---- Event style, figures ----

--- Calls `fn` when something happens: open(conn), message(message, conn, kind), phase(phase, conn), close(err, conn),
--- error(err, conn: what a handler raised). The handlers of a connection run one after the other and may wait. With a
--- message handler the messages go there.
---@param name "open"|"message"|"phase"|"close"|"error"
---@param fn function
---@return beam.connection self
function Connection:on(name, fn)
  if handlers.later[name] then
    error(("conn:on: event '%s' is not available yet"):format(name), 2)
  elseif not handlers.names[name] or type(fn) ~= "function" then
    error("conn:on wants open, message, phase, close or error, and a function", 2)
  end
  if not self.handlers then
    self.handlers = handlers.new(self)
    if self.state == "closed" then
      self.handlers:ended(self.err, true)
    end
  end
  self.handlers:add(name, fn)
  return self
end

--- Counts since the connection was made, and what waits now.
---@return table<string, integer>
function Connection:stats()
  return {
    sent = self.sent,
    received = self.received,
    app_pings = self.app_pings,
    late = self.requests.late,
    waiting_requests = self.requests:count(),
    inbox = self.inbox:count(),
    inbox_bytes = self.inbox.bytes,
    pending = self.state == "open" and self.attempt.ws:pending() or 0,
  }
end

return connection
