-- One end of a WebSocket, of a client or a server: what core/websocket/websocket.c does, frame by frame, over two pipes. What a
-- public call causes is told by the next step, never inside the call.
--
-- The methods are those of beam.core.websocket. Behind the object that the user holds stands an end (object.handle), so
-- that collecting the one does not end the other.
local failure = require "virtual.failure"

local End = {} -- behind the object
End.__index = End

local Websocket = {} -- the object
local meta = { __name = "beam.websocket", __index = Websocket }

local websocket = {}

local may_be_sent = { [1000] = true, [1001] = true, [1003] = true }
for code = 1007, 1014 do
  may_be_sent[code] = true
end

---@param context table
---@param role "client"|"server"
---@param options beam.core.websocket_options
---@param on_event function
---@param host string the peer
---@return table end, beam.core.websocket object
function websocket.new(context, role, options, on_event, host)
  local self = setmetatable({
    context = context,
    role = role,
    on_event = on_event,
    host = host,
    options = options,
    phase = "none",
    close_timeout = options.close_timeout and options.close_timeout > 0 and options.close_timeout or 2,
  }, End)
  context:own(self)
  return self, setmetatable({ handle = self }, meta)
end

-- ---- Events ----

local function live(self)
  return not self.told and not self.freed and not self.context.closed
end

-- What was kept is told before anything else.
function End:tell_news()
  if self.news then
    self.news = false
    self.context:call(self.on_event, "arrived")
  end
end

function End:emit(...)
  if live(self) then
    self:tell_news()
    self.context:call(self.on_event, ...)
  end
end

function End:enter(phase)
  if self.phase ~= phase then
    self.phase = phase
    self:emit("phase", phase)
  end
end

-- ---- The end ----

local function finish(self)
  self.context:disown(self)
  self.context.clock:cancel(self.timer)
  self.on_event = nil
end

local function tell(self)
  local ending = self.ending
  if not ending or self.carried or not live(self) then
    return
  end
  self.phase = "closed"
  self:emit("phase", "closed")
  if live(self) then
    local response = ending.response
    self.context:call(self.on_event, "closed", ending.code, ending.reason, ending.err, response)
    self.told = true
    finish(self)
  end
end

local nothing = {}

-- Not with pairs(): LuaJIT of March 2022 (Debian 12) compiles it, at times, into a loop without an end.
---@param fields { sent: boolean?, status: integer?, response: table? }?
function End:fail(kind, message, fields)
  fields = fields or nothing
  local err = { kind = kind, message = message, phase = self.phase, host = self.host, sent = fields.sent ~= false, status = fields.status }
  self.ending = { code = 1006, reason = "", err = failure.new(err), response = fields.response }
end

--- Leaves the connection: "flush" what waits, or what the system has not taken is dropped; "reset" says so to the peer.
function End:leave(how)
  local out = self.out
  self.context.clock:cancel(self.timer)
  if not self.carried then
    return
  end
  self.carried = false
  self.incoming:leave()
  if how ~= "flush" then
    out:cut()
  end
  out:put { kind = how == "reset" and "reset" or "fin" }
end

-- ---- Closing ----

local function send_close(self, code, reason)
  if not self.close_sent and self.carried then
    self.close_sent = true
    self.out:put { kind = "close", code = code or 1005, reason = reason or "", data = ("x"):rep(2 + #(reason or "")) }
  end
end

local function await_close(self)
  self.timer = self.timer
    or self.context:later(self.close_timeout, function()
      self.timer = nil
      if not self.ending then
        local text = "%s did not answer the close frame within %.0f ms (close_timeout)"
        self:fail("timeout", text:format(self.host, self.close_timeout * 1000))
      end
      self:leave "now"
      tell(self)
    end)
end

local arrivals = {}

function arrivals.close(self, item)
  self.ending = { code = item.code, reason = item.reason }
  self.close_received = true
  send_close(self, item.code)
  self:enter "closing"
  if self.role == "server" then
    self:leave "flush"
    tell(self)
  elseif self.carried then
    await_close(self)
  end
end

-- ---- What arrives ----

local function lost(self, message, kind)
  self.carried = false
  self.incoming:leave()
  self.context.clock:cancel(self.timer)
  if not self.ending then
    self:fail(kind or "closed", message)
  end
  tell(self)
end

function arrivals.fin(self)
  lost(self, self.host .. " ended the connection without a close frame")
end

function arrivals.reset(self)
  local text = "%s ended the connection without a close frame: the connection was lost: connection reset by peer"
  lost(self, text:format(self.host))
end

local function arrive(self, data, binary)
  self.heard = self.context.clock:now()
  local kept = self.options.arrivals
  if live(self) and kept and kept:keep(data, binary) then
    self.paused = self.paused or kept.full and not self.close_sent
    self.context:has_news(self)
  else
    self:emit("message", data, binary)
  end
end

function arrivals.text(self, item)
  arrive(self, item.data, false)
end

function arrivals.binary(self, item)
  arrive(self, item.data, true)
end

function arrivals.ping(self, item)
  if not self.close_sent and self.carried then
    self.out:put { kind = "pong", data = item.data }
  end
  self:emit("ping", item.data)
end

function arrivals.pong(self, item)
  self:emit("pong", item.data)
end

--- The pipe asks whether the item can be read. A reset is found without reading.
function End:reads(item)
  return not self.paused or self.opening or item.kind == "reset"
end

function End:arrived(item)
  if self.opening then
    self.opening:arrived(item)
  elseif not self.close_received or item.kind == "fin" or item.kind == "reset" then
    arrivals[item.kind](self, item)
  end
end

--- It has its connection: two pipes.
function End:connect(out, incoming)
  self.out, self.incoming, self.carried = out, incoming, true
  incoming.reader = self
  local weak = setmetatable({ self }, { __mode = "v" })
  function out.drained()
    if weak[1] and weak[1].carried then
      weak[1]:emit "drained"
    end
  end
end

--- It is over before it was open.
function End:give_up(kind, message, fields)
  self:fail(kind, message, fields)
  self:leave "now"
  self.opening = nil
  tell(self)
end

-- ---- The methods ----

-- The end behind an object, unless it is over.
local function of(object)
  if getmetatable(object) ~= meta then
    error("bad argument #1 (beam.websocket expected)", 3)
  end
  return live(object.handle) and object.handle or nil
end

local function not_open(self)
  return nil, failure.new { kind = "closed", phase = self.phase, message = "the WebSocket is not open" }
end

local function send(object, kind, data, limit)
  local self = of(object)
  if type(data) ~= "string" then
    error("bad argument #2 (string expected, got " .. type(data) .. ")", 3)
  elseif not self then
    return failure.over "websocket"
  elseif self.phase ~= "open" or not self.carried or self.close_sent then
    return not_open(self)
  end
  local pending = self.out:pending()
  if limit and pending > 0 and pending + #data > limit then
    return false, pending
  end
  self.out:put { kind = kind, data = data }
  return true
end

function Websocket:send(text, limit)
  if type(text) == "string" and text:find "[\192\193\245-\255]" then -- enough of UTF-8's rules for a test
    return nil, failure.new { kind = "invalid", phase = "open", message = "the text is not UTF-8: send it with send_binary, or encode it" }
  end
  return send(self, "text", text, limit)
end

function Websocket:send_binary(bytes, limit)
  return send(self, "binary", bytes, limit)
end

function Websocket:ping(data)
  return send(self, "ping", data or "")
end

local function begin_close(self, code, reason)
  send_close(self, code, reason)
  self.phase = "closing"
  if self.paused then
    self.paused = false
    self.incoming:go_on()
  end
  self.context:defer(function()
    self:emit("phase", "closing")
  end)
  await_close(self)
end

local function abandon(self)
  self:fail("canceled", ("the attempt to reach %s was given up"):format(self.host), { sent = self.phase == "upgrade" })
  if self.opening then
    self.opening:stop()
    self.opening = nil
  end
  self:leave "now"
  self.context:defer(function()
    tell(self)
  end)
end

function Websocket:close(code, reason)
  local self_end = of(self)
  local valid = code == nil and not reason or may_be_sent[code] or code and code >= 3000 and code <= 4999
  if not self_end then
    return failure.over "websocket"
  elseif not valid or reason and #reason > 123 then
    return nil, failure.new { kind = "invalid", phase = self_end.phase, message = "the close code must be one that may be sent" }
  elseif self_end.phase == "closing" or self_end.ending then
    return true
  elseif self_end.phase == "open" then
    begin_close(self_end, code, reason)
  else
    abandon(self_end)
  end
  return true
end

function Websocket:abort(reset)
  local self_end = of(self)
  if not self_end then
    return failure.over "websocket"
  end
  if not self_end.ending then
    self_end:fail("closed", ("the connection to %s was aborted"):format(self_end.host))
  end
  if self_end.opening then
    self_end.opening:stop()
    self_end.opening = nil
  end
  self_end:leave(reset and "reset" or "now")
  self_end.context:defer(function()
    tell(self_end)
  end)
end

function Websocket:pause()
  local self_end = of(self)
  if not self_end then
    return failure.over "websocket"
  elseif not self_end.close_sent then
    self_end.paused = true
  end
end

function Websocket:resume()
  local self_end = of(self)
  if not self_end then
    return failure.over "websocket"
  elseif self_end.paused then
    self_end.paused = false
    if self_end.incoming then
      self_end.incoming:go_on()
    end
  end
end

function Websocket:pending()
  local self_end = of(self)
  return self_end and self_end.carried and self_end.out:pending() or 0
end

--- Bytes: received, sent, unacknowledged, unfinished (of frames: none is ever in the middle); unanswered: seconds; seconds since the
--- last message, if one came.
function Websocket:progress()
  local self_end = of(self)
  if not (self_end and self_end.carried) then
    return 0, 0, 0, 0, 0
  end
  local out = self_end.out
  local waiting, seconds = out:unacknowledged()
  local heard = self_end.heard and self_end.context.clock:now() - self_end.heard
  return self_end.incoming.delivered, out.total - out:pending(), waiting, 0, seconds, heard
end

function Websocket:phase()
  local self_end = of(self)
  return self_end and self_end.phase or "closed"
end

--- The context ends, or the user gives it back: no event any more.
function End:free()
  if not live(self) then
    return
  end
  if self.phase == "open" then
    send_close(self, 1001)
  end
  self.freed = true
  if self.opening then
    self.opening:stop()
    self.opening = nil
  end
  self:leave "flush"
  finish(self)
end

function Websocket:free()
  local self_end = of(self)
  if self_end then
    self_end:free()
  end
end

--- What comes from now on does not go to the arrivals.
function Websocket:detach()
  local self_end = of(self)
  if self_end then
    self_end.options.arrivals, self_end.news = nil, false
  end
end

meta.__close = Websocket.free

function meta.__tostring(self)
  return "beam.websocket (" .. self:phase() .. ")"
end

return websocket
