-- Runs a script of tests/sandbox/hostile in an interpreter without limits. Exit status: 0 it did what it wanted, 3 it failed, 4 for lack of memory or stack.
local quiet = function() end
beam = { log = quiet, fail = quiet, again = quiet } -- luacheck: globals beam

-- What becomes of a result, and of an error object: it is copied.
local function copy(value)
  local into = {}
  for key, item in pairs(type(value) == "table" and value or {}) do
    into[key] = copy(item)
  end
  return type(value) == "table" and type(value[1]) == "string" and #table.concat(value) or into
end

local ok, message = pcall(function()
  local hooks = dofile(arg[1])
  for _ = 1, 2 do
    copy(hooks.tick())
  end
end)
copy(message)
message = ok or tostring(message)
os.exit(ok and 0 or (message:find "memory" or message:find "overflow") and 4 or 3)
