-- Changes every message on its way: what goes out gets an id and a time, what comes in is unpacked, and what is of no use is dropped.
--   beamlua scripts/transform.lua [NAME]
local beam = require "beam"

local count = 0

local function stamp(message)
  count = count + 1
  message.id, message.sent = count, os.time()
  return message
end

-- The built-in echo answers {"response": …}.
local function unpack_response(message)
  return message.response or message
end

-- nil drops a message; several values would be several messages.
local function only_even(message)
  return message.id and message.id % 2 == 0 and message or nil
end

local conn <close> = assert(beam.realtime(arg[1] or "echo", {
  outgoing = stamp,
  incoming = { unpack_response, only_even },
}))
for _, word in ipairs { "one", "two", "three", "four" } do
  assert(conn:send { word = word })
end
for _ = 1, 2 do
  local message = assert(conn:receive(10))
  print(message.id, message.word)
end
