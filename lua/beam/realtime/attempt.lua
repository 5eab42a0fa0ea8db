-- One attempt at a connection: one WebSocket of the core, from its connect to its close. A connection has several, one
-- after the other.
--
-- An attempt is deaf once it is over: nothing reaches the connection after its end, nor after the connection gave it up or was
-- itself collected, which is why the attempt holds its connection weakly.
local driver = require "beam.driver"
local errors = require "beam.error"
local open = require "beam.driver.open"

local Attempt = {}
Attempt.__index = Attempt
Attempt.__name = "beam.attempt"

local attempt = {}

---@class beam.attempt what a connection writes is here, too: it ends with the attempt
---@field ws beam.core.websocket
---@field over boolean
---@field opened boolean
---@field closing integer? the code of our close frame
---@field is_ready boolean the peer stands behind its 101
---@field marks_later boolean a ping is due that asks how far it has read
---@field greeted boolean what came first was no answer
---@field sent_plain boolean something was sent that is no request
---@field sent_before integer what the figures of the connection began with
---@field received_before integer
---@field told_unproven boolean the log knows that no ping is answered
---@field dropped integer messages that came while it closed, and found no room
---@field liveness beam.liveness
---@field sent_seen integer at the last look, with `sent_at` and `received_seen`

-- What the core calls. The message comes first: it is the one that comes often.
local function listen(self, events)
  return function(event, a, b, c, d)
    local owner = self.owner
    local conn = owner and owner[1]
    if event == "closed" then
      self.over, self.owner = true, false
      open.remove(self)
      driver.detach()
    end
    local handle = conn and events[event]
    if handle then
      handle(conn, a, b, c, d)
    end
  end
end

local function connect(ctx, options, handler)
  return ctx:websocket(options, handler)
end

local function new(owner)
  return setmetatable({
    owner = owner,
    over = false,
    opened = false,
    is_ready = false,
    marks_later = false,
    greeted = false,
    sent_plain = false,
    sent_before = 0,
    received_before = 0,
    told_unproven = false,
    dropped = 0,
  }, Attempt)
end

--- Starts an attempt for a connection, whose events go to events.open(conn, …) and so on, as beam.core names them.
---@param owner table[] holds it weakly; its method end_with(code) is called when the program ends
---@param events table<string, function>
---@param options beam.core.websocket_options
---@return beam.attempt?, beam.error?
function attempt.start(owner, events, options)
  local self = new(owner)
  local valid, ws, err = pcall(connect, driver.context(), options, listen(self, events))
  if not valid then -- a value that only the core looks at; nobody is there to raise it to
    return nil, errors.new { kind = "script", message = tostring(ws), cause = ws }
  elseif not ws then
    return nil, errors.from_attempt(err, options.url:gsub("%?.*$", ""))
  end
  driver.attach()
  self.ws = ws
  open.add(self) -- that of a connection which nobody holds any more is among them, too
  return self
end

--- Starts the close handshake.
---@return true?, beam.core.error?
function Attempt:close(code, reason)
  local ok, err = self.ws:close(code, reason)
  if ok then
    self.ws:resume() -- the peer's close frame comes behind what it sent before
  end
  return ok, err
end

--- Gives it up: the peer is told, as far as it can be, and the connection hears nothing of it any more.
---@param code integer
function Attempt:abandon(code)
  self.owner = false
  if not self.over then
    self.ws:detach()
    self:close(code)
  end
end

--- The program ends: its connection says so, or it closes by itself.
---@param code integer
function Attempt:end_with(code)
  local conn = self.owner and self.owner[1]
  if conn then
    conn:end_with(code)
  else
    self:close(code)
  end
end

return attempt
