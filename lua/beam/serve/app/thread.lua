-- The one thread of a realtime app, while a synchronous handler holds it: no connection of the app is read from, so that no ping is
-- answered, none is sent to, and none is closed.
local thread = {}

local function each_connection(session, fn)
  for other in pairs(session.deployment.sessions) do
    if not other.closed then
      fn(other)
    end
  end
end

local function stop_reading(session)
  session.ws:pause()
end

local function go_on_reading(session)
  if not session.paused and not session.silent then
    session.ws:resume()
  end
end

--- Waits until nobody holds it.
---@param session table beam/serve/app/connection.lua
---@return boolean waited
function thread.wait(session)
  local deployment, waited = session.deployment, false
  while deployment.held and not session.server.closed do
    waited = true
    deployment.held:wait()
  end
  return waited
end

--- Holds it for so many seconds.
function thread.hold(session, seconds)
  local deployment, server = session.deployment, session.server
  thread.wait(session)
  local released = server.driver.signal()
  deployment.held = released
  each_connection(session, stop_reading)
  local deadline = server.driver.now() + seconds
  while not server.closed and server.driver.now() < deadline do
    server.ended:wait(deadline - server.driver.now())
  end
  deployment.held = nil
  each_connection(session, go_on_reading)
  released:wake_all()
end

--- A connection has opened, perhaps while the thread is held.
function thread.join(session)
  if session.deployment.held then
    stop_reading(session)
  end
end

return thread
