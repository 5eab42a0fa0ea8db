-- The server's side of the virtual world: beam.core's server and request, for upgrades and plain requests.
local failure = require "virtual.failure"
local websocket = require "virtual.websocket"

local Server = {}
local server_meta = { __name = "beam.server", __index = Server }

local Request = {}
local request_meta = { __name = "beam.request", __index = Request }

local server = {}

function server.new(context, on_request, on_gone)
  local world = context.world
  world.last_port = world.last_port + 1
  local self = setmetatable({ context = context, number = world.last_port, on_request = on_request, on_gone = on_gone }, server_meta)
  world.servers[self.number] = self
  return self
end

function Server:port()
  if not self.context.world.servers[self.number] then
    return failure.over "server"
  end
  return self.number
end

function Server:close()
  self.context.world.servers[self.number] = nil
end

server_meta.__close = Server.close

--- A client asks. `link` has the pipes, seen from the client.
---@return table request for leave()
function Server:ask(view, link)
  local request = setmetatable({ server = self, link = link, view = view }, request_meta)
  if not self.context:call(self.on_request, request, view) and not request.over then
    request:respond(500)
  end
  return request
end

-- ---- The answer ----

local function answer(self, item)
  if self.over then
    return failure.over "request"
  end
  self.over = true
  self.link.down:put(item)
  return true
end

function Request:respond(status, headers, body)
  return answer(self, { kind = "rejected", status = status, headers = headers or {}, body = body or "" })
end

function Request:abort(reset)
  answer(self, { kind = reset and "reset" or "fin" })
end

function Request:accept(options, on_event)
  if self.over then
    return failure.over "request"
  elseif not self.view.upgrade then
    return nil, failure.new { kind = "invalid", phase = "upgrade", message = "the request cannot be accepted" }
  end
  local context = self.server.context
  local accepted, object = websocket.new(context, "server", options, on_event, "127.0.0.1:1")
  accepted:connect(self.link.down, self.link.up)
  accepted.phase = "open"
  answer(self, { kind = "accepted", headers = options.headers or {} })
  context.world.linked(object, self.link, self.view)
  return object
end

function Request.pending()
  return 0
end

--- The client has left.
function Request:leave()
  if not self.over then
    self.over = true
    if self.server.on_gone and self.server.context.world.servers[self.server.number] then
      self.server.context:call(self.server.on_gone, self)
    end
  end
end

return server
