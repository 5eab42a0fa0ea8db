-- The garden's other side: the handler of the realtime deployment "garden", with a few lights of its own, on a local Beam inside the game.
-- One handler serves everybody, so that what it keeps here is common to all. docs/hosts/games.md has the same in Python, to deploy.
local beam = require "beam"
local serve = require "beam.serve"

local PORT = 1994 -- as a self-hosted Beam
local PATIENCE = 2 -- seconds for whoever is there to say whether there is a garden
local SPARKS, REACH = 7, 0.05 -- how many there are; how near a light catches one
local FORGOTTEN = 5 -- seconds after which a silent player is gone

local players, scores, chat, sparks = {}, {}, {}, {}
local lights = {
  { name = "Lampyris", hue = 0.13, speed = 0.31, says = "good evening" },
  { name = "Photinus", hue = 0.25, speed = 0.23, says = "mind the dew" },
  { name = "Luciola", hue = 0.52, speed = 0.41, says = "catch the sparks!" },
}

local function say(name, text)
  chat[#chat + 1] = { number = #chat + 1, name = name, text = text }
end

local function place_spark(i)
  sparks[i] = { x = 0.06 + 0.88 * math.random(), y = 0.25 + 0.65 * math.random() }
end

local function move_lights(now)
  for i, light in ipairs(lights) do
    local t = now * light.speed + i * 2.1
    light.x, light.y = 0.5 + 0.36 * math.sin(t) * math.cos(0.3 * t + i), 0.55 + 0.28 * math.sin(1.3 * t + i)
    light.seen = now
    if light.says and now - (light.since or now) > 1.5 * i then
      say(light.name, light.says)
      light.says = nil
    end
    light.since = light.since or now
  end
end

local function catch_sparks(player)
  for i, spark in ipairs(sparks) do
    if math.abs(spark.x - player.x) < REACH and math.abs(spark.y - player.y) < REACH then
      scores[player.name] = (scores[player.name] or 0) + 1
      place_spark(i)
    end
  end
end

local function take(message, now)
  if message.kind == "say" then
    say(message.name, tostring(message.text):sub(1, 200))
  else
    players[message.name] = { name = message.name, hue = message.hue, x = message.x, y = message.y, seen = now }
    catch_sparks(players[message.name])
  end
end

local function list_players(now)
  local list = {}
  for _, light in ipairs(lights) do
    list[#list + 1] = { name = light.name, hue = light.hue, x = light.x, y = light.y }
  end
  for name, player in pairs(players) do
    if now - player.seen > FORGOTTEN then
      players[name] = nil
    else
      list[#list + 1] = { name = name, hue = player.hue, x = player.x, y = player.y, score = scores[name] }
    end
  end
  return list
end

local function new_lines(heard)
  local lines = {}
  for i = math.max(heard + 1, #chat - 9), #chat do
    lines[#lines + 1] = chat[i]
  end
  return lines
end

local function handle(_, context)
  local message, now = context.json(), love.timer.getTime()
  move_lights(now)
  take(message, now)
  return {
    players = list_players(now),
    sparks = sparks,
    chat = new_lines(message.heard or #chat),
    score = scores[message.name] or 0,
    sent = message.sent,
  }
end

local server = {}

local function url_of(port)
  return "http://127.0.0.1:" .. port
end

-- Whether the local Beam there has a garden: another player's.
local function has_garden(port)
  local client = beam.client { gateway = url_of(port), connect_timeout = PATIENCE }
  return client ~= nil and client.deployments({ name = "garden", timeout = PATIENCE }):next() ~= nil
end

local function deploy()
  for i = 1, SPARKS do
    place_spark(i)
  end
  serve.realtime("garden", handle)
end

--- Starts a local Beam, unless another player's is there: who joins that needs none. What else listens there is left alone, and a free port
--- taken.
---@param port integer? that port and no other: a garden there is joined
---@return string url
function server.start(port)
  deploy()
  local started = serve.listen { port = port or PORT }
  if not started and not port and not has_garden(PORT) then
    started = assert(serve.listen { port = 0 })
  end
  return started and started.url or url_of(port or PORT)
end

return server
