-- Calls an endpoint, prints its result, and on failure what became of the call and what to do about it.
--   beamlua scripts/call.lua [NAME] [X]
local beam = require "beam"

local name, x = arg[1] or "multiply", tonumber(arg[2]) or 12

local result, info = beam.call(name, { x = x })
if not result then
  io.stderr:write(("%s failed (%s; did it run? %s): %s\n"):format(name, info.kind, info.executed, info.message))
  if info.hint then
    io.stderr:write("hint: ", info.hint, "\n")
  end
  os.exit(1)
end
print(("%s of %s is %s (%.0f ms)"):format(name, x, result.result, info.elapsed * 1000))
