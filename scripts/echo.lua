-- Opens a WebSocket to a realtime app, sends one message and prints the answer.
--   beamlua scripts/echo.lua [NAME] [TEXT]
local beam = require "beam"

local name, text = arg[1] or "echo", arg[2] or "Echo this back"

local conn <close> = assert(beam.realtime(name))
assert(conn:send { event = text })
local reply = assert(conn:receive(10))
print(("%s answered: %s"):format(name, reply.response.event))
