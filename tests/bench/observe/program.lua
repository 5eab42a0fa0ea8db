-- One kind of work, so many times, with what looks on at it.   usage: program.lua call|request|send COUNT off|metrics|unsampled|spans|otlp
local beam = require "beam"

local kind, count, watch = arg[1], tonumber(arg[2]), arg[3]
local options = {}
if watch == "metrics" then
  beam.metrics()
elseif watch == "unsampled" then
  options = { on_span = print, sampling = 0 }
elseif watch == "spans" then
  options = { on_span = function() end }
elseif watch == "otlp" then
  options = { on_span = beam.otlp { endpoint = os.getenv "COLLECTOR", every = 3600, queue = 1e6, batch = 1e6 } } -- kept, not sent
end
local client = assert(beam.client(options))

local work = {}

function work.call()
  for i = 1, count do
    assert(client.call("multiply", { x = i }))
  end
end

function work.request()
  local conn = assert(client.realtime "echo")
  for i = 1, count do
    assert(conn:request { n = i })
  end
  conn:close()
end

function work.send()
  local conn = assert(client.realtime "echo")
  for i = 1, count do
    assert(conn:send { n = i })
    assert(conn:receive())
  end
  conn:close()
end

work[kind]()
os.exit(0)
