-- A connection to a realtime app (wire.md section 5), as Beam's own loop serves it under uvicorn: an app ping at once and every 5 s, one
-- run of the handler per message, in order, a pause after each, and nothing at all for what cannot be sent.
local json = require "beam.json"

local realtime = {}

local max_message = 16 * 1024 * 1024 -- uvicorn's: a longer one is closed with 1009
local inbox_limit = 32 -- messages that wait for the handler before reading stops
local high_water = 1024 * 1024 -- bytes that may wait for a slow client

local Session = {}
Session.__index = Session
Session.__name = "beam.serve.session"

-- ---- Events: they only change state and wake ----

local function on_message(session, data, binary)
  local inbox = session.inbox
  inbox.last = inbox.last + 1
  inbox[inbox.last] = { data = data, binary = binary }
  if inbox.last - inbox.first + 1 >= inbox_limit then
    session.paused = true
    session.ws:pause()
  end
  session.arrived:wake()
end

local function on_closed(session, code, reason)
  session.code, session.reason, session.closed = code, reason, true
  session.arrived:wake_all()
  session.ended:wake_all()
  session.drained:wake_all()
  session.server.driver.detach()
end

local function on_event(session, event, first, second)
  if event == "message" then
    on_message(session, first, second)
  elseif event == "pong" then
    session.heard = session.server.driver.now()
  elseif event == "drained" then
    session.drained:wake_all()
  elseif event == "closed" then
    on_closed(session, first, second)
  end
end

-- ---- Sending ----

-- The texts one returned value stands for: an array or object is JSON, a string goes as it is. Everything else is silence.
local function text_of(session, value)
  if type(value) == "string" then
    return value
  elseif type(value) == "table" then
    local text, message = json.encode(value)
    if not text then
      session.server:log("error", ("realtime %s: %s"):format(session.deployment.name, message))
    end
    return text
  end
end

local function send(session, value)
  local text = text_of(session, value)
  if not text or session.closed then
    return
  end
  local ok, err = session.ws:send(text)
  if ok then
    session.sent = session.sent + 1
  elseif err.kind ~= "closed" then -- bytes that are no UTF-8: Beam sends none either
    session.server:log("error", ("realtime %s: %s"):format(session.deployment.name, err.message))
  end
  while not session.closed and (session.ws:pending() or 0) > high_water do
    session.drained:wait()
  end
end

-- Runs as a coroutine of its own: an error in it ends this run only.
local function run_handler(session, message)
  local first, state, item = session.deployment.handler(message.data, session.context(message))
  if type(first) ~= "function" then
    return send(session, first)
  end
  item = first(state, item)
  while item ~= nil and not session.closed do
    send(session, item)
    item = first(state, item)
  end
end

-- ---- The two coroutines of a connection ----

local function take(session)
  local inbox = session.inbox
  local message = inbox[inbox.first]
  inbox[inbox.first] = nil
  inbox.first = inbox.first + 1
  if session.paused and inbox.last - inbox.first + 1 < inbox_limit / 2 then
    session.paused = false
    session.ws:resume()
  end
  return message
end

local function handle_messages(session)
  local server, inbox = session.server, session.inbox
  while not session.closed do
    if inbox.first > inbox.last then
      session.arrived:wait()
    else
      session.received = session.received + 1
      local _, err = server:protect(run_handler, session, take(session))
      if err then
        server:log("error", ("realtime %s: the handler failed: %s"):format(session.deployment.name, tostring(err)))
      end
      server.driver.sleep(server.options.pause)
    end
  end
end

-- The app's pings, and uvicorn's beneath them: one every 20 s, closed with 1011 when no pong came in 20 s.
local function keep_alive(session)
  local server, driver = session.server, session.server.driver
  local interval, patience = server.options.ping, server.options.websocket_ping
  local next_app, next_ping, awaited = driver.now(), driver.now() + patience, nil
  while not session.closed do
    local now = driver.now()
    if now >= next_app then
      session.ws:send '{"type":"ping"}'
      next_app = now + interval
    end
    if awaited and session.heard >= awaited then
      awaited = nil
    end
    if awaited and now >= awaited + patience then
      return session.ws:close(1011, "keepalive ping timeout")
    elseif now >= next_ping then
      awaited = awaited or now
      session.ws:ping "beam"
      next_ping = now + patience
    end
    session.ended:wait(math.max(0, math.min(next_app, next_ping, awaited and awaited + patience or next_ping) - driver.now()))
  end
end

-- ---- Opening and closing ----

-- A deployment with a limit has a slot for each connection; who comes later waits in the handshake.
local function wait_for_slot(exchange, deployment)
  local limit = deployment.options.connections
  while limit and deployment.live >= limit and not exchange.gone and not exchange.server.closed do
    deployment.slot = deployment.slot or exchange.server.driver.signal()
    deployment.slot:wait()
  end
  return not exchange.gone and not exchange.server.closed
end

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

local function new_session(exchange, deployment)
  local driver = exchange.server.driver
  return setmetatable({
    server = exchange.server,
    deployment = deployment,
    context = context_of(exchange),
    inbox = { first = 1, last = 0 },
    received = 0,
    sent = 0,
    heard = 0,
    closed = false,
    arrived = driver.signal(),
    drained = driver.signal(),
    ended = driver.signal(),
  }, Session)
end

local function accept(exchange, session)
  local options = { max_message = max_message, close_timeout = exchange.server.options.close_timeout }
  local ws, err = exchange.request:accept(options, function(...)
    on_event(session, ...)
  end)
  if not ws then
    exchange.server:log("error", ("%s: %s"):format(exchange.shown, err.message))
    return false
  end
  session.ws = ws
  exchange.server.driver.attach()
  exchange:log(101)
  return true
end

--- The app has its WebSocket at "/" alone; but the gateway sends 101 before it reaches the app: open, then lost.
local function accept_and_drop(exchange)
  local session = new_session(exchange, {})
  if accept(exchange, session) then
    exchange.server:log("warning", exchange.shown .. ": the app has no WebSocket there, only at its root")
    session.ws:abort()
  end
end

local function leave(session)
  local server, deployment = session.server, session.deployment
  server.sessions[session] = nil
  server.left:wake_all()
  deployment.live = deployment.live - 1
  if deployment.slot then
    deployment.slot:wake()
  end
  local seconds = server.driver.now() - session.opened
  local line = "WS %s closed %d after %.1f s, %d in, %d out"
  server:log("info", line:format(deployment.name, session.code, seconds, session.received, session.sent))
end

--- Serves an upgrade until its connection is closed.
function realtime.serve(exchange, deployment, sub_path)
  if sub_path ~= "" and sub_path ~= "/" then
    return accept_and_drop(exchange)
  elseif not wait_for_slot(exchange, deployment) then
    return
  end
  local session = new_session(exchange, deployment)
  if not accept(exchange, session) then
    return
  end
  local server = exchange.server
  session.opened = server.driver.now()
  deployment.live = deployment.live + 1
  server.sessions[session] = true
  server.driver.spawn(keep_alive, session)
  server.driver.spawn(handle_messages, session)
  while not session.closed do
    session.ended:wait()
  end
  leave(session)
end

--- Ends a connection as uvicorn does when it shuts down.
function Session:shut_down()
  self.ws:close(1012, "service restart")
end

return realtime
