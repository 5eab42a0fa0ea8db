-- What a connection and a request have in common for the recorder: a number, a context, and an end.
local exchange = {}

local Exchange = {}
Exchange.__index = Exchange

---@param kind "connection"|"request"
---@param ended string the event that says that the program has left
function exchange.new(recorder, context, kind, ended)
  return setmetatable({
    recorder = recorder,
    secrets = recorder.secrets,
    context = context,
    kind = kind,
    number = false, -- until it has begun
    ended = ended,
    rest = {}, -- by event: the end of the last piece, which may be the beginning of a secret
  }, Exchange)
end

--- Host, as in the header, and target of a URL.
---@param url string
---@return string host
---@return string target
function exchange.split(url)
  local host, target = url:match "^[A-Za-z]+://([^/?#]*)([^#]*)"
  host, target = host or "", target or ""
  return (host:gsub("^.*@", "")), target:find "^/" and target or "/" .. target
end

--- Starts the core's own; its events are heard before the program hears them. What of the options is secret is known from now on.
---@param method "http"|"websocket" of beam.core.context
---@param target string
---@param heard table<string, fun(exchange, ...)> by event
---@return table? inner, beam.core.error? err
function Exchange:start(method, options, target, heard, on_event)
  self.secrets:learn_auth(options.auth)
  self.secrets:learn_headers(options.headers)
  self.secrets:learn_target(target)
  local core = self.context.inner
  return core[method](core, options, function(event, ...)
    if heard[event] then
      heard[event](self, ...)
    end
    return on_event(event, ...)
  end)
end

--- Writes an event of it.
---@param name string
---@param event table? its fields
function Exchange:write(name, event)
  event = event or {}
  event.event, event[self.kind] = name, self.number
  self.recorder:write(event, self.context:now())
end

function Exchange:begin(name, event)
  self.number = self.recorder:number(self.kind)
  self.context.open[self] = true
  self:write(name, event)
end

function Exchange:finish(name, event)
  if self.context.open[self] then
    self.context.open[self] = nil
    for piece, rest in pairs(self.rest) do
      self:write(piece, { data = rest })
    end
    self:write(name, event)
  end
end

--- The program has given it up.
function Exchange:leave()
  self:finish(self.ended)
end

--- Writes a piece of something longer: a secret may stand where it was cut.
function Exchange:piece(name, data)
  local hidden, rest = self.secrets:hide_piece((self.rest[name] or "") .. data)
  self.rest[name] = rest ~= "" and rest or nil
  if hidden ~= "" then
    self:write(name, { data = hidden })
  end
end

--- Writes what was held back of the pieces.
function Exchange:last_piece(name)
  local rest = self.rest[name]
  self.rest[name] = nil
  if rest then
    self:write(name, { data = rest })
  end
end

return exchange
