-- A binary heap of the waits that have a deadline, earliest first. An item knows its place (`position`), so that a wait
-- which ends early leaves at once: there are as many entries as waits, however many have come and gone.
local Deadlines = {}
Deadlines.__index = Deadlines
Deadlines.__name = "beam.deadlines"

-- Where Lua can, without a function of C's, which wants 20 slots of the stack of the coroutine that goes to sleep: each of those would
-- be twice as large.
local halve = (loadstring or load) "return function(n) return n // 2 end" -- luacheck: ignore 113
halve = halve and halve() or function(n)
  return math.floor(n / 2)
end

local function place(heap, item, position)
  heap[position] = item
  item.position = position
end

local function rise(heap, item, position)
  while position > 1 do
    local parent = halve(position)
    if heap[parent].deadline <= item.deadline then
      break
    end
    place(heap, heap[parent], position)
    position = parent
  end
  place(heap, item, position)
end

local function sink(heap, item, position)
  local last = #heap
  while true do
    local child = 2 * position
    if child > last then
      break
    end
    if child < last and heap[child + 1].deadline < heap[child].deadline then
      child = child + 1
    end
    if heap[child].deadline >= item.deadline then
      break
    end
    place(heap, heap[child], position)
    position = child
  end
  place(heap, item, position)
end

local function new()
  return setmetatable({}, Deadlines)
end

--- `item.deadline` must be set and stay as it is until the item is removed.
function Deadlines:add(item)
  rise(self, item, #self + 1)
end

--- The item that is due first, or nil.
function Deadlines:first()
  return self[1]
end

--- Takes out an item; nothing happens if it is not in.
function Deadlines:remove(item)
  local position = item.position
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

return { new = new }
