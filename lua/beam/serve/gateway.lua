-- What Beam's gateway does with a request before a handler sees it: credentials, the address, what the kind allows. The bodies are
-- Beam's, word for word (docs/wire.md sections 3 to 5).
--
-- Faults on demand (beam/serve/fault/faults.lua) stand between authorization and dispatch: whoever is let in may be made to wait, or
-- be refused.
local api = require "beam.serve.api"
local auth = require "beam.serve.auth"
local door = require "beam.serve.door"
local endpoint = require "beam.serve.app.endpoint"
local realtime = require "beam.serve.app.realtime"
local route = require "beam.serve.route"
local task_queue = require "beam.serve.app.task_queue"
local ui = require "beam.serve.ui"
local url = require "beam.serve.url"
local web = require "beam.serve.app.web"

local gateway = {}

local posted = { POST = true }
local methods = { endpoint = { GET = true, POST = true }, taskqueue = posted, ["function"] = posted, schedule = posted }
local warmed = { endpoint = true, asgi = true, taskqueue = true }

local function refuse_unknown(exchange, address)
  if address.bad_version then
    return exchange:json(400, { message = "Invalid deployment version" })
  elseif address.labelled then
    return exchange:json(404, { message = "Not Found" })
  elseif address.id then
    return exchange:json(400, { error = "invalid stub id" })
  end
  return exchange:json(400, { message = "Invalid deployment" })
end

-- A warm-up is answered at once, a look at the health when the container is up.
local function is_warm_up(exchange, deployment, sub_path)
  return not exchange.upgrade and sub_path == "/warmup" and exchange.method == "POST" and warmed[deployment.kind]
end

local function is_health(exchange, sub_path)
  return not exchange.upgrade and sub_path == "/health" and exchange.method == "GET"
end

-- Requests that wait for the container before their app is reached; a call and a task wait as tasks.
local function reach_asgi(exchange, deployment, sub_path)
  if exchange.server.faults:start_container(exchange, deployment) then
    return
  elseif exchange.upgrade then
    realtime.serve(exchange, deployment, sub_path)
  else
    web.answer(exchange, deployment, sub_path)
  end
end

-- Each, an open connection as well, is a task in flight until it is over.
local function dispatch_to_asgi(exchange, deployment, sub_path)
  local limit = deployment.options.max_pending
  if deployment.in_flight >= limit then
    return exchange:json(429, { error = ("exceeded max pending tasks: %d"):format(limit) })
  end
  deployment.in_flight = deployment.in_flight + 1
  reach_asgi(exchange, deployment, sub_path)
  deployment.in_flight = deployment.in_flight - 1
end

local function has_port(deployment, port)
  for _, one in ipairs(deployment.options.ports or { port }) do
    if one == port then
      return true
    end
  end
  return false
end

local function dispatch_to_pod(exchange, deployment, sub_path)
  if not exchange.port then
    exchange:json(404, { message = "Not Found" })
  elseif not has_port(deployment, exchange.port) then
    exchange:json(502, { error = "Backend route unavailable" })
  else
    dispatch_to_asgi(exchange, deployment, sub_path)
  end
end

-- A bot is a WebSocket and nothing else.
local function dispatch_to_bot(exchange, deployment, sub_path)
  if exchange.upgrade then
    return dispatch_to_asgi(exchange, deployment, sub_path)
  end
  exchange:json(400, { message = "a bot is a WebSocket" })
end

local function dispatch(exchange, deployment, sub_path)
  local allowed = methods[deployment.kind]
  if deployment.kind == "pod" then
    dispatch_to_pod(exchange, deployment, sub_path)
  elseif deployment.kind == "bot" then
    dispatch_to_bot(exchange, deployment, sub_path)
  elseif is_health(exchange, sub_path) then
    if not exchange.server.faults:start_container(exchange, deployment) then
      exchange:respond(200, {}, "")
    end
  elseif deployment.kind == "asgi" then
    dispatch_to_asgi(exchange, deployment, sub_path)
  elseif sub_path ~= "" and sub_path ~= "/" then
    exchange:json(404, { message = "Not Found" })
  elseif not allowed[exchange.method] then
    exchange:json(405, { message = "Method Not Allowed" })
  elseif deployment.kind == "endpoint" then
    endpoint.call(exchange, deployment)
  else
    task_queue.submit(exchange, deployment)
  end
end

-- Whom the door keeps out, and what a browser asks beforehand. Returns true if that was the request's end.
local function answer_at_the_door(exchange)
  local allowed, message = door.check(exchange.server.options, exchange.headers, exchange.path)
  if not allowed then
    exchange:json(403, { message = message })
    return true
  end
  exchange.origin = exchange.headers.origin
  if door.is_preflight(exchange.method, exchange.headers) then
    exchange:respond(204, door.preflight(exchange.headers), "")
    return true
  end
  return false
end

--- Answers one request; called in a coroutine of its own.
function gateway.answer(exchange)
  local server = exchange.server
  if answer_at_the_door(exchange) then
    return
  end
  local found = server.app.deployments
  local address = route.address(exchange.path, exchange.headers.host, function(wanted)
    return found:find(wanted) ~= nil
  end)
  local resource = not address and api.find(exchange.path)
  local own = not address and ui.find(exchange.path)
  local public = address and address.public or resource and resource.public or own and own.public
  local allowed, message = auth.check(server.options, exchange.headers.authorization, exchange.query.auth_token, public)
  if not allowed then
    return exchange:json(401, { message = message })
  elseif resource then
    return api.answer(exchange, resource)
  elseif own then
    return ui.answer(exchange, own)
  elseif not address then
    return exchange:json(404, { message = "Not Found" })
  elseif address.id and not url.is_uuid(address.id) then
    return exchange:json(400, { error = "invalid stub id" })
  end
  local deployment = not address.bad_version and found:find(address)
  if not deployment then
    return refuse_unknown(exchange, address)
  elseif not deployment.active then
    return exchange:json(400, { message = "Deployment is not active" })
  end
  local faults = server.faults
  exchange.port = address.port
  if is_warm_up(exchange, deployment, address.rest) then
    faults:warm_up(exchange, deployment)
    exchange:respond(200, {}, "")
  elseif not faults:befall(exchange, deployment) then
    dispatch(exchange, deployment, address.rest)
  end
end

return gateway
