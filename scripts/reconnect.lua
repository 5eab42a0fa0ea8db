-- Keeps a connection through restarts and losses: when to try again is ours to say, and what is sent again too.
--   beamlua scripts/reconnect.lua [NAME] [SECONDS]        against, say: beamlua serve --fault drop_after=2s..4s
local beam = require "beam"

local name, seconds = arg[1] or "echo", tonumber(arg[2]) or 10

-- Like the default, but never slower than 5 s; a deployment that is gone for good ends it.
local function retry(attempt, err)
  local pause = math.random() * math.min(5, 0.2 * 2 ^ attempt)
  print(("lost: %s; attempt %d in %.1f s"):format(err.message, attempt, pause))
  return err.retryable and math.max(pause, err.retry_after or 0) or nil
end

-- `unknown` was written and may not have arrived. These messages do no harm twice, so that all of them go again.
local function on_reconnect(_, unknown)
  print(("back; %d messages are sent again"):format(#unknown))
  return unknown
end

local conn <close> = assert(beam.realtime(name, { retry = retry, on_reconnect = on_reconnect, queue = { max = 100, ttl = 30 } }))
beam.spawn(function()
  for message in conn:messages() do
    print("received", message.response.number)
  end
end)
for number = 1, seconds * 2 do
  assert(conn:send { number = number })
  beam.sleep(0.5)
end
