-- A large file through beam.stream, as the bytes come.   usage: stream.lua URL BYTES [CA]
local beam = require "beam"
local stopwatch = require "stopwatch"

local url, total, ca_file = arg[1], tonumber(arg[2]), arg[3]
local client = assert(beam.client { token = false, tls = ca_file and { ca_file = ca_file } or nil })
local stop = stopwatch.start()
local bytes = 0
for piece in assert(client.stream { url = url, method = "GET", format = "raw" }) do
  bytes = bytes + #piece
end
assert(bytes == total, bytes)
stop(bytes)
