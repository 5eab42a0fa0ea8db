-- A heap of the waits that have a deadline, earliest first. An item knows its slot (`position`), so that a wait which ends early leaves at
-- once: there are as many entries as waits, however many have come and gone.
--
-- Four children each, in lists of numbers: with a hundred thousand waits most of the time went for what the processor had to fetch from
-- memory, item by item, to compare two deadlines. The items themselves are touched when they come and go.
---@class beam.deadlines
local Deadlines = {}
Deadlines.__index = Deadlines
Deadlines.__name = "beam.deadlines"

-- The parent of a place. Where Lua can, without a function of C's, which wants 20 slots of the stack of the coroutine that goes to sleep:
-- each of those would be twice as large.
local parent_of = (loadstring or load) "return function(place) return (place + 2) // 4 end" -- luacheck: ignore 113
parent_of = parent_of and parent_of() or function(place)
  return math.floor((place + 2) / 4)
end

local most_kept = 1000 -- slots of nobody

---@return beam.deadlines
local function new()
  return setmetatable({
    count = 0,
    due = {}, -- by place in the heap: the deadline,
    slots = {}, -- and the slot of its item
    places = {}, -- by slot: the place,
    items = {}, -- the item, or false
    free = {}, -- slots that are
    free_count = 0,
  }, Deadlines)
end

local function rise(self, due, slot, place)
  local all_due, slots, places = self.due, self.slots, self.places
  while place > 1 do
    local parent = parent_of(place)
    if all_due[parent] <= due then
      break
    end
    all_due[place], slots[place] = all_due[parent], slots[parent]
    places[slots[place]] = place
    place = parent
  end
  all_due[place], slots[place], places[slot] = due, slot, place
end

local function sink(self, due, slot, place)
  local all_due, slots, places, last = self.due, self.slots, self.places, self.count
  while true do
    local least = 4 * place - 2
    if least > last then
      break
    end
    local least_due = all_due[least]
    for child = least + 1, least + 3 < last and least + 3 or last do
      local child_due = all_due[child]
      if child_due < least_due then
        least, least_due = child, child_due
      end
    end
    if least_due >= due then
      break
    end
    all_due[place], slots[place] = least_due, slots[least]
    places[slots[place]] = place
    place = least
  end
  all_due[place], slots[place], places[slot] = due, slot, place
end

local function take_slot(self)
  local free = self.free_count
  if free == 0 then
    return #self.items + 1
  end
  local slot = self.free[free]
  self.free[free], self.free_count = nil, free - 1
  return slot
end

--- Adds an item that is not in.
---@param item table
---@param due number
function Deadlines:add(item, due)
  local slot, last = take_slot(self), self.count + 1
  self.items[slot], item.position, self.count = item, slot, last
  rise(self, due, slot, last)
end

--- The item that is due first, or nil.
---@return table? item
---@return number? due
function Deadlines:first()
  if self.count > 0 then
    return self.items[self.slots[1]], self.due[1]
  end
end

-- None is left, and the memory of the many there were is not kept.
local function drop_lists(self)
  self.due, self.slots, self.places, self.items, self.free, self.free_count = {}, {}, {}, {}, {}, 0
end

--- Takes out an item; nothing happens if it is not in.
function Deadlines:remove(item)
  local slot = item.position
  if not slot then
    return
  end
  item.position = nil
  local place, last = self.places[slot], self.count
  local due, moved = self.due[last], self.slots[last]
  self.items[slot] = false
  self.free_count = self.free_count + 1
  self.free[self.free_count] = slot
  self.due[last], self.slots[last], self.count = nil, nil, last - 1
  if last == 1 and #self.items > most_kept then
    drop_lists(self)
  elseif moved ~= slot then
    rise(self, due, moved, place)
    sink(self, due, moved, self.places[moved])
  end
end

return { new = new }
