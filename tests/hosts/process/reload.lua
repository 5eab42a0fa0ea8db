-- What reload.c does with the module each time: a local Beam, a call to it, a connection, both as a program would; all of it ends.
local left_open = ...
local beam, serve = require "beam", require "beam.serve"
local app = serve.new()
app.endpoint("double", function(input)
  return { value = input.value * 2 }
end)
app.realtime("echo", function(text)
  return text
end)
local server = assert(app.listen { pause = 0, token = "token", log = function() end })
local client = beam.client { token = "token", gateway = server.url, proxy = false }
assert(assert(client.call("double", { value = 21 }, { timeout = 20 })).value == 42)
local conn = assert(client.realtime "echo")
assert(conn:send "hello" and conn:receive(20) == "hello")
if left_open then -- what lives when the state is closed ends with it
  return
end
conn:close()
app:close()
