-- Options of the wrong type raise, in one voice.
local mistake = require "beam.base.mistake"

local types = {}

local function allows(wanted, value)
  return ("|" .. wanted .. "|"):find("|" .. type(value) .. "|", 1, true)
end

--- Raises for the first option that is there and of another type; what is not in `wanted` is not looked at.
---@param options table
---@param wanted table<string, string> name -> type, or types: "string|table"
---@param where string "beam.tasks"
function types.check(options, wanted, where)
  for name, kinds in pairs(wanted) do
    local value = options[name]
    if value ~= nil and not allows(kinds, value) then
      mistake(("%s: option '%s' wants a %s, not a %s"):format(where, name, (kinds:gsub("|", " or a ")), type(value)))
    end
  end
end

return types
