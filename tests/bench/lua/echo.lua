-- Round trips of a 64-byte JSON message through conn:request.   usage: echo.lua URL ROUNDS   prints the median in microseconds
local beam = require "beam"

local rounds = tonumber(arg[2])
local conn = assert(beam.realtime(arg[1], { token = false }))
local message = { pad = ("x"):rep(54) }
local clock = require("beam.core").new()
local times = {}
for i = 1, rounds do
  local start = clock:now()
  assert(conn:request(message, { timeout = 5 }))
  times[i] = clock:now() - start
end
table.sort(times)
print(("%.3f"):format(times[math.floor(rounds / 2)] * 1e6))
conn:close()
