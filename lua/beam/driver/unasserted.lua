-- `for item in beam.stream { … } do` where there is nothing to read: beam.stream gave nil and an error, and Lua says only that it called
-- nil.
-- The error stands among the loop's own variables, and belongs to what is told. (LuaJIT has forgotten them when a coroutine has failed.)
local errors = require "beam.error"

local unasserted = {}

local most = 250 -- local variables of a function

local function variable(thread, level, index)
  if thread then
    return debug.getlocal(thread, level, index)
  end
  return debug.getlocal(level + 1, index) -- this function's own
end

-- A loop has an iterator and a state, "(for generator)" and "(for state)", each "(for state)" from Lua 5.4 on.
local function error_of_loop(thread, level)
  local before, iterator
  for index = 1, most do
    local name, value = variable(thread, thread and level or level + 1, index)
    if not name then
      return nil
    elseif before and iterator == nil and name == "(for state)" and errors.is(value) then
      return value
    end
    before, iterator = name:find("^%(for ") ~= nil, value
  end
end

--- What was raised, with the error that a loop was given in place of an iterator, if that is what happened.
---@param raised any
---@param thread thread? nil: this one
---@param level integer of the function that raised it
---@return any raised
function unasserted.explain(raised, thread, level)
  local is_forgotten = thread and rawget(_G, "jit")
  if is_forgotten or type(raised) ~= "string" or not raised:find("attempt to call a nil value", 1, true) then
    return raised
  end
  local ok, err = pcall(error_of_loop, thread, thread and level or level + 2) -- this function and pcall
  return ok and err and ("%s: the loop was given no iterator, but an error: %s"):format(raised, tostring(err)) or raised
end

return unasserted
