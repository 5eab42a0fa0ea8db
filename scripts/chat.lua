-- Sends each line of standard input as a message and prints what comes back, both at once.
--   beamlua scripts/chat.lua [NAME] [USER]
local beam = require "beam"

local name, user = arg[1] or "echo", arg[2] or os.getenv "USER" or "me"

local conn <close> = assert(beam.realtime(name))

local reader = beam.spawn(function()
  for message in conn:messages() do
    local said = message.response or message
    print(type(said) == "table" and ("%s: %s"):format(said.user, said.text) or said)
  end
end)

local sent = 0
for line in beam.lines() do
  assert(conn:send { user = user, text = line })
  sent = sent + 1
end

-- The end of the input is no reason to miss the last answers.
while conn:stats().received < sent and conn.state == "open" do
  beam.sleep(0.05)
end
conn:close()
reader:join()
