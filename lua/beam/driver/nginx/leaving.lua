-- The end of a worker: nginx reloads or quits. Requests that wait for Beam get their answers; then connections are closed with 1001,
-- so that no ghost holds Beam's slot while the next workers connect (docs/wire.md section 5).
--
-- Where a worker is stopped at once (SIGTERM), Lua's state is closed, and beam.core says 1001 then.
local keeper = require "beam.driver.nginx.keeper"
local open = require "beam.driver.open"
local waiting = require "beam.driver.nginx.waiting"

local leaving = {}

local far = 1e6 -- seconds: nginx runs a timer at once when the worker is told to end
local look_every = 0.05 -- seconds
local quiet_looks = 4 -- without a request that waits: it may be between two waits
local close_within = 3 -- seconds for the peers' close frames

leaving.drain = 30 -- seconds that requests have to get their answers

local function wait_for_requests()
  local left, quiet = leaving.drain, 0 -- calls are not cut short later either: only connections are closed
  while left > 0 and quiet < quiet_looks do
    ngx.sleep(look_every)
    left = left - look_every
    quiet = waiting.count() == 0 and quiet + 1 or 0
  end
end

local function close_connections()
  local left = close_within
  while open.close_all(1001) > 0 and left > 0 do
    ngx.sleep(look_every)
    left = left - look_every
  end
end

-- A request may still come: browsers open connections before they need them, and nginx serves those to the end. So all goes on working
-- until nothing but our own threads keeps the worker from ending.
local function leave()
  repeat
    wait_for_requests()
    close_connections()
    if keeper.is_alone() then
      return keeper.stop()
    end
    ngx.sleep(look_every)
  until false
end

--- Lets the worker leave in order.
function leaving.arm()
  local ok, err = ngx.timer.at(far, function(premature)
    if premature then
      return leave()
    end
    leaving.arm()
  end)
  if not ok then
    error("beam: nginx starts no timer: " .. err, 0)
  end
end

return leaving
