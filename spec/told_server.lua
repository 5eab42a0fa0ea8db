-- A WebSocket server on the core that does what it is told, for specs of connections.
local driver = require "beam.driver"

local told = {}

local json = { { "content-type", "application/json" } }

local function accept(hooks, request, view)
  local ws
  driver.attach()
  ws = assert(request:accept({}, function(event, a, b)
    if event == "message" and hooks.on_message then
      hooks.on_message(ws, a, b)
    elseif event == "ping" and hooks.on_ping then
      hooks.on_ping(ws, a)
    elseif event == "closed" then
      driver.detach()
      if hooks.on_closed then
        hooks.on_closed(a, b)
      end
    end
  end))
  hooks.ws = ws
  if hooks.on_open then
    hooks.on_open(ws, view)
  end
end

--- on_request(request, view, number) -> true if it has answered; else reject = status (with body) or on_open(ws, view), on_message(ws, data,
--- binary), on_ping(ws, data), on_closed(code, reason). `hooks.requests` counts, `hooks.ws` is the last connection.
function told.start(hooks)
  hooks.requests = 0
  local server = assert(driver.context():server({}, function(request, view)
    hooks.requests = hooks.requests + 1
    if hooks.on_request and hooks.on_request(request, view, hooks.requests) then
      return
    elseif hooks.reject then
      return request:respond(hooks.reject, json, hooks.body)
    end
    accept(hooks, request, view)
  end))
  driver.attach()
  return {
    url = "ws://127.0.0.1:" .. server:port(),
    close = function()
      server:close()
      driver.detach()
    end,
  }
end

function told.echo(ws, data, binary)
  if binary then
    ws:send_binary(data)
  else
    ws:send(data)
  end
end

--- Turns the loop until `condition` holds; fails after 5 s.
function told.eventually(condition, what)
  local deadline = driver.now() + 30
  while not condition() do
    assert(driver.now() < deadline, (what or "it") .. " did not happen within 30 s")
    driver.step(0.02)
  end
end

--- The same of what only the collector brings about: before each look all is collected, and flushed what LuaJIT has compiled, which holds
--- the functions that were called there and what they refer to.
function told.eventually_collected(condition)
  local jit = rawget(_G, "jit")
  told.eventually(function()
    if jit then
      jit.flush()
    end
    collectgarbage()
    return condition()
  end)
end

return told
