-- Half-open connections: what is sent arrives nowhere, and no error ever says so. Noticed by the answer that a ping does not get.
--
-- Two ways to bring it about: the server's socket is read no more (its buffers fill up, then TCP itself stands still), or, in a network
-- namespace of our own, the loopback interface goes down, so that every packet vanishes.
local beam = require "beam"
local driver = require "beam.driver"

local half_open = {}

local ways = {}

-- The network namespace of this process, as the system names it.
local function namespace()
  local pipe = io.popen "readlink /proc/self/ns/net"
  local name = pipe:read "*l"
  pipe:close()
  return name
end

function ways.unread(server)
  server:inflict "silence"
end

-- Only in a network namespace of our own (half_open.sh): anything else would cut off the whole machine.
function ways.vanish()
  local outside = os.getenv "BEAM_TEST_OUTSIDE"
  assert(outside and outside ~= "" and outside ~= namespace(), "not in a network namespace of its own")
  local command = "ip link set lo down"
  local first, _, code = os.execute(command)
  assert(first == true or first == 0 or code == 0, command .. " failed")
end

--- options: way ("unread" or "vanish"), ping_after, dead_after, busy (messages flow until it happens; a handler may take dead_after).
--- Returns the seconds from the last sign of the peer until the connection was known to be lost, and the error.
function half_open.run(options)
  local app = require("beam.serve").new()
  app.realtime("echo", function(text)
    return text
  end)
  local server = assert(app.listen { pause = 0, ping = options.app_ping or 0.5, log = function() end })
  local lost, err, heard
  local conn = assert(beam.realtime {
    url = server.url .. "/asgi/echo",
    token = false,
    heartbeat = { ping_after = options.ping_after, dead_after = options.dead_after, task_timeout = options.dead_after },
    retry = function(_, why)
      lost, err = driver.now(), why
    end,
  })
  assert(conn:request({ n = 1 }, { timeout = 5 }))
  beam.sleep(0.1)
  ways[options.way](server)
  heard = driver.now()
  local deadline = heard + options.ping_after + options.dead_after + 10
  while not lost and driver.now() < deadline do
    if options.busy then
      conn:send(("x"):rep(1000))
    end
    beam.sleep(0.01)
  end
  conn:close()
  server:close()
  return lost and lost - heard, err
end

return half_open
