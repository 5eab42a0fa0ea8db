-- What the garden looks like: sky, hills, grass, sparks, lights with their trails, words, and how the connection is.
local labels = require "labels"

local draw = {}

local SAID_FOR = 5 -- seconds that a line is shown
local WIDEST = 260 -- of a bubble

local glow, backdrop, font, small
local STARS, BLADES, TRAIL = 140, 220, 26

-- ---- Made once ----

-- A white disc that fades to its edge; drawn in any colour and size.
local function make_glow()
  local size = 128
  local data = love.image.newImageData(size, size)
  data:mapPixel(function(x, y)
    local dx, dy = (x + 0.5) / size * 2 - 1, (y + 0.5) / size * 2 - 1
    local light = math.max(0, 1 - math.sqrt(dx * dx + dy * dy))
    return 1, 1, 1, light * light * light
  end)
  return love.graphics.newImage(data)
end

local function draw_sky(width, height)
  local sky = love.graphics.newMesh({
    { 0, 0, 0, 0, 0.03, 0.04, 0.12 },
    { width, 0, 1, 0, 0.04, 0.03, 0.14 },
    { width, height, 1, 1, 0.10, 0.17, 0.26 },
    { 0, height, 0, 1, 0.08, 0.15, 0.24 },
  }, "fan")
  love.graphics.draw(sky)
  local random = love.math.newRandomGenerator(7)
  for _ = 1, STARS do
    love.graphics.setColor(1, 1, 0.9, 0.2 + 0.6 * random:random())
    love.graphics.circle("fill", random:random() * width, random:random() * height * 0.7, 0.4 + random:random())
  end
  love.graphics.setColor(1, 0.97, 0.85, 0.35)
  love.graphics.draw(glow, width * 0.8, height * 0.2, 0, 2.6, 2.6, 64, 64)
  love.graphics.setColor(1, 0.98, 0.9)
  love.graphics.circle("fill", width * 0.8, height * 0.2, 26)
end

local function draw_hills(width, height)
  for layer = 1, 3 do
    local points, base = { width, height, 0, height }, height * (0.58 + 0.11 * layer)
    for x = 0, width, 16 do
      local wave = love.math.noise(x / (320 - 60 * layer), layer * 10)
      points[#points + 1], points[#points + 2] = x, base - wave * (130 - 30 * layer)
    end
    points[#points + 1], points[#points + 2] = width, base
    local shade = 1.3 - 0.3 * layer
    love.graphics.setColor(0.07 * shade, 0.15 * shade, 0.19 * shade)
    for _, triangle in ipairs(love.math.triangulate(points)) do
      love.graphics.polygon("fill", triangle)
    end
  end
end

local function make_backdrop()
  local width, height = love.graphics.getDimensions()
  backdrop = love.graphics.newCanvas(width, height)
  love.graphics.setCanvas(backdrop)
  draw_sky(width, height)
  draw_hills(width, height)
  love.graphics.setCanvas()
end

function draw.load()
  font, small = love.graphics.newFont(15), love.graphics.newFont(12)
  glow = make_glow()
  make_backdrop()
end

-- ---- Each frame ----

local function colour(hue, alpha)
  local function channel(offset)
    return 0.62 + 0.38 * math.cos((hue + offset) * 2 * math.pi)
  end
  love.graphics.setColor(channel(0), channel(-1 / 3), channel(-2 / 3), alpha)
end

local function draw_grass(width, height, time)
  love.graphics.setLineWidth(2)
  for i = 1, BLADES do
    local x, tall = (i - 0.5) / BLADES * width, 18 + 22 * love.math.noise(i * 0.37)
    local sway = 7 * math.sin(time * 1.1 + i * 0.21)
    love.graphics.setColor(0.05, 0.16 + 0.06 * love.math.noise(i), 0.10)
    love.graphics.line(x, height, x + sway * 0.3, height - tall * 0.6, x + sway, height - tall)
  end
end

local function draw_sparks(sparks, width, height, time)
  love.graphics.setBlendMode "add"
  for i, spark in ipairs(sparks) do
    local beat = 0.75 + 0.25 * math.sin(time * 3 + i)
    love.graphics.setColor(1, 0.85, 0.4, 0.8 * beat)
    love.graphics.draw(glow, spark.x * width, spark.y * height, 0, 0.22 * beat, 0.22 * beat, 64, 64)
    love.graphics.setColor(1, 1, 0.9)
    love.graphics.circle("fill", spark.x * width, spark.y * height, 2.2)
  end
  love.graphics.setBlendMode "alpha"
end

local function draw_trail(trail, hue, width, height)
  for i, point in ipairs(trail) do
    colour(hue, 0.16 * i / #trail)
    love.graphics.draw(glow, point.x * width, point.y * height, 0, 0.5 * i / #trail, 0.5 * i / #trail, 64, 64)
  end
end

local function remember(trail, x, y)
  trail[#trail + 1] = { x = x, y = y }
  if #trail > TRAIL then
    table.remove(trail, 1)
  end
end

local function draw_light(light, x, y, time)
  local beat = 1 + 0.06 * math.sin(time * 5 + light.hue * 20)
  love.graphics.setBlendMode "add"
  draw_trail(light.trail, light.hue, love.graphics.getDimensions())
  colour(light.hue, 0.75)
  love.graphics.draw(glow, x, y, 0, 1.15 * beat, 1.15 * beat, 64, 64)
  love.graphics.setColor(1, 1, 1, 0.95)
  love.graphics.draw(glow, x, y, 0, 0.3, 0.3, 64, 64)
  love.graphics.setBlendMode "alpha"
end

local function draw_name(name, x, y)
  local wide = small:getWidth(name)
  x, y = labels.place(x - wide / 2, y + 18, wide, small:getHeight())
  love.graphics.setFont(small)
  love.graphics.setColor(1, 1, 1, 0.6)
  love.graphics.print(name, x, y)
end

-- In a bubble above who says it, on as many lines as it takes.
local function draw_line(line, x, y)
  local age = line and love.timer.getTime() - line.at or SAID_FOR
  if age >= SAID_FOR then
    return
  end
  local wide, lines = font:getWrap(line.text, WIDEST)
  local width, height = wide + 20, #lines * font:getHeight() + 8
  local fade = math.min(1, SAID_FOR - age)
  x, y = labels.place(x - width / 2, y - 32 - height, width, height)
  love.graphics.setColor(0, 0, 0, 0.45 * fade)
  love.graphics.rectangle("fill", x, y, width, height, 9)
  love.graphics.setFont(font)
  love.graphics.setColor(1, 1, 1, fade)
  love.graphics.printf(line.text, x + 10, y + 4, wide, "center")
end

local function draw_players(garden, me, width, height, time)
  local words = {}
  for _, player in ipairs(garden.players) do
    local light = garden.shown[player.name]
    if light and not light.gone then
      local x, y = light.x, light.y
      if player.name == garden.name then
        x, y = me.x, me.y -- we know better than the server where we are
      end
      light.hue = player.hue
      remember(light.trail, x, y)
      draw_light(light, x * width, y * height, time)
      words[#words + 1] = { name = player.name, x = x * width, y = y * height }
    end
  end
  return words
end

-- After all lights, so that none shines over them.
local function draw_words(garden, words)
  for _, word in ipairs(words) do
    draw_name(word.name, word.x, word.y)
  end
  for _, word in ipairs(words) do
    draw_line(garden.said[word.name], word.x, word.y)
  end
end

-- ---- Words at the edges ----

local dots = { open = { 0.4, 0.95, 0.5 }, closed = { 0.95, 0.35, 0.3 } }

-- Each of these takes its place, where no other words may stand.
local function write(text, fount, x, y, width, align)
  local wide, lines = fount:getWrap(text, width)
  love.graphics.setFont(fount)
  love.graphics.printf(text, x, y, width, align)
  labels.take(align == "right" and x + width - wide or x, y, wide, #lines * fount:getHeight())
end

local function state_of(garden)
  if garden.state == "open" and garden.delay then
    return ("%d in the garden, %d ms"):format(#garden.players, garden.delay * 1000)
  elseif garden.phase and garden.state ~= "closed" then
    return ("%s: %s"):format(garden.state, garden.phase)
  end
  return garden.problem or garden.state
end

local function draw_state(garden, width)
  love.graphics.setColor(1, 0.85, 0.4)
  write(("sparks: %d"):format(garden.score), font, 16, 12, width * 0.25, "left")
  love.graphics.setColor(1, 1, 1, 0.75)
  write(state_of(garden), small, width * 0.3, 14, width * 0.7 - 32, "right")
  love.graphics.setColor(dots[garden.state] or { 0.98, 0.8, 0.3 })
  love.graphics.circle("fill", width - 20, 21, 5)
end

-- From the newest line upwards, each as high as it is; what is typed, below.
local function draw_chat(garden, typed, width, height)
  local text = typed and "> " .. typed .. "_" or "Return: talk   arrows or mouse: fly"
  local _, lines = small:getWrap(text, width * 0.45)
  local y = height - 14 - #lines * small:getHeight()
  love.graphics.setColor(1, 1, 1, typed and 1 or 0.4)
  write(text, small, 16, y, width * 0.45, "left")
  y = y - 8
  for i = #garden.chat, 1, -1 do
    text = garden.chat[i].name .. ": " .. garden.chat[i].text
    _, lines = small:getWrap(text, width * 0.3)
    y = y - #lines * small:getHeight() - 3
    love.graphics.setColor(1, 1, 1, 0.35 + 0.5 * i / #garden.chat)
    write(text, small, 16, y, width * 0.3, "left")
  end
end

---@param me { x: number, y: number }
---@param typed string? the line that is being written
function draw.garden(garden, me, typed)
  local width, height = love.graphics.getDimensions()
  local time = love.timer.getTime()
  love.graphics.setColor(1, 1, 1)
  love.graphics.draw(backdrop, 0, 0)
  draw_sparks(garden.sparks, width, height, time)
  local words = draw_players(garden, me, width, height, time)
  draw_grass(width, height, time)
  labels.clear()
  draw_state(garden, width)
  draw_chat(garden, typed, width, height)
  draw_words(garden, words)
end

return draw
