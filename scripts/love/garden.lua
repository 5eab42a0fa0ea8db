-- The garden as one player sees it, and its connection to Beam. What others do comes eight times a second and is drawn sixty
-- times: in between they glide.
local beam = require "beam"

local GLIDE = 8 -- how fast what is drawn follows what is known, 1/s
local KEPT_LINES, KEPT_TIMES = 6, 36000

local Garden = {}
Garden.__index = Garden

-- ---- Where to ----

-- Somebody's own deployment, else a local Beam: that of another player on this machine, or our own.
local function find_client(port)
  if os.getenv "BEAM_TOKEN" or os.getenv "BEAM_GATEWAY_URL" then
    return beam.client()
  end
  return beam.client { gateway = require("server").start(port) }
end

-- ---- What comes ----

local function glide_from(self, player)
  local known = self.shown[player.name]
  if not known then
    known = { x = player.x, y = player.y, trail = {} }
    self.shown[player.name] = known
  end
  known.to_x, known.to_y, known.seen = player.x, player.y, love.timer.getTime()
end

local function read_chat(self, lines)
  for _, line in ipairs(lines) do
    if line.number > self.heard then
      self.heard = line.number
      line.at = love.timer.getTime()
      table.insert(self.chat, line)
      self.said[line.name] = line
    end
  end
  while #self.chat > KEPT_LINES do
    table.remove(self.chat, 1)
  end
end

function Garden:hear(world)
  if type(world) ~= "table" or not world.players then
    return
  end
  self.players, self.sparks, self.score = world.players, world.sparks, world.score
  for _, player in ipairs(world.players) do
    glide_from(self, player)
  end
  read_chat(self, world.chat)
  self.delay = love.timer.getTime() - world.sent
end

-- ---- What goes ----

-- Sixty times a second; of the positions that wait only the newest goes, as often as Beam takes them.
function Garden:move(x, y)
  if self.conn.state ~= "closed" then
    self.conn:send { kind = "here", name = self.name, hue = self.hue, x = x, y = y, heard = self.heard, sent = love.timer.getTime() }
  end
end

function Garden:say(text)
  if self.conn.state ~= "closed" then
    self.conn:send { kind = "say", name = self.name, text = text, sent = love.timer.getTime() }
  end
end

-- ---- Each frame ----

---@param step_seconds number of processor time that beam.step took
function Garden:update(dt, step_seconds)
  self.step_times[#self.step_times % KEPT_TIMES + 1] = step_seconds
  local follow, now = 1 - math.exp(-GLIDE * dt), love.timer.getTime()
  for name, known in pairs(self.shown) do
    known.x, known.y = known.x + (known.to_x - known.x) * follow, known.y + (known.to_y - known.y) * follow
    known.gone = now - known.seen > 5
    if now - known.seen > 6 then
      self.shown[name] = nil
    end
  end
  self.state = self.conn.state
end

function Garden:leave()
  if self.conn.state ~= "closed" then
    self.conn:close(1001, "left the garden")
  end
end

---@param name string
---@param port integer? of the local Beam
return function(name, port)
  local self = setmetatable({
    name = name .. "-" .. love.math.random(100, 999),
    hue = love.math.random(),
    players = {},
    sparks = {},
    shown = {}, -- by name: where they are drawn
    chat = {},
    said = {}, -- by name: the last line
    heard = 0, -- number of the last line
    score = 0,
    step_times = {},
    state = "connecting",
  }, Garden)
  self.conn = assert(find_client(port)).realtime("garden", {
    wait = false, -- the first frame comes before the first byte
    rate = 8, -- one connection to Beam serves ten a second at most; chat wants its share
    coalesce = function(message)
      return message.kind == "here" and "here" or nil
    end,
    queue = { ttl = 2 }, -- a position of two seconds ago is of no use
    on_message = function(world)
      self:hear(world)
    end,
    on_phase = function(phase)
      self.phase = phase
    end,
    on_error = function(err)
      self.problem = tostring(err)
    end,
    on_close = function(err)
      self.problem = tostring(err)
    end,
  })
  return self
end
