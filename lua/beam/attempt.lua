-- One attempt at a connection: one WebSocket of the core, from its connect to its close. A connection may have several,
-- one after the other.
--
-- An attempt is deaf once it is over: nothing reaches the connection after its end, nor after the connection itself was
-- collected, which is why the attempt holds its connection weakly.
local driver = require "beam.driver"
local errors = require "beam.error"

local attempt = {}

local weak = { __mode = "v" }

local open = {} -- the attempts that are not over; that of a connection which nobody holds any more is among them

---@class beam.attempt
---@field ws beam.core.websocket
---@field over boolean

-- What the core calls. The message comes first: it is the one that comes often.
local function listen(self, owner, events)
  return function(event, a, b, c, d)
    local conn = owner[1]
    if event == "closed" then
      self.over = true
      open[self] = nil
      owner[1] = nil
      driver.detach()
    end
    local handle = conn and events[event]
    if handle then
      handle(conn, a, b, c, d)
    end
  end
end

--- Starts an attempt for `conn`, whose events go to events.open(conn, …) and so on, as beam.core names them.
---@param conn table
---@param events table<string, function>
---@param options beam.core.websocket_options
---@return beam.attempt?, beam.error?
function attempt.start(conn, events, options)
  local self = { over = false }
  local owner = setmetatable({ conn }, weak)
  local ws, err = driver.context():websocket(options, listen(self, owner, events))
  if not ws then
    return nil, errors.from_attempt(err, options.url:gsub("%?.*$", ""))
  end
  driver.attach()
  self.ws = ws
  open[self] = true
  return self
end

--- Starts to close every attempt that is not over, as a program does that ends. Returns how many there are.
---@param code integer
---@return integer
function attempt.close_all(code)
  local count = 0
  for self in pairs(open) do
    self.ws:close(code)
    self.ws:resume() -- the peer's close frame comes behind what it sent before
    count = count + 1
  end
  return count
end

return attempt
