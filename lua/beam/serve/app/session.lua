-- An open connection to a realtime app (docs/wire.md section 5), as Beam's own loop serves it under uvicorn: an app ping at once and every
-- 5 s, one run of the handler per message, in order, a pause after each, and nothing at all for what cannot be sent.
--
-- Faults on demand (beam/serve/app/fate.lua) change what it does: `pings`, `latency`, `silent`, `zombie`.
local fate = require "beam.serve.app.fate"
local json = require "beam.json"

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

local function send(self, value)
  local text = text_of(self, value)
  if not text or self.zombie then
    return
  end
  put(self, text)
  while not self.closed and must_wait(self) do
    self.drained:wait()
  end
end

-- Runs as a coroutine of its own: an error in it ends this run only.
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
end

-- ---- The two coroutines of a connection ----

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
  self.received = self.received + 1
  local _, err = server:protect(run_handler, self, message)
  if err then
    server:log("error", ("realtime %s: the handler failed: %s"):format(self.deployment.name, tostring(err)))
  end
  self.handled = self.handled + 1
  fate.answered(self)
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
      handle(self, take(self))
      server.driver.sleep(server.options.pause)
    end
  end
end

-- uvicorn sends a ping every 20 s, and closes with 1011 when no pong came in 20 s. Returns when the next is due; nil once it has closed.
local function watch_client(self, now)
  local patience = self.server.options.websocket_ping
  if self.awaited and self.heard >= self.awaited then
    self.awaited = nil
  end
  if self.awaited and now >= self.awaited + patience then
    self.ws:close(1011, "keepalive ping timeout")
    return nil
  elseif now >= self.next_ping then
    self.awaited = self.awaited or now
    self.ws:ping "beam"
    self.next_ping = now + patience
  end
  return self.awaited and self.awaited + patience or self.next_ping
end

-- The app's pings, and uvicorn's beneath them.
local function keep_alive(self)
  local server, driver = self.server, self.server.driver
  local next_app = driver.now()
  self.next_ping = next_app + server.options.websocket_ping
  while not self.closed and not self.silent do
    local now = driver.now()
    if now >= next_app then
      if self.pings and not (self.zombie and self.greeted) then
        put(self, '{"type":"ping"}')
        self.greeted = true
      end
      next_app = now + server.options.ping
    end
    local due = watch_client(self, now)
    if not due then
      return
    end
    self.ended:wait(math.max(0, math.min(next_app, due, self.next_ping) - driver.now()))
  end
end

-- A silent connection does not notice that its client has left: it ends when uvicorn would have missed the pong.
local function watch(self)
  local driver = self.server.driver
  keep_alive(self)
  local deadline = driver.now() + 2 * self.server.options.websocket_ping
  while self.silent and not self.closed and driver.now() < deadline do
    self.ended:wait(deadline - driver.now())
  end
  if self.silent and not self.closed then
    self.ws:abort()
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
    received = 0,
    handled = 0,
    sent = 0,
    heard = 0,
    pings = true,
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
  fate.draw(self, self.server.faults)
  driver.spawn(watch, self)
  driver.spawn(handle_messages, self)
  while not self.closed do
    self.ended:wait()
  end
end

--- Ends the connection as uvicorn does when it shuts down.
function Session:shut_down()
  if self.silent then
    self.ws:abort()
  else
    self.ws:close(1012, "service restart")
  end
end

return session
