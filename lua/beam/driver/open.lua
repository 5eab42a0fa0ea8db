-- What is open and has to be ended in order when the program or nginx's worker ends. Whoever opens something says so here: what ends a
-- process need not know what there is.
local open = {}

local things = {}

--- Until remove: its method end_with(code) may be called by close_all.
---@param thing table
function open.add(thing)
  things[thing] = true
end

---@param thing table
function open.remove(thing)
  things[thing] = nil
end

--- Starts to close everything that is open. Returns how many things there are.
---@param code integer a close code
---@return integer
function open.close_all(code)
  local all = {}
  for thing in pairs(things) do
    all[#all + 1] = thing
  end
  for _, thing in ipairs(all) do
    thing:end_with(code)
  end
  return #all
end

return open
