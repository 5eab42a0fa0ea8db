-- An open connection to a realtime app (docs/wire.md section 5), as Beam's own loop serves it under uvicorn: an app ping at once and every
-- 5 s, one run of the handler per message, in order, a pause after each that was answered, and nothing at all for what cannot be sent.
--
-- Faults on demand (beam/serve/app/fate.lua) change what it does: `pings`, `first_ping`, `latency`, `silent`, `zombie`.
local fate = require "beam.serve.app.fate"
local json = require "beam.json"
local pings = require "beam.serve.app.pings"
local thread = require "beam.serve.app.thread"

local max_message = 16 * 1024 * 1024 -- uvicorn's: a longer one is closed with 1009
local inbox_limit = 32 -- messages that wait for the handler before reading stops
local high_water = 1024 * 1024 -- bytes that may wait for a slow client
local delayed_limit = 1000 -- messages that may wait for their latency to be over

local session = {}

local Session = {}
Session.__index = Session
Session.__name = "beam.serve.session"

-- ---- Events: they only change state and wake ----

local function on_message(self, data, binary)
  local inbox = self.inbox
  inbox.last = inbox.last + 1
  inbox[inbox.last] = { data = data, binary = binary }
  if inbox.last - inbox.first + 1 >= inbox_limit then
    self.paused = true
    self.ws:pause()
  end
  self.arrived:wake()
end

local function on_closed(self, code, reason)
  self.code, self.reason, self.closed = code, reason, true
  self.arrived:wake_all()
  self.ended:wake_all()
  self.drained:wake_all()
  self.server.driver.detach()
end

local function on_event(self, event, first, second)
  if event == "message" then
    on_message(self, first, second)
  elseif event == "pong" then
    self.heard = self.server.driver.now()
  elseif event == "drained" then
    self.drained:wake_all()
  elseif event == "closed" then
    on_closed(self, first, second)
  end
end

-- ---- Sending ----

-- The texts one returned value stands for: an array or object is JSON, a string goes as it is. Everything else is silence.
local function text_of(self, value)
  if type(value) == "string" then
    return value
  elseif type(value) == "table" then
    local text, message = json.encode(value)
    if not text then
      self.server:log("error", ("realtime %s: %s"):format(self.deployment.name, message))
    end
    return text
  end
end

local function transmit(self, text)
  if self.closed or self.silent then
    return
  end
  local ok, err = self.ws:send(text)
  if ok then
    self.sent = self.sent + 1
  elseif err.kind ~= "closed" then -- bytes that are no UTF-8: Beam sends none either
    self.server:log("error", ("realtime %s: %s"):format(self.deployment.name, err.message))
  end
end

-- Each timer lets the oldest go, so that the order holds whatever their latencies are.
local function transmit_later(self, text, seconds)
  local delayed = self.delayed
  delayed.last = delayed.last + 1
  delayed[delayed.last] = text
  self.server.driver.context():timer(seconds, function()
    local oldest = delayed[delayed.first]
    delayed[delayed.first] = nil
    delayed.first = delayed.first + 1
    transmit(self, oldest)
    self.drained:wake_all()
  end)
end

local function put(self, text)
  if self.latency then
    transmit_later(self, text, self.server.faults:draw(self.latency))
  else
    transmit(self, text)
  end
end

local function must_wait(self)
  local delayed = self.delayed
  return (self.ws:pending() or 0) > high_water or delayed.last - delayed.first >= delayed_limit
end

-- Whether there was anything to send.
local function send(self, value)
  local text = text_of(self, value)
  if not text or self.zombie then
    return false
  end
  put(self, text)
  while not self.closed and must_wait(self) do
    self.drained:wait()
  end
  return true
end

-- Runs as a coroutine of its own: an error in it ends this run only. Returns whether the message was answered.
local function run_handler(self, message)
  local first, state, item = self.deployment.handler(message.data, self.context(message))
  if type(first) ~= "function" then
    return send(self, first)
  end
  item = first(state, item)
  while item ~= nil and not self.closed and not self.zombie do
    send(self, item)
    item = first(state, item)
  end
  return true
end

-- ---- The coroutine that handles messages; the one that pings is in pings.lua ----

local function take(self)
  local inbox = self.inbox
  local message = inbox[inbox.first]
  inbox[inbox.first] = nil
  inbox.first = inbox.first + 1
  if self.paused and not self.silent and inbox.last - inbox.first + 1 < inbox_limit / 2 then
    self.paused = false
    self.ws:resume()
  end
  return message
end

local function handle(self, message)
  local server = self.server
  local blocked = server.faults:take "block"
  self.received = self.received + 1
  if blocked then
    thread.hold(self, server.faults:draw(blocked))
  end
  local ok, answered = server:protect(run_handler, self, message)
  if not ok then
    server:log("error", ("realtime %s: the handler failed: %s"):format(self.deployment.name, tostring(answered)))
  end
  self.handled = self.handled + 1
  fate.answered(self)
  if ok and answered then
    server.driver.sleep(server.options.pause)
  end
end

-- What came before the end of the connection is still handled, as uvicorn does it; not when the whole server ends.
local function handle_messages(self)
  local server, inbox = self.server, self.inbox
  while not (self.closed and server.closed) do
    if inbox.first <= inbox.last and self.zombie then
      take(self)
    elseif inbox.first > inbox.last and self.closed then
      break
    elseif inbox.first > inbox.last then
      self.arrived:wait()
    else
      thread.wait(self)
      handle(self, take(self))
    end
  end
end

-- ---- Its life ----

---@class beam.serve.message_context
---@field binary boolean
---@field headers table<string, string> of the upgrade, names in lower case
---@field query table<string, any> of the upgrade
---@field json fun(): any, string? the message decoded; nil and why not
local function context_of(exchange)
  return function(message)
    return {
      binary = message.binary,
      headers = exchange.headers,
      query = exchange.query,
      json = function()
        return json.decode(message.data)
      end,
    }
  end
end

--- deployment: nil where the gateway reached no app.
function session.new(exchange, deployment)
  local driver = exchange.server.driver
  return setmetatable({
    server = exchange.server,
    deployment = deployment or { name = exchange.shown },
    context = context_of(exchange),
    inbox = { first = 1, last = 0 },
    delayed = { first = 1, last = 0 },
    latency = exchange.latency,
    codeless = deployment and deployment.kind == "pod", -- the gateway hands no close codes on
    received = 0,
    handled = 0,
    sent = 0,
    heard = 0,
    pings = true,
    first_ping = true, -- false: it is lost on its way
    silent = false,
    zombie = false,
    closed = false,
    arrived = driver.signal(),
    drained = driver.signal(),
    ended = driver.signal(),
  }, Session)
end

--- Answers the request with 101. Returns false if it cannot.
function Session:accept(exchange)
  local options = { max_message = max_message, close_timeout = self.server.options.close_timeout }
  local ws, err = exchange.request:accept(options, function(...)
    on_event(self, ...)
  end)
  if not ws then
    self.server:log("error", ("%s: %s"):format(exchange.shown, err.message))
    exchange.request:abort() -- an end is an answer, too
    return false
  end
  self.ws = ws
  self.server.driver.attach()
  exchange:log(101)
  return true
end

--- Serves until the connection is closed.
function Session:run()
  local driver = self.server.driver
  thread.join(self)
  fate.draw(self, self.server.faults)
  driver.spawn(pings.run, self, put)
  driver.spawn(handle_messages, self)
  while not self.closed do
    self.ended:wait()
  end
end

--- Ends the connection as uvicorn does when it shuts down.
function Session:shut_down()
  if self.silent or self.codeless then
    self.ws:abort()
  else
    self.ws:close(1012, "service restart")
  end
end

return session
