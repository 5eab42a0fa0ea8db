-- A client's way to an open connection: dns, tcp, tls, upgrade, and the answer. The world's `route(host)` says what
-- befalls the attempt on its way:
--
--   { dns = seconds, tcp = seconds, tls = seconds,      how long each takes; default 0
--     fails = "dns"|"tcp"|"tls",                         it fails there, after that time
--     black_hole = true }                                nothing comes back
local failure = require "virtual.failure"
local pipe = require "virtual.pipe"

local Opening = {}
Opening.__index = Opening

local opening = {}

local failures = {
  dns = { kind = "dns", message = "the name %s could not be resolved: unknown name" },
  tcp = { kind = "connect", message = "no connection to %s: connection refused" },
  tls = { kind = "tls", message = "the TLS handshake with %s failed" },
}

local function seconds_of(given, default)
  return given and given > 0 and given or default
end

---@param websocket table the end of it
---@param url string
function opening.start(websocket, url)
  local scheme, host, port, target = url:match "^(%a+)://([^/?]-):?(%d*)([/?].*)$"
  if not scheme then
    scheme, host, port = url:match "^(%a+)://([^/?]-):?(%d*)$"
  end
  if scheme ~= "ws" and scheme ~= "wss" then
    return nil, failure.new { kind = "invalid", message = "the URL is not of ws:// or wss://" }
  end
  local self = setmetatable({ websocket = websocket, context = websocket.context, target = target or "/" }, Opening)
  self.port = tonumber(port) or (scheme == "wss" and 443 or 80)
  self.route = self.context.world.route(host, self.port, url) or {}
  self.phases = scheme == "wss" and { "dns", "tcp", "tls" } or { "dns", "tcp" }
  websocket.host = host .. ":" .. self.port
  websocket.opening = self
  self.context:defer(function()
    if websocket.opening ~= self then
      return
    end
    self.limit = self.context:later(seconds_of(websocket.options.connect_timeout, 10), function()
      self:late("the connection was not made", seconds_of(websocket.options.connect_timeout, 10), "connect_timeout")
    end)
    self:enter(1)
  end)
  return true
end

-- The server learns of it when the end of TCP arrives there.
function Opening:stop()
  local request = self.request
  self.context.clock:cancel(self.step)
  self.context.clock:cancel(self.limit)
  if request then
    self.context:later(self.context.world.latency, function()
      request:leave()
    end)
  end
end

function Opening:fail(kind, message, fields)
  self:stop()
  self.websocket:give_up(kind, message, fields)
end

function Opening:late(what, seconds, option)
  local websocket = self.websocket
  local message = ("%s: %s within %.0f ms (%s)"):format(websocket.host, what, seconds * 1000, option)
  self:fail("timeout", message, { sent = websocket.phase == "upgrade" })
end

-- The phases before the upgrade, one after the other.
function Opening:enter(number)
  local phase = self.phases[number]
  if not phase then
    return self:upgrade()
  end
  self.websocket:enter(phase)
  if self.websocket.opening ~= self then -- the event function gave it up
    return
  elseif self.route.black_hole and phase == "tcp" then
    return
  end
  self.step = self.context:later(self.route[phase] or 0, function()
    local refused = phase == "tcp" and not self.context.world.servers[self.port]
    if self.route.fails == phase or refused then
      local text = failures[phase]
      return self:fail(text.kind, text.message:format(self.websocket.host), { sent = false })
    end
    self:enter(number + 1)
  end)
end

function Opening:upgrade()
  local websocket, context = self.websocket, self.context
  local link = pipe.link(context)
  context.clock:cancel(self.limit)
  websocket:connect(link.up, link.down)
  websocket:enter "upgrade"
  if websocket.opening ~= self then
    return
  end
  local seconds = seconds_of(websocket.options.upgrade_timeout, 960)
  self.limit = context:later(seconds, function()
    self:late("the server did not answer the upgrade", seconds, "upgrade_timeout")
  end)
  self.step = context:later(context.world.latency, function()
    local server = context.world.servers[self.port]
    local view = { method = "GET", target = self.target, headers = websocket.options.headers or {}, body = "", upgrade = true }
    if server then
      self.request = server:ask(view, link)
    else
      link.down:put { kind = "reset" }
    end
  end)
end

-- ---- The answer ----

local answers = {}

function answers.accepted(self, item)
  local websocket = self.websocket
  self.request = nil
  self:stop()
  websocket.opening = nil
  websocket:enter "open"
  websocket:emit("open", 101, item.headers)
end

function answers.rejected(self, item)
  self.request = nil
  self:fail("handshake", ("%s answered the upgrade with status %d"):format(self.websocket.host, item.status), {
    status = item.status,
    response = { status = item.status, headers = item.headers, body = item.body },
  })
end

function answers.fin(self)
  self.request = nil
  self:fail("closed", self.websocket.host .. " ended the connection before its answer: closed by the other side")
end

function answers.reset(self)
  self.request = nil
  self:fail("closed", self.websocket.host .. " ended the connection before its answer: connection reset by peer")
end

function Opening:arrived(item)
  answers[item.kind](self, item)
end

return opening
