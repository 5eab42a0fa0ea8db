-- A WebSocket client for the specs of the local Beam, on beam.core alone.
local driver = require "beam.driver"

local websocket = {}

local PING = '{"type":"ping"}'

--- A WebSocket that notes what happens: client.open, .messages, .pongs, .code, .reason, .response.
function websocket.dial(server, target, headers)
  local client = { messages = {}, pongs = 0, changed = driver.signal() }
  driver.attach()
  local options = { url = server.url .. target, headers = headers, connect_timeout = 30 }
  client.ws = assert(driver.context():websocket(options, function(event, a, b, _, d)
    if event == "open" then
      client.open = true
    elseif event == "message" then
      table.insert(client.messages, a)
    elseif event == "pong" then
      client.pongs = client.pongs + 1
    elseif event == "closed" then
      client.code, client.reason, client.response = a, b, d
      driver.detach()
    end
    client.changed:wake_all()
  end))
  function client.until_true(condition, seconds)
    local deadline = driver.now() + (seconds or 30)
    while not condition() and driver.now() < deadline do
      client.changed:wait(deadline - driver.now())
    end
    return condition()
  end
  function client.closed(seconds)
    return client.until_true(function()
      return client.code
    end, seconds)
  end
  function client.opened(seconds)
    return client.until_true(function()
      return client.open or client.code
    end, seconds) and client.open
  end
  -- The messages that are no app pings, once there are `count` of them.
  function client.replies(count, seconds)
    local replies
    client.until_true(function()
      replies = {}
      for _, message in ipairs(client.messages) do
        if message ~= PING then
          table.insert(replies, message)
        end
      end
      return #replies >= count or client.code
    end, seconds)
    return replies
  end
  return client
end

return websocket
