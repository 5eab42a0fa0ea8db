-- Plays by itself, for the tests and for a picture: a round through the garden, two lines of chat; then the figures, and out.
local play = {}

local Play = {}
Play.__index = Play

---@param garden table
---@param seconds number
---@param picture string? a file to write the last frame to
function play.new(garden, seconds, picture)
  local self = { garden = garden, seconds = seconds, picture = picture, clock = 0, most = 0 }
  self.lines = { "hello", "what a night" }
  return setmetatable(self, Play)
end

function Play:lead(me, dt)
  self.clock = self.clock + dt
  me.x, me.y = 0.5 + 0.32 * math.cos(self.clock * 0.8), 0.55 + 0.27 * math.sin(self.clock * 1.5)
  if self.lines[1] and self.clock > self.seconds * (0.6 - 0.3 * #self.lines) + 0.3 then
    self.garden:say(table.remove(self.lines, 1))
  end
end

local function percentiles(list)
  table.sort(list)
  local function at(share)
    return (list[math.max(1, math.ceil(#list * share))] or 0) * 1000
  end
  return ("p50 %.3f  p99 %.3f  max %.3f ms"):format(at(0.5), at(0.99), at(1))
end

-- `most`: how many players were there at once, for who came is gone again on a busy machine.
local function report(garden, most)
  print(("frames %d  beam.step %s"):format(#garden.step_times, percentiles(garden.step_times)))
  print(("state %s  players %d  lines %d  score %d"):format(garden.state, most, #garden.chat, garden.score))
end

local function save(path)
  return function(image)
    local file = assert(io.open(path, "wb"))
    file:write(image:encode("png"):getString())
    file:close()
  end
end

function Play:after_frame()
  self.most = math.max(self.most, #self.garden.players)
  if self.clock < self.seconds or self.over then
    return
  end
  self.over = true
  report(self.garden, self.most)
  if self.picture then
    love.graphics.captureScreenshot(save(self.picture))
  end
  self.frames_left = 2 -- the picture is taken at the end of the frame
  self.after_frame = function()
    self.frames_left = self.frames_left - 1
    if self.frames_left == 0 then
      love.event.quit()
    end
  end
end

return play
