-- Prints a streamed answer as it arrives, piece by piece, and says so if it broke off.
--   beamlua scripts/tokens.lua [PROMPT] [NAME]
local beam = require "beam"

local prompt, name = arg[1] or "It was a dark and stormy night.", arg[2] or "generate"

local stream, err = beam.stream { name, input = { prompt = prompt }, idle_timeout = 60 }
if not stream then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

local count = 0
local item, broken = stream:next() -- in a `for` a stream that breaks off would raise
while item ~= nil do
  local piece = type(item) == "table" and tostring(item.token or item.text) or tostring(item)
  io.write(piece, piece:find "%s" and "" or " ") -- what has no space of its own is a word
  io.flush()
  count = count + 1
  item, broken = stream:next()
end
print(("\n%d pieces"):format(count))
if stream.err then
  io.stderr:write("it broke off: ", tostring(broken), "\n")
  os.exit(1)
end
