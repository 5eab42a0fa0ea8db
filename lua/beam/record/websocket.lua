-- A websocket of the core whose messages are recorded, both ways.
local exchanges = require "beam.record.exchange"
local headers = require "beam.record.headers"

local websocket = {}

local Websocket = {}
local meta = { __index = Websocket, __name = "beam.core.websocket" }

for _, name in ipairs { "pause", "resume", "pending", "progress", "detach", "phase" } do
  Websocket[name] = function(self)
    local inner = self.inner
    return inner[name](inner)
  end
end

-- ---- Events ----

local heard = {}

function heard.phase(exchange, phase)
  exchange:write("phase", { phase = phase })
end

function heard.open(exchange, status, list)
  exchange:write("open", { status = status, headers = headers.of_answer(list, exchange.secrets) })
end

function heard.message(exchange, data, binary)
  exchange:write("received", { data = exchange.secrets:hide(data), binary = binary or nil })
end

function heard.ping(exchange, data)
  exchange:write("ping", { data = exchange.secrets:hide(data) })
end

function heard.pong(exchange, data)
  exchange:write("pong", { data = exchange.secrets:hide(data) })
end

function heard.closed(exchange, code, reason, err, response)
  local hide = exchange.secrets
  exchange:finish("closed", {
    code = code,
    reason = hide:hide(reason or ""),
    error = err and err.kind,
    message = err and hide:hide(err.message),
    status = response and response.status,
    headers = response and headers.of_answer(response.headers, hide),
    data = response and response.body and hide:hide(response.body),
  })
end

-- ---- What the program does ----

function Websocket:send(text, limit)
  local ok, err = self.inner:send(text, limit)
  if ok then
    self.exchange:write("sent", { data = self.exchange.secrets:hide(text) })
  end
  return ok, err
end

function Websocket:send_binary(bytes, limit)
  local ok, err = self.inner:send_binary(bytes, limit)
  if ok then
    self.exchange:write("sent", { data = self.exchange.secrets:hide(bytes), binary = true })
  end
  return ok, err
end

function Websocket:ping(data)
  local ok, err = self.inner:ping(data)
  if ok then
    self.exchange:write("sent_ping", { data = self.exchange.secrets:hide(data or "") })
  end
  return ok, err
end

function Websocket:close(code, reason)
  local ok, err = self.inner:close(code, reason)
  if ok then
    self.exchange:write("close", { code = code, reason = reason and self.exchange.secrets:hide(reason) })
  end
  return ok, err
end

function Websocket:abort(reset)
  if self.exchange.context.open[self.exchange] then
    self.exchange:write "abort"
  end
  return self.inner:abort(reset)
end

function Websocket:free()
  self.exchange:leave()
  return self.inner:free()
end

meta.__close = Websocket.free
websocket.methods = Websocket

--- As context:websocket.
---@param recorder beam.recorder
---@param context table the tapped one
function websocket.new(recorder, context, options, on_event)
  local exchange = exchanges.new(recorder, context, "connection", "left")
  local hide, host, target = recorder.secrets, exchanges.split(options.url)
  local inner, err = exchange:start("websocket", options, target, heard, on_event)
  if not inner then
    return nil, err
  end
  exchange:begin("connect", { host = host, target = hide:hide_target(target), headers = headers.of_request(options.headers, hide) })
  return setmetatable({ inner = inner, exchange = exchange }, meta)
end

return websocket
