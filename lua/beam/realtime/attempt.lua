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

local weak = { __mode = "v" }

---@class beam.attempt
---@field ws beam.core.websocket
---@field over boolean
---@field opened boolean written by the connection

-- What the core calls. The message comes first: it is the one that comes often.
local function listen(self, events)
  local owner = self.owner
  return function(event, a, b, c, d)
    local conn = owner[1]
    if event == "closed" then
      self.over = true
      open.remove(self)
      owner[1] = nil
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

--- Starts an attempt for `conn`, whose events go to events.open(conn, …) and so on, as beam.core names them.
---@param conn table its method end_with(code) is called when the program ends
---@param events table<string, function>
---@param options beam.core.websocket_options
---@return beam.attempt?, beam.error?
function attempt.start(conn, events, options)
  local self = setmetatable({ over = false, opened = false, started = driver.now(), owner = setmetatable({ conn }, weak) }, Attempt)
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
  self.owner[1] = nil
  if not self.over then
    self.ws:detach()
    self:close(code)
  end
end

--- The program ends: its connection says so, or it closes by itself.
---@param code integer
function Attempt:end_with(code)
  local conn = self.owner[1]
  if conn then
    conn:end_with(code)
  else
    self:close(code)
  end
end

return attempt
