-- What keeps a realtime connection alive: the app's own ping, at once and every 5 s, and uvicorn's WebSocket pings beneath it.
local thread = require "beam.serve.app.thread"

local pings = {}

local function ping_of_app(self, put)
  local lost = not self.greeted and not self.first_ping
  if self.pings and not lost and not (self.zombie and self.greeted) then
    put(self, '{"type":"ping"}')
  end
  self.greeted = true
end

-- uvicorn sends a ping every 20 s, and closes with 1011 when no pong came in 20 s. Returns when the next is due; nil once it has closed.
local function watch_client(self, now)
  local patience = self.server.options.websocket_ping
  if self.awaited and self.heard >= self.awaited then
    self.awaited = nil
  end
  if self.awaited and now >= self.awaited + patience then
    self.ws:close(1011, "keepalive ping timeout")
    return nil
  elseif now >= self.next_ping then
    self.awaited = self.awaited or now
    self.ws:ping "beam"
    self.next_ping = now + patience
  end
  return self.awaited and self.awaited + patience or self.next_ping
end

-- While the app's thread was held nothing was read: the time for the pong starts anew.
local function wait_for_thread(self)
  if thread.wait(self) and self.awaited then
    self.awaited = self.server.driver.now()
  end
end

local function keep_alive(self, put)
  local server, driver = self.server, self.server.driver
  local next_app = driver.now()
  self.next_ping = next_app + server.options.websocket_ping
  while not self.closed and not self.silent do
    wait_for_thread(self)
    local now = driver.now()
    if now >= next_app then
      ping_of_app(self, put)
      next_app = now + server.options.ping
    end
    local due = watch_client(self, now)
    if not due then
      return
    end
    self.ended:wait(math.max(0, math.min(next_app, due, self.next_ping) - driver.now()))
  end
end

--- Pings until the connection is closed. A silent one does not notice that its client has left: it ends when uvicorn would have missed the
--- pong.
---@param self table beam/serve/app/connection.lua
---@param put fun(session: table, text: string)
function pings.run(self, put)
  local driver = self.server.driver
  keep_alive(self, put)
  local deadline = driver.now() + 2 * self.server.options.websocket_ping
  while self.silent and not self.closed and driver.now() < deadline do
    self.ended:wait(deadline - driver.now())
  end
  if self.silent and not self.closed then
    self.ws:abort()
  end
end

return pings
