-- The two servers that forced drops are tried against. Each is { url, token, drop(how) -> how many connections, collect(accounts),
-- close() }; how: "frame" (a close frame, 1012), "tcp" (a TCP close without one), "reset" (a TCP reset), "silence" (TCP stays open and
-- nothing passes any more).
local beam = require "beam"
local json = require "beam.json"

local peers = {}

local faults = { frame = "close=1012", tcp = "drop_after_101", reset = "reset", silence = "silence" }

--- The local Beam, in this process.
function peers.local_beam()
  local app, taken, numbers, count = require("beam.serve").new(), {}, {}, 0
  app.realtime("echo", function(text, context)
    local connection = numbers[context.headers] -- one table for each connection
    if not connection then
      count = count + 1
      connection, numbers[context.headers] = count, count
    end
    taken[#taken + 1] = { connection, json.decode(text).record }
    return text
  end)
  local server = assert(app.listen { pause = 0, log = function() end })
  return {
    url = server.url .. "/asgi/echo",
    token = false,
    drop = function(how)
      return server:inflict(faults[how], function(session)
        return not session.silent
      end)
    end,
    collect = function(accounts)
      for _, row in ipairs(taken) do
        accounts:received(row[1], row[2])
      end
      taken = {}
    end,
    close = function()
      server:close()
    end,
  }
end

--- FastAPI under uvicorn, behind a proxy that drops (tests/servers/drops.py).
function peers.uvicorn()
  local hosts = require "spec.hosts"
  local started = hosts.start()
  local app = "http://127.0.0.1:" .. started.uvicorn
  local client = beam.client { token = "test-token", gateway = app }
  local proxy = assert(client.call { url = app .. "/proxy", method = "GET" })
  return {
    url = "ws://127.0.0.1:" .. proxy.port,
    token = "test-token",
    drop = function(how)
      return assert(client.call { url = app .. "/drop", input = { how = how } }).dropped
    end,
    collect = function(accounts)
      for _, row in ipairs(assert(client.call { url = app .. "/recorded", method = "GET" })) do
        accounts:received(row[1], row[2])
      end
    end,
    close = function()
      hosts.stop(started)
    end,
  }
end

return peers
