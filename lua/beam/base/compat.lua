-- What differs between Lua 5.1, LuaJIT, 5.3 and 5.4, in one place.
local compat = {}

compat.unpack = table.unpack or unpack

---@return table values with their number in `n`
function compat.pack(...)
  return { n = select("#", ...), ... }
end

--- Whether a coroutine can be suspended inside pcall: not in Lua 5.1. LuaJIT's can, and is not asked: in OpenResty a module that is being
--- loaded must not resume a coroutine.
---@return boolean
function compat.can_wait_in_pcall()
  if rawget(_G, "jit") then
    return true
  end
  local thread = coroutine.create(function()
    pcall(coroutine.yield)
  end)
  coroutine.resume(thread)
  return coroutine.status(thread) == "suspended"
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

-- By `collected`: what objects share that call it.
local shared = {}

local function with_gc(collected)
  return { __gc = collected }
end

local function with_proxy(collected)
  local first = newproxy(true)
  getmetatable(first).__gc = function(proxy)
    local kept = debug.getfenv(proxy)
    if kept.proxy == proxy then -- and not the first
      collected(kept)
    end
  end
  return first
end

--- The same for what there are many of: calls `collected(kept)` when nothing refers to `kept` any more.
---@param kept table without a metatable
---@param collected fun(kept: table)
---@return table kept
function compat.guard_table(kept, collected)
  shared[collected] = shared[collected] or (newproxy and with_proxy or with_gc)(collected)
  if not newproxy then
    return setmetatable(kept, shared[collected])
  end
  kept.proxy = newproxy(shared[collected])
  debug.setfenv(kept.proxy, kept)
  return kept
end

return compat
