-- The local Beam of the tests of libbeamhost: echo, numbers (as many as asked for), secret (who came with which token). Prints its ports;
-- ends with its standard input.
local app = require "beam.serve"

app.realtime("echo", function(text)
  return text
end)

app.realtime("numbers", function(text)
  local last, number = math.tointeger(tonumber(text)), 0
  return function()
    number = number + 1
    return number <= last and { number = number } or nil
  end
end)

local server = assert(app.listen { pause = 0, token = "token" })
local flaky = assert(app.listen { pause = 0, token = "token", fault = "drop_after=1:1" })
print(("%d %d"):format(server.port, flaky.port))
io.stdout:flush()
require("beam").read_line()
os.exit(0)
