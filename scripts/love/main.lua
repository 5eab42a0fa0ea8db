-- Fireflies: a garden at night in which everybody is a light. Positions, sparks and a chat go through a realtime deployment, "garden".
--
--   love scripts/love [--name NAME] [--port PORT] [--play SECONDS [--picture FILE]]
--
-- With BEAM_TOKEN or BEAM_GATEWAY_URL set it joins the deployment of that name (docs/hosts/games.md has one to deploy); without, a local
-- Beam in the same program (server.lua), which further players on this machine join. The mouse or the arrow keys lead the light, Return
-- talks.
--
--   main (keys, frames) -> garden (the connection; beam.step once a frame) -> draw
local root = love.filesystem.getSource():gsub("/scripts/love/?$", "")
package.path = root .. "/lua/?.lua;" .. root .. "/lua/?/init.lua;" .. package.path
package.cpath = root .. "/build/lua/jit/?.so;" .. package.cpath

local beam = require "beam"
local draw = require "draw"
local join = require "garden"
local play = require "play"

local STEP_BUDGET = 0.002 -- seconds of a frame for what came over the network; what is left of it is for the next frame
local SPEED = 0.45 -- of the garden's width a second

local garden, player
local me = { x = 0.5, y = 0.6 }
local typed -- the line that is being written, or nil

local function read_arguments(arguments)
  local options = {}
  for i = 1, #arguments, 2 do
    options[(arguments[i]:gsub("^%-%-", ""))] = arguments[i + 1]
  end
  return options
end

function love.load(arguments)
  local options = read_arguments(arguments)
  love.keyboard.setKeyRepeat(true)
  draw.load()
  garden = join(options.name or os.getenv "USER" or "guest", tonumber(options.port))
  player = options.play and play.new(garden, tonumber(options.play), options.picture)
end

function love.quit()
  garden:leave() -- with a close frame: its slot at Beam is free at once
end

-- ---- Each frame ----

local function wanted_direction()
  if love.mouse.isDown(1) then
    local width, height = love.graphics.getDimensions()
    return love.mouse.getX() / width - me.x, love.mouse.getY() / height - me.y
  elseif typed then
    return 0, 0
  end
  local down = love.keyboard.isDown
  return (down "right" and 1 or 0) - (down "left" and 1 or 0), (down "down" and 1 or 0) - (down "up" and 1 or 0)
end

local function lead(dt)
  local x, y = wanted_direction()
  local length = math.sqrt(x * x + y * y)
  if length > 0.01 then
    me.x = math.max(0.02, math.min(0.98, me.x + x / length * SPEED * dt))
    me.y = math.max(0.05, math.min(0.95, me.y + y / length * SPEED * dt))
  end
end

function love.update(dt)
  if player then
    player:lead(me, dt)
  else
    lead(dt)
  end
  garden:move(me.x, me.y)
  local before = os.clock() -- processor time: what other programs take in between is not ours
  beam.step(0, STEP_BUDGET) -- never waits
  garden:update(dt, os.clock() - before)
end

function love.draw()
  draw.garden(garden, me, typed)
  if player then
    player:after_frame()
  end
end

-- ---- Talking ----

local keys = {}

function keys.escape()
  if not typed then
    love.event.quit()
  end
  typed = nil
end

keys["return"] = function()
  if typed and typed:find "%S" then
    garden:say(typed)
  end
  typed = not typed and "" or nil
end

function keys.backspace()
  typed = typed and typed:gsub("[^\128-\191][\128-\191]*$", "") -- a character of UTF-8
end

function love.keypressed(key)
  if keys[key] then
    keys[key]()
  end
end

function love.textinput(text)
  if typed and #typed < 120 then
    typed = typed .. text
  end
end
