-- Messages received by conn:receive, from URL/SIZE/COUNT of the peer.   usage: receive.lua URL SIZE COUNT
local beam = require "beam"
local stopwatch = require "stopwatch"

local size, count = tonumber(arg[2]), tonumber(arg[3])
local conn = assert(beam.realtime(("%s/%d/%d"):format(arg[1], size, count), { token = false }))
local stop = stopwatch.start()
for _ = 1, count do
  assert(conn:receive(10))
end
stop(count)
conn:close()
