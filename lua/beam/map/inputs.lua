-- Where the inputs of a map come from: a list, an iterator function, or an object with a method `next`. They are asked for one at a time,
-- when there is room for one more, and nil is their end.
local errors = require "beam.error"
local protect = require "beam.driver.protect"
local mistake = require "beam.base.mistake"

local inputs = {}

---@alias beam.map_inputs any[] | (fun(): any) | { next: fun(self): any }

-- Its next item needs no protection. A hole in it is no end: what stands behind would be lost without a word.
local function of_list(list, total)
  local position = 0
  return function()
    position = position + 1
    if list[position] == nil and position <= total then
      local message = ("beam.map: input %d of %d is nil, and a list has no holes"):format(position, total)
      return nil, errors.new { kind = "invalid", message = message, hint = "this input, and those after it, were not sent" }
    end
    return list[position]
  end
end

-- Only the first value is the input: an iterator may give others with it.
local function first(ok, value)
  if ok then
    return value
  end
  return nil, value
end

-- The last position of a list. `#` of one with holes is the position before any of them, and each Lua has its own idea of which.
local function length(list)
  local meta, last = getmetatable(list), 0
  if type(meta) == "table" and meta.__len then
    return meta.__len(list)
  end
  for key in next, list do
    if type(key) == "number" and key > last and key % 1 == 0 then
      last = key
    end
  end
  return last
end

local function of_function(fn, owner)
  return function()
    return first(protect.hook(fn, owner))
  end
end

local function is_callable(value)
  local meta = getmetatable(value)
  return type(value) == "function" or type(meta) == "table" and meta.__call ~= nil
end

--- Returns a function that gives the next input, or nil at the end, or nil and a beam.error if the iterator raised one; it may wait.
---@param given beam.map_inputs
---@return fun(): any, beam.error?
---@return integer? total how many there are, if that is known
function inputs.reader(given)
  if type(given) == "table" and type(given.next) == "function" then
    return of_function(given.next, given)
  elseif is_callable(given) then
    return of_function(given)
  elseif type(given) == "table" then
    local total = length(given)
    if total == 0 and next(given) ~= nil then
      mistake("beam.map: inputs are a list of inputs, not one with names: { { x = 1 }, { x = 2 } }")
    end
    return of_list(given, total), total
  end
  mistake(("beam.map: inputs are a list, a function or an object with a method next, not a %s"):format(type(given)))
end

return inputs
