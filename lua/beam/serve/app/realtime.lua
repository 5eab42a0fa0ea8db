-- Upgrades (docs/wire.md section 5): the wait for a slot in the handshake, the 101, and an end that lets the next one in. What happens on
-- an open connection is in beam/serve/app/connection.lua.
local sessions = require "beam.serve.app.connection"
local timestamp = require "beam.serve.api.timestamp"

local realtime = {}

-- How many connections a deployment serves at once: the app's own limit, and that of a fault on demand.
local function slots_of(exchange, deployment)
  local own, fault = deployment.options.connections, exchange.server.faults:setting "slots"
  return math.min(own or math.huge, fault or math.huge)
end

-- Who comes later waits in the handshake.
local function wait_for_slot(exchange, deployment)
  while deployment.live >= slots_of(exchange, deployment) and not exchange:is_over() do
    deployment.slot = deployment.slot or exchange.server.driver.signal()
    deployment.slot:wait()
  end
  return not exchange:is_over()
end

--- The gateway sends 101 before it reaches the app: open, then lost.
local function accept_and_drop(exchange, reason)
  local session = sessions.new(exchange)
  if session:accept(exchange) then
    exchange.server:log("warning", exchange.shown .. ": " .. reason)
    session.ws:abort()
  end
end

local function free_slot(deployment)
  deployment.live = deployment.live - 1
  if deployment.slot then
    deployment.slot:wake()
  end
end

-- A client that left without a close frame may leave a ghost behind, which holds the slot.
local function leave(session, opened)
  local server, deployment = session.server, session.deployment
  server.sessions[session], deployment.sessions[session] = nil, nil
  server.left:wake_all()
  local line = "WS %s closed %d after %.1f s, %d in, %d out"
  server:log("info", line:format(deployment.name, session.code, server.driver.now() - opened, session.received, session.sent))
  local ghost = session.code == 1006 and server.faults:setting "ghost"
  if ghost and not server.closed then
    server.ended:wait(ghost)
  end
  free_slot(deployment)
end

--- Serves an upgrade until its connection is closed.
function realtime.serve(exchange, deployment, sub_path)
  if sub_path ~= "" and sub_path ~= "/" and deployment.kind ~= "pod" then
    return accept_and_drop(exchange, "the app has no WebSocket there, only at its root")
  elseif exchange.server.faults:take "runner" then
    return accept_and_drop(exchange, "the runner does not start the task (a fault on demand)")
  elseif not wait_for_slot(exchange, deployment) then
    return
  end
  local session = sessions.new(exchange, deployment)
  if session:accept(exchange) then
    local server = exchange.server
    local opened = server.driver.now()
    deployment.live = deployment.live + 1
    server.sessions[session], deployment.sessions[session] = true, true
    server.session_count = server.session_count + 1
    session.number, session.opened_at = server.session_count, timestamp.now()
    session:run()
    leave(session, opened)
  elseif deployment.slot then
    deployment.slot:wake() -- the next one takes what this one waited for
  end
end

return realtime
