-- What differs between Lua 5.1, LuaJIT, 5.3 and 5.4, in one place.
local compat = {}

compat.unpack = table.unpack or unpack

---@return table values with their number in `n`
function compat.pack(...)
  return { n = select("#", ...), ... }
end

--- An object that calls `collected()` when nothing refers to it any more; at the latest when the Lua state closes.
--- Lua 5.1 and LuaJIT have no __gc for tables.
---@param collected fun()
function compat.guard(collected)
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = collected
    return proxy
  end
  return setmetatable({}, { __gc = collected })
end

return compat
