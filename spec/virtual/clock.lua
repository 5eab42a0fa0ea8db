-- The virtual clock: it stands still while something is due, and else leaps to the next thing that will be. It
-- counts in ticks of 1/1024 s, so that sums and differences of its times are exact. What is due at the same time comes in the order in which it was asked for.
local Clock = {}
Clock.__index = Clock

local clock = {}

function clock.new()
  return setmetatable({ tick = 1024000, asked = 0 }, Clock)
end

local function before(a, b)
  return a.due < b.due or a.due == b.due and a.order < b.order
end

local function place(heap, item, position)
  heap[position] = item
  item.position = position
end

local function rise(heap, item, position)
  while position > 1 do
    local parent = math.floor(position / 2)
    if not before(item, heap[parent]) then
      break
    end
    place(heap, heap[parent], position)
    position = parent
  end
  place(heap, item, position)
end

local function sink(heap, item, position)
  local last = #heap
  while 2 * position <= last do
    local child = 2 * position
    if child < last and before(heap[child + 1], heap[child]) then
      child = child + 1
    end
    if not before(heap[child], item) then
      break
    end
    place(heap, heap[child], position)
    position = child
  end
  place(heap, item, position)
end

---@return number seconds
function Clock:now()
  return self.tick / 1024
end

---@return integer tick in `seconds`, rounded up: never early
function Clock:at(seconds)
  return self.tick + math.ceil(seconds * 1024)
end

---@return number seconds
function Clock:until_tick(tick)
  return math.max(0, tick - self.tick) / 1024
end

--- Calls fire() in `seconds`.
---@return table item for cancel
function Clock:after(seconds, fire)
  self.asked = self.asked + 1
  local item = { due = self:at(seconds), order = self.asked, fire = fire }
  rise(self, item, #self + 1)
  return item
end

--- Nothing happens to what has fired or is nil.
function Clock:cancel(item)
  local position = item and item.position
  if not position then
    return
  end
  item.position = nil
  local last = table.remove(self)
  if last ~= item then
    rise(self, last, position)
    sink(self, last, last.position)
  end
end

--- How many things are to come.
function Clock:count()
  return #self
end

--- Leaps to the next thing to do, for up to `limit` seconds.
function Clock:leap(limit)
  local first = self[1]
  if not first and limit == math.huge then
    error("the virtual clock stands still for ever: somebody waits for what can no longer come", 0)
  end
  if first and (limit == math.huge or first.due < self:at(limit)) then
    self.tick = math.max(self.tick, first.due)
  else
    self.tick = self:at(limit)
  end
end

--- Time passes in which nothing could be done.
function Clock:jump(seconds)
  self.tick = self:at(seconds)
end

--- Takes what is due and was asked for before `order`; nil if there is nothing more.
function Clock:take(order)
  local first = self[1]
  if first and first.due <= self.tick and first.order <= order then
    self:cancel(first)
    return first
  end
end

return clock
