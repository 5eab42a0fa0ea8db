-- Plain exchanges of the virtual world, as far as connections need them (the warm-up): one request, one whole answer.
local pipe = require "virtual.pipe"
local failure = require "virtual.failure"

local Http = {}
local meta = { __name = "beam.http", __index = Http }

local http = {}

local function finish(self, err, response)
  if not self.over then
    self.over = true
    self.context.clock:cancel(self.step)
    self.context:disown(self)
    self.context:call(self.on_event, "done", err, response or {})
  end
end

function Http:arrived(item)
  if item.kind == "rejected" then
    finish(self, nil, { status = item.status, headers = item.headers, body = item.body })
  else
    finish(self, failure.new { kind = "http", phase = "response", host = self.host, sent = true, message = self.host .. " gave no answer" })
  end
end

function Http.reads()
  return true
end

function Http:free()
  if not self.over then
    self.over = true
    self.context.clock:cancel(self.step)
    self.context:disown(self)
  end
end

function Http.pause() end
function Http.resume() end
meta.__close = Http.free

function http.start(context, options, on_event)
  local host, port, target = options.url:match "^%a+://([^/]-):(%d+)(.*)$"
  local self = setmetatable({ context = context, on_event = on_event, host = host .. ":" .. port }, meta)
  context:own(self)
  context:later(2 * context.world.latency, function()
    local server = context.world.servers[tonumber(port)]
    if not server then
      return finish(self, failure.new { kind = "connect", phase = "tcp", host = self.host, message = "no connection to " .. self.host })
    end
    local down = pipe.new(context, context.world.window)
    down.reader = self
    server:ask({ method = options.method or "GET", target = target, headers = options.headers or {}, body = options.body or "" }, { down = down })
  end)
  if options.timeout then
    self.step = context:later(options.timeout, function()
      finish(self, failure.new { kind = "timeout", phase = "response", host = self.host, sent = true, message = "no answer in time" })
    end)
  end
  return self
end

return http
