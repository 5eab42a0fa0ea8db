-- What the benchmarks measure inside nginx, by path: the same work through Beam and through lua-resty-websocket.
local beam = require "beam"
local core = require "beam.core"
local resty = require "nginx.websocket.client"

local bench = {}

local clock = core.new()
local message = '{"pad":"' .. ("x"):rep(54) .. '"}'

local function median(times)
  table.sort(times)
  return ("%.2f"):format(times[math.floor(#times / 2) + 1] * 1e6)
end

local function url()
  return ngx.var.arg_url
end

local function connect()
  local client = assert(resty:new { timeout = 60000 })
  assert(client:connect(url(), { pool = url() }))
  return client
end

-- ---- Round trips one after the other, in one request; the median in microseconds ----

local function measure(round_trip)
  local times, rounds = {}, tonumber(ngx.var.arg_rounds)
  for i = 1, rounds do
    local start = clock:now()
    round_trip()
    times[i] = clock:now() - start
  end
  ngx.say(median(times))
end

function bench.beam()
  local conn = assert(beam.realtime(url(), { token = false }))
  measure(function()
    assert(conn:request(message, { timeout = 5 }))
  end)
  conn:close()
end

function bench.resty()
  local client = connect()
  local decode = require("cjson").decode
  measure(function()
    assert(client:send_text(message))
    decode((assert(client:recv_frame()))) -- as conn:request does
  end)
  client:close()
end

-- ---- Requests that wait ----

local opening

function bench.beam_wait()
  local target = url()
  opening = opening or ngx.timer.at(0, function()
    bench.pool = assert(beam.pool(target, { token = false, size = 4 }))
  end)
  while not bench.pool do
    ngx.sleep(0.01)
  end
  assert(bench.pool:request(message, { timeout = 10 }))
  ngx.say "ok"
end

function bench.resty_wait()
  local client = connect()
  assert(client:send_text(message))
  assert(client:recv_frame())
  assert(client:set_keepalive(60000, 500))
  ngx.say "ok"
end

return bench
