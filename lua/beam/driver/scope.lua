-- What may be cancelled together: exchanges and waits, each in a coroutine of its own, that belong to one scope.
--
-- Cancelling changes state and wakes, and waits for nothing: it may be done wherever waking may. A wait that belongs to a scope is a
-- table with a signal `changed`, and is told by its `canceled`.
local driver = require "beam.driver"

local Scope = {}
Scope.__index = Scope
Scope.__name = "beam.scope"

local scope = {}

---@class beam.scope
---@field canceled boolean
---@return beam.scope
function scope.new()
  return setmetatable({ canceled = false, members = {} }, Scope)
end

---@param wait { changed: beam.signal, canceled: boolean } that of a scope which is not cancelled
function Scope:enter(wait)
  self.members[wait] = true
end

function Scope:leave(wait)
  self.members[wait] = nil
end

--- Ends every wait of the scope, and those to come at once.
function Scope:cancel()
  self.canceled = true
  local wait = next(self.members)
  while wait do
    self.members[wait] = nil
    wait.canceled = true
    wait.changed:wake_all()
    wait = next(self.members)
  end
end

--- Sleeps, unless the scope is cancelled before.
---@param seconds number
function Scope:sleep(seconds)
  if self.canceled then
    return
  end
  local wait = { changed = driver.signal(), canceled = false }
  self:enter(wait)
  wait.changed:wait(seconds)
  self:leave(wait)
end

return scope
