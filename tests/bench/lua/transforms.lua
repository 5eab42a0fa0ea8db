-- What transforms and the queue cost: echoes of a 64-byte JSON message through a bare connection, and through one with an
-- identity transform each way and a queue in front, in turn. usage: transforms.lua URL ROUNDS
-- Prints the medians of the round trips in microseconds and their ratio; then the same for this process's CPU time.
local beam = require "beam"
local clock = require("beam.core").new()

local function identity(message)
  return message
end

local url = arg[1]
local block = 200
local blocks = math.max(1, math.floor(tonumber(arg[2] or 20000) / block))
local message = { pad = ("x"):rep(54) }
local bare = assert(beam.realtime(url, { token = false }))
local with = assert(beam.realtime(url, {
  token = false,
  outgoing = identity,
  incoming = identity,
  rate = 1e9, -- what is paced goes through the queue, always
}))

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)] * 1e6
end

-- One block of round trips; adds their times, and the CPU time of one.
local function run(conn, times, cpu)
  local cpu_start = os.clock()
  for _ = 1, block do
    local start = clock:now()
    assert(conn:request(message, { timeout = 5 }))
    times[#times + 1] = clock:now() - start
  end
  cpu[#cpu + 1] = (os.clock() - cpu_start) / block
end

local bare_times, bare_cpu, times, cpu = {}, {}, {}, {}
run(bare, {}, {})
run(with, {}, {})
for _ = 1, blocks do
  run(bare, bare_times, bare_cpu)
  run(with, times, cpu)
end
for _, pair in ipairs { { bare_times, times }, { bare_cpu, cpu } } do
  local without, through = median(pair[1]), median(pair[2])
  io.write(("%.2f %.2f %.2f "):format(without, through, through / without))
end
print()
bare:close()
with:close()
