-- An HTTP exchange of the core that is recorded: what was asked, what was answered, and the pieces of both.
local exchanges = require "beam.record.exchange"
local headers = require "beam.record.headers"

local http = {}

local Http = {}
local meta = { __index = Http, __name = "beam.core.http" }

for _, name in ipairs { "pause", "resume", "pending" } do
  Http[name] = function(self)
    local inner = self.inner
    return inner[name](inner)
  end
end

-- ---- Events ----

local heard = {}

function heard.headers(exchange, status, list)
  exchange.streamed = true
  exchange:write("answer", { status = status, headers = headers.of_answer(list, exchange.secrets) })
end

function heard.data(exchange, bytes)
  exchange:piece("piece", bytes)
end

function heard.done(exchange, err, response)
  local hide = exchange.secrets
  local whole = not exchange.streamed and response
  exchange:finish("done", {
    error = err and err.kind,
    message = err and hide:hide(err.message),
    status = whole and whole.status or nil,
    headers = whole and whole.status and headers.of_answer(whole.headers, hide) or nil,
    data = whole and whole.body and hide:hide(whole.body) or nil,
  })
end

-- ---- What the program does ----

function Http:write(data)
  local ok, err = self.inner:write(data)
  if ok then
    self.exchange:piece("sent_piece", data)
  end
  return ok, err
end

function Http:write_end()
  local ok, err = self.inner:write_end()
  if ok then
    self.exchange:last_piece "sent_piece"
    self.exchange:write "sent_end"
  end
  return ok, err
end

function Http:free()
  self.exchange:leave()
  return self.inner:free()
end

meta.__close = Http.free

--- As context:http.
---@param recorder beam.recorder
---@param context table the tapped one
function http.new(recorder, context, options, on_event)
  local exchange = exchanges.new(recorder, context, "request", "abandoned")
  local hide, host, target = recorder.secrets, exchanges.split(options.url)
  local inner, err = exchange:start("http", options, target, heard, on_event)
  if not inner then
    return nil, err
  end
  exchange:begin("request", {
    method = options.method or ((options.body or options.upload) and "POST" or "GET"),
    host = host,
    target = hide:hide_target(target),
    headers = headers.of_request(options.headers, hide),
    data = options.body and hide:hide(options.body),
    upload = options.upload or nil,
  })
  return setmetatable({ inner = inner, exchange = exchange }, meta)
end

return http
