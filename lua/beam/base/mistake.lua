-- Raises for a mistake of the caller, where it stands: at the line of the caller's own code that called the module, however deep in the
-- module it is noticed.
local here = debug.getinfo(1, "S").source
local module = here:match "^(.*)base/mistake%.lua$" -- "@/usr/share/lua/5.4/beam/"; embedded: "@beam/"

local function is_ours(info)
  return info.what == "C" or info.what == "tail" or module ~= nil and info.source:sub(1, #module) == module
end

--- Where the caller is not to be seen, as in a coroutine of the module's own, the message stands alone.
---@param message string "beam.call: …"
return function(message)
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and is_ours(info) do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  error(message, info and level or 0)
end
