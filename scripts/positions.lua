-- Sends player positions far more often than Beam serves them: of each player only the newest waits, and what goes out is paced.
--   beamlua scripts/positions.lua [NAME] [PLAYERS] [SECONDS]
local beam = require "beam"

local name, players, seconds = arg[1] or "echo", tonumber(arg[2]) or 3, tonumber(arg[3]) or 3

local conn <close> = assert(beam.realtime(name, {
  rate = 10, -- messages a second: what one connection to Beam serves
  coalesce = function(message)
    return message.player
  end,
}))

local received = 0
conn:on("message", function()
  received = received + 1
end)

local frames = seconds * 60
for frame = 1, frames do -- as a game does, 60 times a second
  for player = 1, players do
    assert(conn:send { player = player, x = math.cos(frame / 60 + player), y = math.sin(frame / 60 + player) })
  end
  beam.sleep(1 / 60)
end
assert(conn:flush(5))
beam.sleep(0.3)
print(("%d positions, %d sent, %d answered"):format(frames * players, conn:stats().sent, received))
