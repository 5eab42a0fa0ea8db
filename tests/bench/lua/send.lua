-- Messages of 64 bytes sent, each once there is room for it, until the peer has said that it read them all: to URL/COUNT of the peer.
-- usage: send.lua URL COUNT
local beam = require "beam"
local stopwatch = require "stopwatch"

local count = tonumber(arg[2])
local conn = assert(beam.realtime(("%s/%d"):format(arg[1], count), { token = false }))
local message, options = ("x"):rep(64), { wait = true }
local stop = stopwatch.start()
for _ = 1, count do
  local ok, err = conn:send(message, options)
  while not ok do -- a build that has no `wait`
    assert(err.kind == "queue_full", err)
    conn:flush(10)
    ok, err = conn:send(message)
  end
end
assert(conn:receive(60) == "done")
stop(count)
conn:close()
