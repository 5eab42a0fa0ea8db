-- Something of everything in beam.core, for memory.c: the error of whatever fails is raised.
local core = require "beam.core"
local ctx = assert(core.new { log = function() end, log_level = "debug" })
local done, failure = 0, nil

local function on_request(request, view)
  if view.upgrade then
    local socket
    socket = request:accept({}, function(event, data)
      if event == "message" then
        socket:send(data)
      end
    end)
  elseif view.target == "/stream" then
    request:stream_begin(200)
    request:stream_write("x")
    request:stream_end()
  else
    request:respond(200, { { "x-a", "b" } }, "hello")
  end
end

local server = assert(ctx:server({}, on_request, function() end))
local address = "127.0.0.1:" .. server:port()

local function on_http(event)
  done = done + (event == "done" and 1 or 0)
end

ctx:timer(0, function()
  done = done + 1
end)
ctx:timer(60, function() end):stop()
ctx:http({ url = "http://" .. address }, on_http)
ctx:http({ url = "http://" .. address .. "/stream", stream = true, headers = { { "x", "y" } } }, on_http)
local socket
socket = ctx:websocket({ url = "ws://" .. address, auth = { scheme = "bearer", secret = "s" } }, function(event)
  if event == "open" then
    socket:send("hi")
  elseif event == "message" then
    socket:close(1000, "bye")
  elseif event == "closed" then
    done = done + 1
  end
end)

local deadline = ctx:now() + 30
while done < 4 and not failure and ctx:now() < deadline do
  local ok, err = pcall(ctx.step, ctx, 0.05)
  failure = not ok and err
end
ctx:close()
assert(not failure, failure)
assert(done == 4, "not everything came")
