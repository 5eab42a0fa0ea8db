-- What JSON has and Lua has not: null and the empty array; and how much of a number this Lua can hold.
local found, cjson = pcall(require, "cjson") -- where it is installed, what it has for null and arrays is ours
if not found or type(cjson) ~= "table" then
  cjson = {}
end

local values = {
  null = require "beam.json.null",
  max_depth = 128, -- of nested arrays and objects, both ways
  has_integers = math.type ~= nil, -- Lua 5.3 and later: 64 bits; before: doubles, exact up to 2^53
  max_exact = 2 ^ 53,
}

-- Arrays are marked by a metatable: lua-cjson's own where it has one (releases after 2.1.0).
local array_mt = cjson.array_mt or { __name = "beam.array" }
local empty_array_mt = cjson.empty_array_mt or array_mt
values.array_mt, values.empty_array_mt = array_mt, empty_array_mt
values.empty_array = cjson.empty_array -- a value of theirs that is written as []

--- Marks `t` (default: a new table) as an array, so that it is written as [] when it is empty.
---@generic T: table
---@param t T?
---@return T
function values.array(t)
  return setmetatable(t or {}, array_mt)
end

--- True for a table that is written as an array: marked as one, or not empty and a sequence by its first item.
---@param t any
---@return boolean
function values.is_array(t)
  if type(t) ~= "table" then
    return false
  end
  local mt = getmetatable(t)
  return mt == array_mt or mt == empty_array_mt or rawget(t, 1) ~= nil
end

function values.is_marked(t)
  local mt = getmetatable(t)
  return mt == array_mt or mt == empty_array_mt
end

return values
