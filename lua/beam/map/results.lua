-- What has ended and has not been handed over yet: as it comes, or in the order of the inputs. How much may wait is the map's to bound.
local results = {}

-- ---- As they come: a queue ----

local Queue = {}
Queue.__index = Queue
Queue.__name = "beam.map.queue"

function Queue:put(item)
  self.last = self.last + 1
  self[self.last] = item
end

function Queue:take()
  local item = self[self.first]
  if item then
    self[self.first] = nil
    self.first = self.first + 1
  end
  return item
end

-- ---- In order: each waits for the one before ----

local Ordered = {}
Ordered.__index = Ordered
Ordered.__name = "beam.map.ordered"

function Ordered:put(item)
  self[item.position] = item
end

Ordered.take = Queue.take

---@class beam.map_item
---@field position integer of the input
---@field result any
---@field info beam.call_info|beam.error

---@param ordered boolean?
---@return { put: fun(self, item: beam.map_item), take: fun(self): beam.map_item? }
function results.new(ordered)
  return setmetatable({ first = 1, last = 0 }, ordered and Ordered or Queue)
end

return results
