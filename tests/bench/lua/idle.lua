-- Memory of idle connections with their Lua objects, bytes each.   usage: idle.lua URL COUNT [CA]
local beam = require "beam"

local url, count, ca_file = arg[1], tonumber(arg[2]), arg[3]
local options = { token = false, tls = ca_file and { ca_file = ca_file } or nil }

local function resident()
  collectgarbage()
  collectgarbage()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read "*a":match "^%d+ (%d+)"
  file:close()
  return tonumber(pages) * 4096
end

local conns = { assert(beam.realtime(url, options)) } -- what is made once
local before = resident()
for i = 1, count do
  conns[i + 1] = assert(beam.realtime(url, options))
end
print(("%.0f"):format((resident() - before) / count))
for _, conn in ipairs(conns) do
  conn:close()
end
