-- What befalls an open realtime connection on demand: dropped, reset, closed, silent or a zombie, after so many messages or so much
-- time. A connection has one fate, drawn when it opens; server:inflict brings another on it at once.
local thread = require "beam.serve.app.thread"

local fate = {}

local acts = {}

-- A lost backend, a drained gateway: TCP is closed without a close frame.
function acts.drop(session)
  session.ws:abort()
end

function acts.reset(session)
  session.ws:abort(true)
end

function acts.close(session, fault)
  if session.codeless then
    return session.ws:abort()
  end
  session.ws:close(fault.code, "a fault on demand")
end

-- As if the packets vanished: nothing goes out and nothing is read, not even pings.
function acts.silence(session)
  session.silent = true
  session.ws:pause()
end

-- The handler raised RuntimeError: WebSocket pings are answered, everything else has ended.
function acts.zombie(session)
  session.zombie = true
end

function acts.no_ping(session)
  session.pings = false
end

-- A synchronous handler, of whichever connection, blocks them all.
function acts.block(session, fault)
  if not session.deployment.held then
    session.server.driver.spawn(thread.hold, session, session.server.faults:draw(fault))
  end
end

local endings = { drop = true, reset = true, close = true, silence = true, zombie = true }

--- Lets it happen now.
---@param fault beam.serve.fault
function fate.inflict(session, fault)
  if not session.closed and acts[fault.name] then
    session.server:log("info", ("WS %s: fault %s"):format(session.deployment.name, fault.name))
    acts[fault.name](session, fault)
    session.arrived:wake_all()
    session.ended:wake_all()
  end
end

local function inflict_later(session, fault, seconds)
  local driver = session.server.driver
  local due = driver.now() + seconds
  while not session.closed and driver.now() < due do
    session.ended:wait(due - driver.now())
  end
  fate.inflict(session, fault)
end

--- A connection has opened: draws what will befall it.
---@param faults beam.serve.faults
function fate.draw(session, faults)
  session.pings = faults:take "no_ping" == nil and session.deployment.kind == "asgi"
  session.first_ping = faults:take "no_first_ping" == nil
  local fault = faults:choose(endings)
  if fault and fault.unit == "seconds" then
    session.server.driver.spawn(inflict_later, session, fault, faults:draw(fault))
  elseif fault then
    session.fate, session.fated_at = fault, faults:draw(fault)
    fate.answered(session)
  end
end

--- A message has been answered, or there is none yet.
function fate.answered(session)
  if session.fate and session.handled >= session.fated_at then
    local fault = session.fate
    session.fate = nil
    fate.inflict(session, fault)
  end
end

return fate
